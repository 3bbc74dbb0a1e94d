/* journal_damage.c -- see journal_damage.h. */
#include "journal/journal_damage.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "journal/journal_files.h"

static char *path_of(const char *directory)
{
    return files_join(directory, "damaged");
}

void damage_note(const char *directory, const char *text)
{
    char line[400];
    struct tercet_error ignored;
    char *path = path_of(directory);
    const int size = snprintf(line, sizeof line, "%.300s\n", text);
    if (files_write_new(path, tercet_bytes_of(line, (size_t)size), &ignored) == TERCET_OK) {
        (void)!files_sync(directory, &ignored);
    }
    free(path);
}

enum tercet_status damage_is_noted(const char *directory, bool *noted_out,
                                   struct tercet_error *error_out)
{
    char *path = path_of(directory);
    enum tercet_status status = files_look(path, noted_out, error_out);
    free(path);
    return status;
}

enum tercet_status damage_forget(const char *directory, struct tercet_error *error_out)
{
    char *path = path_of(directory);
    enum tercet_status status = unlink(path) == 0 ? files_sync(directory, error_out)
                                                  : files_failed(error_out, "remove", path);
    free(path);
    return status;
}
