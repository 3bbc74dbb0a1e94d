/* store_memory.h -- a store that keeps its fence in this process and forgets it with the process.
 *
 * For tests and benchmarks, and for nothing else: after a restart it knows of no branch, so a
 * coordinator that asks again is told CONFLICT.  It has one connection and no lock.  Handlers have
 * no connection of it: whatever they change is theirs to take back. */
#ifndef TERCET_STORE_MEMORY_H
#define TERCET_STORE_MEMORY_H

#include "tercet/tercet.h"

TERCET_BEGIN_DECLS

struct tercet_store;

struct tercet_memory_options {
    size_t size;
    /* Branches in one local transaction; their payloads close it at 1 MiB.  Default 512, at most 1024. */
    uint32_t batch_max;
    uint32_t queue_max; /* requests waiting for the worker; above it LATER.  Default 10000 */
};

/* Opens an empty store.  Close it with tercet_store_close().
 * Errors: INVALID_ARGUMENT. */
TERCET_API TERCET_MUST_CHECK enum tercet_status tercet_memory_open(
    const struct tercet_memory_options *options, struct tercet_store **store_out,
    struct tercet_error *error_out);

TERCET_END_DECLS

#endif
