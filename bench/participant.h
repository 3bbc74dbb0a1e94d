/* participant.h -- `tercet-bench participant`: a participant in a process of its own; and how one is
 * started, that or another program. */
#ifndef BENCH_PARTICIPANT_H
#define BENCH_PARTICIPANT_H

#include "process.h"
#include "store.h"

#define PARTICIPANT_AGREE  "agree"  /* says yes, and changes a business row where there are rows */
#define PARTICIPANT_REFUSE "refuse" /* refuses its try */
#define PARTICIPANT_STALL  "stall"  /* does not answer its try while the parent lives */

/* What it says when it ends, before the number of local transactions that it has committed. */
#define PARTICIPANT_TRANSACTIONS "transactions"

struct participant_command {
    const char *self;    /* this program, which is told all that follows */
    const char *program; /* NULL: none; else instead: FILE --name NAME --listen ADDRESS */
    const char *name;
    const char *listen;
    const char *store; /* a kind of store.h */
    const char *place;
    uint32_t batch_max;
};

/* Starts it (process.h says where `log` comes in).  False: it has been said why not. */
bool participant_start(struct process *process, const struct participant_command *command,
                       const char *log);

/* Waits until it serves.  False: it does not, which has been said. */
bool participant_wait(struct process *process, const char *name);

/* Serves as place->name on `listen`; stops when standard input closes.  The exit code. */
int participant_main(const struct store_kind *kind, const struct store_place *place,
                     const char *listen);

#endif
