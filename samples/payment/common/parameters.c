/* parameters.c -- see parameters.h. */
#include "common/parameters.h"

#include <stdio.h>
#include <string.h>

enum { NAME_SIZE = 16, LETTER_COUNT = 26 };

static const char letters[LETTER_COUNT + 1] = "abcdefghijklmnopqrstuvwxyz";

/* The value that `name`, of `length` letters, names; NULL when it has none. */
static const json_t *find_value(const json_t *values, const char *name, size_t length)
{
    char text[NAME_SIZE];

    if (length >= sizeof text) {
        return NULL;
    }
    memcpy(text, name, length);
    text[length] = '\0';
    const json_t *value = json_object_get(values, text);
    return json_is_integer(value) || json_is_string(value) ? value : NULL;
}

bool parameters_read(const char *sql, const json_t *values, bool numbered,
                     struct parameters *parameters_out, char error_out[BOOKS_ERROR_SIZE])
{
    size_t at = 0;
    size_t count = 0;

    for (const char *rest = sql; *rest != '\0';) {
        size_t length = *rest == ':' ? strspn(rest + 1, letters) : 0;
        int written = 0;
        if (length == 0) {
            written = snprintf(parameters_out->sql + at, PARAMETERS_SQL_SIZE - at, "%c", *rest);
            rest += 1;
        } else {
            const json_t *value = find_value(values, rest + 1, length);
            if (value == NULL || count == PARAMETERS_MAX) {
                snprintf(error_out, BOOKS_ERROR_SIZE, "no value for %.*s", (int)(length + 1), rest);
                return false;
            }
            parameters_out->values[count++] = value;
            written = numbered ? snprintf(parameters_out->sql + at, PARAMETERS_SQL_SIZE - at,
                                          "$%zu", count)
                               : snprintf(parameters_out->sql + at, PARAMETERS_SQL_SIZE - at, "?");
            rest += length + 1;
        }
        at += (size_t)written;
        if (at >= PARAMETERS_SQL_SIZE) {
            snprintf(error_out, BOOKS_ERROR_SIZE, "the statement is too long");
            return false;
        }
    }
    parameters_out->sql[at] = '\0';
    parameters_out->count = count;
    return true;
}
