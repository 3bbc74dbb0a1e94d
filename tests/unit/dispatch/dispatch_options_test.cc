// What the options say, and what each kind of answer does to the circuit.
#include <gtest/gtest.h>

#include "unit/dispatch/dispatch_world.h"

namespace
{

constexpr auto kTry = TERCET_PHASE_TRY;

World::Options ShortProbes()
{
    World::Options options;
    options.probe_base_ms = 40;
    options.probe_cap_ms = 40;
    options.unanswered_limit = 2;
    options.call_timeout_ms = 30;
    return options;
}

TEST(DispatchOptions, ProbesComeAtTheirOwnPace)
{
    World world(ShortProbes());
    world.Open();
    for (int i = 0; i < 40; i++) {
        const int64_t waited = world.RunToProbe();
        EXPECT_GE(waited, i == 0 ? 0 : 20);
        EXPECT_LE(waited, 40);
        world.Probed(false);
    }
}

TEST(DispatchOptions, SoManyCallsWithoutAnAnswerOpenTheCircuit)
{
    World world(ShortProbes());
    for (int i = 0; i < 2; i++) {
        EXPECT_NE(CIRCUIT_OPEN, world.Stats().circuit);
        world.Call(kTry);
        world.Step();
        world.AnswerAll(ANSWER_UNKNOWN);
    }
    EXPECT_EQ(CIRCUIT_OPEN, world.Stats().circuit);
}

TEST(DispatchOptions, AProbeMayTakeNoLongerThanACall)
{
    World world(ShortProbes());
    world.Open();
    world.RunToProbe();
    bool probed = false;
    for (const order &one : world.orders) {
        if (one.kind == ORDER_PROBE) {
            EXPECT_EQ(30U, one.timeout_ms);
            probed = true;
        }
    }
    EXPECT_TRUE(probed);
}

TEST(DispatchAnswers, ARefusalToServeIsAnAnswerToo)
{
    World world(ShortProbes());
    for (int i = 0; i < 8; i++) {
        world.Call(kTry);
        world.Step();
        world.AnswerAll(i % 2 == 0 ? ANSWER_UNKNOWN : ANSWER_NOT_SERVED);
    }
    EXPECT_NE(CIRCUIT_OPEN, world.Stats().circuit);
}

TEST(DispatchAnswers, BeingFencedSaysNothingAboutTheParticipant)
{
    World world(ShortProbes());
    for (int i = 0; i < 8; i++) {
        world.Call(kTry);
        world.Step();
        ASSERT_EQ(world.Sent().size(), 1U);
        world.AnswerAll(ANSWER_FENCED);
    }
    EXPECT_NE(CIRCUIT_OPEN, world.Stats().circuit);
}

TEST(DispatchOptions, NoDispatcherIsEasilyDestroyed)
{
    dispatch_destroy(nullptr);
}

} // namespace
