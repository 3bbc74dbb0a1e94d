// One participant is down: what that costs the others, and what its return costs.
#include <gtest/gtest.h>

#include <algorithm>

#include "unit/dispatch/dispatch_world.h"

namespace
{

constexpr auto kTry = TERCET_PHASE_TRY;
constexpr auto kConfirm = TERCET_PHASE_CONFIRM;

// The same history for b, beside an a that answers and beside an a that is dead.
TEST(DispatchBurden, ADeadParticipantCostsTheOthersNothing)
{
    std::vector<std::vector<size_t>> runs;
    for (const bool dead : {false, true}) {
        World world({{"a", 16, true}, {"b", 16, true}});
        std::vector<size_t> sent_to_b;
        for (int i = 0; i < 2000; i++) {
            for (int k = 0; k < 5; k++) {
                world.Call(k % 2 == 0 ? kTry : kConfirm, 0);
                world.Call(k % 2 == 0 ? kTry : kConfirm, 1);
            }
            world.Step();
            size_t to_b = 0;
            for (const struct order &order : world.orders) {
                const bool fails = dead && order.participant == 0;
                if (order.kind == ORDER_PROBE) {
                    world.Probed(!fails, order.participant);
                } else if (order.kind == ORDER_SEND) {
                    to_b += order.participant == 1 ? 1 : 0;
                    world.Answer(order.branch, order.phase,
                                 fails ? ANSWER_UNREACHABLE : ANSWER_REPLY);
                }
            }
            sent_to_b.push_back(to_b);
            world.Advance(1);
        }
        EXPECT_EQ(world.Stats(0).circuit, dead ? CIRCUIT_OPEN : CIRCUIT_CLOSED);
        runs.push_back(sent_to_b);
    }
    EXPECT_EQ(runs[0], runs[1]);
}

// Participant down with 100,000 branches waiting, then back; 1 ms from order to answer.
TEST(DispatchBurden, AHundredThousandParkedBranchesAreReleasedAtABoundedRate)
{
    constexpr size_t kCount = 100000;
    World world({{"a", 256, true}});
    world.Open();
    for (size_t i = 0; i < kCount; i++) {
        world.Call(i % 2 == 0 ? kTry : kConfirm);
    }
    world.RunToProbe();
    world.Probed(true);
    size_t sent = 0;
    size_t tries = 0;
    size_t budget = 8;
    int turns = 0;
    while (sent < kCount && turns < 10000) {
        const bool small = world.Stats().circuit != CIRCUIT_CLOSED; // then half of it are tries
        world.Step();
        const std::vector<struct order> sends = world.Sends();
        EXPECT_LE(sends.size(), budget);
        for (const struct order &order : sends) {
            tries += order.phase == kTry ? 1 : 0;
            EXPECT_TRUE(order.phase == kConfirm || sent + 1 > kCount / 2 || small)
                << "confirms go first when the window is whole";
            sent++;
        }
        world.AnswerAll(ANSWER_REPLY);
        budget = std::min<size_t>(2 * budget, 256);
        world.Advance(1);
        turns++;
    }
    EXPECT_EQ(sent, kCount);
    EXPECT_EQ(tries, kCount / 2);
    EXPECT_LE(turns, 500);
    EXPECT_EQ(world.Stats().queued_phase_two + world.Stats().queued_tries, 0U);
}

} // namespace
