/* io_shim_plan.h -- what io_shim.c asks for at each call.  All under the mutex. */
#ifndef TESTS_INTEGRITY_IO_SHIM_PLAN_H
#define TESTS_INTEGRITY_IO_SHIM_PLAN_H

#include <pthread.h>
#include <stdbool.h>

#include "integrity/io_shim.h"

enum { SHIM_FD_MAX = 4096 };

extern pthread_mutex_t shim_mutex;
extern struct shim *shim; /* NULL: nobody watches */
extern bool shim_watched[SHIM_FD_MAX];

/* Is it this call's turn to fail?  Then errno is set. */
bool shim_fails(enum shim_op op, int flags, const char *path, int fd);

/* Writes down a call that was made. */
void shim_note(struct shim_record record, const char *path, const char *second, const void *data);

#endif
