/* fuzz_config.c -- the daemon's configuration from all its sources.
 *
 * The input is the YAML file up to the first byte 1; then parts that each end with a byte 1 or with
 * the input.  A part's first byte tells what it is: a variable, a flag (its other bits name the key),
 * or from 0xc0 on a word of the command line as it stands.  Oracle:
 *   1. It is accepted, or refused in one line that begins with the place (file and line, variable or
 *      flag) or with the key, or that quotes the word.
 *   2. What is accepted is within the bounds of the table of keys and makes a directory.
 *   3. What config_print() prints of it loads as the same configuration. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/bytes.h"
#include "config_keys.h"
#include "config_print.h"
#include "config_value.h"
#include "judge.h"
#include "options.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { PARTS_MAX = 12, PART_BYTES_MAX = 1400, WORD_FROM = 0xc0, FLAG_FROM = 0x80, END = 1 };

struct parts {
    char text[PARTS_MAX][PART_BYTES_MAX];
    const char *environment[PARTS_MAX + 1];
    const char *arguments[PARTS_MAX + 1];
    size_t environment_count;
    int argument_count;
};

/* ---- The file ---------------------------------------------------------------------------------- */

/* One file in memory without a name, reached by that of its descriptor. */
struct file {
    int descriptor;
    char path[32];
};

static const struct file *file_with(struct tercet_bytes bytes)
{
    static struct file file;
    if (file.path[0] == '\0') {
        char name[] = "/dev/shm/fuzz_config_XXXXXX";
        file.descriptor = mkstemp(name);
        tercet_assert(file.descriptor >= 0 && unlink(name) == 0);
        (void)snprintf(file.path, sizeof file.path, "/proc/self/fd/%d", file.descriptor);
    }
    tercet_assert(ftruncate(file.descriptor, 0) == 0);
    tercet_assert(bytes.size == 0 ||
                  pwrite(file.descriptor, bytes.data, bytes.size, 0) == (ssize_t)bytes.size);
    return &file;
}

/* ---- The input --------------------------------------------------------------------------------- */

/* Everything before the next END. */
static struct tercet_bytes take_part(struct tercet_bytes *source)
{
    const uint8_t *data = source->data;
    const uint8_t *end = source->size == 0 ? NULL : memchr(data, END, source->size);
    const size_t size = end == NULL ? source->size : (size_t)(end - data);
    *source =
        end == NULL ? tercet_bytes_of("", 0) : tercet_bytes_of(end + 1, source->size - size - 1);
    return tercet_bytes_of(data, size);
}

static void add_part(struct parts *parts, size_t at, struct tercet_bytes part)
{
    char *text = parts->text[at];
    if (part.size == 0) {
        return;
    }
    const uint8_t *data = part.data;
    char name[64] = "";
    const char *key = config_key_at((data[0] & 0x3fU) % CONFIG_KEY_COUNT)->name;
    if (data[0] < FLAG_FROM) {
        config_variable_name(key, name, sizeof name);
        parts->environment[parts->environment_count] = text;
        parts->environment_count++;
    } else {
        if (data[0] < WORD_FROM) {
            config_flag_name(key, name, sizeof name);
        }
        parts->arguments[parts->argument_count] = text;
        parts->argument_count++;
    }
    /* A zero byte in it ends it, as it would in a real one. */
    const int rest = (int)(part.size - 1 < 1200 ? part.size - 1 : 1200);
    (void)snprintf(text, PART_BYTES_MAX, "%s%s%.*s", name, name[0] == '\0' ? "" : "=", rest,
                   rest == 0 ? "" : (const char *)data + 1);
}

/* ---- Judging ----------------------------------------------------------------------------------- */

static bool begins_with(const char *text, const char *beginning)
{
    return strncmp(text, beginning, strlen(beginning)) == 0;
}

/* "PATH:12: " with a line that the file has. */
static bool names_line(const char *text, const char *path, struct tercet_bytes bytes)
{
    if (!begins_with(text, path) || text[strlen(path)] != ':') {
        return false;
    }
    size_t lines = 2; /* the last one may have no end; what is missing is missed behind it */
    for (size_t i = 0; i < bytes.size; i++) {
        const uint8_t c = ((const uint8_t *)bytes.data)[i];
        lines += c == '\n' || c == '\r' || c == 0x85 || c == 0xa8 || c == 0xa9 ? 1U : 0U;
    }
    char *end = NULL;
    const unsigned long line = strtoul(text + strlen(path) + 1, &end, 10);
    return line >= 1 && line <= lines && end[0] == ':' && end[1] == ' ' && end[2] != '\0';
}

static bool names_key(const char *text)
{
    for (size_t i = 0; i < CONFIG_KEY_COUNT; i++) {
        char variable[64];
        char flag[64];
        const char *key = config_key_at(i)->name;
        config_variable_name(key, variable, sizeof variable);
        config_flag_name(key, flag, sizeof flag);
        const size_t size = strcspn(text, ":");
        if (text[size] == ':' &&
            (strncmp(text, key, size) == 0 || strncmp(text, variable, size) == 0 ||
             strncmp(text, flag, size) == 0)) {
            return true;
        }
    }
    return false;
}

