/* describe.h -- is the database behind a participant still the one we know?
 *
 * A Describe reply tells for every store its random id, the highest (incarnation, epoch) of our
 * origin that it has seen, and the newest mark that it holds.  Between two replies nothing of this
 * may go back: an id that is gone means another database, a lower mark one restored from a backup, a
 * higher epoch another coordinator in our place.  Remembered as long as the process lives.
 *
 * Thread: one at a time for each memory; probes of a participant never overlap. */
#ifndef COORDINATOR_PARTICIPANT_DESCRIBE_H
#define COORDINATOR_PARTICIPANT_DESCRIBE_H

#include "participant/wire.h"

enum { DESCRIBE_STORE_COUNT_MAX = 16, DESCRIBE_STORE_ID_BYTES = 16 };

struct describe_store {
    uint8_t id[DESCRIBE_STORE_ID_BYTES];
    struct branch_number mark; /* zero: none */
};

struct describe_memory {
    struct describe_store stores[DESCRIBE_STORE_COUNT_MAX];
    uint32_t store_count;
};

enum describe_finding {
    DESCRIBE_FINE,
    DESCRIBE_FENCED,     /* it has seen a higher epoch: we are not the coordinator */
    DESCRIBE_EXCHANGED,  /* a store is gone, another may stand in its place */
    DESCRIBE_ROLLED_BACK /* a store has forgotten a mark that it had */
};

/* Judges a reply and remembers it.  `acknowledged`: the newest mark that any reply had told when the
 * probe left; zero: none.  `text_out`: a sentence about whatever is not FINE. */
enum describe_finding describe_judge(struct describe_memory *memory,
                                     const Tercet__V1__DescribeReply *reply,
                                     const struct wire_identity *identity,
                                     struct branch_number acknowledged,
                                     struct tercet_error *text_out);

/* The lowest mark of all stores that are remembered. */
struct branch_number describe_lowest_mark(const struct describe_memory *memory);

#endif
