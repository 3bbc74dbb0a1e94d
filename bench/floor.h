/* floor.h -- what the disk alone can do: the line that no journal gets below. */
#ifndef BENCH_FLOOR_H
#define BENCH_FLOOR_H

#include <stdbool.h>
#include <stdint.h>

/* Appends 512 bytes to a fresh file in `directory` and calls fdatasync, again and again for
 * `duration_ms`; how often in a second.  False: the system said no, errno tells why. */
bool floor_measure(const char *directory, uint32_t duration_ms, double *per_second_out);

/* "ext4", "tmpfs", ... of the file system that `directory` is on; "?" for one not known here. */
const char *floor_file_system(const char *directory);

#endif
