/* journal_ballast.c -- see journal_ballast.h. */
#include "journal/journal_ballast.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/failpoint.h"
#include "base/logger.h"
#include "journal/journal_files.h"

enum { MARGIN_BYTES = 4 * 1024 * 1024 };

static int64_t free_bytes(const char *directory)
{
    struct statvfs info;
    if (statvfs(directory, &info) != 0) {
        return INT64_MAX; /* not known to be short */
    }
    return (int64_t)info.f_bavail * (int64_t)info.f_frsize;
}

/* What LevelDB may write while it opens. */
static int64_t recovery_bytes(const char *live_path)
{
    struct files_names names = {0};
    int64_t bytes = MARGIN_BYTES;
    if (files_list(live_path, &names, NULL) != TERCET_OK) {
        return bytes;
    }
    for (size_t i = 0; i < names.count; i++) {
        struct stat info;
        const size_t size = strlen(names.items[i]);
        if (size < 4 || strcmp(names.items[i] + size - 4, ".log") != 0) {
            continue;
        }
        char *path = files_join(live_path, names.items[i]);
        bytes += stat(path, &info) == 0 ? info.st_size : 0;
        free(path);
    }
    files_names_deinit(&names);
    return bytes;
}

void ballast_release(const char *directory, const char *live_path)
{
    char *path = files_join(directory, "ballast");
    const int64_t needed = recovery_bytes(live_path);
    const int64_t is_free = TERCET_FAILPOINT_FAILS("ballast.disk_full") ? 0 : free_bytes(directory);
    if (is_free < needed && unlink(path) == 0) {
        TERCET_FAILPOINT("ballast.released");
        LOGGER(LOGGER_WARNING, "journal.ballast_released", logger_int("free_bytes", is_free),
               logger_int("needed_bytes", needed),
               logger_text("advice", "make space on the journal's file system"));
    }
    free(path);
}

/* Really allocated, or not there at all. */
static void allocate(const char *path, int64_t bytes)
{
    const int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    TERCET_FAILPOINT("ballast.created");
    int failed = fd < 0 ? errno : posix_fallocate(fd, 0, bytes);
    if (failed == 0 && (ftruncate(fd, bytes) != 0 || fsync(fd) != 0)) {
        failed = errno;
    }
    if (TERCET_FAILPOINT_FAILS("ballast.allocate")) {
        failed = ENOSPC;
    }
    if (fd >= 0) {
        close(fd);
    }
    if (failed != 0) {
        (void)unlink(path);
        LOGGER(LOGGER_WARNING, "journal.ballast_missing", logger_int("bytes", bytes),
               logger_text("text", strerror(failed)));
    }
}

void ballast_keep(const char *directory, const char *live_path, int64_t bytes)
{
    struct stat info;
    char *path = files_join(directory, "ballast");
    const bool there = stat(path, &info) == 0;
    if (bytes == 0) {
        (void)unlink(path);
    } else if (there && info.st_size == bytes && (int64_t)info.st_blocks * 512 >= bytes) {
        /* as it should be */
    } else if (free_bytes(directory) < bytes + recovery_bytes(live_path)) {
        LOGGER(LOGGER_WARNING, "journal.ballast_missing", logger_int("bytes", bytes),
               logger_int("free_bytes", free_bytes(directory)),
               logger_text("advice", "make space on the journal's file system"));
    } else {
        allocate(path, bytes);
    }
    free(path);
}
