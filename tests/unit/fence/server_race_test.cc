// Two connections at one branch, and a mark in the middle of a claim, at every isolation level.
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <mutex>
#include <thread>

#include "server_backend.h"
#include "store_fixture.h"
#include "together.h"

namespace fence_test
{
namespace
{

int Rounds()
{
    const char *races = getenv("TERCET_RACES");
    return races == nullptr ? 50 : std::stoi(races);
}

class ServerRace : public testing::TestWithParam<std::string>
{
  protected:
    TemporaryDirectory directory;
};

// How one phase of a branch ends, by the table alone.
struct End {
    tercet_verdict verdict;
    tercet_how how;
    tercet_fence_state state;

    bool operator==(const End &other) const
    {
        return verdict == other.verdict && how == other.how;
    }
};

End ByTheTable(tercet_fence_state state, tercet_phase phase)
{
    tercet_fence_facts facts = {};
    facts.row = state;
    facts.phase = phase;
    facts.same_identity = true;
    const auto decided = tercet_fence_decide(&facts);
    return {decided.run ? TERCET_VERDICT_DONE : decided.verdict, decided.how, decided.becomes};
}

// As a coordinator does: LATER is asked again.
End AskUntilAnswered(Harness &harness, const Ask &ask)
{
    group_answer answer = harness.Run(ask);
    for (int i = 0; i < 100 && answer.verdict == TERCET_VERDICT_LATER; i++) {
        answer = harness.Run(ask);
    }
    return {answer.verdict, answer.how, TERCET_FENCE_NONE};
}

TEST_P(ServerRace, EveryPairOfPhasesEndsAsOneOfItsTwoOrders)
{
    Harness one(GetParam(), directory.path()), two(GetParam(), directory.path());
    const tercet_phase phases[] = {TERCET_PHASE_TRY, TERCET_PHASE_CONFIRM, TERCET_PHASE_CANCEL};
    int64_t number = 0;
    for (const tercet_phase first : phases) {
        for (const tercet_phase second : phases) {
            for (int round = 0; second >= first && round < Rounds(); round++) {
                number++;
                Ask a = Try("g-" + std::to_string(number), number), b = a;
                SCOPED_TRACE(a.gid + " phases " + std::to_string(first) + " " +
                             std::to_string(second));
                const tercet_fence_state from =
                    round % 2 == 0 ? TERCET_FENCE_NONE : TERCET_FENCE_TRIED;
                if (from == TERCET_FENCE_TRIED) {
                    ASSERT_EQ(one.Run(a).verdict, TERCET_VERDICT_DONE);
                }
                a.phase = first;
                b.phase = second;
                End ends[2];
                Together(2, [&](int i) {
                    ends[i] = i == 0 ? AskUntilAnswered(one, a) : AskUntilAnswered(two, b);
                });
                const End a1 = ByTheTable(from, first), b1 = ByTheTable(a1.state, second);
                const End b2 = ByTheTable(from, second), a2 = ByTheTable(b2.state, first);
                const tercet_fence_state state = one.State(a.gid);
                const bool legal = (ends[0] == a1 && ends[1] == b1 && state == b1.state) ||
                                   (ends[0] == a2 && ends[1] == b2 && state == a2.state);
                EXPECT_TRUE(legal) << ends[0].verdict << " " << ends[0].how << ", "
                                   << ends[1].verdict << " " << ends[1].how << ", state " << state;
                for (const Ask *ask : {&a, &b}) {
                    const int ran = (ends[0].how == TERCET_HOW_RAN && a.phase == ask->phase) +
                                    (ends[1].how == TERCET_HOW_RAN && b.phase == ask->phase) +
                                    (from == TERCET_FENCE_TRIED && ask->phase == TERCET_PHASE_TRY);
                    EXPECT_EQ(one.Effects(ask->gid, 1, ask->phase), ran);
                }
            }
        }
    }
}

// Until so many transactions wait for a lock.
void UntilSomebodyWaits(int count = 1)
{
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (WaitingInServer() < count) {
        ASSERT_LT(std::chrono::steady_clock::now(), end) << "nobody waits";
    }
}

TEST_P(ServerRace, MarkWaitsForAClaimThatHasNotEndedAndFindsItsRow)
{
    Harness harness(GetParam(), directory.path()), sweeper(GetParam(), directory.path());
    ASSERT_EQ(harness.Run(Cancel("warm", 50)).how, TERCET_HOW_EMPTY);
    std::thread sweep;
    harness.handler = [&](const group_request &request, tercet_bytes, group_answer &) {
        sweep = std::thread([&] { EXPECT_EQ(sweeper.Apply(5, {10, 9}), TERCET_OK); });
        UntilSomebodyWaits();
        EXPECT_EQ(sweeper.sweep.kept, 0u);
        return harness.LeaveEffect(request);
    };
    EXPECT_EQ(harness.Run(Try("late", 1)).how, TERCET_HOW_RAN);
    sweep.join();
    EXPECT_EQ(sweeper.sweep.kept, 1u);
    EXPECT_EQ(sweeper.kept, std::vector<std::string>{"late"});
    EXPECT_EQ(harness.State("late"), TERCET_FENCE_TRIED);
}

// The row is gone and the mark is stored, in a transaction that has not ended: the claim waits.
TEST_P(ServerRace, ClaimWaitsForAMarkThatHasNotEndedAndHearsOfIt)
{
    Harness harness(GetParam(), directory.path()), sweeper(GetParam(), directory.path());
    ASSERT_EQ(harness.Run(Try("late", 1)).how, TERCET_HOW_RAN);
    ASSERT_EQ(harness.Run(Cancel("late", 1)).how, TERCET_HOW_RAN);
    ASSERT_EQ(harness.Run(Cancel("last", 2)).how, TERCET_HOW_EMPTY);
    const std::string fence = TablesOf(directory.path()) + ".tercet_fence";
    AskServer("BEGIN");
    AskServer("SELECT 1 FROM " + fence + " WHERE gid = 'last' FOR UPDATE"); // stops the sweep
    std::thread sweep([&] { EXPECT_EQ(sweeper.Apply(5, {10, 9}), TERCET_OK); });
    UntilSomebodyWaits();
    group_answer answer = {};
    std::thread claim([&] { answer = harness.Run(Try("late", 1)); });
    UntilSomebodyWaits(2);
    AskServer("COMMIT");
    sweep.join();
    claim.join();
    EXPECT_EQ(sweeper.sweep.removed, 2u);
    EXPECT_EQ(answer.verdict, TERCET_VERDICT_REFUSED) << answer.text;
    EXPECT_STREQ(answer.code, TERCET_CODE_FORGOTTEN);
    EXPECT_EQ(harness.Effects("late", 1, TERCET_PHASE_TRY), 1);
    EXPECT_EQ(harness.State("late"), TERCET_FENCE_NONE);
}

// The transaction has a snapshot from before the mark when it comes to the branch that the mark has
// closed: its row is gone, and the snapshot knows of no mark.
TEST_P(ServerRace, MarkThatIsYoungerThanTheSnapshotIsHeardOfAllTheSame)
{
    Harness harness(GetParam(), directory.path()), sweeper(GetParam(), directory.path());
    ASSERT_EQ(sweeper.Run(Try("late", 1)).how, TERCET_HOW_RAN);
    ASSERT_EQ(sweeper.Run(Cancel("late", 1)).how, TERCET_HOW_RAN);
    Ask other = Try("early", 1);
    other.origin = 2;
    other.phase = TERCET_PHASE_CANCEL;
    ASSERT_EQ(sweeper.Run(other).how, TERCET_HOW_EMPTY);
    other = Try("earlier", 2);
    other.origin = 2;
    bool swept = false;
    harness.handler = [&](const group_request &request, tercet_bytes, group_answer &) {
        EXPECT_EQ(request.number.number, 2) << "the late try is never run";
        if (!swept) {
            EXPECT_EQ(sweeper.Apply(5, {10, 9}), TERCET_OK);
            EXPECT_EQ(sweeper.sweep.removed, 1u);
            swept = true;
        }
        return harness.LeaveEffect(request);
    };
    const auto answers = harness.Run({other, Try("late", 1)});
    EXPECT_EQ(answers[0].verdict, TERCET_VERDICT_DONE);
    EXPECT_EQ(answers[1].verdict, TERCET_VERDICT_REFUSED) << answers[1].text;
    EXPECT_STREQ(answers[1].code, TERCET_CODE_FORGOTTEN);
    EXPECT_EQ(harness.Effects("late", 1, TERCET_PHASE_TRY), 1);
    EXPECT_EQ(harness.Effects("earlier", 1, TERCET_PHASE_TRY), 1);
}

// An old coordinator's claim that was there first ends first; one that comes behind is refused.
TEST_P(ServerRace, NewEpochWaitsForTheClaimsOfTheOldOneAndShutsOutTheNext)
{
    Harness harness(GetParam(), directory.path()), newer(GetParam(), directory.path());
    ASSERT_EQ(harness.Run(Cancel("warm", 50)).how, TERCET_HOW_EMPTY);
    Ask ask = Try("new", 2);
    ask.epoch = 2;
    std::thread raise;
    group_answer answer = {};
    harness.handler = [&](const group_request &request, tercet_bytes, group_answer &) {
        raise = std::thread([&] { answer = newer.Run(ask); });
        UntilSomebodyWaits();
        return harness.LeaveEffect(request);
    };
    EXPECT_EQ(harness.Run(Try("old", 1)).how, TERCET_HOW_RAN);
    raise.join();
    EXPECT_EQ(answer.verdict, TERCET_VERDICT_DONE) << answer.text;
    harness.handler = nullptr;
    EXPECT_EQ(harness.Run(Try("older", 3)).status, TERCET_FAILED_PRECONDITION);
    EXPECT_EQ(harness.Describe().epoch.epoch, 2);
}

// A row of one scope may be swept between the insert that met it and the read that looks for it.
TEST_P(ServerRace, ARowThatIsSweptUnderAClaimOfAnotherScopeIsInsertedAnew)
{
    Harness harness(GetParam(), directory.path()), sweeper(GetParam(), directory.path());
    Ask theirs = Try("shared", 1);
    theirs.origin = 2;
    ASSERT_EQ(sweeper.Run(Cancel("shared", 1)).how, TERCET_HOW_EMPTY);
    theirs.phase = TERCET_PHASE_CANCEL;
    theirs.gid = "warm";
    ASSERT_EQ(sweeper.Run(theirs).how, TERCET_HOW_EMPTY);
    theirs = Try("shared", 1);
    theirs.origin = 2;
    Together(2, [&](int i) {
        if (i == 0) {
            EXPECT_EQ(sweeper.Apply(5, {10, 9}), TERCET_OK);
        } else {
            const End end = AskUntilAnswered(harness, theirs);
            EXPECT_TRUE(end.verdict == TERCET_VERDICT_CONFLICT || end.how == TERCET_HOW_RAN);
        }
    });
}

// Both hold what the other wants next; the server lets one of them fall, and it is run again.
class ServerDeadlock : public ServerRace
{
  protected:
    // `goes_on`: the one that falls uses its connection as if it had not.
    void TwoHandlersFall(tercet_phase phase, bool goes_on)
    {
        Harness one(GetParam(), directory.path()), two(GetParam(), directory.path());
        // The rows are there.
        ASSERT_EQ(one.Run({Try("x", 48), Try("y", 49)})[1].how, TERCET_HOW_RAN);
        if (phase != TERCET_PHASE_TRY) {
            ASSERT_EQ(one.Run({Try("a", 1), Try("b", 2)})[1].how, TERCET_HOW_RAN);
        }
        group_answer first = {}, second = {};
        std::thread thread([&] { first = Cross(one, {"x", "y"}, {"a", 1}, phase, goes_on); });
        second = Cross(two, {"y", "x"}, {"b", 2}, phase, goes_on);
        thread.join();
        EXPECT_EQ(first.how, TERCET_HOW_RAN) << first.text;
        EXPECT_EQ(second.how, TERCET_HOW_RAN) << second.text;
        EXPECT_GE(runs_, 3) << "one of the two fell";
        for (const char *gid : {"a", "b"}) {
            EXPECT_EQ(one.Effects(gid, 1, phase), 1);
        }
        for (const char *gid : {"x", "y"}) {
            EXPECT_EQ(one.Effects(gid, 1, phase), phase == TERCET_PHASE_TRY ? 3 : 2);
        }
    }

