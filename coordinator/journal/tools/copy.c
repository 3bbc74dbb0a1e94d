/* copy.c -- see copy.h. */
#include "journal/tools/copy.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/failpoint.h"
#include "base/memory.h"
#include "journal/journal_files.h"
#include "journal/journal_leveldb_internal.h"
#include "journal/journal_safety.h"
#include "journal/store_share.h"

/* All plain files of a directory.  OK when there is no such directory: what opens it will tell. */
static enum tercet_status copy_files(const char *from, const char *to, enum copy_how how,
                                     struct tercet_error *error_out)
{
    struct files_names names = {0};
    bool there = false;
    enum tercet_status status = files_look(from, &there, error_out);
    if (status != TERCET_OK || !there) {
        return status;
    }
    status = files_make_directory(to, error_out);
    if (status == TERCET_OK) {
        status = files_list(from, &names, error_out);
    }
    for (size_t i = 0; i < names.count && status == TERCET_OK; i++) {
        char *old_path = files_join(from, names.items[i]);
        char *new_path = files_join(to, names.items[i]);
        const bool linked = how == COPY_LINKS_IF_CAN && store_share_may(names.items[i]) &&
                            link(old_path, new_path) == 0;
        if (!linked && safety_is_worth_it(names.items[i])) {
            status = files_copy(old_path, new_path, error_out);
        }
        free(old_path);
        free(new_path);
    }
    files_names_deinit(&names);
    return status == TERCET_OK ? files_sync(to, error_out) : status;
}

static enum tercet_status copy_days(const char *from, const char *to, enum copy_how how,
                                    struct tercet_error *error_out)
{
    struct files_names names = {0};
    bool there = false;
    enum tercet_status status = files_look(from, &there, error_out);
    if (status != TERCET_OK || !there) {
        return status;
    }
    status = files_make_directory(to, error_out);
    if (status == TERCET_OK) {
        status = files_list(from, &names, error_out);
    }
    for (size_t i = 0; i < names.count && status == TERCET_OK; i++) {
        int64_t start_unix_ms = 0;
        char *old_path = files_join(from, names.items[i]);
        char *new_path = files_join(to, names.items[i]);
        if (day_parse(names.items[i], &start_unix_ms)) {
            status = copy_files(old_path, new_path, how, error_out);
        }
        free(old_path);
        free(new_path);
    }
    files_names_deinit(&names);
    return status == TERCET_OK ? files_sync(to, error_out) : status;
}

/* A file of the journal's own directory; not there: none is made. */
static enum tercet_status copy_one(const char *from, const char *name, const char *to,
                                   const char *new_name, struct tercet_error *error_out)
{
    char *old_path = files_join(from, name);
    char *new_path = files_join(to, new_name);
    bool there = false;
    enum tercet_status status = files_look(old_path, &there, error_out);
    if (status == TERCET_OK && there) {
        status = files_copy(old_path, new_path, error_out);
    }
    free(old_path);
    free(new_path);
    return status;
}

static bool holds(const char *directory, const char *name)
{
    char *path = files_join(directory, name);
    const bool there = access(path, F_OK) == 0;
    free(path);
    return there;
}

static enum tercet_status copy_parts(const char *from, const char *to, enum copy_how how,
                                     struct tercet_error *error_out)
{
    char *old_live = files_join(from, NAME_LIVE);
    char *new_live = files_join(to, NAME_LIVE);
    char *old_outcomes = files_join(from, NAME_OUTCOMES);
    char *new_outcomes = files_join(to, NAME_OUTCOMES);
    char *safety = files_join(to, NAME_SAFETY);
    enum tercet_status status = files_make_directory(to, error_out);
    if (status == TERCET_OK) {
        status = files_make_directory(safety, error_out);
    }
    if (status == TERCET_OK) {
        TERCET_FAILPOINT("copy.before_live");
        status = copy_files(old_live, new_live, how, error_out);
    }
    if (status == TERCET_OK) {
        TERCET_FAILPOINT("copy.before_days");
        status = copy_days(old_outcomes, new_outcomes, how, error_out);
    }
    if (status == TERCET_OK) {
        status = copy_one(from, NAME_WITNESS, to, NAME_WITNESS, error_out);
    }
    if (status == TERCET_OK) {
        TERCET_FAILPOINT("copy.before_format");
        const char *format = holds(from, NAME_BACKUP) ? NAME_BACKUP : NAME_FORMAT;
        status = copy_one(from, format, to, NAME_FORMAT, error_out);
    }
    free(old_live);
    free(new_live);
    free(old_outcomes);
    free(new_outcomes);
    free(safety);
    return status == TERCET_OK ? files_sync(to, error_out) : status;
}

enum tercet_status copy_journal(const char *from, const char *to, enum copy_how how,
                                struct tercet_error *error_out)
{
    if (!holds(from, NAME_FORMAT) && !holds(from, NAME_BACKUP) && !holds(from, NAME_LIVE)) {
        return error_set(error_out, TERCET_NOT_FOUND, "there is no journal in %.160s", from);
    }
    return copy_parts(from, to, how, error_out);
}

/* ---- Removing ---------------------------------------------------------------------------------- */

static void remove_plain(const char *parent, const char *name)
{
    struct tercet_error ignored;
    char *path = files_join(parent, name);
    (void)!files_remove_directory(path, &ignored);
    free(path);
}

static void remove_below(const char *parent, const char *name)
{
    struct files_names names = {0};
    struct tercet_error ignored;
    char *path = files_join(parent, name);
    if (files_list(path, &names, &ignored) == TERCET_OK) {
        for (size_t i = 0; i < names.count; i++) {
            remove_plain(path, names.items[i]);
        }
        files_names_deinit(&names);
    }
    free(path);
    remove_plain(parent, name);
}

void copy_remove(const char *path)
{
    struct tercet_error ignored;
    remove_below(path, NAME_OUTCOMES);
    remove_below(path, NAME_SAFETY);
    remove_plain(path, NAME_LIVE);
    (void)!files_remove_directory(path, &ignored);
}
