/* store.h -- what a struct tercet_store is: a database's slots, its object, and how it is to be
 * driven.
 *
 * A store owns no thread and no connection.  The participant that registers actions on it makes
 * options.connection_count workers, each with a connection of its own. */
#ifndef TERCET_FENCE_STORE_H
#define TERCET_FENCE_STORE_H

#include "tercet/fence.h"

TERCET_BEGIN_DECLS

struct tercet_participant;

enum {
    STORE_CONNECTION_COUNT_MAX = 256,
    STORE_BATCH_DEFAULT = 64,
    STORE_BATCH_EMBEDDED_DEFAULT = 512, /* memory, LevelDB, SQLite: a branch takes microseconds */
    STORE_BATCH_MAX = 1024,
    STORE_QUEUE_DEFAULT = 10000
};

struct tercet_store {
    const struct tercet_store_ops *ops;
    void *self;
    struct tercet_store_options options; /* defaults filled in */
    uint8_t id[TERCET_STORE_ID_BYTES];   /* of the database that was there when it was opened */
    /* The participant that serves from it; NULL until one registers actions.  Set and read by the
     * participant alone, before its threads start. */
    const struct tercet_participant *served_by;
};

/* The id of the database that a connection leads to.  Errors: those of `connect`. */
TERCET_MUST_CHECK enum tercet_status store_read_id(const struct tercet_store_ops *ops,
                                                   void *connection, uint8_t *id_out,
                                                   struct tercet_error *error_out);

TERCET_END_DECLS

#endif
