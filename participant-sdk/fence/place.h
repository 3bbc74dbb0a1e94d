/* place.h -- one row's place on the number line, copied out of a cursor so that the row may then be
 * deleted. */
#ifndef TERCET_FENCE_PLACE_H
#define TERCET_FENCE_PLACE_H

#include "tercet/fence.h"

struct place {
    struct tercet_branch_number number;
    enum tercet_fence_state state; /* where the cursor tells it */
    uint32_t branch;
    size_t gid_size;
    uint8_t gid[TERCET_GID_BYTES_MAX];
};

/* Borrows from `place`. */
static inline struct tercet_fence_key place_key(const struct place *place)
{
    struct tercet_fence_key key;
    key.gid = tercet_bytes_of(place->gid, place->gid_size);
    key.branch = place->branch;
    return key;
}

#endif
