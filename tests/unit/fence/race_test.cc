// Duplicates at the same moment (anomalies 1 and 4) and a mark beside a late try (3), on one database
// through many connections.
#include <atomic>
#include <mutex>
#include <thread>

#include "store_fixture.h"

namespace fence_test
{
namespace
{

constexpr int kThreads = 64;

// Starts all threads' work as nearly together as can be.
template <typename Work> void Together(int count, Work work)
{
    std::atomic<int> ready{0};
    std::vector<std::thread> threads;
    for (int i = 0; i < count; i++) {
        threads.emplace_back([&, i] {
            ready++;
            while (ready < count) {
                std::this_thread::yield();
            }
            work(i);
        });
    }
    for (auto &thread : threads) {
        thread.join();
    }
}

TEST(RaceOnSqlite, SixtyFourDuplicatesOfEachPhaseHaveOneEffect)
{
    TemporaryDirectory directory;
    std::vector<std::unique_ptr<Harness>> harnesses;
    for (int i = 0; i < kThreads; i++) {
        harnesses.push_back(std::make_unique<Harness>("sqlite", directory.path()));
    }
    for (tercet_phase phase : {TERCET_PHASE_TRY, TERCET_PHASE_CONFIRM}) {
        std::atomic<int> ran{0}, repeated{0}, other{0};
        Together(kThreads, [&](int i) {
            Ask ask = Try("g", 1);
            ask.phase = phase;
            const group_answer answer = harnesses[i]->Run(ask);
            if (answer.verdict != TERCET_VERDICT_DONE) {
                other++;
            } else if (answer.how == TERCET_HOW_RAN) {
                ran++;
            } else {
                repeated++;
            }
        });
        EXPECT_EQ(ran, 1);
        EXPECT_EQ(repeated, kThreads - 1);
        EXPECT_EQ(other, 0);
        EXPECT_EQ(harnesses[0]->Effects("g", 1, phase), 1);
    }
}

TEST(RaceOnSqlite, TryBesideItsCancelIsOneOfTheTwoLegalOrders)
{
    TemporaryDirectory directory;
    std::vector<std::unique_ptr<Harness>> harnesses;
    for (int i = 0; i < 8; i++) {
        harnesses.push_back(std::make_unique<Harness>("sqlite", directory.path()));
    }
    for (int round = 1; round <= 25; round++) {
        const std::string gid = "g-" + std::to_string(round);
        std::vector<group_answer> answers(harnesses.size());
        Together(static_cast<int>(harnesses.size()), [&](int i) {
            answers[i] = harnesses[i]->Run(i % 2 == 0 ? Try(gid, round) : Cancel(gid, round));
        });
        const tercet_fence_state state = harnesses[0]->State(gid);
        const int tried = harnesses[0]->Effects(gid, 1, TERCET_PHASE_TRY);
        const int cancelled = harnesses[0]->Effects(gid, 1, TERCET_PHASE_CANCEL);
        EXPECT_TRUE(state == TERCET_FENCE_SUSPENDED || state == TERCET_FENCE_CANCELLED);
        EXPECT_EQ(tried, state == TERCET_FENCE_CANCELLED ? 1 : 0);
        EXPECT_EQ(cancelled, tried);
        for (size_t i = 1; i < answers.size(); i += 2) {
            EXPECT_EQ(answers[i].verdict, TERCET_VERDICT_DONE);
        }
    }
}

// The claim sees either the mark or the row that the mark removed: whatever the order, the effect of
// an ended branch's try is never there a second time.
TEST(RaceOnSqlite, LateTryBesideTheSweepOfItsRowNeverRunsAgain)
{
    TemporaryDirectory directory;
    Harness sweeper("sqlite", directory.path());
    std::vector<std::unique_ptr<Harness>> late;
    for (int i = 0; i < 4; i++) {
        late.push_back(std::make_unique<Harness>("sqlite", directory.path()));
    }
    for (int round = 1; round <= 25; round++) {
        const std::string gid = "g-" + std::to_string(round);
        ASSERT_EQ(sweeper.Run(Try(gid, round)).verdict, TERCET_VERDICT_DONE);
        ASSERT_EQ(sweeper.Run(Cancel(gid, round)).verdict, TERCET_VERDICT_DONE);
        std::vector<group_answer> answers(late.size());
        Together(5, [&](int i) {
            if (i == 4) {
                EXPECT_EQ(sweeper.Apply(round, {10, round + 1}), TERCET_OK);
            } else {
                answers[i] = late[i]->Run(Try(gid, round));
            }
        });
        for (const auto &answer : answers) {
            EXPECT_EQ(answer.verdict, TERCET_VERDICT_REFUSED) << answer.text;
        }
        EXPECT_EQ(sweeper.Effects(gid, 1, TERCET_PHASE_TRY), 1);
        EXPECT_EQ(sweeper.State(gid), TERCET_FENCE_NONE);
    }
}

// Memory and LevelDB have one connection: what races is who comes first to its worker.
TEST(RaceOnOneWorker, SixtyFourDuplicatesOfEachPhaseHaveOneEffect)
{
    for (const char *kind : {"memory", "leveldb"}) {
        TemporaryDirectory directory;
        Harness harness(kind, directory.path());
        std::mutex worker;
        for (tercet_phase phase : {TERCET_PHASE_TRY, TERCET_PHASE_CANCEL}) {
            std::atomic<int> ran{0}, repeated{0};
            Together(kThreads, [&](int) {
                Ask ask = Try("g", 1);
                ask.phase = phase;
                std::lock_guard<std::mutex> lock(worker);
                const group_answer answer = harness.Run(ask);
                ran += answer.verdict == TERCET_VERDICT_DONE && answer.how == TERCET_HOW_RAN;
                repeated +=
                    answer.verdict == TERCET_VERDICT_DONE && answer.how == TERCET_HOW_REPEATED;
            });
            EXPECT_EQ(ran, 1) << kind;
            EXPECT_EQ(repeated, kThreads - 1) << kind;
            EXPECT_EQ(harness.Effects("g", 1, phase), 1) << kind;
        }
    }
}

} // namespace
} // namespace fence_test
