// faulty_store.cc -- see faulty_store.h.
#include "faulty_store.h"

namespace fence_test
{
namespace
{

const tercet_store_ops *real = nullptr;
Fault armed = Fault::NONE;
unsigned to_skip = 0;

// Is it now?  Each fault comes once, but for those that last.
bool Strikes(Fault fault, bool lasts = false)
{
    if (armed != fault || to_skip > 0) {
        to_skip -= armed == fault ? 1 : 0;
        return false;
    }
    armed = lasts ? armed : Fault::NONE;
    return true;
}

tercet_status Claim(void *connection, const tercet_fence_key *key, const tercet_fence_row *wanted,
                    tercet_fence_claim *claim, tercet_error *error)
{
    return Strikes(Fault::CLAIM_ABORTED) ? TERCET_ABORTED
                                         : real->claim(connection, key, wanted, claim, error);
}

tercet_status Check(void *connection, tercet_error *error)
{
    return Strikes(Fault::CHECK_LOST) ? TERCET_UNAVAILABLE : real->check(connection, error);
}

tercet_status Commit(void *connection, tercet_error *error)
{
    if (Strikes(Fault::COMMIT_ABORTED) || Strikes(Fault::COMMIT_IMPOSSIBLE, true)) {
        return TERCET_ABORTED;
    }
    if (Strikes(Fault::COMMIT_FULL, true)) {
        return TERCET_RESOURCE_EXHAUSTED;
    }
    if (Strikes(Fault::ROLLBACK_UNTOLD)) {
        real->rollback(connection);
        return TERCET_UNKNOWN;
    }
    const bool untold = Strikes(Fault::COMMIT_UNTOLD);
    const tercet_status status = real->commit(connection, error);
    return untold && status == TERCET_OK ? TERCET_UNKNOWN : status;
}

} // namespace

const tercet_store_ops *faulty_store(const tercet_store_ops *ops)
{
    static tercet_store_ops faulty;
    real = ops;
    faulty = *ops;
    faulty.claim = Claim;
    faulty.check = Check;
    faulty.commit = Commit;
    return &faulty;
}

void faulty_store_arm(Fault fault, unsigned skip)
{
    armed = fault;
    to_skip = skip;
}

} // namespace fence_test
