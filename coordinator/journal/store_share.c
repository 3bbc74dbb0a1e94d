/* store_share.c -- see store_share.h.
 *
 * A manifest is a log of edits: doc/impl.md and db/version_edit.cc of LevelDB 1.23.  An edit is a row
 * of fields, each a tag and what belongs to it; numbers are in base 128, low groups first. */
#include "journal/store_share.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "journal/journal_files.h"
#include "journal/log_file.h"

static const char manifest_prefix[] = "MANIFEST-";
static const char copy_ending[] = ".unshared";

/* ---- The manifest ----------------------------------------------------------------------------- */

enum field {
    FIELD_COMPARATOR = 1,
    FIELD_LOG_NUMBER = 2,
    FIELD_NEXT_FILE = 3,
    FIELD_LAST_SEQUENCE = 4,
    FIELD_COMPACT_POINTER = 5,
    FIELD_DELETED_FILE = 6,
    FIELD_NEW_FILE = 7,
    FIELD_PREVIOUS_LOG_NUMBER = 9
};

/* What follows a tag: numbers, then texts.  False: no such tag. */
static bool shape_of(uint64_t tag, int *numbers_out, int *texts_out)
{
    static const struct {
        enum field field;
        int numbers;
        int texts;
    } shapes[] = {
        {FIELD_COMPARATOR, 0, 1},    {FIELD_LOG_NUMBER, 1, 0},          {FIELD_NEXT_FILE, 1, 0},
        {FIELD_LAST_SEQUENCE, 1, 0}, {FIELD_COMPACT_POINTER, 1, 1},     {FIELD_DELETED_FILE, 2, 0},
        {FIELD_NEW_FILE, 3, 2},      {FIELD_PREVIOUS_LOG_NUMBER, 1, 0},
    };
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        if ((uint64_t)shapes[i].field == tag) {
            *numbers_out = shapes[i].numbers;
            *texts_out = shapes[i].texts;
            return true;
        }
    }
    return false;
}

static bool take_number(struct tercet_bytes *rest, uint64_t *number_out)
{
    enum { GROUPS_MAX = 10 };
    const uint8_t *data = rest->data;
    uint64_t number = 0;
    for (size_t at = 0; at < rest->size && at < GROUPS_MAX; at++) {
        number |= (uint64_t)(data[at] & 0x7f) << (7 * at);
        if ((data[at] & 0x80) == 0) {
            *rest = tercet_bytes_of(data + at + 1, rest->size - at - 1);
            *number_out = number;
            return true;
        }
    }
    return false;
}

static bool take_text(struct tercet_bytes *rest)
{
    uint64_t size = 0;
    if (!take_number(rest, &size) || size > rest->size) {
        return false;
    }
    *rest = tercet_bytes_of((const uint8_t *)rest->data + size, rest->size - size);
    return true;
}

struct manifest {
    uint64_t next_file;
    bool odd; /* holds what we cannot read: LevelDB refuses it, or we are wrong about it */
};

/* One field; `next_file` of the last edit that has one holds. */
static bool take_field(struct tercet_bytes *rest, struct manifest *manifest)
{
    uint64_t tag = 0;
    int numbers = 0;
    int texts = 0;
    if (!take_number(rest, &tag) || !shape_of(tag, &numbers, &texts)) {
        return false;
    }
    bool fine = true;
    uint64_t number = 0;
    for (int i = 0; i < numbers && fine; i++) {
        fine = take_number(rest, &number);
    }
    for (int i = 0; i < texts && fine; i++) {
        fine = take_text(rest);
    }
    if (fine && tag == FIELD_NEXT_FILE) {
        manifest->next_file = number;
    }
    return fine;
}

static enum tercet_status read_edit(struct tercet_bytes edit, void *context,
                                    struct tercet_error *error_out)
{
    (void)error_out;
    struct manifest *manifest = context;
    struct tercet_bytes rest = edit;
    while (rest.size > 0 && !manifest->odd) {
        manifest->odd = !take_field(&rest, manifest);
    }
    return TERCET_OK;
}

/* The lowest number that LevelDB may give out; 0 when we cannot tell.  NOT_FOUND: CURRENT names no
 * file, and LevelDB refuses before it writes any. */
