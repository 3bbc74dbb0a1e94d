/* config_file.c -- see config_file.h. */
#include "config_file.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <yaml.h>

#include "base/assert.h"
#include "base/bytes.h"
#include "base/error.h"
#include "base/memory.h"
#include "config_value.h"

enum { CHUNK_BYTES = 4096 };

struct reader {
    const char *path;
    struct buffer text;
    yaml_parser_t parser;
    yaml_event_t event; /* the newest; all zero before the first */
    struct config *config;
    struct tercet_error *error_out;
};

/* ---- The file's bytes -------------------------------------------------------------------------- */

static enum tercet_status read_all(struct reader *reader)
{
    FILE *file = fopen(reader->path, "rbe");
    if (file == NULL) {
        return error_set(reader->error_out, errno == ENOENT ? TERCET_NOT_FOUND : TERCET_UNAVAILABLE,
                         "%s: cannot be opened: %s", reader->path, strerror(errno));
    }
    size_t got = 0;
    do {
        uint8_t *room = buffer_extend(&reader->text, CHUNK_BYTES);
        got = fread(room, 1, CHUNK_BYTES, file);
        reader->text.size -= CHUNK_BYTES - got;
    } while (got == CHUNK_BYTES && reader->text.size <= CONFIG_FILE_BYTES_MAX);
    enum tercet_status status = TERCET_OK;
    if (ferror(file) != 0) {
        status = error_set(reader->error_out, TERCET_UNAVAILABLE, "%s: cannot be read: %s",
                           reader->path, strerror(errno));
    } else if (reader->text.size > CONFIG_FILE_BYTES_MAX) {
        status = error_set(reader->error_out, TERCET_INVALID_ARGUMENT,
                           "%s: is larger than %d bytes: not a configuration", reader->path,
                           (int)CONFIG_FILE_BYTES_MAX);
    }
    (void)fclose(file);
    return status;
}

/* ---- Events ------------------------------------------------------------------------------------ */

static uint32_t line_of(const struct reader *reader)
{
    return (uint32_t)reader->event.start_mark.line + 1;
}

static struct config_place place_of(const struct reader *reader, uint32_t line)
{
    return (struct config_place){{CONFIG_FROM_FILE, line}, reader->path};
}

/* A sentence that begins with file, line and (unless NULL) key. */
static enum tercet_status refuse(const struct reader *reader, uint32_t line, const char *key,
                                 const char *why)
{
    const struct config_place place = place_of(reader, line);
    char where[CONFIG_PLACE_SIZE];
    config_place_text(&place, key == NULL ? "" : key, where);
    return error_set(reader->error_out, TERCET_INVALID_ARGUMENT, "%s%s%s", where,
                     key == NULL ? "" : ": ", why);
}

static enum tercet_status refuse_yaml(const struct reader *reader)
{
    const yaml_parser_t *parser = &reader->parser;
    size_t line = parser->problem_mark.line + 1;
    if (parser->error == YAML_READER_ERROR) {
        /* Bytes that are no text: only their offset is known. */
        line = 1;
        for (size_t i = 0; i < reader->text.size && i < parser->problem_offset; i++) {
            line += reader->text.data[i] == '\n' ? 1U : 0U;
        }
    }
    char why[160];
    text_format(why, sizeof why, "is not YAML: %s",
                parser->problem == NULL ? "it cannot be read" : parser->problem);
    return refuse(reader, (uint32_t)line, NULL, why);
}

/* The next event; what is neither a key nor a plain value is refused here. */
static enum tercet_status next(struct reader *reader)
{
    yaml_event_delete(&reader->event);
    if (yaml_parser_parse(&reader->parser, &reader->event) == 0) {
        memset(&reader->event, 0, sizeof reader->event);
        return refuse_yaml(reader);
    }
    const yaml_event_t *event = &reader->event;
    const bool scalar = event->type == YAML_SCALAR_EVENT;
    const bool list = event->type == YAML_SEQUENCE_START_EVENT;
    const bool map = event->type == YAML_MAPPING_START_EVENT;
    if (event->type == YAML_ALIAS_EVENT || (scalar && event->data.scalar.anchor != NULL) ||
        (list && event->data.sequence_start.anchor != NULL) ||
        (map && event->data.mapping_start.anchor != NULL)) {
        return refuse(reader, line_of(reader), NULL, "anchors and aliases are not accepted");
    }
    if ((scalar && event->data.scalar.tag != NULL) ||
        (list && event->data.sequence_start.tag != NULL) ||
        (map && event->data.mapping_start.tag != NULL)) {
        return refuse(reader, line_of(reader), NULL, "tags are not accepted");
    }
    if (scalar && strlen((const char *)event->data.scalar.value) != event->data.scalar.length) {
        return refuse(reader, line_of(reader), NULL, "a text holds a zero byte");
    }
    return TERCET_OK;
}

