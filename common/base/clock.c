/* clock.c -- see clock.h. */
#include "base/clock.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/assert.h"

static int64_t read_us(clockid_t id)
{
    struct timespec time;
    tercet_assert(clock_gettime(id, &time) == 0);
    return (int64_t)time.tv_sec * 1000000 + time.tv_nsec / 1000;
}

struct clock_now clock_read(void)
{
    return (struct clock_now){.boot_ms = clock_boot_ms(),
                              .unix_ms = read_us(CLOCK_REALTIME) / 1000};
}

int64_t clock_boot_ms(void)
{
    return read_us(CLOCK_BOOTTIME) / 1000;
}

int64_t clock_boot_us(void)
{
    return read_us(CLOCK_BOOTTIME);
}

void clock_boot_id(char id_out[CLOCK_BOOT_ID_SIZE])
{
    memset(id_out, 0, CLOCK_BOOT_ID_SIZE);
    FILE *file = fopen("/proc/sys/kernel/random/boot_id", "re");
    if (file == NULL || fread(id_out, 1, CLOCK_BOOT_ID_SIZE - 1, file) != CLOCK_BOOT_ID_SIZE - 1) {
        snprintf(id_out, CLOCK_BOOT_ID_SIZE, "unknown");
    }
    if (file != NULL) {
        fclose(file);
    }
}
