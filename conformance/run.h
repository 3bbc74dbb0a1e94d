/* run.h -- one run against one participant: the connections, who we say we are, what we make up.
 *
 * Every run has an origin that nobody had before, with its time as incarnation, and its time in every
 * gid: so one database can be used again and again.  The seed decides what else is drawn. */
#ifndef CONFORMANCE_RUN_H
#define CONFORMANCE_RUN_H

#include "arguments.h"
#include "balance.h"
#include "base/random.h"
#include "conduct.h"
#include "request.h"

enum {
    RUN_CHANNEL_COUNT = 4, /* connections */
    RUN_STAMP_SIZE = 48
};

/* What the balance does at one try, one confirm, and one confirm of the confirm-only action. */
struct effects {
    bool learned;
    bool once_learned;
    bool moved; /* it is the right balance: something changed it */
    double per_try;
    double per_confirm;
    double per_once;
};

struct run {
    const struct arguments *arguments;
    struct rpc_runtime *runtime;
    struct rpc_channel *channels[RUN_CHANNEL_COUNT];
    struct random random;
    struct persona persona; /* the usual one */
    char stamp[RUN_STAMP_SIZE];
    uint32_t persona_count;
    uint64_t branch_count;
    uint64_t request_count;
    uint32_t patience_ms; /* how long one request is asked again */
    struct arena arena;   /* of the check under way */
    struct conduct conduct;
    struct effects effects;
    bool marks_absent;      /* nothing ever told that a mark was stored */
    bool gone;              /* it cannot be reached any more */
    bool rows_stay;         /* a mark was stored and no row went in time */
    struct reading reading; /* the last of the balance; text "": none */
    uint64_t read_behind;   /* how many requests had been made: it is good until the next */
    char software[64];      /* as Describe tells it */
};

/* UNAVAILABLE: nobody answers at the address.  INVALID_ARGUMENT: it is none, or another participant
 * than was meant answers there. */
TERCET_MUST_CHECK enum tercet_status run_open(struct run *run, const struct arguments *arguments,
                                              struct tercet_error *error_out);
void run_close(struct run *run);

/* A coordinator that nobody has heard of. */
struct persona run_persona(struct run *run);

/* A branch that nobody has heard of, with the next number of its persona. */
struct branch run_branch(struct run *run, struct persona *persona);
struct branch run_branch_with(struct run *run, struct persona *persona, const char *action,
                              const struct payload *payload);

/* Another connection, for the caller to close. */
TERCET_MUST_CHECK enum tercet_status run_connect(struct run *run, struct rpc_channel **channel_out,
                                                 struct tercet_error *error_out);

/* Is it still there?  Waits a little for one that is. */
bool run_is_there(struct run *run);

/* For a moment, between two looks at something that comes by itself. */
void run_pause(uint32_t ms);

#endif
