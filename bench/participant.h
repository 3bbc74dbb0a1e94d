/* participant.h -- `tercet-bench participant`: says yes to everything, from a process of its own. */
#ifndef BENCH_PARTICIPANT_H
#define BENCH_PARTICIPANT_H

#define PARTICIPANT_ACTION "agree"
#define PARTICIPANT_READY  "ready"

/* Serves as `name` on `listen`, says "ready" on standard output, and stops when standard input
 * closes.  The exit code. */
int participant_main(const char *name, const char *listen);

#endif
