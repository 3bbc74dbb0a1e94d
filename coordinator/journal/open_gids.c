/* open_gids.c -- see open_gids.h. */
#include "journal/open_gids.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"

enum { FIRST_CAPACITY = 64 };

void open_gids_deinit(struct open_gids *gids)
{
    free(gids->items);
    *gids = (struct open_gids){0};
}

void open_gids_add(struct open_gids *gids, const char *gid, int64_t sequence)
{
    if (gids->count == gids->capacity) {
        gids->capacity = gids->capacity == 0 ? FIRST_CAPACITY : 2 * gids->capacity;
        gids->items = xrealloc(gids->items, gids->capacity * sizeof gids->items[0]);
    }
    gids->items[gids->count] = (struct open_gid){gid, sequence};
    gids->count++;
}

static int compare(const void *left, const void *right)
{
    const struct open_gid *a = left;
    const struct open_gid *b = right;
    return strcmp(a->gid, b->gid);
}

enum tercet_status open_gids_keep_ended(struct open_gids *gids, struct journal *journal,
                                        struct tercet_error *error_out)
{
    size_t kept = 0;
    enum tercet_status status = TERCET_OK;
    if (gids->count > 0) {
        qsort(gids->items, gids->count, sizeof gids->items[0], compare);
    }
    for (size_t i = 0; i < gids->count && status == TERCET_OK; i++) {
        status = journal_peek_outcome(journal, gids->items[i].gid, error_out);
        if (status == TERCET_OK) {
            const struct open_gid ended = gids->items[i];
            gids->items[i] = gids->items[kept];
            gids->items[kept] = ended;
            kept++;
        } else if (status == TERCET_NOT_FOUND) {
            status = TERCET_OK;
        }
    }
    gids->count = kept;
    return status;
}

enum tercet_status open_gids_refuse(const struct open_gids *ended, struct tercet_error *error_out)
{
    if (ended->count == 0) {
        return TERCET_OK;
    }
    return error_set(error_out, TERCET_DATA_LOSS,
                     "transaction %" PRId64
                     " makes no sense: it is open, and an outcome of its gid "
                     "%.60s is there as well; see \"Refusals\" in docs/journal-format.md",
                     ended->items[0].sequence, ended->items[0].gid);
}

enum tercet_status open_gids_refuse_ended(struct open_gids *gids, struct journal *journal,
                                          struct tercet_error *error_out)
{
    enum tercet_status status = open_gids_keep_ended(gids, journal, error_out);
    return status == TERCET_OK ? open_gids_refuse(gids, error_out) : status;
}