  private:
    group_answer Cross(Harness &harness, const std::vector<std::string> &order,
                       const std::pair<std::string, int64_t> &branch, tercet_phase phase,
                       bool goes_on)
    {
        bool again = false;
        harness.handler = [&](const group_request &request, tercet_bytes, group_answer &) {
            const auto leave = [&](const std::string &gid) {
                group_request other = request;
                other.key = {tercet_bytes_of(gid.data(), gid.size()), 1};
                return harness.LeaveEffect(other) == TERCET_VERDICT_DONE;
            };
            runs_++;
            bool good = leave(order[0]);
            if (!again) {
                again = true;
                std::unique_lock<std::mutex> lock(mutex_);
                there_++;
                both_.notify_all();
                both_.wait(lock, [&] { return there_ == 2; });
            }
            good = leave(order[1]) && good; // one of the two falls here, and says something else
            if (good || goes_on) {
                (void)harness.LeaveEffect(request);
            }
            return good ? TERCET_VERDICT_DONE : TERCET_VERDICT_REFUSED;
        };
        Ask ask = Try(branch.first, branch.second);
        ask.phase = phase;
        return harness.Run(ask);
    }

    std::mutex mutex_;
    std::condition_variable both_;
    int there_ = 0;
    std::atomic<int> runs_{0};
};

TEST_P(ServerDeadlock, TryThatFallsIsRunAgainWhateverItDoesAndAnswers)
{
    TwoHandlersFall(TERCET_PHASE_TRY, true);
}

TEST_P(ServerDeadlock, ConfirmThatFallsIsRunAgainWhateverItAnswers)
{
    TwoHandlersFall(TERCET_PHASE_CONFIRM, false);
}

INSTANTIATE_TEST_SUITE_P(Levels, ServerDeadlock, testing::ValuesIn(SharedKinds()), StoreName);
INSTANTIATE_TEST_SUITE_P(Levels, ServerRace, testing::ValuesIn(SharedKinds()), StoreName);

} // namespace
} // namespace fence_test
