/* gid.c -- see gid.h. */
#include "base/gid.h"

#include "base/bytes.h"
#include "base/random.h"

enum { GID_BYTES = 16, TIME_BYTES = 6 };

void gid_make(int64_t unix_ms, char gid_out[TERCET_GID_MADE_SIZE])
{
    uint8_t bytes[GID_BYTES];
    store_be64(bytes, (uint64_t)unix_ms << 16U); /* the time's bytes 2 to 7 become bytes 0 to 5 */
    random_entropy(bytes + TIME_BYTES, sizeof bytes - TIME_BYTES);
    hex_encode(bytes, sizeof bytes, gid_out);
}
