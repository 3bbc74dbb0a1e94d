// Two connections at one branch, and a mark in the middle of a claim, at every isolation level.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <mutex>
#include <set>
#include <thread>

#include "server_backend.h"
#include "store_fixture.h"
#include "together.h"

namespace fence_test
{
namespace
{

int FromEnvironment(const char *name, int otherwise)
{
    const char *value = getenv(name);
    return value == nullptr ? otherwise : std::stoi(value);
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

const tercet_phase kPhases[] = {TERCET_PHASE_TRY, TERCET_PHASE_CONFIRM, TERCET_PHASE_CANCEL};

// Two phases of one branch at one moment, half of the connections asking for the one and half for the
// other.  With two connections, all that is answered and kept is what one of the two orders makes of it;
// with more, what some order of all of them does.  No phase is ever done twice.
class PairRace
{
  public:
    PairRace(std::vector<std::unique_ptr<Harness>> *harnesses, const Ask &ask,
             tercet_fence_state from, tercet_phase first, tercet_phase second)
        : harnesses_(*harnesses), ask_(ask), from_(from), phases_{first, second},
          ends_(harnesses->size())
    {
    }

    void Run()
    {
        Together(static_cast<int>(ends_.size()), [&](int i) {
            Ask ask = ask_;
            ask.phase = PhaseOf(i);
            ends_[i] = AskUntilAnswered(*harnesses_[i], ask);
        });
        const tercet_fence_state state = harnesses_[0]->State(ask_.gid);
        EXPECT_TRUE(ends_.size() == 2 ? IsOrder(0, state) || IsOrder(1, state) : IsSomeOrder(state))
            << Told() << ", state " << state;
        for (const tercet_phase phase : kPhases) {
            int ran = from_ == TERCET_FENCE_TRIED && phase == TERCET_PHASE_TRY;
            for (size_t i = 0; i < ends_.size(); i++) {
                ran += PhaseOf(i) == phase && ends_[i].how == TERCET_HOW_RAN;
            }
            EXPECT_LE(ran, 1) << Told();
            EXPECT_EQ(harnesses_[0]->Effects(ask_.gid, 1, phase), ran);
        }
    }

  private:
    tercet_phase PhaseOf(size_t i) const
    {
        return phases_[i % 2];
    }

    // Of two: whether the one at `leading` came first.
    bool IsOrder(int leading, tercet_fence_state state) const
    {
        const End lead = ByTheTable(from_, phases_[leading]);
        const End follow = ByTheTable(lead.state, phases_[1 - leading]);
        return ends_[leading] == lead && ends_[1 - leading] == follow && state == follow.state;
    }

    // Of many: whether each is answered by a state that the row may have had.
    bool IsSomeOrder(tercet_fence_state state) const
    {
        std::set<tercet_fence_state> states = {from_};
        for (size_t before = 0; before != states.size();) {
            before = states.size();
            for (const tercet_fence_state each : std::set<tercet_fence_state>(states)) {
                for (const tercet_phase phase : phases_) {
                    states.insert(ByTheTable(each, phase).state);
                }
            }
        }
        bool legal = states.count(state) == 1;
        for (size_t i = 0; i < ends_.size(); i++) {
            legal =
                legal && std::any_of(states.begin(), states.end(), [&](tercet_fence_state each) {
                    return ends_[i] == ByTheTable(each, PhaseOf(i));
                });
        }
        return legal;
    }

    std::string Told() const
    {
        std::string told;
        for (size_t i = 0; i < ends_.size(); i++) {
            told += std::to_string(PhaseOf(i)) + ":" + std::to_string(ends_[i].verdict) + "/" +
                    std::to_string(ends_[i].how) + " ";
        }
        return told;
    }

    std::vector<std::unique_ptr<Harness>> &harnesses_;
    Ask ask_;
    tercet_fence_state from_;
    tercet_phase phases_[2];
    std::vector<End> ends_;
};

TEST_P(ServerRace, EveryPairOfPhasesEndsAsOneOfItsTwoOrders)
{
    const int rounds = FromEnvironment("TERCET_RACES", 50);
    const int connections = FromEnvironment("TERCET_RACE_CONNECTIONS", 2);
    std::vector<std::unique_ptr<Harness>> harnesses;
    for (int i = 0; i < connections; i++) {
        harnesses.push_back(std::make_unique<Harness>(GetParam(), directory.path()));
    }
    int64_t number = 0;
    for (const tercet_phase first : kPhases) {
        for (const tercet_phase second : kPhases) {
            for (int round = 0; second >= first && round < rounds; round++) {
                const Ask ask = Try("g-" + std::to_string(number + 1), number + 1);
                number++;
                SCOPED_TRACE(ask.gid + " phases " + std::to_string(first) + " " +
                             std::to_string(second));
                const bool tried = round % 2 == 1;
                if (tried) {
                    ASSERT_EQ(harnesses[0]->Run(ask).verdict, TERCET_VERDICT_DONE);
                }
                PairRace race(&harnesses, ask, tried ? TERCET_FENCE_TRIED : TERCET_FENCE_NONE,
                              first, second);
                race.Run();
            }
        }
    }
    printf("races %d asked %d\n", static_cast<int>(number), static_cast<int>(number) * connections);
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
