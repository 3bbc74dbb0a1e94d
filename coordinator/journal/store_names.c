/* store_names.c -- see store_names.h. */
#include "journal/store_names.h"

#include <stdlib.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/memory.h"
#include "journal/journal_files.h"

void store_names_init(struct store_names *names, const char *path)
{
    *names = (struct store_names){.path = xstrdup(path)};
}

void store_names_deinit(struct store_names *names)
{
    free(names->log_path);
    free(names->path);
    *names = (struct store_names){0};
}

/* -1: it is not there. */
static int64_t bytes_of(const char *path)
{
    struct stat info;
    return path != NULL && stat(path, &info) == 0 ? (int64_t)info.st_size : -1;
}

/* NUMBER.log; -1: it is none. */
static int64_t log_number(const char *name)
{
    char *end = NULL;
    const long long number = strtoll(name, &end, 10);
    return end != name && strcmp(end, ".log") == 0 ? (int64_t)number : -1;
}

static enum tercet_status find_newest_log(struct store_names *names, struct tercet_error *error_out)
{
    struct files_names files = {0};
    int64_t newest = -1;
    enum tercet_status status = files_list(names->path, &files, error_out);
    for (size_t i = 0; i < files.count; i++) {
        const int64_t number = log_number(files.items[i]);
        if (number > newest) {
            newest = number;
            free(names->log_path);
            names->log_path = files_join(names->path, files.items[i]);
        }
    }
    files_names_deinit(&files);
    if (status == TERCET_OK && newest < 0) {
        status = error_set(error_out, TERCET_DATA_LOSS, "no log is in %.160s", names->path);
    }
    return status;
}

enum tercet_status store_names_sync(struct store_names *names, struct tercet_error *error_out)
{
    const int64_t bytes = bytes_of(names->log_path);
    if (bytes > names->log_bytes) {
        names->log_bytes = bytes;
        return TERCET_OK;
    }
    enum tercet_status status = find_newest_log(names, error_out);
    if (status == TERCET_OK) {
        status = files_sync(names->path, error_out);
    }
    if (status == TERCET_OK) {
        names->log_bytes = bytes_of(names->log_path);
    }
    return status;
}
