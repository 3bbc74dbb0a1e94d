/* participant.h -- `tercet-bench participant`: a participant in a process of its own. */
#ifndef BENCH_PARTICIPANT_H
#define BENCH_PARTICIPANT_H

#define PARTICIPANT_AGREE  "agree"  /* says yes; with SQLite it changes a business row, too */
#define PARTICIPANT_REFUSE "refuse" /* refuses its try */

enum participant_store { PARTICIPANT_MEMORY, PARTICIPANT_LEVELDB, PARTICIPANT_SQLITE };

const char *participant_store_name(enum participant_store store);

/* Serves as `name` on `listen`, keeping its fence in a store of that name in `directory`; stops
 * when standard input closes.  The exit code. */
int participant_main(const char *name, const char *listen, const char *store,
                     const char *directory);

#endif
