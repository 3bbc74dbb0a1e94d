/* floor.c -- see floor.h. */
#include "floor.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "process.h"

enum { APPEND_BYTES = 512 };

static bool append_and_sync(int file)
{
    static const char block[APPEND_BYTES];
    return write(file, block, sizeof block) == (ssize_t)sizeof block && fdatasync(file) == 0;
}

bool floor_measure(const char *directory, uint32_t duration_ms, double *per_second_out)
{
    char path[PATH_MAX];
    const int size = snprintf(path, sizeof path, "%s/floor", directory);
    if (size < 0 || (size_t)size >= sizeof path) {
        errno = ENAMETOOLONG;
        return false;
    }
    const int file = open(path, O_CREAT | O_EXCL | O_WRONLY | O_APPEND | O_CLOEXEC, 0600);
    if (file < 0) {
        return false;
    }
    const uint64_t begun_us = process_now_us();
    uint64_t elapsed_us = 0;
    uint64_t count = 0;
    bool ok = true;
    while (ok && elapsed_us < (uint64_t)duration_ms * 1000) {
        ok = append_and_sync(file);
        count++;
        elapsed_us = process_now_us() - begun_us;
    }
    const int why = errno;
    (void)close(file);
    (void)unlink(path);
    errno = why;
    if (ok) {
        *per_second_out = (double)count * 1e6 / (double)elapsed_us;
    }
    return ok;
}

const char *floor_file_system(const char *directory)
{
    static const struct {
        unsigned long magic;
        const char *name;
    } known[] = {{0xef53, "ext4"},      {0x58465342, "xfs"},     {0x9123683e, "btrfs"},
                 {0x01021994, "tmpfs"}, {0x794c7630, "overlay"}, {0x2fc12fc1, "zfs"},
                 {0x6969, "nfs"},       {0x01021997, "v9fs"},    {0x65735546, "fuse"}};
    struct statfs told;
    if (statfs(directory, &told) != 0) {
        return "?";
    }
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if ((unsigned long)told.f_type == known[i].magic) {
            return known[i].name;
        }
    }
    return "?";
}
