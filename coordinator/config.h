/* config.h -- what the daemon is told: every setting, where it came from, whether it makes sense.
 *
 * A setting has one row in the table of config_keys.c: name, unit, default, bounds, what it means.
 * From that row come the file's keys, the environment's names, the flags, --help, --print-config,
 * the bounds, and (checked by a test) the table in docs/configuration.md.
 *
 * Sources, later ones win: defaults, file, environment (TERCET_<KEY>), flags (--<key>).  Every source
 * is checked as a whole, also where a later one wins.  Each value remembers its origin, so that
 * whatever is wrong is said with file and line, variable or flag:
 *
 *     tercetd.yaml:12: try_timeout_ms: 99999999 is more than 3600000
 *
 * Thread: made by one before any other starts; afterwards only read. */
#ifndef COORDINATOR_CONFIG_H
#define COORDINATOR_CONFIG_H

#include "base/logger.h"
#include "engine/directory.h"

enum {
    CONFIG_KEY_COUNT = 26,          /* rows of the table */
    CONFIG_LISTEN_COUNT_MAX = 16,   /* addresses */
    CONFIG_TEXT_BYTES_MAX = 1023,   /* of one text */
    CONFIG_FILE_BYTES_MAX = 1 << 20 /* of the file */
};

enum config_source {
    CONFIG_FROM_DEFAULT,
    CONFIG_FROM_FILE,
    CONFIG_FROM_ENVIRONMENT,
    CONFIG_FROM_FLAG
};

struct config_origin {
    enum config_source source;
    uint32_t line; /* FILE: from 1 */
};

/* As in struct directory_entry; zero means: what holds for all. */
struct config_participant {
    char *name;
    char *target;   /* NULL: there are `targets` */
    char **targets; /* NULL: there is one `target` */
    uint32_t target_count;
    uint32_t connections;
    uint32_t call_timeout_ms;
    uint32_t window;
    uint32_t open_transactions_max;
    struct config_origin origin;
};

/* config_key_at() tells what each means.  Text, lists and their items are owned. */
struct config {
    char *file; /* NULL: none was read */

    char **listen;
    uint32_t listen_count;
    char *journal;
    struct config_participant *participants;
    uint32_t participant_count;

    uint32_t try_timeout_ms;
    uint32_t call_timeout_ms;
    uint32_t open_transactions_max;
    uint32_t participant_share;
    uint64_t open_payload_bytes_max;
    uint32_t waiting_calls_max;
    uint32_t inbox_max;
    uint32_t window;
    bool participant_stream;
    uint32_t retry_base_ms;
    uint32_t retry_cap_ms;
    uint32_t outcome_keep_days;
    uint64_t outcome_keep_bytes;
    uint64_t ballast_bytes;
    char *backup_directory; /* NULL: none */
    uint32_t message_bytes_max;
    uint32_t streams_max;
    uint32_t connections_max;
    uint32_t connections_per_second;
    uint32_t resets_per_second;
    uint64_t rpc_memory_bytes;
    uint32_t stop_grace_ms;
    enum logger_level log_level;

    struct config_origin origins[CONFIG_KEY_COUNT]; /* by the rows of the table */
};

/* One setting from a flag: `key` as in the file, `text` as on the command line. */
struct config_flag {
    const char *key;
    const char *text;
};

struct config_sources {
    const char *file;               /* NULL: none */
    const char *const *environment; /* "NAME=value"s, NULL at the end; NULL: none */
    const struct config_flag *flags;
    size_t flag_count;
};

#ifdef __cplusplus
extern "C" {
#endif

/* Reads all sources and checks the whole.  NOT_FOUND (no such file), UNAVAILABLE (it cannot be read),
 * INVALID_ARGUMENT (anything else), always with a sentence. */
TERCET_MUST_CHECK enum tercet_status config_load(const struct config_sources *sources,
                                                 struct config **config_out,
                                                 struct tercet_error *error_out);
void config_destroy(struct config *config); /* NULL is fine */

/* The participants with everything that holds for all filled in.  `directory` is empty. */
TERCET_MUST_CHECK enum tercet_status config_make_directory(const struct config *config,
                                                           struct directory *directory,
                                                           struct tercet_error *error_out);

#ifdef __cplusplus
}
#endif

#endif
