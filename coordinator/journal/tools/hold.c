/* hold.c -- see hold.h. */
#include "journal/tools/hold.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/error.h"
#include "journal/journal_files.h"

enum tercet_status hold_journal(const char *directory, int *fd_out, struct tercet_error *error_out)
{
    const int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 && (errno == ENOENT || errno == ENOTDIR)) {
        return error_set(error_out, TERCET_NOT_FOUND, "there is no journal in %.160s: %s",
                         directory, strerror(errno));
    }
    if (fd < 0) {
        return files_failed(error_out, "open", directory);
    }
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        close(fd);
        return error_set(error_out, TERCET_UNAVAILABLE,
                         "the journal in %.160s is in use: stop tercetd first", directory);
    }
    *fd_out = fd;
    return TERCET_OK;
}
