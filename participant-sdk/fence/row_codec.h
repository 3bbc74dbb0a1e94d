/* row_codec.h -- the fence as keys and values, for databases that know nothing else.
 *
 * All keys begin with ROW_CODEC_PREFIX.  Numbers are big-endian, names are preceded by their length,
 * so that no key is the prefix of another and numbers sort as they count.
 *
 *   M                                                  version, store id
 *   S participant origin                               epoch, mark
 *   F gid branch                                       the row
 *   N participant origin incarnation number gid branch nothing: rows in the order of their numbers
 *
 * Values begin with a version byte.  A value that cannot be read is data loss, never "no row". */
#ifndef TERCET_FENCE_ROW_CODEC_H
#define TERCET_FENCE_ROW_CODEC_H

#include "tercet/fence.h"

TERCET_BEGIN_DECLS

#define ROW_CODEC_PREFIX                                                                           \
    "\xff"                                                                                         \
    "tercet/"

enum {
    ROW_CODEC_VERSION = 1,
    ROW_CODEC_KEY_BYTES_MAX = 320,
    ROW_CODEC_ROW_BYTES_MAX = 1280,
    ROW_CODEC_SCOPE_BYTES_MAX = 49 + 16 * TERCET_MARK_OPEN_MAX,
    ROW_CODEC_META_BYTES = 1 + TERCET_STORE_ID_BYTES
};

/* A key being built. */
struct row_key {
    size_t size;
    uint8_t bytes[ROW_CODEC_KEY_BYTES_MAX];
};

struct tercet_bytes row_key_bytes(const struct row_key *key);

void row_key_meta(struct row_key *key_out);
void row_key_scope(struct row_key *key_out, const char *participant, const uint8_t *origin);
void row_key_row(struct row_key *key_out, const struct tercet_fence_key *key);

/* Where the rows of a scope with this number begin; {0, 0}: the first of the scope. */
void row_key_number(struct row_key *key_out, const char *participant, const uint8_t *origin,
                    struct tercet_branch_number number);
/* Above every number of the scope. */
void row_key_number_end(struct row_key *key_out, const char *participant, const uint8_t *origin);
/* The row's own entry among the numbers. */
void row_key_number_of(struct row_key *key_out, const struct tercet_fence_row *row,
                       const struct tercet_fence_key *key);

/* Takes such an entry apart; key_out->gid points into `bytes`.  False: it is not one. */
TERCET_MUST_CHECK bool row_key_number_parse(struct tercet_bytes bytes,
                                            struct tercet_branch_number *number_out,
                                            struct tercet_fence_key *key_out);

/* What is kept of one (participant, origin). */
struct row_scope {
    struct tercet_epoch epoch;
    struct tercet_mark mark;
};

/* Each returns how many bytes it wrote. */
size_t row_encode(const struct tercet_fence_row *row, uint8_t *bytes_out);
size_t row_scope_encode(const struct row_scope *scope, uint8_t *bytes_out);

/* False, and nothing of use in the output: not such a value, or one of a newer version. */
TERCET_MUST_CHECK bool row_decode(struct tercet_bytes bytes, struct tercet_fence_row *row_out);
TERCET_MUST_CHECK bool row_scope_decode(struct tercet_bytes bytes, struct row_scope *scope_out);

TERCET_END_DECLS

#endif