static void judge_error(enum tercet_status status, const struct tercet_error *error)
{
    tercet_assert(status == TERCET_INVALID_ARGUMENT && error->status == status);
    tercet_assert(error->text[0] != '\0' && judge_is_line(error->text));
}

static void judge_values(const struct config *config)
{
    for (size_t i = 0; i < CONFIG_KEY_COUNT; i++) {
        const struct config_key *key = config_key_at(i);
        const char *field = (const char *)config + key->offset;
        uint32_t narrow = 0;
        uint64_t wide = 0;
        if (key->kind == CONFIG_U32) {
            memcpy(&narrow, field, sizeof narrow);
            tercet_assert(narrow >= key->min && narrow <= key->max);
        } else if (key->kind == CONFIG_U64) {
            memcpy(&wide, field, sizeof wide);
            tercet_assert(wide >= key->min && wide <= key->max);
        }
    }
    tercet_assert(config->retry_base_ms <= config->retry_cap_ms);
    tercet_assert(config->journal != NULL && judge_is_line(config->journal));
    tercet_assert(config->journal[0] != '\0' && strlen(config->journal) <= CONFIG_TEXT_BYTES_MAX);
    tercet_assert(config->listen_count >= 1 && config->listen_count <= CONFIG_LISTEN_COUNT_MAX);
    tercet_assert(config->log_level >= LOGGER_DEBUG && config->log_level <= LOGGER_ERROR);

    struct directory directory;
    struct tercet_error error = {0};
    directory_init(&directory);
    tercet_assert(config_make_directory(config, &directory, &error) == TERCET_OK);
    tercet_assert(directory.count == config->participant_count);
    for (uint32_t i = 0; i < directory.count; i++) {
        const struct directory_entry *entry = &directory.entries[i];
        const uint32_t seats = directory_seat_count(entry);
        tercet_assert(judge_is_name(entry->name) && entry->open_transaction_max >= 1);
        tercet_assert(seats >= 1 && seats <= DIRECTORY_SEAT_COUNT_MAX);
        for (uint32_t j = 0; j < seats; j++) {
            const char *target = directory_seat_target(entry, j);
            tercet_assert(judge_is_line(target) && target[0] != '\0');
        }
        tercet_assert(entry->call_timeout_ms >= TERCET_CALL_TIMEOUT_MS_MIN && entry->window >= 1);
    }
    directory_deinit(&directory);
}

/* What is printed without the comments, which tell where each value came from. */
static struct buffer print(const struct config *config)
{
    char *text = NULL;
    size_t size = 0;
    FILE *to = open_memstream(&text, &size);
    tercet_assert(to != NULL);
    config_print(config, to);
    tercet_assert(fclose(to) == 0);
    struct buffer out = {0};
    for (char *line = text; *line != '\0';) {
        char *end = strchr(line, '\n');
        tercet_assert(end != NULL);
        char *comment = line;
        for (char *at = line; at + 4 < end; at++) {
            comment = memcmp(at, "  # ", 4) == 0 ? at : comment;
        }
        tercet_assert(comment > line);
        buffer_append(&out, line, (size_t)(comment - line));
        buffer_append_u8(&out, '\n');
        line = end + 1;
    }
    free(text);
    return out;
}

static void judge_printed(const struct config *config)
{
    struct buffer printed = print(config);
    const struct file *file = file_with(buffer_bytes(&printed));
    const struct config_sources sources = {.file = file->path};
    struct config *again = NULL;
    struct tercet_error error = {0};
    tercet_assert(config_load(&sources, &again, &error) == TERCET_OK);
    struct buffer printed_again = print(again);
    tercet_assert(bytes_equal(buffer_bytes(&printed), buffer_bytes(&printed_again)));
    buffer_deinit(&printed_again);
    buffer_deinit(&printed);
    config_destroy(again);
}

static void run(const struct parts *parts, struct tercet_bytes yaml)
{
    struct options options = {0};
    struct tercet_error error = {0};
    struct config *config = NULL;
    enum tercet_status status =
        options_parse(parts->argument_count, parts->arguments, &options, &error);
    if (status != TERCET_OK) {
        judge_error(status, &error);
        return;
    }
    /* A --config of the input's own is not opened: it could name anything. */
    const struct file *file = file_with(yaml);
    const struct config_sources sources = {.file = file->path,
                                           .environment = parts->environment,
                                           .flags = options.flags,
                                           .flag_count = options.flag_count};
    status = config_load(&sources, &config, &error);
    options_deinit(&options);
    if (status != TERCET_OK) {
        judge_error(status, &error);
        tercet_assert(names_line(error.text, file->path, yaml) || names_key(error.text));
        return;
    }
    judge_values(config);
    judge_printed(config);
    config_destroy(config);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct parts parts;
    parts = (struct parts){.arguments = {"tercetd"}, .argument_count = 1};
    struct tercet_bytes source = tercet_bytes_of(data, size);
    const struct tercet_bytes yaml = take_part(&source);
    for (size_t i = 0; i < PARTS_MAX - 1 && source.size > 0; i++) {
        add_part(&parts, i, take_part(&source));
    }
    run(&parts, yaml);
    return 0;
}
