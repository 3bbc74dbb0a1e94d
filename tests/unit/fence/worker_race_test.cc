// Duplicates at the same moment in a process whose store has one worker.
#include <atomic>
#include <mutex>

#include "store_fixture.h"
#include "together.h"

namespace fence_test
{
namespace
{

constexpr int kThreads = 64;

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
