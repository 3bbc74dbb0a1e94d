/* journal_claim.c -- takes a directory for this process: its lock, its format.
 *
 * The lock is an flock on the directory's own inode.  It needs no file that somebody could delete,
 * goes along when the directory is renamed, and ends with the process.  What stands behind the path
 * and behind LevelDB's LOCK is compared again before every write (journal_leveldb.c). */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/error.h"
#include "journal/journal_files.h"
#include "journal/journal_leveldb_internal.h"

enum { FORMAT_BYTES_MAX = 64 };

/* ---- Lock --------------------------------------------------------------------------------- */

static enum tercet_status no_journal(const char *directory, const char *why,
                                     struct tercet_error *error_out)
{
    return error_set(error_out, TERCET_NOT_FOUND,
                     "there is no journal in %.120s (%s); make one by: tercetd init", directory,
                     why);
}

static enum tercet_status lock_directory(struct journal_leveldb *journal, const char *directory,
                                         struct tercet_error *error_out)
{
    journal->directory_fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (journal->directory_fd < 0 && (errno == ENOENT || errno == ENOTDIR)) {
        return no_journal(directory, strerror(errno), error_out);
    }
    if (journal->directory_fd < 0) {
        return files_failed(error_out, "open", directory);
    }
    if (flock(journal->directory_fd, LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK) {
            return files_failed(error_out, "lock", directory);
        }
        return error_set(error_out, TERCET_FAILED_PRECONDITION,
                         "the journal in %.120s is open elsewhere: another tercetd runs on it",
                         directory);
    }
    journal->path = realpath(directory, NULL);
    if (journal->path == NULL || !identity_of(journal->path, &journal->directory)) {
        return files_failed(error_out, "open", directory);
    }
    journal->live_path = files_join(journal->path, NAME_LIVE);
    journal->lock_path = files_join(journal->live_path, "LOCK");
    journal->outcomes_path = files_join(journal->path, NAME_OUTCOMES);
    journal->safety_path = files_join(journal->path, NAME_SAFETY);
    journal->witness_path = files_join(journal->path, NAME_WITNESS);
    return TERCET_OK;
}

/* ---- Format ------------------------------------------------------------------------------- */

static enum tercet_status parse_format(const char *text, struct tercet_error *error_out)
{
    const size_t prefix_size = strlen(FORMAT_PREFIX);
    char expected[FORMAT_BYTES_MAX];
    snprintf(expected, sizeof expected, FORMAT_PREFIX "%d\n", JOURNAL_FORMAT);
    if (strcmp(text, expected) == 0) {
        return TERCET_OK;
    }
    if (strncmp(text, FORMAT_PREFIX, prefix_size) == 0) {
        char *end = NULL;
        const long format = strtol(text + prefix_size, &end, 10);
        if (format > JOURNAL_FORMAT && strcmp(end, "\n") == 0) {
            return error_set(
                error_out, TERCET_FAILED_PRECONDITION,
                "the journal has format %ld and this tercetd reads %d: use a newer tercetd", format,
                JOURNAL_FORMAT);
        }
    }
    return error_set(error_out, TERCET_DATA_LOSS, "its file FORMAT makes no sense");
}

static bool is_backup(const char *directory)
{
    char *path = files_join(directory, NAME_BACKUP);
    const bool there = access(path, F_OK) == 0;
    free(path);
    return there;
}

/* FORMAT is built, and not in place yet. */
static bool is_half_made(const char *directory)
{
    char *path = files_join(directory, NAME_MAKING "/" NAME_FORMAT);
    const bool there = access(path, F_OK) == 0;
    free(path);
    return there;
}

static enum tercet_status check_format(const struct journal_leveldb *journal,
                                       struct tercet_error *error_out)
{
    char text[FORMAT_BYTES_MAX] = "";
    size_t size = 0;
    char *path = files_join(journal->path, NAME_FORMAT);
    enum tercet_status status = files_read(path, text, sizeof text - 1, &size, error_out);
    free(path);
    if (status == TERCET_NOT_FOUND && is_backup(journal->path)) {
        return error_set(error_out, TERCET_NOT_FOUND,
                         "%.120s is a backup and no journal: tercetd restore makes one of it",
                         journal->path);
    }
    if (status == TERCET_NOT_FOUND && is_half_made(journal->path)) {
        return no_journal(journal->path, "its making was interrupted", error_out);
    }
    if (status == TERCET_NOT_FOUND && access(journal->live_path, F_OK) != 0) {
        return no_journal(journal->path, "it holds no file FORMAT", error_out);
    }
    if (status == TERCET_NOT_FOUND) {
        return error_set(error_out, TERCET_DATA_LOSS, "its file FORMAT is missing");
    }
    return status == TERCET_OK ? parse_format(text, error_out) : status;
}

enum tercet_status journal_claim(struct journal_leveldb *journal, const char *directory,
                                 struct tercet_error *error_out)
{
    enum tercet_status status = lock_directory(journal, directory, error_out);
    return status == TERCET_OK ? check_format(journal, error_out) : status;
}
