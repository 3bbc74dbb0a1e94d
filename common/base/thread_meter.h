/* thread_meter.h -- how long a thread has wanted a processor: the time in which it ran, and the time in
 * which it waited to run, as the kernel counts both (/proc/PID/task/TID/schedstat). */
#ifndef COMMON_BASE_THREAD_METER_H
#define COMMON_BASE_THREAD_METER_H

#include "tercet/tercet.h"

TERCET_BEGIN_DECLS

struct thread_meter {
    int fd; /* -1: the kernel does not tell */
};

/* Of the calling thread.  Any thread may read it then, as long as this one lives. */
void thread_meter_open(struct thread_meter *meter);
void thread_meter_close(struct thread_meter *meter);

/* Nanoseconds since the thread began, up to the kernel's last tick; -1: not told. */
int64_t thread_meter_ns(const struct thread_meter *meter);

TERCET_END_DECLS

#endif
