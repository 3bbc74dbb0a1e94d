/* record_key.c -- see record_key.h. */
#include "journal/record_key.h"

#include <string.h>

#include "base/assert.h"

enum { KEY_SIZE = 11, BRANCH_KEY_SIZE = 12 };

const char *record_key_kind_name(uint32_t kind)
{
    switch (kind) {
    case RECORD_KEY_BEGIN:
        return "BEGIN";
    case RECORD_KEY_ADD_BRANCH:
        return "ADD_BRANCH";
    case RECORD_KEY_DECIDE:
        return "DECIDE";
    case RECORD_KEY_PROGRESS:
        return "PROGRESS";
    }
    return NULL;
}

bool record_key_parse(struct tercet_bytes bytes, struct record_key *key_out)
{
    const uint8_t *data = bytes.data;
    if (bytes.size < KEY_SIZE || data[0] != 't' || data[1] != '/' ||
        record_key_kind_name(data[10]) == NULL) {
        return false;
    }
    *key_out = (struct record_key){.sequence = (int64_t)load_be64(data + 2), .kind = data[10]};
    if (key_out->kind == RECORD_KEY_ADD_BRANCH && bytes.size == BRANCH_KEY_SIZE) {
        key_out->index = data[11];
        return true;
    }
    return key_out->kind != RECORD_KEY_ADD_BRANCH && bytes.size == KEY_SIZE;
}

size_t record_key_outcome(const char *gid, uint8_t key_out[RECORD_OUTCOME_KEY_BYTES_MAX])
{
    const size_t gid_size = strlen(gid);
    tercet_assert(gid_size <= TERCET_GID_BYTES_MAX);
    memcpy(key_out, RECORD_OUTCOME_PREFIX, RECORD_OUTCOME_PREFIX_SIZE);
    memcpy(key_out + RECORD_OUTCOME_PREFIX_SIZE, gid, gid_size);
    return RECORD_OUTCOME_PREFIX_SIZE + gid_size;
}

struct tercet_bytes record_key_gid(struct tercet_bytes outcome_key)
{
    tercet_assert(outcome_key.size >= RECORD_OUTCOME_PREFIX_SIZE);
    return tercet_bytes_of((const char *)outcome_key.data + RECORD_OUTCOME_PREFIX_SIZE,
                           outcome_key.size - RECORD_OUTCOME_PREFIX_SIZE);
}

/* Is it an outcome's, of a gid that is greater than this one, byte by byte? */
static bool is_beyond(struct tercet_bytes bytes, const char *gid)
{
    const char *data = bytes.data;
    const size_t gid_size = strlen(gid);
    if (bytes.size <= RECORD_OUTCOME_PREFIX_SIZE ||
        memcmp(data, RECORD_OUTCOME_PREFIX, RECORD_OUTCOME_PREFIX_SIZE) != 0) {
        return false;
    }
    const size_t size = bytes.size - RECORD_OUTCOME_PREFIX_SIZE;
    const int order =
        memcmp(data + RECORD_OUTCOME_PREFIX_SIZE, gid, size < gid_size ? size : gid_size);
    return order > 0 || (order == 0 && size > gid_size);
}

void record_key_raise(char gid_io[TERCET_GID_BYTES_MAX + 1], const char *gid)
{
    if (strcmp(gid, gid_io) > 0) {
        tercet_assert(strlen(gid) <= TERCET_GID_BYTES_MAX);
        memcpy(gid_io, gid, strlen(gid) + 1);
    }
}

void record_key_raise_by_key(char gid_io[TERCET_GID_BYTES_MAX + 1], struct tercet_bytes bytes)
{
    if (is_beyond(bytes, gid_io)) {
        const size_t size = bytes.size - RECORD_OUTCOME_PREFIX_SIZE;
        tercet_assert(size <= TERCET_GID_BYTES_MAX);
        memcpy(gid_io, (const char *)bytes.data + RECORD_OUTCOME_PREFIX_SIZE, size);
        gid_io[size] = '\0';
    }
}
