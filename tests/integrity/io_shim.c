/* io_shim.c -- the calls themselves (io_shim.h).  One mutex makes their order the order of the
 * records. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* RTLD_NEXT */
#endif
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "integrity/io_shim_plan.h"

#define EXPORTED __attribute__((visibility("default")))

typedef int (*open_fn)(const char *path, int flags, ...);
typedef ssize_t (*write_fn)(int fd, const void *data, size_t size);
typedef ssize_t (*read_fn)(int fd, void *data, size_t size);
typedef ssize_t (*pread_fn)(int fd, void *data, size_t size, off_t offset);
typedef int (*stat_fn)(const char *path, struct stat *info);
typedef int (*access_fn)(const char *path, int mode);
typedef DIR *(*opendir_fn)(const char *path);
typedef ssize_t (*pwrite_fn)(int fd, const void *data, size_t size, off_t offset);
typedef int (*truncate_fn)(int fd, off_t size);
typedef int (*mkdir_fn)(const char *path, mode_t mode);
typedef int (*fd_fn)(int fd);
typedef int (*call_one_fn)(const char *path);
typedef int (*call_two_fn)(const char *from, const char *to);

static int64_t synced_size[SHIM_FD_MAX];
static int torn_fd = -1;

/* The system's own. */
static void *next_of(const char *name)
{
    void *found = dlsym(RTLD_NEXT, name);
    if (found == NULL) {
        _exit(99);
    }
    return found;
}

#define NEXT(type, name)                                                                           \
    static type next;                                                                              \
    if (next == NULL) {                                                                            \
        void *found = next_of(name);                                                               \
        memcpy(&next, &found, sizeof next);                                                        \
    }

static bool is_ours(const char *path)
{
    return shim != NULL && strncmp(path, shim->root, strlen(shim->root)) == 0;
}

static bool is_our_fd(int fd)
{
    return shim != NULL && fd >= 0 && fd < SHIM_FD_MAX && shim_watched[fd];
}

/* ---- Descriptors ----------------------------------------------------------------------------- */

/* The C library's headers have names for parameters that are not ours to use. */
/* NOLINTBEGIN(readability-inconsistent-declaration-parameter-name) */

EXPORTED int open(const char *path, int flags, ...)
{
    NEXT(open_fn, "open");
    mode_t mode = 0;
    if ((flags & O_CREAT) != 0) {
        va_list arguments;
        va_start(arguments, flags);
        mode = va_arg(arguments, mode_t);
        va_end(arguments);
    }
    pthread_mutex_lock(&shim_mutex);
    const bool ours = is_ours(path);
    int fd = -1;
    if (!ours || !shim_fails(SHIM_OPEN, flags, path, -1)) {
        fd = next(path, flags, mode);
        if (shim != NULL && fd >= 0 && fd < SHIM_FD_MAX) {
            struct stat info;
            shim_watched[fd] = ours;
            synced_size[fd] = fstat(fd, &info) == 0 ? info.st_size : 0;
        }
        if (ours && fd >= 0) {
            shim_note((struct shim_record){.op = SHIM_OPEN, .fd = fd, .flags = flags}, path, NULL,
                      NULL);
        }
    }
    pthread_mutex_unlock(&shim_mutex);
    return fd;
}

/* How much of a write the fault lets through: all, half (which is told), or nothing (-1). */
static ssize_t allowed(enum shim_op op, int fd, size_t size)
{
    if (torn_fd == fd) {
        torn_fd = -1;
        errno = ENOSPC;
        return -1;
    }
    if (!shim_fails(op, 0, NULL, fd)) {
        return (ssize_t)size;
    }
    if (shim->fault == SHIM_TORN) {
        torn_fd = fd;
    }
    return shim->fault == SHIM_TORN || shim->fault == SHIM_SHORT ? (ssize_t)(size / 2) : -1;
}

