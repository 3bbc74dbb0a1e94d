/* client_policy.h -- what one attempt's end means: finish or repeat, and how honest the answer is.
 *
 * A call of the client is one or more attempts under the same gid.  This file is the only place
 * that decides whether to try again and whether "not started" may be said; it is pure, so that the
 * rules can be tested without a network.
 *
 *   1. "Not started" is said only when every attempt either never left this process or came back
 *      with the trailer tercet-refused.  One attempt that was lost taints all that follow.
 *   2. Only what a repeat can change is repeated: a transport that failed, and a coordinator that
 *      is starting or stopping.  A refusal of the request itself is final.
 *   3. An answer that makes no sense is final and never a success. */
#ifndef TERCET_SRC_CLIENT_POLICY_H
#define TERCET_SRC_CLIENT_POLICY_H

#include "tercet/tercet.h"

TERCET_BEGIN_DECLS

/* What a reply with status OK says about the question that was asked. */
enum client_answer {
    CLIENT_ANSWER_NONE,     /* the status is not OK */
    CLIENT_ANSWER_REACHED,  /* what was waited for is reached */
    CLIENT_ANSWER_NOT_YET,  /* understood, and not reached */
    CLIENT_ANSWER_SENSELESS /* garbage, another gid, an enum value that we do not know */
};

/* How one attempt ended. */
struct client_attempt {
    enum tercet_status status;
    bool refused;     /* the trailer tercet-refused: 1 stood beside the error */
    bool left;        /* it may have left this process */
    const char *code; /* of the ErrorDetail; "" when there is none */
    enum client_answer answer;
};

/* What the attempts of one call have amounted to so far.  Zero before the first. */
struct client_history {
    bool may_have_started; /* an attempt that could have had an effect is among them */
    uint32_t attempt_count;
};

enum client_next { CLIENT_FINISH, CLIENT_REPEAT };

struct client_judgement {
    enum client_next next;
    /* FINISH: the call's status, and whether it is certain that nothing was started. */
    enum tercet_status status;
    bool not_started;
};

/* Judges an attempt and writes it into the history.  `wait_over`: there is no time for another. */
struct client_judgement client_policy_judge(struct client_history *history,
                                            const struct client_attempt *attempt, bool wait_over);

TERCET_END_DECLS

#endif
