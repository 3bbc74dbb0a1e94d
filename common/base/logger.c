/* logger.c -- see logger.h. */
#include "base/logger.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

enum { LINE_SIZE = 2048 };

static enum logger_level level_min = LOGGER_INFO;
static int log_fd = STDERR_FILENO;

static const char *const level_names[] = {
    [LOGGER_DEBUG] = "debug",
    [LOGGER_INFO] = "info",
    [LOGGER_WARNING] = "warning",
    [LOGGER_ERROR] = "error",
};

void logger_configure(enum logger_level level, int fd)
{
    level_min = level;
    log_fd = fd;
}

bool logger_level_parse(const char *text, enum logger_level *level_out)
{
    for (unsigned i = 0; i < sizeof level_names / sizeof level_names[0]; i++) {
        if (strcmp(text, level_names[i]) == 0) {
            *level_out = (enum logger_level)i;
            return true;
        }
    }
    return false;
}

/* A line under construction; what no longer fits is left out. */
struct line {
    char *text;
    int size;
    int used;
};

static void add_char(struct line *line, char c)
{
    if (line->used < line->size - 1) {
        line->text[line->used] = c;
        line->used++;
        line->text[line->used] = '\0';
    }
}

static void add_text(struct line *line, const char *text)
{
    for (; *text != '\0'; text++) {
        add_char(line, *text);
    }
}

static bool is_plain(const char *text)
{
    if (*text == '\0') {
        return false;
    }
    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;
        if (c <= ' ' || c == '"' || c == '=' || c == '\\' || c == 0x7f) {
            return false;
        }
    }
    return true;
}

/* A value with anything but plain characters stands in quotes; control bytes are spelled out, so
 * that one event is always one line and no one can forge another. */
static void add_value(struct line *line, const char *text)
{
    if (is_plain(text)) {
        add_text(line, text);
        return;
    }
    static const char digits[] = "0123456789abcdef";
    add_char(line, '"');
    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;
        if (c == '"' || c == '\\') {
            add_char(line, '\\');
            add_char(line, (char)c);
        } else if (c < ' ' || c == 0x7f) {
            add_text(line, "\\x");
            add_char(line, digits[c >> 4]);
            add_char(line, digits[c & 15U]);
        } else {
            add_char(line, (char)c);
        }
    }
    add_char(line, '"');
}

static void add_fields(struct line *line, const struct logger_field *fields)
{
    for (; fields->key != NULL; fields++) {
        add_char(line, ' ');
        add_text(line, fields->key);
        add_char(line, '=');
        if (fields->text != NULL) {
            add_value(line, fields->text);
        } else {
            char number[32];
            snprintf(number, sizeof number, "%" PRId64, fields->number);
            add_text(line, number);
        }
    }
}

int logger_format(const char *event, const struct logger_field *fields, char *line_out, int size)
{
    struct line line = {.text = line_out, .size = size};
    add_text(&line, event);
    add_fields(&line, fields);
    return line.used;
}

int logger_head(enum logger_level level, char *head_out, int size)
{
    const int64_t unix_ms = clock_read().unix_ms;
    const time_t seconds = (time_t)(unix_ms / 1000);
    struct tm parts;
    char stamp[LOGGER_HEAD_SIZE];
    struct line line = {.text = head_out, .size = size};

    gmtime_r(&seconds, &parts);
    const size_t used = strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%S", &parts);
    snprintf(stamp + used, sizeof stamp - used, ".%03dZ ", (int)(unix_ms % 1000));
    add_text(&line, stamp);
    add_text(&line, level_names[level]);
    add_char(&line, ' ');
    return line.used;
}

void logger_write(enum logger_level level, const char *event, const struct logger_field *fields)
{
    if (level < level_min) {
        return;
    }
    char text[LINE_SIZE + 1];
    int used = logger_head(level, text, LINE_SIZE);
    used += logger_format(event, fields, text + used, LINE_SIZE - used);
    text[used] = '\n';
    /* A log that cannot be written must not stop what it tells about. */
    ssize_t written = write(log_fd, text, (size_t)used + 1);
    (void)written;
}
