/* log_sequence.c -- see log_sequence.h. */
#include "journal/log_sequence.h"

#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/error.h"
#include "journal/journal_files.h"
#include "journal/log_file.h"

struct sequence {
    const char *name;
    uint64_t next;
};

static enum tercet_status check_batch(struct tercet_bytes batch, void *context,
                                      struct tercet_error *error_out)
{
    struct sequence *sequence = context;
    uint64_t first = 0;
    uint32_t count = 0;
    if (!log_batch_numbers(batch, &first, &count)) {
        return TERCET_OK; /* LevelDB refuses it */
    }
    if (first < sequence->next) {
        return error_set(error_out, TERCET_DATA_LOSS,
                         "a part of %.40s stands there twice: after operation %" PRIu64
                         " comes %" PRIu64,
                         sequence->name, sequence->next - 1, first);
    }
    sequence->next = first + count;
    return TERCET_OK;
}

static bool is_log(const char *name)
{
    static const char ending[] = ".log";
    const size_t size = strlen(name);
    return size > sizeof ending - 1 && strcmp(name + size - (sizeof ending - 1), ending) == 0;
}

enum tercet_status log_sequence_check(const char *store_path, struct tercet_error *error_out)
{
    struct files_names names = {0};
    bool there = false;
    enum tercet_status status = files_look(store_path, &there, error_out);
    if (status != TERCET_OK || !there) {
        return status; /* not there: LevelDB says so */
    }
    status = files_list(store_path, &names, error_out);
    for (size_t i = 0; i < names.count && status == TERCET_OK; i++) {
        if (is_log(names.items[i])) {
            struct sequence sequence = {.name = names.items[i]};
            int64_t skipped_bytes = 0;
            char *path = files_join(store_path, names.items[i]);
            status = log_file_read(path, check_batch, &sequence, &skipped_bytes, error_out);
            free(path);
        }
    }
    files_names_deinit(&names);
    return status;
}