static const char *scalar_text(const struct reader *reader)
{
    tercet_assert(reader->event.type == YAML_SCALAR_EVENT);
    return (const char *)reader->event.data.scalar.value;
}

/* ---- Values ------------------------------------------------------------------------------------ */

/* The event is the value of `key` in `base`. */
static enum tercet_status take_scalar(struct reader *reader, void *base,
                                      const struct config_key *key)
{
    if (reader->event.type != YAML_SCALAR_EVENT) {
        return refuse(reader, line_of(reader), key->name,
                      "must be a single value, not a list or map");
    }
    const char *text = scalar_text(reader);
    const bool plain = reader->event.data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    if (plain && text[0] == '\0') {
        return refuse(reader, line_of(reader), key->name, "has no value");
    }
    if (!plain && (key->kind == CONFIG_U32 || key->kind == CONFIG_U64)) {
        return refuse(reader, line_of(reader), key->name, "must be a number without quotes");
    }
    const struct config_place place = place_of(reader, line_of(reader));
    char where[CONFIG_PLACE_SIZE];
    config_place_text(&place, key->name, where);
    return config_set_scalar(base, key, text, where, reader->error_out);
}

/* `participant`: whose target it is; NULL: it is one of `listen`. */
static enum tercet_status take_address(struct reader *reader, const struct config_key *key,
                                       struct config_participant *participant)
{
    if (reader->event.type != YAML_SCALAR_EVENT) {
        return refuse(reader, line_of(reader), key->name, "an address must be a single value");
    }
    const struct config_place place = place_of(reader, line_of(reader));
    char where[CONFIG_PLACE_SIZE];
    config_place_text(&place, key->name, where);
    return participant == NULL
               ? config_add_listen(reader->config, scalar_text(reader), where, reader->error_out)
               : config_add_target(participant, scalar_text(reader), where, reader->error_out);
}

static enum tercet_status take_addresses(struct reader *reader, const struct config_key *key,
                                         struct config_participant *participant)
{
    if (reader->event.type != YAML_SEQUENCE_START_EVENT) {
        return take_address(reader, key, participant);
    }
    const uint32_t line = line_of(reader);
    bool empty = true;
    enum tercet_status status = next(reader);
    while (status == TERCET_OK && reader->event.type != YAML_SEQUENCE_END_EVENT) {
        empty = false;
        status = take_address(reader, key, participant);
        if (status == TERCET_OK) {
            status = next(reader);
        }
    }
    if (status == TERCET_OK && empty) {
        return refuse(reader, line, key->name, "is an empty list");
    }
    return status;
}

/* The event begins one map of `participants`. */
static enum tercet_status take_participant(struct reader *reader)
{
    const uint32_t line = line_of(reader);
    if (reader->event.type != YAML_MAPPING_START_EVENT) {
        return refuse(reader, line, "participants", "each must be a map with name and target");
    }
    struct config_participant *added =
        config_add_participant(reader->config, (struct config_origin){CONFIG_FROM_FILE, line});
    if (added == NULL) {
        return refuse(reader, line, "participants", "more than 1024");
    }
    bool seen[CONFIG_PARTICIPANT_KEY_COUNT] = {false};
    enum tercet_status status = next(reader);
    while (status == TERCET_OK && reader->event.type != YAML_MAPPING_END_EVENT) {
        if (reader->event.type != YAML_SCALAR_EVENT) {
            return refuse(reader, line_of(reader), "participants", "a key must be a word");
        }
        const size_t index = config_participant_key_find(scalar_text(reader));
        if (index == CONFIG_PARTICIPANT_KEY_COUNT) {
            return refuse(
                reader, line_of(reader), scalar_text(reader),
                "unknown key of a participant; it has name, target, targets, connections, "
                "call_timeout_ms, window, open_transactions_max");
        }
        if (seen[index]) {
            return refuse(reader, line_of(reader), scalar_text(reader), "is there twice");
        }
        seen[index] = true;
        status = next(reader);
        if (status == TERCET_OK) {
            const struct config_key *key = config_participant_key_at(index);
            status = key->kind == CONFIG_TEXTS ? take_addresses(reader, key, added)
                                               : take_scalar(reader, added, key);
        }
        if (status == TERCET_OK) {
            status = next(reader);
        }
    }
    if (status == TERCET_OK) {
        const struct config_place place = place_of(reader, line);
        char where[CONFIG_PLACE_SIZE];
        config_place_text(&place, "participants", where);
        status = config_check_participant(reader->config, added, where, reader->error_out);
    }
    return status;
}

