/* gid.c -- names for transactions whose initiator has no business key. */
#include "base/bytes.h"
#include "base/random.h"
#include "src/moment.h"

void tercet_gid_make(char *gid_out)
{
    uint8_t bytes[16];
    const uint64_t now = (uint64_t)moment_unix_ms();

    /* 48 bits of time before 80 random ones: the time's bytes 2 to 7 become bytes 0 to 5. */
    store_be64(bytes, now << 16);
    random_entropy(bytes + 6, sizeof bytes - 6);
    hex_encode(bytes, sizeof bytes, gid_out);
}
