/* answer.h -- what came for a request, in a form that can be compared with what was wanted.
 *
 * A verdict and its details are taken as they came, unknown numbers included: what they should have
 * been is for wants (below) and for conduct.h to say.  A DONE without `how`, and a CONFLICT without its
 * kind, satisfy every want that they do not contradict, so that one that leaves them out fails in
 * conduct.h once and not everywhere. */
#ifndef CONFORMANCE_ANSWER_H
#define CONFORMANCE_ANSWER_H

#include "rpc/rpc_call.h"
#include "tercet/fence.h"
#include "tercet/v1/participant.pb-c.h"

enum { ANSWER_SENTENCE_SIZE = 320 };

struct answer {
    enum tercet_status status;
    char text[TERCET_REASON_TEXT_BYTES_MAX + 1]; /* the status's, or the reason's */
    char code[TERCET_REASON_CODE_BYTES_MAX + 1];
    int verdict; /* status OK only, as all below; the wire's numbers */
    int how;
    int conflict;
    uint32_t after_ms;
    size_t result_size; /* the real one; kept is at most what may be */
    uint8_t result[TERCET_RESULT_BYTES_MAX];
    size_t code_size;
    int64_t mark_incarnation;
    int64_t mark_lsn;
    uint32_t unknown_before; /* attempts before this one of which nothing is known */
};

/* Fills all but unknown_before. */
void answer_read(struct answer *answer_out, const struct rpc_result *result);
void answer_read_reply(struct answer *answer_out, const Tercet__V1__BranchReply *reply);

/* A stranger's text, as it may stand in a terminal and in JSON: control characters become spaces, what is
 * no UTF-8 becomes ?. */
void answer_clean(char *text);

/* Would a coordinator ask again, without thinking about it? */
bool answer_is_to_repeat(const struct answer *answer);

/* Nothing is known: it may have happened. */
bool answer_is_unknown(const struct answer *answer);

/* What a check wants to hear. */
enum want {
    WANT_RAN,      /* DONE, done now */
    WANT_REPEATED, /* DONE, done before */
    WANT_DONE,     /* DONE, now or before */
    WANT_EMPTY,    /* DONE, nothing to undo */
    WANT_REFUSED,
    WANT_OTHER_TRANSACTION, /* CONFLICT, and which */
    WANT_NOT_TRIED,
    WANT_CONFIRMED,
    WANT_CANCELLED,
    WANT_FORGOTTEN,
    WANT_OLD_EPOCH,  /* status FAILED_PRECONDITION, TERCET_OLD_EPOCH */
    WANT_INVALID,    /* status INVALID_ARGUMENT */
    WANT_NOT_SERVED, /* a status that says: never here */
    WANT_UNIMPLEMENTED,
    WANT_WRONG_PARTICIPANT /* LATER, TERCET_WRONG_PARTICIPANT */
};

bool answer_is(const struct answer *answer, enum want want);

/* "DONE RAN", ... */
const char *want_name(enum want want);

/* The same results, byte by byte. */
bool answer_same_result(const struct answer *a, const struct answer *b);

/* "DONE REPEATED", "CONFLICT NOT_TRIED (TERCET_X: text)", "status UNAVAILABLE: text". */
void answer_print(const struct answer *answer, char sentence_out[ANSWER_SENTENCE_SIZE]);

#endif
