/* kv_fence.h -- the fence over an ordered map of bytes that one process owns.
 *
 * LevelDB, and the store for tests, offer get, scan and one atomic batch.  Here local transactions
 * are made of that: all writes of a group, the handlers' and the fence's, gather in an overlay;
 * commit hands it on as one batch.  There is one connection, used by one thread, so that claims need
 * no lock and cannot wait for each other.
 *
 * A struct kv_fence is the connection of such a store: its slots take it as `void *connection`. */
#ifndef TERCET_FENCE_KV_FENCE_H
#define TERCET_FENCE_KV_FENCE_H

#include "fence/overlay.h"
#include "fence/row_codec.h"

TERCET_BEGIN_DECLS

/* Told one entry; returns false to stop. */
typedef bool (*kv_scan_fn)(struct tercet_bytes key, struct tercet_bytes value, void *context);

struct kv_backend {
    /* The committed value, good until the next call of a slot; data NULL when there is none. */
    enum tercet_status (*get)(void *self, struct tercet_bytes key, struct tercet_bytes *value_out,
                              struct tercet_error *error_out);
    /* Committed entries at `from` and above it, below `end`. */
    enum tercet_status (*scan)(void *self, struct tercet_bytes from, struct tercet_bytes end,
                               kv_scan_fn fn, void *context, struct tercet_error *error_out);
    /* All of `changes`, or nothing; OK means durable.  UNKNOWN: not known which. */
    enum tercet_status (*apply)(void *self, const struct byte_map *changes,
                                struct tercet_error *error_out);
    /* UNAVAILABLE when nothing may be written or believed any more. */
    enum tercet_status (*usable)(void *self, struct tercet_error *error_out);
};

/* Epoch and mark of one (participant, origin), as they were read last: every claim needs them, and
 * an open list may be 16 KiB.  Nobody else writes this database, so they stay true until they are
 * written, or, when what was read is not committed yet, until that is committed or dropped. */
struct kv_scope {
    bool known;
    bool uncommitted;
    char participant[TERCET_NAME_BYTES_MAX + 1];
    uint8_t origin[TERCET_ORIGIN_BYTES];
    struct row_scope value;
};

struct kv_fence {
    const struct kv_backend *backend;
    void *self; /* of the backend */
    struct overlay overlay;
    /* Copies that handlers were given; theirs until the next savepoint. */
    struct byte_map_entry **lent;
    size_t lent_count;
    size_t lent_capacity;
    struct kv_scope scope;
    enum tercet_fence_state inserted; /* by the last claim; NONE: it found a row, or wanted none */
};

/* Checks the version of what is there, and makes store id and version where there is none. */
TERCET_MUST_CHECK enum tercet_status kv_fence_open(struct kv_fence *fence,
                                                   const struct kv_backend *backend, void *self,
                                                   struct tercet_error *error_out);
void kv_fence_close(struct kv_fence *fence);

/* For handlers: through the overlay.  `value_out` is valid until the next savepoint.  NOT_FOUND. */
TERCET_MUST_CHECK enum tercet_status kv_fence_get(struct kv_fence *fence, struct tercet_bytes key,
                                                  struct tercet_bytes *value_out,
                                                  struct tercet_error *error_out);

/* The slots of struct tercet_store_ops that do not depend on the backend. */
void kv_fence_disconnect(void *connection);
enum tercet_status kv_fence_begin(void *connection, struct tercet_error *error_out);
enum tercet_status kv_fence_savepoint(void *connection, struct tercet_error *error_out);
enum tercet_status kv_fence_rewind(void *connection, struct tercet_error *error_out);
enum tercet_status kv_fence_claim(void *connection, const struct tercet_fence_key *key,
                                  const struct tercet_fence_row *wanted,
                                  struct tercet_fence_claim *claim_out,
                                  struct tercet_error *error_out);
enum tercet_status kv_fence_raise_epoch(void *connection, const struct tercet_fence_caller *caller,
                                        struct tercet_error *error_out);
enum tercet_status kv_fence_write(void *connection, const struct tercet_fence_key *key,
                                  const struct tercet_fence_row *row,
                                  struct tercet_error *error_out);
enum tercet_status kv_fence_check(void *connection, struct tercet_error *error_out);
enum tercet_status kv_fence_commit(void *connection, struct tercet_error *error_out);
void kv_fence_rollback(void *connection);
enum tercet_status kv_fence_apply_mark(void *connection, const struct tercet_fence_caller *caller,
                                       const struct tercet_mark *mark, struct tercet_sweep *sweep,
                                       struct tercet_error *error_out);
enum tercet_status kv_fence_describe(void *connection, const char *participant,
                                     const uint8_t *origin,
                                     struct tercet_store_description *description_out,
                                     struct tercet_error *error_out);
enum tercet_status kv_fence_find(void *connection, const struct tercet_fence_key *key,
                                 struct tercet_fence_row *row_out, struct tercet_error *error_out);
enum tercet_status kv_fence_list(void *connection, const struct tercet_fence_range *range,
                                 tercet_fence_row_fn row_fn, void *context,
                                 struct tercet_error *error_out);

/* Shared by kv_fence.c and kv_sweep.c. */
TERCET_MUST_CHECK enum tercet_status kv_fence_read_row(struct kv_fence *fence,
                                                       const struct tercet_fence_key *key,
                                                       struct tercet_fence_row *row_out,
                                                       struct tercet_error *error_out);
/* `scope_out` is good until the next read or write of one; all zero when there is none. */
TERCET_MUST_CHECK enum tercet_status kv_fence_read_scope(struct kv_fence *fence,
                                                         const char *participant,
                                                         const uint8_t *origin,
                                                         const struct row_scope **scope_out,
                                                         struct tercet_error *error_out);
void kv_fence_write_scope(struct kv_fence *fence, const char *participant, const uint8_t *origin,
                          const struct row_scope *scope);
TERCET_MUST_CHECK enum tercet_status kv_fence_read_meta(struct kv_fence *fence,
                                                        uint8_t *store_id_out, bool *there_out,
                                                        struct tercet_error *error_out);

TERCET_END_DECLS

#endif
