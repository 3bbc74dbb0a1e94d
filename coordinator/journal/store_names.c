/* store_names.c -- see store_names.h. */
#include "journal/store_names.h"

#include <stdlib.h>
#include <sys/stat.h>

#include "base/memory.h"
#include "journal/journal_files.h"

void store_names_init(struct store_names *names, const char *path)
{
    *names = (struct store_names){.path = xstrdup(path)};
}

void store_names_deinit(struct store_names *names)
{
    free(names->path);
    names->path = NULL;
}

static bool is_before(struct timespec left, struct timespec right)
{
    return left.tv_sec != right.tv_sec ? left.tv_sec < right.tv_sec : left.tv_nsec < right.tv_nsec;
}

enum tercet_status store_names_sync(struct store_names *names, struct tercet_error *error_out)
{
    struct stat info;
    struct timespec now = {0};
    clock_gettime(CLOCK_REALTIME_COARSE, &now); /* before the stat: what comes later is newer */
    if (stat(names->path, &info) != 0) {
        return files_failed(error_out, "look at", names->path);
    }
    const bool same = info.st_mtim.tv_sec == names->changed.tv_sec &&
                      info.st_mtim.tv_nsec == names->changed.tv_nsec;
    if (same && is_before(info.st_mtim, names->synced)) {
        return TERCET_OK;
    }
    const enum tercet_status status = files_sync(names->path, error_out);
    if (status == TERCET_OK) {
        names->changed = info.st_mtim;
        names->synced = now;
    }
    return status;
}
