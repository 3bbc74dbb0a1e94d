// stop_test.cc -- after EVENT_STOP nothing is sent any more, whoever waits is answered, and it becomes
// quiet.
#include <gtest/gtest.h>

#include "loop_world.h"

namespace tercet
{
namespace
{

// Syncs and waits, answers nobody, until it is quiet.
void BecomeQuiet(LoopWorld &world)
{
    for (int round = 0; round < 100 && !loop_is_quiet(world.loop); round++) {
        if (loop_is_writing(world.loop)) {
            world.Sync();
        } else {
            world.Advance(10);
        }
    }
    EXPECT_TRUE(loop_is_quiet(world.loop));
    EXPECT_FALSE(loop_is_writing(world.loop));
}

TEST(Stop, TriesThatBecomeDurableAfterwardsAreNotSent)
{
    LoopWorld world;
    world.Turn({world.Execute("g", 2, 1)});
    world.Turn({event_create(EVENT_STOP)});
    BecomeQuiet(world);
    EXPECT_TRUE(world.sent.empty());
    EXPECT_EQ(1U, world.told.size()) << "answered as things stand";
}

TEST(Stop, ConfirmsOfADecisionThatBecomesDurableAfterwardsAreNotSent)
{
    LoopWorld world;
    world.Turn({world.Execute("g", 1, 1)});
    world.Sync();
    world.Turn(
        {world.Answer(world.sent[0], ANSWER_REPLY, TERCET_VERDICT_DONE), event_create(EVENT_STOP)});
    ASSERT_TRUE(loop_is_writing(world.loop)) << "the decision";
    BecomeQuiet(world);
    EXPECT_EQ(1U, world.sent.size()) << "the try";
    ASSERT_EQ(1U, world.told.size());
    EXPECT_EQ(TXN_CONFIRMING, world.told[0].state);
}

TEST(Stop, NothingIsAskedAgainHoweverLongItTakes)
{
    LoopWorld world;
    world.Turn({world.Execute("g", 2, 1)});
    world.Sync();
    ASSERT_EQ(2U, world.sent.size());
    world.Turn({event_create(EVENT_STOP)});
    world.Turn({world.Answer(world.sent[0], ANSWER_REPLY, TERCET_VERDICT_LATER),
                world.Answer(world.sent[1], ANSWER_UNREACHABLE, TERCET_VERDICT_UNSPECIFIED)});
    world.Advance(60000); // and its deadline cancels it
    BecomeQuiet(world);
    EXPECT_EQ(2U, world.sent.size());
    EXPECT_EQ(INT64_MAX, loop_wake_at_boot_ms(world.loop, world.now)) << "it wants no turn";
}

TEST(Stop, AnEndThatWaitsForCompanyIsWrittenAllTheSame)
{
    LoopWorld world;
    world.Turn({world.Execute("g", 1, 1)});
    world.Sync();
    world.Turn({world.Answer(world.sent[0], ANSWER_REPLY, TERCET_VERDICT_DONE)});
    world.Sync();
    world.Turn(
        {world.Answer(world.sent[1], ANSWER_REPLY, TERCET_VERDICT_DONE), event_create(EVENT_STOP)});
    EXPECT_FALSE(loop_is_quiet(world.loop)) << "END is not on disk";
    BecomeQuiet(world);
    EXPECT_EQ(nullptr, engine_find(world.engine, "g"));
    EXPECT_EQ(3U, world.batch_lsns.size()) << "BEGIN, DECIDE, END";
}

TEST(Stop, WhoAsksAfterwardsForWhatIsNotOpenIsRefused)
{
    LoopWorld world;
    world.Turn({event_create(EVENT_STOP)});
    world.Turn({world.Execute("g", 1, 1)});
    BecomeQuiet(world);
    ASSERT_EQ(1U, world.told.size());
    EXPECT_TRUE(world.told[0].last);
    EXPECT_EQ(TERCET_UNAVAILABLE, world.told[0].status);
    EXPECT_TRUE(world.sent.empty());
    EXPECT_TRUE(world.batch_lsns.empty());
}

TEST(Stop, ItIsWritingFromSubmitToDurable)
{
    LoopWorld world;
    EXPECT_FALSE(loop_is_writing(world.loop));
    world.Turn({world.Execute("g", 1, 1)});
    EXPECT_TRUE(loop_is_writing(world.loop));
    EXPECT_FALSE(loop_is_quiet(world.loop));
    world.Turn();
    EXPECT_TRUE(loop_is_writing(world.loop));
    world.Sync();
    EXPECT_FALSE(loop_is_writing(world.loop));
}

} // namespace
} // namespace tercet