EXPORTED ssize_t write(int fd, const void *data, size_t size)
{
    NEXT(write_fn, "write");
    if (!is_our_fd(fd)) {
        return next(fd, data, size);
    }
    pthread_mutex_lock(&shim_mutex);
    ssize_t wrote = allowed(SHIM_WRITE, fd, size);
    if (wrote > 0) {
        wrote = next(fd, data, (size_t)wrote);
    }
    if (wrote > 0) {
        shim_note((struct shim_record){.op = SHIM_WRITE, .fd = fd, .data_bytes = (uint32_t)wrote},
                  NULL, NULL, data);
    }
    pthread_mutex_unlock(&shim_mutex);
    return wrote;
}

EXPORTED ssize_t pwrite(int fd, const void *data, size_t size, off_t offset)
{
    NEXT(pwrite_fn, "pwrite");
    if (!is_our_fd(fd)) {
        return next(fd, data, size, offset);
    }
    pthread_mutex_lock(&shim_mutex);
    ssize_t wrote = allowed(SHIM_PWRITE, fd, size);
    if (wrote > 0) {
        wrote = next(fd, data, (size_t)wrote, offset);
    }
    if (wrote > 0) {
        shim_note(
            (struct shim_record){
                .op = SHIM_PWRITE, .fd = fd, .offset = offset, .data_bytes = (uint32_t)wrote},
            NULL, NULL, data);
    }
    pthread_mutex_unlock(&shim_mutex);
    return wrote;
}

/* Reads are many, and by more than one thread: only the count is in order. */
static bool read_fails(int fd)
{
    if (!is_our_fd(fd)) {
        return false;
    }
    pthread_mutex_lock(&shim_mutex);
    const bool fails = shim_fails(SHIM_READ, 0, NULL, fd);
    pthread_mutex_unlock(&shim_mutex);
    return fails;
}

EXPORTED ssize_t read(int fd, void *data, size_t size)
{
    NEXT(read_fn, "read");
    return read_fails(fd) ? -1 : next(fd, data, size);
}

EXPORTED ssize_t pread(int fd, void *data, size_t size, off_t offset)
{
    NEXT(pread_fn, "pread");
    return read_fails(fd) ? -1 : next(fd, data, size, offset);
}

static void forget_unsynced(int fd)
{
    struct stat info;
    if (fstat(fd, &info) == 0 && S_ISREG(info.st_mode) && info.st_size > synced_size[fd]) {
        (void)!ftruncate(fd, synced_size[fd]);
        errno = EIO;
    }
}

static int sync_by(fd_fn next, int fd)
{
    if (!is_our_fd(fd)) {
        return next(fd);
    }
    pthread_mutex_lock(&shim_mutex);
    int result = -1;
    if (!shim_fails(SHIM_SYNC, 0, NULL, fd)) {
        struct stat info;
        result = next(fd);
        synced_size[fd] = fstat(fd, &info) == 0 ? info.st_size : 0;
        shim_note((struct shim_record){.op = SHIM_SYNC, .fd = fd}, NULL, NULL, NULL);
    } else if (shim->fault == SHIM_GATE) {
        forget_unsynced(fd);
    }
    pthread_mutex_unlock(&shim_mutex);
    return result;
}

EXPORTED int fsync(int fd)
{
    NEXT(fd_fn, "fsync");
    return sync_by(next, fd);
}

EXPORTED int fdatasync(int fd)
{
    NEXT(fd_fn, "fdatasync");
    return sync_by(next, fd);
}

EXPORTED int ftruncate(int fd, off_t size)
{
    NEXT(truncate_fn, "ftruncate");
    if (!is_our_fd(fd) ||
        pthread_mutex_trylock(&shim_mutex) != 0) { /* or forget_unsynced() has it */
        return next(fd, size);
    }
    int result = -1;
    if (!shim_fails(SHIM_TRUNCATE, 0, NULL, fd)) {
        result = next(fd, size);
        shim_note((struct shim_record){.op = SHIM_TRUNCATE, .fd = fd, .offset = size}, NULL, NULL,
                  NULL);
    }
    pthread_mutex_unlock(&shim_mutex);
    return result;
}

