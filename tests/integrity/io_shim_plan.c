/* io_shim_plan.c -- which call fails, and what is written down (io_shim.h). */
#include "integrity/io_shim_plan.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

pthread_mutex_t shim_mutex = PTHREAD_MUTEX_INITIALIZER;
struct shim *shim;
bool shim_watched[SHIM_FD_MAX];

const char *shim_fault_name(int fault)
{
    static const char *const names[] = {"none",  "EIO",   "ENOSPC", "EDQUOT", "EACCES", "EMFILE",
                                        "EINTR", "short", "torn",   "full",   "gate"};
    return names[fault];
}

const char *shim_op_name(int op)
{
    static const char *const names[] = {"open",   "write",    "pwrite", "sync",  "rename",
                                        "unlink", "truncate", "close",  "mkdir", "rmdir",
                                        "link",   "read",     "look",   "ack"};
    return names[op];
}

/* ---- Records --------------------------------------------------------------------------------- */

static void append(const void *data, size_t size)
{
    if (size == 0) {
        return;
    }
    memcpy(shim->log + shim->log_size, data, size);
    shim->log_size += (int64_t)((size + 7) / 8 * 8);
}

void shim_note(struct shim_record record, const char *path, const char *second, const void *data)
{
    if (shim == NULL || shim->log_max == 0) {
        return;
    }
    record.path_bytes = path == NULL ? 0 : (uint32_t)strlen(path);
    record.second_bytes = second == NULL ? 0 : (uint32_t)strlen(second);
    const int64_t needed =
        (int64_t)sizeof record + record.path_bytes + record.second_bytes + record.data_bytes + 32;
    if (shim->log_size + needed > shim->log_max) {
        shim->log_lost++;
        return;
    }
    append(&record, sizeof record);
    append(path, record.path_bytes);
    append(second, record.second_bytes);
    append(data, record.data_bytes);
}

void shim_watch(struct shim *to)
{
    pthread_mutex_lock(&shim_mutex);
    shim = to;
    memset(shim_watched, 0, sizeof shim_watched);
    pthread_mutex_unlock(&shim_mutex);
}

void shim_ack(int64_t number)
{
    pthread_mutex_lock(&shim_mutex);
    const struct shim_record record = {.op = SHIM_ACK, .offset = number};
    shim_note(record, NULL, NULL, NULL);
    pthread_mutex_unlock(&shim_mutex);
}

/* ---- Faults ---------------------------------------------------------------------------------- */

static bool may_fail(enum shim_op op, int flags)
{
    const bool writes = op == SHIM_WRITE || op == SHIM_PWRITE;
    const bool grows = writes || op == SHIM_MKDIR || op == SHIM_LINK ||
                       (op == SHIM_OPEN && (flags & O_CREAT) != 0);
    switch ((enum shim_fault)shim->fault) {
    case SHIM_EIO:
        return true;
    case SHIM_ENOSPC:
    case SHIM_EDQUOT:
        return grows || op == SHIM_RENAME || op == SHIM_SYNC;
    case SHIM_EACCES:
        return op == SHIM_OPEN || op == SHIM_RENAME || op == SHIM_UNLINK || op == SHIM_MKDIR ||
               op == SHIM_RMDIR || op == SHIM_LINK || op == SHIM_LOOK;
    case SHIM_EMFILE:
        return op == SHIM_OPEN;
    case SHIM_EINTR:
        return writes || op == SHIM_OPEN || op == SHIM_READ || op == SHIM_SYNC;
    case SHIM_SHORT:
    case SHIM_TORN:
        return writes;
    case SHIM_FULL:
        return grows;
    case SHIM_GATE:
        return op == SHIM_SYNC;
    case SHIM_NO_FAULT:
    case SHIM_FAULT_COUNT:
        break;
    }
    return false;
}

static int error_of_fault(void)
{
    switch ((enum shim_fault)shim->fault) {
    case SHIM_ENOSPC:
    case SHIM_TORN:
    case SHIM_FULL:
        return ENOSPC;
    case SHIM_EDQUOT:
        return EDQUOT;
    case SHIM_EACCES:
        return EACCES;
    case SHIM_EMFILE:
        return EMFILE;
    case SHIM_EINTR:
        return EINTR;
    case SHIM_EIO:
    case SHIM_GATE:
    case SHIM_SHORT:
    case SHIM_NO_FAULT:
    case SHIM_FAULT_COUNT:
        break;
    }
    return EIO;
}

static void path_of_fd(int fd, char *path, size_t size)
{
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    const ssize_t got = readlink(link, path, size - 1);
    path[got < 0 ? 0 : got] = '\0';
}

/* Is it this call's turn?  Then errno is set. */
bool shim_fails(enum shim_op op, int flags, const char *path, int fd)
{
    if (!may_fail(op, flags)) {
        return false;
    }
    shim->count++;
    if (shim->at == 0) {
        return false; /* only counted */
    }
    if (shim->count != shim->at && !(shim->fault == SHIM_FULL && shim->count > shim->at)) {
        return false;
    }
    if (shim->hits == 0) {
        char name[256];
        if (path == NULL) {
            path_of_fd(fd, name, sizeof name);
            path = name;
        }
        const char *end =
            strncmp(path, shim->root, strlen(shim->root)) == 0 ? path + strlen(shim->root) : path;
        snprintf(shim->hit, sizeof shim->hit, "%s %.250s", shim_op_name((int)op), end);
    }
    shim->hits++;
    errno = error_of_fault();
    return true;
}
