/* record_key.h -- keys of the pairs of open transactions and outcomes (record.h says what they look like). */
#ifndef COORDINATOR_JOURNAL_RECORD_KEY_H
#define COORDINATOR_JOURNAL_RECORD_KEY_H

#include "base/bytes.h"
#include "tercet/tercet.h"

/* An outcome's key is this and its gid.  It comes in front of all others: a table of level 0 holds the
 * newest outcomes, the head and what is open, so with gids that rise with time nothing lies between its
 * ends but these, and no compaction writes older outcomes again. */
#define RECORD_OUTCOME_PREFIX "a/"
enum {
    RECORD_OUTCOME_PREFIX_SIZE = 2,
    RECORD_OUTCOME_KEY_BYTES_MAX = RECORD_OUTCOME_PREFIX_SIZE + TERCET_GID_BYTES_MAX
};

enum record_key_kind {
    RECORD_KEY_BEGIN = 0x10,
    RECORD_KEY_ADD_BRANCH = 0x20,
    RECORD_KEY_DECIDE = 0x30,
    RECORD_KEY_PROGRESS = 0x40
};

struct record_key {
    int64_t sequence;
    enum record_key_kind kind;
    uint32_t index; /* ADD_BRANCH */
};

/* False: no version that we know of writes such a key. */
bool record_key_parse(struct tercet_bytes bytes, struct record_key *key_out);

/* "BEGIN"; NULL: it is none. */
const char *record_key_kind_name(uint32_t kind);

/* Writes the key of the outcome of `gid`; returns its size. */
size_t record_key_outcome(const char *gid, uint8_t key_out[RECORD_OUTCOME_KEY_BYTES_MAX]);

/* The gid in the key of an outcome, as long as it may be there; borrowed. */
struct tercet_bytes record_key_gid(struct tercet_bytes outcome_key);

/* The greatest gid that has ended, byte by byte, once this one, or an outcome with this key, is there, too.  "" and
 * other keys leave it as it was. */
void record_key_raise(char gid_io[TERCET_GID_BYTES_MAX + 1], const char *gid);
void record_key_raise_by_key(char gid_io[TERCET_GID_BYTES_MAX + 1], struct tercet_bytes bytes);

#endif
