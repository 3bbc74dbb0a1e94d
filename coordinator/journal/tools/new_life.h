/* new_life.h -- what restore and recover have in common. */
#ifndef COORDINATOR_JOURNAL_TOOLS_NEW_LIFE_H
#define COORDINATOR_JOURNAL_TOOLS_NEW_LIFE_H

#include <stdio.h>

#include "journal/tools/inspect.h"

/* Reads all of a copy; when it is sound, begins a new life in it and tells `to` what is in it. */
TERCET_MUST_CHECK enum tercet_status new_life_begin(const char *copy, FILE *to,
                                                    struct tercet_error *error_out);

/* Makes the directory, which must not exist. */
TERCET_MUST_CHECK enum tercet_status new_life_place(const char *directory,
                                                    struct tercet_error *error_out);

#endif