static enum tercet_status next_file_of(const char *store_path, uint64_t *next_file_out,
                                       struct tercet_error *error_out)
{
    char name[64] = {0};
    size_t size = 0;
    char *current = files_join(store_path, "CURRENT");
    enum tercet_status status = files_read(current, name, sizeof name - 1, &size, error_out);
    free(current);
    if (status != TERCET_OK) {
        return status;
    }
    name[strcspn(name, "\n")] = '\0';
    char *path = files_join(store_path, name);
    struct stat info;
    bool there = false;
    status = files_look(path, &there, error_out);
    if (status == TERCET_OK && there && stat(path, &info) != 0) {
        status = files_failed(error_out, "look at", path);
    }
    if (status != TERCET_OK) {
        /* the system's words */
    } else if (!there || !S_ISREG(info.st_mode)) {
        status = TERCET_NOT_FOUND;
    } else {
        struct manifest manifest = {0};
        int64_t skipped_bytes = 0;
        status = log_file_read(path, read_edit, &manifest, &skipped_bytes, error_out);
        *next_file_out = manifest.odd || skipped_bytes > 0 ? 0 : manifest.next_file;
    }
    free(path);
    return status;
}

/* ---- Files ------------------------------------------------------------------------------------ */

static bool ends_with(const char *name, const char *ending)
{
    const size_t size = strlen(name);
    const size_t ending_size = strlen(ending);
    return size >= ending_size && strcmp(name + size - ending_size, ending) == 0;
}

bool store_share_may(const char *name)
{
    return ends_with(name, ".ldb");
}

/* NUMBER.ending or MANIFEST-NUMBER; false: LevelDB makes no file anew under this name.  Logs are
 * among those: it marks the number of every log that it replays as used before it begins one, and
 * older logs are below the manifest's next number. */
static bool number_of(const char *name, uint64_t *number_out)
{
    const size_t prefix_size = sizeof manifest_prefix - 1;
    const char *digits =
        strncmp(name, manifest_prefix, prefix_size) == 0 ? name + prefix_size : name;
    char *end = NULL;
    *number_out = strtoull(digits, &end, 10);
    return end != digits && strcmp(end, ".log") != 0;
}

static enum tercet_status replace_by_copy(const char *path, struct tercet_error *error_out)
{
    const size_t size = strlen(path) + sizeof copy_ending;
    char *copy = xmalloc(size);
    snprintf(copy, size, "%s%s", path, copy_ending);
    enum tercet_status status = files_copy(path, copy, error_out);
    if (status == TERCET_OK) {
        status = files_rename(copy, path, error_out);
    }
    free(copy);
    return status;
}

/* What a process that died over a copy has left. */
static enum tercet_status remove_left(const char *store_path, const char *name,
                                      struct tercet_error *error_out)
{
    char *path = files_join(store_path, name);
    const enum tercet_status status =
        unlink(path) == 0 ? TERCET_OK : files_failed(error_out, "remove", path);
    free(path);
    return status;
}

static enum tercet_status end_one(const char *store_path, const char *name, uint64_t next_file,
                                  struct tercet_error *error_out)
{
    uint64_t number = 0;
    struct stat info;
    if (!number_of(name, &number) || number < next_file) {
        return TERCET_OK;
    }
    enum tercet_status status = TERCET_OK;
    char *path = files_join(store_path, name);
    if (stat(path, &info) != 0) {
        status = files_failed(error_out, "look at", path);
    } else if (info.st_nlink > 1) {
        status = replace_by_copy(path, error_out);
    }
    free(path);
    return status;
}

enum tercet_status store_share_end(const char *store_path, struct tercet_error *error_out)
{
    uint64_t next_file = 0;
    struct files_names names = {0};
    enum tercet_status status = next_file_of(store_path, &next_file, error_out);
    if (status == TERCET_NOT_FOUND) {
        return TERCET_OK;
    }
    if (status == TERCET_OK) {
        status = files_list(store_path, &names, error_out);
    }
    for (size_t i = 0; i < names.count && status == TERCET_OK; i++) { /* before any is made */
        if (ends_with(names.items[i], copy_ending)) {
            status = remove_left(store_path, names.items[i], error_out);
        }
    }
    for (size_t i = 0; i < names.count && status == TERCET_OK; i++) {
        if (!ends_with(names.items[i], copy_ending)) {
            status = end_one(store_path, names.items[i], next_file, error_out);
        }
    }
    files_names_deinit(&names);
    return status;
}
