// faulty_store.h -- a store whose local transactions end as a database's may: at one call of one
// slot, the world's fault of tercet/fence.h is reported, and what it says is true.
#pragma once

#include "tercet/fence.h"

namespace fence_test
{

enum class Fault {
    NONE,
    CLAIM_ABORTED,    // a deadlock at one claim
    CHECK_LOST,       // the connection is gone after one handler
    COMMIT_ABORTED,   // a serialization failure
    COMMIT_UNTOLD,    // committed; the outcome is not known
    ROLLBACK_UNTOLD,  // rolled back; the outcome is not known
    COMMIT_FULL,      // no room, now and later
    COMMIT_IMPOSSIBLE // a serialization failure each time
};

// Of `ops`, which is kept; one at a time, since slots do not know their store.
const tercet_store_ops *faulty_store(const tercet_store_ops *ops);

// The next fault, at the `skip`-th call of its slot from now; it stays until it is replaced.
void faulty_store_arm(Fault fault, unsigned skip);

} // namespace fence_test
