/* scratch.c -- see scratch.h. */
#include "journal/tools/scratch.h"

#include <errno.h>
#include <fts.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/failpoint.h"
#include "journal/journal_files.h"

#define COPY_NAME "journal"

/* As far as it goes: what cannot be removed is found again by the next one. */
static void remove_tree(char *path)
{
    char *paths[] = {path, NULL};
    FTS *tree = fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR | FTS_XDEV, NULL);
    if (tree == NULL) {
        return;
    }
    for (FTSENT *entry = fts_read(tree); entry != NULL; entry = fts_read(tree)) {
        if (entry->fts_info == FTS_DP) {
            (void)rmdir(entry->fts_accpath);
        } else if (entry->fts_info != FTS_D) {
            (void)unlink(entry->fts_accpath);
        }
    }
    (void)fts_close(tree);
}

/* A directory of this user's with nothing in it but a copy. */
static bool is_ours(const char *path)
{
    struct stat info;
    struct files_names names = {0};
    struct tercet_error ignored;
    if (lstat(path, &info) != 0 || !S_ISDIR(info.st_mode) || info.st_uid != geteuid() ||
        files_list(path, &names, &ignored) != TERCET_OK) {
        return false;
    }
    const bool ours =
        names.count == 0 || (names.count == 1 && strcmp(names.items[0], COPY_NAME) == 0);
    files_names_deinit(&names);
    return ours;
}

/* OK with `*made_out` false: nothing may be written there. */
static enum tercet_status make_beside(char *path, bool *made_out, struct tercet_error *error_out)
{
    if (mkdir(path, 0700) != 0 && errno == EEXIST) {
        if (!is_ours(path)) {
            return error_set(error_out, TERCET_ALREADY_EXISTS,
                             "%.160s is there, and is no scratch of tercetd's: move it away", path);
        }
        TERCET_FAILPOINT("scratch.before_remove_old");
        remove_tree(path);
        *made_out = mkdir(path, 0700) == 0;
        return TERCET_OK;
    }
    *made_out = access(path, W_OK) == 0;
    return TERCET_OK;
}

enum tercet_status scratch_make(const char *journal, char **path_out,
                                struct tercet_error *error_out)
{
    char path[PATH_MAX];
    char *real = realpath(journal, NULL);
    bool made = false;
    (void)snprintf(path, sizeof path, "%s.scratch", real == NULL ? journal : real);
    free(real);
    const enum tercet_status status = make_beside(path, &made, error_out);
    if (status != TERCET_OK) {
        return status;
    }
    if (!made) {
        const char *temporary = getenv("TMPDIR");
        (void)snprintf(path, sizeof path, "%s/tercet-scratch-XXXXXX",
                       temporary == NULL || temporary[0] == '\0' ? "/tmp" : temporary);
        if (mkdtemp(path) == NULL) {
            return files_failed(error_out, "create", path);
        }
    }
    *path_out = files_join(path, COPY_NAME);
    return TERCET_OK;
}

void scratch_remove(char *path)
{
    if (path != NULL) {
        *strrchr(path, '/') = '\0';
        remove_tree(path);
        free(path);
    }
}
