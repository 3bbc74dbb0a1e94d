/* journal_files.c -- see journal_files.h. */
#include "journal/journal_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/memory.h"

char *files_join(const char *directory, const char *name)
{
    const size_t size = strlen(directory) + 1 + strlen(name) + 1;
    char *path = xmalloc(size);
    snprintf(path, size, "%s/%s", directory, name);
    return path;
}

enum tercet_status files_failed(struct tercet_error *error_out, const char *what, const char *path)
{
    return error_set(error_out, TERCET_UNAVAILABLE, "cannot %s %.160s: %s", what, path,
                     strerror(errno));
}

enum tercet_status files_look(const char *path, bool *there_out, struct tercet_error *error_out)
{
    const bool there = access(path, F_OK) == 0;
    if (!there && errno != ENOENT && errno != ENOTDIR) {
        return files_failed(error_out, "look at", path);
    }
    *there_out = there;
    return TERCET_OK;
}

static bool write_all(int fd, const char *data, size_t size)
{
    size_t at = 0;
    while (at < size) {
        const ssize_t wrote = write(fd, data + at, size - at);
        if (wrote < 0 && errno != EINTR) {
            return false;
        }
        at += wrote < 0 ? 0 : (size_t)wrote;
    }
    return true;
}

enum tercet_status files_write_new(const char *path, struct tercet_bytes bytes,
                                   struct tercet_error *error_out)
{
    const int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) {
        return files_failed(error_out, "create", path);
    }
    enum tercet_status status = TERCET_OK;
    if (!write_all(fd, bytes.data, bytes.size) || fsync(fd) != 0) {
        status = files_failed(error_out, "write", path);
    }
    close(fd);
    return status;
}

enum tercet_status files_read(const char *path, void *data_out, size_t size, size_t *size_out,
                              struct tercet_error *error_out)
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        enum tercet_status status = files_failed(error_out, "open", path);
        return errno == ENOENT ? TERCET_NOT_FOUND : status;
    }
    enum tercet_status status = TERCET_OK;
    const ssize_t got = pread(fd, data_out, size, 0);
    if (got < 0) {
        status = files_failed(error_out, "read", path);
    } else {
        *size_out = (size_t)got;
    }
    close(fd);
    return status;
}

enum tercet_status files_copy(const char *from, const char *to, struct tercet_error *error_out)
{
    enum { PIECE_BYTES = 256 * 1024 };
    const int in = open(from, O_RDONLY | O_CLOEXEC);
    if (in < 0) {
        return files_failed(error_out, "open", from);
    }
    const int out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (out < 0) {
        close(in);
        return files_failed(error_out, "create", to);
    }
    enum tercet_status status = TERCET_OK;
    char *piece = xmalloc(PIECE_BYTES);
    ssize_t got = 1;
    while (status == TERCET_OK && got > 0) {
        got = read(in, piece, PIECE_BYTES);
        if (got < 0) {
            status = files_failed(error_out, "read", from);
        } else if (!write_all(out, piece, (size_t)got)) {
            status = files_failed(error_out, "write", to);
        }
    }
    if (status == TERCET_OK && fsync(out) != 0) {
        status = files_failed(error_out, "sync", to);
    }
    free(piece);
    close(in);
    close(out);
    return status;
}

enum tercet_status files_sync(const char *path, struct tercet_error *error_out)
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return files_failed(error_out, "open", path);
    }
    enum tercet_status status = TERCET_OK;
    if (fsync(fd) != 0) {
        status = files_failed(error_out, "sync", path);
    }
    close(fd);
    return status;
}

enum tercet_status files_sync_all(const char *directory, struct tercet_error *error_out)
{
    struct files_names names = {0};
    enum tercet_status status = files_list(directory, &names, error_out);
    for (size_t i = 0; i < names.count && status == TERCET_OK; i++) {
        char *path = files_join(directory, names.items[i]);
        status = files_sync(path, error_out);
        free(path);
    }
    files_names_deinit(&names);
    return status == TERCET_OK ? files_sync(directory, error_out) : status;
}

enum tercet_status files_make_directory(const char *path, struct tercet_error *error_out)
{
    return mkdir(path, 0700) == 0 ? TERCET_OK : files_failed(error_out, "create", path);
}

enum tercet_status files_rename(const char *from, const char *to, struct tercet_error *error_out)
{
    return rename(from, to) == 0 ? TERCET_OK : files_failed(error_out, "rename", from);
}

enum tercet_status files_remove_directory(const char *path, struct tercet_error *error_out)
{
    struct files_names names = {0};
    if (access(path, F_OK) != 0 && errno == ENOENT) {
        return TERCET_OK;
    }
    enum tercet_status status = files_list(path, &names, error_out);
    for (size_t i = 0; i < names.count && status == TERCET_OK; i++) {
        char *file = files_join(path, names.items[i]);
        if (unlink(file) != 0) {
            status = files_failed(error_out, "remove", file);
        }
        free(file);
    }
    files_names_deinit(&names);
    if (status == TERCET_OK && rmdir(path) != 0) {
        status = files_failed(error_out, "remove", path);
    }
    return status;
}

static int compare_names(const void *left, const void *right)
{
    return strcmp(*(char *const *)left, *(char *const *)right);
}

enum tercet_status files_list(const char *directory, struct files_names *names_out,
                              struct tercet_error *error_out)
{
    DIR *stream = opendir(directory);
    if (stream == NULL) {
        return files_failed(error_out, "read", directory);
    }
    struct files_names names = {0};
    struct dirent *entry = NULL;
    errno = 0; /* a listing that breaks off must not pass for a short one */
    while ((entry = readdir(stream)) != NULL) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
            names.items = xrealloc(names.items, (names.count + 1) * sizeof names.items[0]);
            names.items[names.count] = xstrdup(entry->d_name);
            names.count++;
        }
        errno = 0;
    }
    if (errno != 0) {
        enum tercet_status status = files_failed(error_out, "read", directory);
        closedir(stream);
        files_names_deinit(&names);
        return status;
    }
    closedir(stream);
    if (names.count > 0) {
        qsort(names.items, names.count, sizeof names.items[0], compare_names);
    }
    *names_out = names;
    return TERCET_OK;
}

void files_names_deinit(struct files_names *names)
{
    for (size_t i = 0; i < names->count; i++) {
        free(names->items[i]);
    }
    free(names->items);
    *names = (struct files_names){0};
}

int64_t files_bytes_in(const char *directory)
{
    struct files_names names = {0};
    int64_t bytes = 0;
    if (files_list(directory, &names, NULL) != TERCET_OK) {
        return 0;
    }
    for (size_t i = 0; i < names.count; i++) {
        struct stat info;
        char *path = files_join(directory, names.items[i]);
        if (stat(path, &info) == 0) {
            bytes += info.st_size;
        }
        free(path);
    }
    files_names_deinit(&names);
    return bytes;
}
