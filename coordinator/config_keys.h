/* config_keys.h -- the one table of settings.  See config.h. */
#ifndef COORDINATOR_CONFIG_KEYS_H
#define COORDINATOR_CONFIG_KEYS_H

#include "config.h"

enum config_kind {
    CONFIG_U32,
    CONFIG_U64,
    CONFIG_BOOL,  /* true or false */
    CONFIG_LEVEL, /* enum logger_level */
    CONFIG_TEXT,
    CONFIG_TEXTS,       /* a list of texts; one text is a list of one */
    CONFIG_PARTICIPANTS /* a list of maps */
};

struct config_key {
    const char *name;
    enum config_kind kind;
    size_t offset; /* in struct config */
    uint64_t min;  /* U32, U64 */
    uint64_t max;
    const char *fallback; /* the default as it would be written; NULL: none, "": an empty list */
    const char *unit;     /* "ms", "bytes", ...; "" where there is none */
    const char *meaning;  /* one sentence */
};

#ifdef __cplusplus
extern "C" {
#endif

const struct config_key *config_key_at(size_t index); /* below CONFIG_KEY_COUNT */

/* CONFIG_KEY_COUNT: there is none. */
size_t config_key_find(const char *name);

/* What one entry of `participants` may hold, as rows whose offset is into struct
 * config_participant. */
enum { CONFIG_PARTICIPANT_KEY_COUNT = 7 };
const struct config_key *config_participant_key_at(size_t index);
size_t config_participant_key_find(const char *name);

#ifdef __cplusplus
}
#endif

#endif