static enum tercet_status take_participants(struct reader *reader, const struct config_key *key)
{
    if (reader->event.type != YAML_SEQUENCE_START_EVENT) {
        return refuse(reader, line_of(reader), key->name, "must be a list of maps");
    }
    config_clear_participants(reader->config);
    enum tercet_status status = next(reader);
    while (status == TERCET_OK && reader->event.type != YAML_SEQUENCE_END_EVENT) {
        status = take_participant(reader);
        if (status == TERCET_OK) {
            status = next(reader);
        }
    }
    return status;
}

/* ---- The document ------------------------------------------------------------------------------ */

/* The key that looks most like it, or NULL. */
static const char *similar_key(const char *name)
{
    const char *best = NULL;
    size_t best_size = 3; /* fewer letters in common are chance */
    for (size_t i = 0; i < CONFIG_KEY_COUNT; i++) {
        const char *key = config_key_at(i)->name;
        size_t same = 0;
        while (name[same] != '\0' && name[same] == key[same]) {
            same++;
        }
        if (same > best_size) {
            best = key;
            best_size = same;
        }
    }
    return best;
}

static enum tercet_status refuse_key(const struct reader *reader)
{
    const char *similar = similar_key(scalar_text(reader));
    char why[128];
    if (similar != NULL) {
        text_format(why, sizeof why, "unknown key; did you mean %s?", similar);
    } else {
        text_format(why, sizeof why, "unknown key; tercetd --help lists all");
    }
    return refuse(reader, line_of(reader), scalar_text(reader), why);
}

/* The event is a key of the outermost map. */
static enum tercet_status take_key(struct reader *reader, bool seen[CONFIG_KEY_COUNT])
{
    if (reader->event.type != YAML_SCALAR_EVENT) {
        return refuse(reader, line_of(reader), NULL, "a key must be a word");
    }
    const uint32_t line = line_of(reader);
    const size_t index = config_key_find(scalar_text(reader));
    if (index == CONFIG_KEY_COUNT) {
        return refuse_key(reader);
    }
    const struct config_key *key = config_key_at(index);
    if (seen[index]) {
        return refuse(reader, line, key->name, "is there twice");
    }
    seen[index] = true;
    reader->config->origins[index] = (struct config_origin){CONFIG_FROM_FILE, line};
    const enum tercet_status status = next(reader);
    if (status != TERCET_OK) {
        return status;
    }
    switch (key->kind) {
    case CONFIG_TEXTS:
        config_clear_listen(reader->config);
        return take_addresses(reader, key, NULL);
    case CONFIG_PARTICIPANTS:
        return take_participants(reader, key);
    case CONFIG_U32:
    case CONFIG_U64:
    case CONFIG_BOOL:
    case CONFIG_LEVEL:
    case CONFIG_TEXT:
        return take_scalar(reader, reader->config, key);
    }
    tercet_unreachable();
}

static enum tercet_status take_document(struct reader *reader)
{
    enum tercet_status status = next(reader); /* the stream begins */
    if (status == TERCET_OK) {
        status = next(reader);
    }
    if (status != TERCET_OK || reader->event.type == YAML_STREAM_END_EVENT) {
        return status; /* an empty file says nothing, which is allowed */
    }
    status = next(reader);
    if (status == TERCET_OK && reader->event.type != YAML_MAPPING_START_EVENT) {
        return refuse(reader, line_of(reader), NULL, "must hold \"key: value\" lines");
    }
    bool seen[CONFIG_KEY_COUNT] = {false};
    if (status == TERCET_OK) {
        status = next(reader);
    }
    while (status == TERCET_OK && reader->event.type != YAML_MAPPING_END_EVENT) {
        status = take_key(reader, seen);
        if (status == TERCET_OK) {
            status = next(reader);
        }
    }
    if (status == TERCET_OK) {
        status = next(reader); /* the document ends */
    }
    if (status == TERCET_OK) {
        status = next(reader);
    }
    if (status == TERCET_OK && reader->event.type != YAML_STREAM_END_EVENT) {
        return refuse(reader, line_of(reader), NULL, "a second document is not accepted");
    }
    return status;
}

enum tercet_status config_file_read(struct config *config, const char *path,
                                    struct tercet_error *error_out)
{
    struct reader reader = {.path = path, .config = config, .error_out = error_out};
    enum tercet_status status = read_all(&reader);
    if (status == TERCET_OK) {
        tercet_assert(yaml_parser_initialize(&reader.parser) == 1);
        yaml_parser_set_input_string(&reader.parser, reader.text.data, reader.text.size);
        status = take_document(&reader);
        yaml_event_delete(&reader.event);
        yaml_parser_delete(&reader.parser);
    }
    buffer_deinit(&reader.text);
    return status;
}
