/* log.h -- the caller's log hook, with a brake.
 *
 * Lines are shaped by base/logger.h, as the coordinator's are: the event, then key=value; without
 * newline and never with a payload, a result or a secret.  The same line is not told more than once
 * a second; the next one then carries repeated=<count>. */
#ifndef TERCET_SRC_LOG_H
#define TERCET_SRC_LOG_H

#include <pthread.h>

#include "base/logger.h"
#include "tercet/tercet.h"

TERCET_BEGIN_DECLS

enum { LOG_RECENT_COUNT = 64, LOG_LINE_BYTES_MAX = 1023 };

struct log_recent {
    uint64_t hash;
    int64_t told_ms;
    uint64_t held_back;
};

struct log {
    tercet_log_fn hook; /* NULL: silent */
    void *context;
    pthread_mutex_t mutex;
    struct log_recent
        recent[LOG_RECENT_COUNT]; /* by hash; a newer line takes an older one's place */
};

void log_init(struct log *log, tercet_log_fn hook, void *context);
void log_deinit(struct log *log);

/* LOG_TELL(log, level, event, fields...): at least one field, as of LOGGER(). */
#define LOG_TELL(log, level, event, ...)                                                           \
    log_tell((log), (level), (event), (const struct logger_field[]){__VA_ARGS__, {0, 0, 0}})

/* `fields` end with one whose key is NULL.  Thread: any. */
void log_tell(struct log *log, enum tercet_log_level level, const char *event,
              const struct logger_field *fields);

TERCET_END_DECLS

#endif
