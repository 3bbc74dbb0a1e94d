/* recover.c -- tercetd recover (tools.h). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/failpoint.h"
#include "journal/journal_files.h"
#include "journal/journal_leveldb_internal.h"
#include "journal/tools/copy.h"
#include "journal/tools/hold.h"
#include "journal/tools/new_life.h"
#include "journal/tools/salvage.h"
#include "journal/tools/scratch.h"
#include "journal/tools/tools.h"

/* A copy of `from` in `making` that adds up, whatever that takes. */
static enum tercet_status make_sound(const char *from, const char *making, FILE *to,
                                     bool *damaged_out, struct tercet_error *error_out)
{
    *damaged_out = false;
    struct inspection inspection = {0};
    enum tercet_status status = copy_journal(from, making, COPY_BYTES, error_out);
    if (status == TERCET_OK) {
        status = inspect(making, NULL, NULL, &inspection, NULL, error_out);
    }
    const bool adds_up = status == TERCET_OK;
    if (adds_up) {
        status = inspection_judge(from, &inspection, error_out);
    }
    const size_t ended_count = inspection.ended.count;
    inspection_deinit(&inspection);
    if (adds_up && status == TERCET_DATA_LOSS) { /* its new life mends either */
        *damaged_out = true;
        if (ended_count > 0) {
            (void)fprintf(to, "%s is sound but for %zu transactions that have ended and are open\n",
                          from, ended_count);
        } else {
            (void)fprintf(to, "%s is sound but for one thing: %s\n", from, error_out->text);
        }
        return TERCET_OK;
    }
    if (status == TERCET_OK) {
        (void)fprintf(to, "%s is sound: nothing is lost\n", from);
    }
    if (status != TERCET_DATA_LOSS) {
        return status;
    }
    *damaged_out = true;
    (void)fprintf(to, "%s is damaged: %s\n", from, error_out->text);
    TERCET_FAILPOINT("recover.damaged");
    copy_remove(making); /* to open it has changed it */
    status = copy_journal(from, making, COPY_BYTES, error_out);
    return status == TERCET_OK ? salvage(making, to, error_out) : status;
}

static enum tercet_status make_new(const char *from, const char *directory, FILE *to,
                                   struct tercet_error *error_out)
{
    char *making = files_join(directory, NAME_MAKING);
    enum tercet_status status = new_life_place(directory, error_out);
    const bool placed = status == TERCET_OK;
    bool damaged = false;
    if (status == TERCET_OK) {
        status = make_sound(from, making, to, &damaged, error_out);
    }
    if (status == TERCET_OK) {
        status = new_life_begin(making, to, error_out);
    }
    if (status == TERCET_OK) {
        TERCET_FAILPOINT("recover.before_finish");
        status = journal_place_finish(directory, error_out);
    }
    if (status == TERCET_OK) {
        (void)fprintf(to, "%s is recovered from %s\n", directory, from);
    } else if (placed) {
        copy_remove(making);
        (void)rmdir(directory);
    }
    free(making);
    return status;
}

/* What would be lost: the same in a scratch, which goes again. */
static enum tercet_status only_tell(const char *from, const char *directory, FILE *to,
                                    struct tercet_error *error_out)
{
    char *scratch = NULL;
    if (access(directory, F_OK) == 0) {
        return error_set(error_out, TERCET_ALREADY_EXISTS,
                         "%.160s is there already; name a directory that is not", directory);
    }
    bool damaged = false;
    enum tercet_status status = scratch_make(from, &scratch, error_out);
    if (status == TERCET_OK) {
        status = make_sound(from, scratch, to, &damaged, error_out);
        scratch_remove(scratch);
    }
    if (status == TERCET_OK && !damaged) {
        (void)fprintf(to, "nothing was made: it needs no recovery\n");
    } else if (status == TERCET_OK) {
        status = error_set(error_out, TERCET_DATA_LOSS,
                           "nothing was made; if what stands above may be lost: tercetd recover "
                           "--accept-loss %.60s %.60s",
                           from, directory);
    }
    return status;
}

enum tercet_status tools_recover(const char *from, const char *directory, bool accept_loss,
                                 FILE *to, struct tercet_error *error_out)
{
    int fd = -1;
    enum tercet_status status = hold_journal(from, &fd, error_out);
    if (status != TERCET_OK) {
        return status;
    }
    status = accept_loss ? make_new(from, directory, to, error_out)
                         : only_tell(from, directory, to, error_out);
    close(fd);
    return status;
}
