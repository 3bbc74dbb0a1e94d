/* mark.h -- what a participant may forget (docs/protocol.md: marks).
 *
 * Every branch of the participant with a number below `low` is closed (its END is durable), or
 * stands in `open`: decided (durably) and not ended.  An undecided branch is never passed; when
 * `open` is full, `low` stays. */
#ifndef COORDINATOR_ENGINE_MARK_H
#define COORDINATOR_ENGINE_MARK_H

#include "engine/branch.h"

enum { MARK_OPEN_MAX = 256 };

struct mark {
    struct branch_number as_of; /* incarnation, and the durable LSN as its number; 0: no mark */
    struct branch_number low;
    uint32_t open_count;
    struct branch_number open[MARK_OPEN_MAX];
};

#endif
