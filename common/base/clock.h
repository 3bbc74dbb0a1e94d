/* clock.h -- the one place that reads clocks. */
#ifndef COMMON_BASE_CLOCK_H
#define COMMON_BASE_CLOCK_H

#include <stdint.h>

/* One reading of both clocks.  `boot_ms` counts from the machine's start, sleep included, and never
 * jumps; all timers use it.  `unix_ms` is the wall clock; it is stored and shown, and may jump. */
struct clock_now {
    int64_t boot_ms;
    int64_t unix_ms;
};

enum { CLOCK_BOOT_ID_SIZE = 37 };

#ifdef __cplusplus
extern "C" {
#endif

struct clock_now clock_read(void);
/* As clock_now.boot_ms: for whoever needs no other, at half the price. */
int64_t clock_boot_ms(void);
int64_t clock_boot_us(void); /* for measuring */

/* Names this start of the machine: 36 characters and a NUL; "unknown" where the system does not
 * say. */
void clock_boot_id(char id_out[CLOCK_BOOT_ID_SIZE]);

#ifdef __cplusplus
}
#endif

#endif
