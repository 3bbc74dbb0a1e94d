/* digest.h -- what makes two requests the same: the first 16 bytes of a SHA-256.
 *
 * Digest of a branch: over length-prefixed participant, action and payload, then stage and flags as
 * 32 bits big-endian.  Digest of a content: the same over the gid and all branch digests in order.
 * Not in it: deadlines, wait mode, trace context, created_at, attempt.
 *
 * Computed where a request arrives, on the service's threads; the engine only compares. */
#ifndef COORDINATOR_ENGINE_DIGEST_H
#define COORDINATOR_ENGINE_DIGEST_H

#include "base/digest.h"
#include "tercet/tercet.h"

struct digest16 {
    uint8_t bytes[16];
};

enum { DIGEST_FLAG_CONFIRM_ONLY = 1, DIGEST_FLAG_OPTIONAL = 2 };

struct digest_branch {
    const char *participant;
    const char *action;
    struct tercet_bytes payload;
    uint32_t stage;
    uint32_t flags;
};

struct digest16 digest_of_branch(const struct digest_branch *branch);
struct digest16 digest_of_content(const char *gid, const struct digest16 *branches, size_t count);
bool digest16_equal(const struct digest16 *a, const struct digest16 *b);
bool digest16_is_zero(const struct digest16 *digest); /* which no content's is */

#endif
