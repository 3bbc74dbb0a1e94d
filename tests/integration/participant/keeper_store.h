/* keeper_store.h -- the stores behind the test participant, and its one effect in each.
 *
 * The effect of a phase is a count under "gid/branch/phase", raised by one in the local transaction of
 * the request, so that an effect that happened twice, or without its fence row, shows afterwards. */
#ifndef TESTS_INTEGRATION_PARTICIPANT_KEEPER_STORE_H
#define TESTS_INTEGRATION_PARTICIPANT_KEEPER_STORE_H

#include <stdbool.h>

#include "tercet/participant.h"

enum { KEEPER_KEY_SIZE = 192 };

/* Opens "sqlite:FILE", "leveldb:DIRECTORY" or "memory"; `action_out` is the kind, which is also the
 * name of the action. */
enum tercet_status keeper_store_open(const char *place, struct tercet_store **store_out,
                                     const char **action_out, struct tercet_error *error_out);

/* Raises the count of this request's phase.  false: it could not be done. */
bool keeper_store_count(struct tercet_request *request, const char *action);

/* Prints "KEY COUNT" for every count in the LevelDB store. */
void keeper_store_print(struct tercet_store *store);

#endif
