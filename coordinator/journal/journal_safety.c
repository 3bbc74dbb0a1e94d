/* journal_safety.c -- see journal_safety.h. */
#include "journal/journal_safety.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/failpoint.h"
#include "base/memory.h"
#include "journal/journal_files.h"

enum { KEEP_COUNT = 3, NAME_SIZE = 64, EXTRA_BYTES_MAX = 64 * 1024 };

static char *path_of(const char *safety_path, const char *name, const char *suffix)
{
    char file[NAME_SIZE];
    snprintf(file, sizeof file, "%s%s", name, suffix);
    return files_join(safety_path, file);
}

bool safety_is_worth_it(const char *name)
{
    return strcmp(name, "LOCK") != 0 && strcmp(name, "LOG") != 0 && strcmp(name, "LOG.old") != 0;
}

static enum tercet_status link_all(const char *from, const char *to, struct tercet_error *error_out)
{
    struct files_names names = {0};
    enum tercet_status status = files_list(from, &names, error_out);
    for (size_t i = 0; i < names.count && status == TERCET_OK; i++) {
        char *old_path = files_join(from, names.items[i]);
        char *new_path = files_join(to, names.items[i]);
        if (safety_is_worth_it(names.items[i]) && link(old_path, new_path) != 0) {
            status = files_failed(error_out, "make a hard link of", old_path);
        }
        free(old_path);
        free(new_path);
    }
    files_names_deinit(&names);
    return status;
}

static enum tercet_status copy_extra(const char *from, const char *to,
                                     struct tercet_error *error_out)
{
    size_t size = 0;
    char *data = xmalloc(EXTRA_BYTES_MAX);
    char *path = files_join(to, "witness");
    enum tercet_status status = files_read(from, data, EXTRA_BYTES_MAX, &size, error_out);
    if (status == TERCET_OK) {
        status = files_write_new(path, tercet_bytes_of(data, size), error_out);
    } else if (status == TERCET_NOT_FOUND) {
        status = TERCET_OK; /* that it is missing is found by whoever reads it */
    }
    free(path);
    free(data);
    return status;
}

enum tercet_status safety_take(const char *safety_path, const char *name, const char *store_path,
                               const char *extra_path, struct tercet_error *error_out)
{
    char *pending = path_of(safety_path, name, ".pending");
    char *making = path_of(safety_path, name, ".new");
    bool there = false;
    enum tercet_status status = files_look(pending, &there, error_out);
    if (status == TERCET_OK && !there) {
        status = files_remove_directory(making, error_out);
        if (status == TERCET_OK) {
            status = files_make_directory(making, error_out);
        }
        if (status == TERCET_OK) {
            TERCET_FAILPOINT("safety.before_links");
            status = link_all(store_path, making, error_out);
        }
        if (status == TERCET_OK && extra_path != NULL) {
            status = copy_extra(extra_path, making, error_out);
        }
        if (status == TERCET_OK) {
            status = files_sync(making, error_out);
        }
        if (status == TERCET_OK) {
            TERCET_FAILPOINT("safety.before_pending");
            status = files_rename(making, pending, error_out);
        }
        if (status == TERCET_OK) {
            status = files_sync(safety_path, error_out);
        }
    }
    free(making);
    free(pending);
    return status;
}

/* Names of one store's kept copies sort by their number. */
static enum tercet_status prune(const char *safety_path, const char *name,
                                struct tercet_error *error_out)
{
    char prefix[NAME_SIZE];
    struct files_names names = {0};
    size_t kept = 0;
    snprintf(prefix, sizeof prefix, "%s-", name);
    enum tercet_status status = files_list(safety_path, &names, error_out);
    for (size_t i = names.count; i > 0 && status == TERCET_OK; i--) {
        if (strncmp(names.items[i - 1], prefix, strlen(prefix)) != 0) {
            continue;
        }
        kept++;
        if (kept > KEEP_COUNT) {
            TERCET_FAILPOINT("safety.before_prune");
            char *path = files_join(safety_path, names.items[i - 1]);
            status = files_remove_directory(path, error_out);
            free(path);
        }
    }
    files_names_deinit(&names);
    return status;
}

enum tercet_status safety_done(const char *safety_path, const char *name, int64_t number,
                               struct tercet_error *error_out)
{
    char *pending = path_of(safety_path, name, ".pending");
    enum tercet_status status = TERCET_OK;
    if (number > 0) {
        char suffix[NAME_SIZE / 2];
        snprintf(suffix, sizeof suffix, "-%010" PRId64, number);
        char *kept = path_of(safety_path, name, suffix);
        status = files_remove_directory(kept, error_out); /* of another life of this journal */
        if (status == TERCET_OK) {
            TERCET_FAILPOINT("safety.before_keep");
            status = files_rename(pending, kept, error_out);
        }
        free(kept);
    } else {
        TERCET_FAILPOINT("safety.before_drop");
        status = files_remove_directory(pending, error_out);
    }
    if (status == TERCET_OK) {
        status = files_sync(safety_path, error_out);
    }
    if (status == TERCET_OK && number > 0) {
        status = prune(safety_path, name, error_out);
    }
    free(pending);
    return status;
}
