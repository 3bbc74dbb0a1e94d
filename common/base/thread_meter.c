/* thread_meter.c -- see thread_meter.h. */
#include "base/thread_meter.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

void thread_meter_open(struct thread_meter *meter)
{
    meter->fd = open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC);
}

void thread_meter_close(struct thread_meter *meter)
{
    if (meter->fd >= 0) {
        (void)close(meter->fd);
    }
    meter->fd = -1;
}

int64_t thread_meter_ns(const struct thread_meter *meter)
{
    char text[96];
    char *end = NULL;
    const ssize_t size = meter->fd < 0 ? -1 : pread(meter->fd, text, sizeof text - 1, 0);
    if (size <= 0) {
        return -1;
    }
    text[size] = '\0';
    const long long ran = strtoll(text, &end, 10);
    const bool has_both = end != text && *end == ' ';
    const long long waited = has_both ? strtoll(end, NULL, 10) : 0;
    return has_both ? ran + waited : -1;
}
