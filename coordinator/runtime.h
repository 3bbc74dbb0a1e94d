/* runtime.h -- the composition root: puts the parts together, runs them, takes them apart. */
#ifndef COORDINATOR_RUNTIME_H
#define COORDINATOR_RUNTIME_H

#include "config.h"
#include "tercet/tercet.h"

/* Exit codes of a process that ends itself in mid-flight (docs/operations.md has all of them). */
enum {
    RUNTIME_EXIT_JOURNAL = 74, /* the journal could not be written or read: restart recovers */
    RUNTIME_EXIT_FENCED = 78   /* another coordinator has this journal's origin: needs a human */
};

/* Opens the journal, recovers, serves until SIGTERM or SIGINT, drains, stops.  Call it from the main
 * thread, before any other exists.
 * OK: stopped as asked.  NOT_FOUND: no journal there.  FAILED_PRECONDITION: journal open elsewhere,
 * or written by a newer version.  DATA_LOSS: the journal does not add up; nothing was changed.
 * UNAVAILABLE: an address is in use, or the system's words.  INVALID_ARGUMENT: an address. */
TERCET_MUST_CHECK enum tercet_status runtime_run(const struct config *config,
                                                 struct tercet_error *error_out);

#endif
