/* record_key.c -- see record_key.h. */
#include "journal/record_key.h"

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
