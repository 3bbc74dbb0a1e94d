/* config_value.c -- see config_value.h. */
#include "config_value.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/utf8.h"

/* How much of a bad value is repeated in a sentence. */
#define SHOWN "%.60s"

/* ---- Places ------------------------------------------------------------------------------------ */

void config_variable_name(const char *key, char *name_out, size_t size)
{
    (void)snprintf(name_out, size, "TERCET_%s", key);
    for (char *at = name_out; *at != '\0'; at++) {
        *at = (char)toupper((unsigned char)*at);
    }
}

void config_flag_name(const char *key, char *name_out, size_t size)
{
    (void)snprintf(name_out, size, "--%s", key);
    for (char *at = name_out; *at != '\0'; at++) {
        *at = *at == '_' ? '-' : *at;
    }
}

const char *config_place_text(const struct config_place *place, const char *key,
                              char text_out[CONFIG_PLACE_SIZE])
{
    switch (place->origin.source) {
    case CONFIG_FROM_DEFAULT:
        text_format(text_out, CONFIG_PLACE_SIZE, "%s", key);
        break;
    case CONFIG_FROM_FILE: {
        /* Of a long path the end tells more than the beginning. */
        const size_t size = strlen(place->file);
        const char *file = size > 100 ? place->file + (size - 100) : place->file;
        text_format(text_out, CONFIG_PLACE_SIZE, "%s%s:%" PRIu32 ": " SHOWN,
                    file == place->file ? "" : "...", file, place->origin.line, key);
        break;
    }
    case CONFIG_FROM_ENVIRONMENT:
        config_variable_name(key, text_out, CONFIG_PLACE_SIZE);
        break;
    case CONFIG_FROM_FLAG:
        config_flag_name(key, text_out, CONFIG_PLACE_SIZE);
        break;
    }
    return text_out;
}

/* ---- Scalars ----------------------------------------------------------------------------------- */

enum tercet_status config_refuse(const char *where, const char *text, const char *why,
                                 struct tercet_error *error_out)
{
    return error_set(error_out, TERCET_INVALID_ARGUMENT, "%s: \"" SHOWN "\" %s", where, text, why);
}

/* Digits alone, up to 2^64 - 1. */
static bool parse_number(const char *text, uint64_t *number_out)
{
    uint64_t number = 0;
    for (const char *at = text; *at != '\0'; at++) {
        if (*at < '0' || *at > '9') {
            return false;
        }
        const uint64_t digit = (uint64_t)(*at - '0');
        if (number > (UINT64_MAX - digit) / 10) {
            number = UINT64_MAX; /* over every bound; go on looking at the rest */
            continue;
        }
        number = number * 10 + digit;
    }
    *number_out = number;
    return text[0] != '\0';
}

static enum tercet_status set_number(void *base, const struct config_key *key, const char *text,
                                     const char *where, struct tercet_error *error_out)
{
    uint64_t number = 0;
    if (!parse_number(text, &number)) {
        return config_refuse(where, text, "is not a whole number", error_out);
    }
    if (number > key->max) {
        return error_set(error_out, TERCET_INVALID_ARGUMENT,
                         "%s: " SHOWN " is more than %" PRIu64 "%s%s", where, text, key->max,
                         key->unit[0] == '\0' ? "" : " ", key->unit);
    }
    if (number < key->min) {
        return error_set(error_out, TERCET_INVALID_ARGUMENT,
                         "%s: " SHOWN " is less than %" PRIu64 "%s%s", where, text, key->min,
                         key->unit[0] == '\0' ? "" : " ", key->unit);
    }
    char *field = (char *)base + key->offset;
    if (key->kind == CONFIG_U32) {
        const uint32_t narrow = (uint32_t)number;
        memcpy(field, &narrow, sizeof narrow);
    } else {
        memcpy(field, &number, sizeof number);
    }
    return TERCET_OK;
}

