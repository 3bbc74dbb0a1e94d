// fuzz_fence.cc -- a history of one participant's fence, decided by arbitrary bytes.
//
// Two coordinators ask two participants that share a store in memory: tries, confirms and cancels of
// a few branches, alone and in groups, late, doubled, of another transaction under the same name;
// marks, slice by slice, old ones too; coordinators that begin anew while their former selves still
// ask; connections that go away; handlers that refuse, fail, say too much or take too long;
// transactions that fall or of whose commit nothing is heard.  It all goes through the SDK's own
// group_run() and group_apply_mark().
//
// The oracle is the fence of tests/support/reference_fence.h: every answer, every row, every mark and
// every effect is as it says.  And whatever it says: of one branch the try, the confirm and the cancel
// leave at most one effect each, and never both of the latter.
//
// What a coordinator promises is kept here too, for on it rests that nothing is done twice: a number
// belongs to one branch, and one that a mark has closed is closed in every newer mark.
#include <gtest/gtest.h>

#include "fence_history.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    GTEST_FLAG_SET(throw_on_failure, true); // prints what differs, then aborts: nobody catches
    fence_test::FenceHistory(tercet_bytes_of(data, size)).Run();
    return 0;
}