EXPORTED int close(int fd)
{
    NEXT(fd_fn, "close");
    if (!is_our_fd(fd)) {
        return next(fd);
    }
    pthread_mutex_lock(&shim_mutex);
    const bool failed = shim_fails(SHIM_CLOSE, 0, NULL, fd);
    const int error = errno;
    shim_watched[fd] = false;
    shim_note((struct shim_record){.op = SHIM_CLOSE, .fd = fd}, NULL, NULL, NULL);
    int result = next(fd); /* the descriptor is gone in either case */
    if (failed) {
        errno = error;
        result = -1;
    }
    pthread_mutex_unlock(&shim_mutex);
    return result;
}

/* ---- Names ----------------------------------------------------------------------------------- */

static int name_call(enum shim_op op, call_one_fn one, const char *path)
{
    if (!is_ours(path)) {
        return one(path);
    }
    pthread_mutex_lock(&shim_mutex);
    int result = -1;
    if (!shim_fails(op, 0, path, -1)) {
        result = one(path);
        if (result == 0) {
            shim_note((struct shim_record){.op = (uint32_t)op}, path, NULL, NULL);
        }
    }
    pthread_mutex_unlock(&shim_mutex);
    return result;
}

static int names_call(enum shim_op op, call_two_fn two, const char *from, const char *to)
{
    if (!is_ours(from)) {
        return two(from, to);
    }
    pthread_mutex_lock(&shim_mutex);
    int result = -1;
    if (!shim_fails(op, 0, from, -1)) {
        result = two(from, to);
        if (result == 0) {
            shim_note((struct shim_record){.op = (uint32_t)op}, from, to, NULL);
        }
    }
    pthread_mutex_unlock(&shim_mutex);
    return result;
}

static bool look_fails(const char *path)
{
    if (!is_ours(path)) {
        return false;
    }
    pthread_mutex_lock(&shim_mutex);
    const bool fails = shim_fails(SHIM_LOOK, 0, path, -1);
    pthread_mutex_unlock(&shim_mutex);
    return fails;
}

EXPORTED int stat(const char *path, struct stat *info)
{
    NEXT(stat_fn, "stat");
    return look_fails(path) ? -1 : next(path, info);
}

EXPORTED int access(const char *path, int mode)
{
    NEXT(access_fn, "access");
    return look_fails(path) ? -1 : next(path, mode);
}

EXPORTED DIR *opendir(const char *path)
{
    NEXT(opendir_fn, "opendir");
    return look_fails(path) ? NULL : next(path);
}

EXPORTED int unlink(const char *path)
{
    NEXT(call_one_fn, "unlink");
    return name_call(SHIM_UNLINK, next, path);
}

EXPORTED int rmdir(const char *path)
{
    NEXT(call_one_fn, "rmdir");
    return name_call(SHIM_RMDIR, next, path);
}

EXPORTED int rename(const char *from, const char *to)
{
    NEXT(call_two_fn, "rename");
    return names_call(SHIM_RENAME, next, from, to);
}

EXPORTED int link(const char *from, const char *to)
{
    NEXT(call_two_fn, "link");
    return names_call(SHIM_LINK, next, from, to);
}

static mode_t mkdir_mode;
static int mkdir_next(const char *path)
{
    NEXT(mkdir_fn, "mkdir");
    return next(path, mkdir_mode);
}

EXPORTED int mkdir(const char *path, mode_t mode)
{
    mkdir_mode = mode == 0 ? 0700 : mode | 0700;
    return name_call(SHIM_MKDIR, mkdir_next, path);
}

/* NOLINTEND(readability-inconsistent-declaration-parameter-name) */
