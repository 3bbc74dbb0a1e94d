/* log.c -- see log.h. */
#include "src/log.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "src/moment.h"

enum { QUIET_MS = 1000 };

void log_init(struct log *log, tercet_log_fn hook, void *context)
{
    memset(log, 0, sizeof *log);
    log->hook = hook;
    log->context = context;
    (void)pthread_mutex_init(&log->mutex, NULL);
}

void log_deinit(struct log *log)
{
    (void)pthread_mutex_destroy(&log->mutex);
}

/* FNV-1a; lines that collide are braked together, which costs a line and nothing else. */
static uint64_t hash_of(const char *line)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; line[i] != '\0'; i++) {
        hash = (hash ^ (unsigned char)line[i]) * UINT64_C(0x100000001b3);
    }
    return hash;
}

/* Whether to tell it now, and how many were held back before it. */
static bool may_tell(struct log *log, const char *line, uint64_t *held_back_out)
{
    const uint64_t hash = hash_of(line);
    const int64_t now = moment_ms();
    bool tell = true;

    *held_back_out = 0;
    (void)pthread_mutex_lock(&log->mutex);
    struct log_recent *recent = &log->recent[hash % LOG_RECENT_COUNT];
    if (recent->hash == hash && now - recent->told_ms < QUIET_MS) {
        recent->held_back++;
        tell = false;
    } else {
        *held_back_out = recent->hash == hash ? recent->held_back : 0;
        *recent = (struct log_recent){.hash = hash, .told_ms = now};
    }
    (void)pthread_mutex_unlock(&log->mutex);
    return tell;
}

void log_tell(struct log *log, enum tercet_log_level level, const char *event,
              const struct logger_field *fields)
{
    char line[LOG_LINE_BYTES_MAX + 1];
    uint64_t held_back = 0;

    if (log->hook == NULL) {
        return;
    }
    const int size = logger_format(event, fields, line, (int)sizeof line);
    if (!may_tell(log, line, &held_back)) {
        return;
    }
    if (held_back > 0) {
        (void)snprintf(line + size, sizeof line - (size_t)size, " repeated=%" PRIu64, held_back);
    }
    log->hook(level, line, log->context);
}

void tercet_log_to_stderr(enum tercet_log_level level, const char *line, void *context)
{
    static const enum logger_level levels[] = {LOGGER_INFO, LOGGER_INFO, LOGGER_WARNING,
                                               LOGGER_ERROR};
    char text[LOGGER_HEAD_SIZE + LOG_LINE_BYTES_MAX + 2];
    const bool known = level >= TERCET_LOG_INFO && level <= TERCET_LOG_ERROR;

    (void)context;
    int size = logger_head(known ? levels[level] : LOGGER_ERROR, text, LOGGER_HEAD_SIZE);
    /* A longer line than the SDK's own is cut; room for the newline is kept. */
    size += snprintf(text + size, LOG_LINE_BYTES_MAX + 1, "%.*s\n", LOG_LINE_BYTES_MAX - 1, line);
    /* One write a line, so that lines of several threads do not mix.  Standard error that cannot be
     * written leaves nobody to tell. */
    ssize_t written = -1;
    do {
        written = write(STDERR_FILENO, text, (size_t)size);
    } while (written < 0 && errno == EINTR);
}
