// Duplicates at the same moment (anomalies 1 and 4) and a mark beside a late try (3), on one database
// through many connections.
#include <atomic>

#include "store_fixture.h"
#include "together.h"

namespace fence_test
{
namespace
{

constexpr int kThreads = 64;

class Race : public testing::TestWithParam<std::string>
{
  protected:
    std::vector<std::unique_ptr<Harness>> Harnesses(int count)
    {
        std::vector<std::unique_ptr<Harness>> harnesses;
        for (int i = 0; i < count; i++) {
            harnesses.push_back(std::make_unique<Harness>(GetParam(), directory.path()));
        }
        return harnesses;
    }

    TemporaryDirectory directory;
};

TEST_P(Race, SixtyFourDuplicatesOfEachPhaseHaveOneEffect)
{
    const auto harnesses = Harnesses(kThreads);
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

TEST_P(Race, TryBesideItsCancelIsOneOfTheTwoLegalOrders)
{
    const auto harnesses = Harnesses(8);
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
TEST_P(Race, LateTryBesideTheSweepOfItsRowNeverRunsAgain)
{
    Harness sweeper(GetParam(), directory.path());
    const auto late = Harnesses(4);
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

INSTANTIATE_TEST_SUITE_P(Stores, Race, testing::ValuesIn(SharedKinds()), StoreName);

} // namespace
} // namespace fence_test