/* Does a character begin here that a line of YAML cannot hold as it stands?  The controls of ASCII
 * and Latin-1, U+2028 and U+2029 (they end lines), U+FEFF, U+FFFE and U+FFFF. */
static bool is_control(const char *text)
{
    static const char *const wide[] = {"\xe2\x80\xa8", "\xe2\x80\xa9", "\xef\xbb\xbf",
                                       "\xef\xbf\xbe", "\xef\xbf\xbf"};
    const unsigned char *at = (const unsigned char *)text;
    for (size_t i = 0; i < sizeof wide / sizeof wide[0]; i++) {
        if (strncmp(text, wide[i], strlen(wide[i])) == 0) {
            return true;
        }
    }
    return iscntrl(at[0]) != 0 || (at[0] == 0xc2 && at[1] < 0xa0);
}

enum tercet_status config_check_text(const char *text, size_t bytes_max, const char *where,
                                     struct tercet_error *error_out)
{
    const size_t size = strlen(text);
    if (size == 0) {
        return error_set(error_out, TERCET_INVALID_ARGUMENT, "%s: has no value", where);
    }
    if (size > bytes_max) {
        return error_set(error_out, TERCET_INVALID_ARGUMENT,
                         "%s: %zu bytes are more than the limit of %zu", where, size, bytes_max);
    }
    size_t character = 0;
    for (const char *at = text; *at != '\0'; at += character) {
        character = utf8_size(at);
        if (character == 0) {
            return error_set(error_out, TERCET_INVALID_ARGUMENT, "%s: is not UTF-8 (0x%02x)", where,
                             (unsigned)(unsigned char)*at);
        }
        if (is_control(at)) {
            return error_set(error_out, TERCET_INVALID_ARGUMENT,
                             "%s: holds a control character (0x%02x)", where,
                             (unsigned)(unsigned char)*at);
        }
    }
    return TERCET_OK;
}

static enum tercet_status set_word(void *base, const struct config_key *key, const char *text,
                                   const char *where, struct tercet_error *error_out)
{
    const enum tercet_status status = config_check_text(text, (size_t)key->max, where, error_out);
    if (status == TERCET_OK) {
        char **field = (char **)(void *)((char *)base + key->offset);
        free(*field);
        *field = xstrdup(text);
    }
    return status;
}

static enum tercet_status set_bool(void *base, const struct config_key *key, const char *text,
                                   const char *where, struct tercet_error *error_out)
{
    const bool value = strcmp(text, "true") == 0;
    if (!value && strcmp(text, "false") != 0) {
        return config_refuse(where, text, "is neither true nor false", error_out);
    }
    memcpy((char *)base + key->offset, &value, sizeof value);
    return TERCET_OK;
}

enum tercet_status config_set_scalar(void *base, const struct config_key *key, const char *text,
                                     const char *where, struct tercet_error *error_out)
{
    switch (key->kind) {
    case CONFIG_U32:
    case CONFIG_U64:
        return set_number(base, key, text, where, error_out);
    case CONFIG_TEXT:
        return set_word(base, key, text, where, error_out);
    case CONFIG_BOOL:
        return set_bool(base, key, text, where, error_out);
    case CONFIG_LEVEL: {
        enum logger_level level = LOGGER_INFO;
        if (!logger_level_parse(text, &level)) {
            return config_refuse(where, text, "is none of debug, info, warning, error", error_out);
        }
        memcpy((char *)base + key->offset, &level, sizeof level);
        return TERCET_OK;
    }
    case CONFIG_TEXTS:
    case CONFIG_PARTICIPANTS:
        break;
    }
    tercet_unreachable();
}

/* ---- Lists ------------------------------------------------------------------------------------- */

