// The process is killed between any two steps (anomalies 6 and 9): after it, the row and the business
// change are both there, or neither is; and the same request again has one effect.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store_fixture.h"

namespace fence_test
{
namespace
{

enum Moment {
    kBeforeHandler,
    kAfterEffect,
    kAfterSecondBranch,
    kBeforeCommit,
    kAfterCommit,
    kMoments
};
const tercet_store_ops *real_ops;
int moment;

[[noreturn]] void Die()
{
    kill(getpid(), SIGKILL);
    _exit(1);
}

tercet_status DyingCommit(void *connection, tercet_error *error)
{
    if (moment == kBeforeCommit) {
        Die();
    }
    const tercet_status status = real_ops->commit(connection, error);
    if (moment == kAfterCommit) {
        Die();
    }
    return status;
}

class Crash : public testing::TestWithParam<std::tuple<std::string, int, int>>
{
};

TEST_P(Crash, RowAndBusinessChangeAreBothThereOrNeitherIs)
{
    const std::string kind = std::get<0>(GetParam());
    const auto phase = static_cast<tercet_phase>(std::get<1>(GetParam()));
    TemporaryDirectory directory;
    const std::vector<std::string> gids = {"a", "b"};
    std::vector<Ask> asks;
    for (size_t i = 0; i < gids.size(); i++) {
        asks.push_back(Try(gids[i], static_cast<int64_t>(i) + 1));
    }
    if (phase != TERCET_PHASE_TRY) {
        Harness harness(kind, directory.path());
        for (const auto &answer : harness.Run(asks)) {
            ASSERT_EQ(answer.verdict, TERCET_VERDICT_DONE);
        }
    }
    for (Ask &ask : asks) {
        ask.phase = phase;
    }
    const pid_t child = fork();
    if (child == 0) {
        moment = std::get<2>(GetParam());
        Harness harness(kind, directory.path());
        real_ops = harness.group.ops;
        tercet_store_ops dying = *real_ops;
        dying.commit = DyingCommit;
        harness.handler = [&](const group_request &request, tercet_bytes, group_answer &) {
            if (moment == kBeforeHandler) {
                Die();
            }
            harness.group.ops = real_ops; // for the accessors
            const tercet_verdict verdict = harness.LeaveEffect(request);
            harness.group.ops = &dying;
            if (moment == kAfterEffect ||
                (moment == kAfterSecondBranch && request.number.number == 2)) {
                Die();
            }
            return verdict;
        };
        harness.group.ops = &dying;
        harness.Run(asks);
        _exit(0);
    }
    int result = 0;
    ASSERT_EQ(waitpid(child, &result, 0), child);
    ASSERT_TRUE(WIFSIGNALED(result)) << "it was to die";

    const bool kept = std::get<2>(GetParam()) == kAfterCommit;
    const tercet_fence_state done = phase == TERCET_PHASE_TRY       ? TERCET_FENCE_TRIED
                                    : phase == TERCET_PHASE_CONFIRM ? TERCET_FENCE_CONFIRMED
                                                                    : TERCET_FENCE_CANCELLED;
    const tercet_fence_state before =
        phase == TERCET_PHASE_TRY ? TERCET_FENCE_NONE : TERCET_FENCE_TRIED;
    Harness harness(kind, directory.path());
    for (const std::string &gid : gids) {
        EXPECT_EQ(harness.State(gid), kept ? done : before);
        EXPECT_EQ(harness.Effects(gid, 1, phase), kept ? 1 : 0);
    }
    for (const auto &answer : harness.Run(asks)) {
        EXPECT_EQ(answer.verdict, TERCET_VERDICT_DONE);
        EXPECT_EQ(answer.how, kept ? TERCET_HOW_REPEATED : TERCET_HOW_RAN);
    }
    for (const std::string &gid : gids) {
        EXPECT_EQ(harness.State(gid), done);
        EXPECT_EQ(harness.Effects(gid, 1, phase), 1);
    }
}

INSTANTIATE_TEST_SUITE_P(Stores, Crash,
                         testing::Combine(testing::ValuesIn(DurableKinds()), testing::Range(1, 4),
                                          testing::Range(0, int{kMoments})));

} // namespace
} // namespace fence_test
