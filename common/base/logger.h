/* logger.h -- structured logging, one line an event:
 *
 *   2026-11-21T02:33:23.123Z info participant.unreachable participant=account text="no route"
 *
 * The participant SDK's lines have the same shape: it formats them here and hands them to its
 * caller's hook.  For programs' own edges (loop, runtime, service, main); libraries and pure code
 * return what they have to say.  Never log a payload or a result.  Any thread; a line is one
 * write. */
#ifndef COMMON_BASE_LOGGER_H
#define COMMON_BASE_LOGGER_H

#include <stdbool.h>
#include <stdint.h>

enum logger_level { LOGGER_DEBUG, LOGGER_INFO, LOGGER_WARNING, LOGGER_ERROR };

struct logger_field {
    const char *key;
    const char *text; /* NULL: `number` */
    int64_t number;
};

#ifdef __cplusplus
extern "C" {
#endif

/* `text` NULL: as "". */
static inline struct logger_field logger_text(const char *key, const char *text)
{
    struct logger_field field = {key, text != 0 ? text : "", 0};
    return field;
}

static inline struct logger_field logger_int(const char *key, int64_t number)
{
    struct logger_field field = {key, 0, number};
    return field;
}

/* LOGGER(level, event, fields...): at least one field. */
#define LOGGER(level, event, ...)                                                                  \
    logger_write((level), (event), (const struct logger_field[]){__VA_ARGS__, {0, 0, 0}})

/* `fields` end with one whose key is NULL. */
void logger_write(enum logger_level level, const char *event, const struct logger_field *fields);

/* Below `level` nothing is written; to `fd` (2 at first).  Before threads start. */
void logger_configure(enum logger_level level, int fd);

/* "debug", "info", "warning", "error"; false: none of these. */
bool logger_level_parse(const char *text, enum logger_level *level_out);

/* The parts of a line, for who writes it elsewhere: what stands before the event (time and level,
 * with the space behind it), and the rest without a newline.  The size written, cut at `size`. */
enum { LOGGER_HEAD_SIZE = 64 };
int logger_head(enum logger_level level, char *head_out, int size);
int logger_format(const char *event, const struct logger_field *fields, char *line_out, int size);

#ifdef __cplusplus
}
#endif

#endif