enum tercet_status config_add_listen(struct config *config, const char *text, const char *where,
                                     struct tercet_error *error_out)
{
    if (config->listen_count == CONFIG_LISTEN_COUNT_MAX) {
        return error_set(error_out, TERCET_INVALID_ARGUMENT, "%s: more than %d addresses", where,
                         (int)CONFIG_LISTEN_COUNT_MAX);
    }
    const bool any_port = strlen(text) >= 2 && strcmp(text + strlen(text) - 2, ":0") == 0;
    for (uint32_t i = 0; i < config->listen_count && !any_port; i++) {
        if (strcmp(config->listen[i], text) == 0) {
            return config_refuse(where, text, "is there twice", error_out);
        }
    }
    const enum tercet_status status =
        config_check_text(text, CONFIG_TEXT_BYTES_MAX, where, error_out);
    if (status == TERCET_OK) {
        config->listen = xrealloc((void *)config->listen,
                                  (config->listen_count + 1U) * sizeof config->listen[0]);
        config->listen[config->listen_count] = xstrdup(text);
        config->listen_count++;
    }
    return status;
}

void config_clear_listen(struct config *config)
{
    for (uint32_t i = 0; i < config->listen_count; i++) {
        free(config->listen[i]);
    }
    free((void *)config->listen);
    config->listen = NULL;
    config->listen_count = 0;
}

/* ---- Any key from one word --------------------------------------------------------------------- */

/* name=target */
static enum tercet_status add_pair(struct config *config, const char *pair,
                                   struct config_origin origin, const char *where,
                                   struct tercet_error *error_out)
{
    const char *sign = strchr(pair, '=');
    if (sign == NULL) {
        return config_refuse(where, pair, "is not name=target", error_out);
    }
    struct config_participant *added = config_add_participant(config, origin);
    if (added == NULL) {
        return error_set(error_out, TERCET_INVALID_ARGUMENT, "%s: more than %d participants", where,
                         (int)DIRECTORY_PARTICIPANT_COUNT_MAX);
    }
    char *name = xstrdup(pair);
    name[sign - pair] = '\0';
    enum tercet_status status =
        config_set_scalar(added, config_participant_key_at(0), name, where, error_out);
    free(name);
    if (status == TERCET_OK) {
        status = config_set_scalar(added, config_participant_key_at(1), sign + 1, where, error_out);
    }
    if (status == TERCET_OK) {
        status = config_check_participant(config, added, where, error_out);
    }
    return status;
}

static enum tercet_status set_list(struct config *config, enum config_kind kind, const char *text,
                                   struct config_origin origin, const char *where,
                                   struct tercet_error *error_out)
{
    char *copy = xstrdup(text);
    char *item = copy;
    enum tercet_status status = TERCET_OK;
    while (status == TERCET_OK && item != NULL) {
        char *comma = strchr(item, ',');
        if (comma != NULL) {
            *comma = '\0';
        }
        status = kind == CONFIG_TEXTS ? config_add_listen(config, item, where, error_out)
                                      : add_pair(config, item, origin, where, error_out);
        item = comma == NULL ? NULL : comma + 1;
    }
    free(copy);
    return status;
}

enum tercet_status config_set_text(struct config *config, size_t key_index, const char *text,
                                   const struct config_place *place, struct tercet_error *error_out)
{
    const struct config_key *key = config_key_at(key_index);
    char where[CONFIG_PLACE_SIZE];
    config_place_text(place, key->name, where);
    config->origins[key_index] = place->origin;
    switch (key->kind) {
    case CONFIG_TEXTS:
        config_clear_listen(config);
        return set_list(config, key->kind, text, place->origin, where, error_out);
    case CONFIG_PARTICIPANTS:
        config_clear_participants(config);
        return text[0] == '\0' ? TERCET_OK
                               : set_list(config, key->kind, text, place->origin, where, error_out);
    case CONFIG_U32:
    case CONFIG_U64:
    case CONFIG_BOOL:
    case CONFIG_LEVEL:
    case CONFIG_TEXT:
        return config_set_scalar(config, key, text, where, error_out);
    }
    tercet_unreachable();
}
