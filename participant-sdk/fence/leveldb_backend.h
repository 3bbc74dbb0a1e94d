/* leveldb_backend.h -- LevelDB behind struct kv_backend: opened with care, dead after one error.
 *
 * LevelDB 1.23 goes on after a failed write of its log and then loses what it acknowledges.  So the
 * first write that fails ends the store: nothing is written or believed on this handle again, and
 * the process has to be started anew.  Reads check sums; rows without CURRENT are
 * never taken for an empty directory. */
#ifndef TERCET_FENCE_LEVELDB_BACKEND_H
#define TERCET_FENCE_LEVELDB_BACKEND_H

#include <leveldb/c.h>

#include "fence/kv_fence.h"

TERCET_BEGIN_DECLS

struct leveldb_backend {
    leveldb_t *database;
    leveldb_options_t *options;
    leveldb_readoptions_t *read_options;
    leveldb_readoptions_t *scan_options; /* the same, past the cache */
    leveldb_writeoptions_t *write_options;
    char *value; /* what was read last; NULL: nothing */
    char *dead;  /* why; NULL while it lives */
};

extern const struct kv_backend leveldb_backend_slots; /* self: a struct leveldb_backend */

/* Errors: UNAVAILABLE (missing, or open elsewhere), DATA_LOSS. */
TERCET_MUST_CHECK enum tercet_status leveldb_backend_open(struct leveldb_backend *backend,
                                                          const char *path, bool create_if_missing,
                                                          struct tercet_error *error_out);
void leveldb_backend_close(struct leveldb_backend *backend);

TERCET_END_DECLS

#endif
