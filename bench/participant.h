/* participant.h -- `tercet-bench participant`: a participant in a process of its own. */
#ifndef BENCH_PARTICIPANT_H
#define BENCH_PARTICIPANT_H

#include "store.h"

#define PARTICIPANT_AGREE  "agree"  /* says yes, and changes a business row where there are rows */
#define PARTICIPANT_REFUSE "refuse" /* refuses its try */
#define PARTICIPANT_STALL  "stall"  /* does not answer its try while the parent lives */

/* What it says when it ends, before the number of local transactions that it has committed. */
#define PARTICIPANT_TRANSACTIONS "transactions"

/* Serves as place->name on `listen`; stops when standard input closes.  The exit code. */
int participant_main(const struct store_kind *kind, const struct store_place *place,
                     const char *listen);

#endif
