// Nothing leaves before its record is durable, and nothing waits longer than it must.
#include <gtest/gtest.h>

#include "loop_world.h"

namespace tercet
{
namespace
{

size_t CountPhase(const LoopWorld &world, tercet_phase phase)
{
    size_t count = 0;
    for (const auto &one : world.sent) {
        count += one.phase == phase ? 1 : 0;
    }
    return count;
}

TEST(Loop, TriesLeaveWhenBeginIsDurable)
{
    LoopWorld world;
    world.Turn({world.Execute("g", 2, 1)});
    ASSERT_NE(nullptr, world.submitted);
    EXPECT_EQ(0U, world.sent.size());
    world.Turn();
    EXPECT_EQ(0U, world.sent.size());
    world.Sync();
    EXPECT_EQ(2U, CountPhase(world, TERCET_PHASE_TRY));
}

TEST(Loop, ConfirmsAndTheAnswerLeaveWhenTheDecisionIsDurable)
{
    LoopWorld world;
    world.Turn({world.Execute("g", 2, 1)});
    world.Sync();
    world.Turn({world.Answer(world.sent[0], ANSWER_REPLY, TERCET_VERDICT_DONE),
                world.Answer(world.sent[1], ANSWER_REPLY, TERCET_VERDICT_DONE)});
    ASSERT_NE(nullptr, world.submitted);
    EXPECT_EQ(0U, CountPhase(world, TERCET_PHASE_CONFIRM));
    EXPECT_TRUE(world.told.empty());
    world.Sync();
    EXPECT_EQ(2U, CountPhase(world, TERCET_PHASE_CONFIRM));
    ASSERT_EQ(1U, world.told.size());
    EXPECT_EQ(TXN_CONFIRMING, world.told[0].state);
    EXPECT_EQ(2, world.told[0].durable_lsn);
}

// Behind a start the trying time of all that are open may be over.
TEST(Loop, DeadlinesThatComeTogetherAreDecidedABatchAtATime)
{
    constexpr size_t kOpen = 900;
    LoopWorld world(4096);
    const auto decided = [&] {
        size_t count = 0;
        for (size_t i = 0; i < kOpen; i++) {
            const txn *one = engine_find(world.engine, ("g" + std::to_string(i)).c_str());
            count += one == nullptr || txn_state_is_decided(one->state) ? 1 : 0;
        }
        return count;
    };
    for (size_t i = 0; i < kOpen; i++) {
        world.Turn({world.Ask(REQUEST_BEGIN, "g" + std::to_string(i), i + 1)});
        if (i % 100 == 99) {
            world.Settle();
        }
    }
    ASSERT_EQ(0U, decided());
    world.now.boot_ms += 3600 * 1000;
    for (int turn = 0; turn < 10; turn++) {
        world.Turn();
    }
    EXPECT_EQ(512U, decided()) << "one batch is with the journal, one is full";
    EXPECT_LT(world.now.boot_ms, loop_wake_at_boot_ms(world.loop, world.now));
    for (int sync = 0; sync < 10 && world.submitted != nullptr; sync++) {
        world.Sync();
    }
    EXPECT_EQ(kOpen, decided());
    EXPECT_TRUE(loop_is_quiet(world.loop));
}

// Each may look at thousands of transactions; others must not wait for all of them.
TEST(Loop, OfManyPagesThatTakeLongSomeAreMadeInATurn)
{
    LoopWorld world;
    for (size_t i = 0; i < 900; i++) {
        world.Turn({world.Ask(REQUEST_BEGIN, "g" + std::to_string(i), i + 1)});
        if (i % 100 == 99) {
            world.Settle();
        }
    }
    world.told.clear();
    std::vector<event *> events;
    for (uintptr_t token = 1; token <= 20; token++) {
        event *page = world.Ask(REQUEST_LIST, "", 1000 + token);
        page->u.request.page_size = 10;
        strcpy(page->u.request.gid_prefix, "nobody");
        events.push_back(page);
    }
    events.push_back(world.Ask(REQUEST_GET, "g1", 2000));
    world.Turn(events);
    ASSERT_EQ(6U, world.told.size()) << "these five looked at 4500";
    EXPECT_EQ(2000U, world.told[0].token) << "whatever else there is comes first";
    EXPECT_EQ(1005U, world.told[5].token);
    EXPECT_EQ(world.now.boot_ms, loop_wake_at_boot_ms(world.loop, world.now));
    EXPECT_FALSE(loop_is_quiet(world.loop));
    for (size_t turn = 2; turn <= 4; turn++) {
        world.Turn();
        EXPECT_EQ(1 + 5 * turn, world.told.size());
    }
    EXPECT_LT(world.now.boot_ms, loop_wake_at_boot_ms(world.loop, world.now));
}

TEST(Loop, ATryThatIsAskedAgainNeverLetsACancelOutBeforeItsDecisionIsDurable)
{
    LoopWorld world;
    world.Turn({world.Execute("g", 2, 1)});
    world.Sync();
    world.Turn({world.Ask(REQUEST_BEGIN, "h", 2)}); // a batch is under way
    ASSERT_NE(nullptr, world.submitted);
    world.Turn({world.Ask(REQUEST_BEGIN, "i", 3), // and the next one is open
                world.Answer(world.sent[0], ANSWER_UNREACHABLE, TERCET_VERDICT_UNSPECIFIED)});
    world.Sync(); // the try of g is asked again as soon as "i" is durable
    world.Turn({world.Answer(world.sent[1], ANSWER_REPLY, TERCET_VERDICT_REFUSED)});
    ASSERT_EQ(TXN_CANCELLING, engine_find(world.engine, "g")->state);
    world.Sync(); // "i" is durable, the decision is not
    EXPECT_EQ(0U, CountPhase(world, TERCET_PHASE_CANCEL));
    world.Sync();
    EXPECT_EQ(1U, CountPhase(world, TERCET_PHASE_CANCEL)) << "the other participant is unreachable";
}

TEST(Loop, AnOptionalRefusalIsToldWhenItIsDurable)
{
    LoopWorld world;
    world.Turn({world.Ask(REQUEST_BEGIN, "g", 1)});
    world.Sync();
    world.Turn({world.Try("g", 1, {0, "a", "x", 0, false, true}, 2)});
    world.Sync();
    ASSERT_EQ(1U, world.sent.size());
    const size_t told = world.told.size();
    world.Turn({world.Answer(world.sent[0], ANSWER_REPLY, TERCET_VERDICT_REFUSED)});
    ASSERT_NE(nullptr, world.submitted) << "somebody waits for it";
    EXPECT_EQ(told, world.told.size());
    world.Sync();
    ASSERT_EQ(told + 1, world.told.size());
    EXPECT_EQ(2U, world.told.back().token);
    EXPECT_EQ(TERCET_VERDICT_REFUSED, world.told.back().verdict);
}

// It would tell a decision that a crash could still undo.
TEST(Loop, AnAnswerToAMereQuestionWaitsForWhatItTells)
{
    LoopWorld world;
    world.Turn({world.Execute("g", 1, 1)});
    world.Sync();
    world.Turn({world.Answer(world.sent[0], ANSWER_REPLY, TERCET_VERDICT_DONE)});
    world.Turn({world.Ask(REQUEST_GET, "g", 2)});
    EXPECT_TRUE(world.told.empty());
    world.Sync();
    EXPECT_EQ(2U, world.told.size());
}

TEST(Loop, AQuestionWithNothingUnwrittenIsAnsweredAtOnce)
{
    LoopWorld world;
    world.Turn({world.Execute("g", 1, 1)});
    world.Sync();
    world.Turn({world.Ask(REQUEST_GET, "g", 2)});
    ASSERT_EQ(1U, world.told.size());
    EXPECT_EQ(TXN_TRYING, world.told[0].state);
}

TEST(Loop, WhileOneBatchSyncsTheNextOneGathers)
{
    LoopWorld world;
    world.Turn({world.Execute("a", 1, 1)});
    for (int i = 0; i < 10; i++) {
        world.Turn({world.Execute("b" + std::to_string(i), 1, 2U + static_cast<unsigned>(i))});
    }
    EXPECT_EQ(1U, world.batch_lsns.size());
    world.Sync();
    ASSERT_EQ(2U, world.batch_lsns.size());
    EXPECT_EQ(10U, world.batch_sizes[1]);
}

TEST(Loop, LsnsHaveNoGapsAndEverythingSentWasDurable)
{
    LoopWorld world;
    for (int i = 0; i < 50; i++) {
        world.Turn({world.Execute("g" + std::to_string(i), 3, 1000U + static_cast<unsigned>(i))});
    }
    world.Settle();
    for (size_t i = 0; i < world.batch_lsns.size(); i++) {
        EXPECT_EQ(static_cast<int64_t>(i) + 1, world.batch_lsns[i]);
    }
    EXPECT_EQ(150U, CountPhase(world, TERCET_PHASE_TRY));
    EXPECT_EQ(150U, CountPhase(world, TERCET_PHASE_CONFIRM));
    engine_stats stats{};
    engine_read_stats(world.engine, &stats);
    EXPECT_EQ(0U, stats.open_transactions);
    EXPECT_EQ(nullptr, engine_find(world.engine, "g0"));
}

TEST(Loop, AnEndWaitsForCompanyButNotLong)
{
    LoopWorld world;
    world.Turn({world.Execute("g", 1, 1)});
    world.Sync();
    world.Turn({world.Answer(world.sent[0], ANSWER_REPLY, TERCET_VERDICT_DONE)});
    world.Sync();
    world.Turn({world.Answer(world.sent[1], ANSWER_REPLY, TERCET_VERDICT_DONE)});
    EXPECT_EQ(nullptr, world.submitted) << "END waits";
    EXPECT_EQ(world.now.boot_ms + 50, loop_wake_at_boot_ms(world.loop, world.now));
    world.Advance(49);
    EXPECT_EQ(nullptr, world.submitted);
    world.Advance(1);
    EXPECT_NE(nullptr, world.submitted);
}

TEST(Loop, AnEndRidesWithTheNextBatch)
{
    LoopWorld world;
    world.Turn({world.Execute("g", 1, 1)});
    world.Sync();
    world.Turn({world.Answer(world.sent[0], ANSWER_REPLY, TERCET_VERDICT_DONE)});
    world.Sync();
    world.Turn({world.Answer(world.sent[1], ANSWER_REPLY, TERCET_VERDICT_DONE)});
    world.Turn({world.Execute("h", 1, 2)});
    ASSERT_NE(nullptr, world.submitted);
    EXPECT_GT(world.submitted->operation_count, 1U);
}

TEST(Loop, SomebodyWhoWaitsForAnEndDoesNotWaitForCompany)
{
    LoopWorld world;
    event *request = world.Execute("g", 1, 1);
    request->u.request.wait = WAIT_MODE_END;
    world.Turn({request});
    world.Sync();
    world.Turn({world.Answer(world.sent[0], ANSWER_REPLY, TERCET_VERDICT_DONE)});
    world.Sync();
    world.Turn({world.Answer(world.sent[1], ANSWER_REPLY, TERCET_VERDICT_DONE)});
    EXPECT_NE(nullptr, world.submitted);
    world.Sync();
    EXPECT_EQ(TXN_CONFIRMED, world.told.back().state);
}

TEST(Loop, UpkeepIsFollowedByAWriteEvenAnEmptyOne)
{
    LoopWorld world;
    world.Turn({event_create(EVENT_HORIZON)});
    ASSERT_NE(nullptr, world.submitted);
    EXPECT_EQ(0U, world.submitted->operation_count);
}

TEST(Loop, AFullBatchStopsSteppingUntilTheJournalIsIdle)
{
    LoopWorld world;
    loop_destroy(world.loop);
    loop_options options{};
    options.engine = world.engine;
    options.dispatch = world.dispatch;
    options.directory = &world.names;
    options.batch_bytes_max = 1;
    static int submits;
    static const journal_batch *with_journal;
    submits = 0;
    options.hands.submit = [](void *, const journal_batch *batch) {
        submits++;
        with_journal = batch;
    };
    options.hands.look_up = [](void *context, const char *gid) {
        static_cast<LoopWorld *>(context)->lookups.emplace_back(gid);
    };
    options.hands.reply = [](void *, effect_reply *) {};
    options.hands.carry_out = [](void *, order *todo, const mark *, clock_now) {
        branch_unref(todo->branch);
    };
    options.hands.hold = [](void *, const effect_hold *) {};
    options.hands.context = &world;
    world.loop = loop_create(&options);
    world.Turn({world.Execute("a", 1, 1)});
    EXPECT_EQ(1, submits);
    world.Turn({world.Execute("b", 1, 2)});
    world.Turn({world.Execute("c", 1, 3)});
    EXPECT_NE(nullptr, engine_find(world.engine, "b"));
    EXPECT_EQ(nullptr, engine_find(world.engine, "c")) << "the open batch is full";
    event *durable = event_create(EVENT_DURABLE);
    durable->u.durable.lsn = with_journal->lsn;
    world.Turn({durable});
    EXPECT_EQ(2, submits);
    EXPECT_NE(nullptr, engine_find(world.engine, "c"));
}

// A probe of participant 0 that comes back and tells this store.
event *Described(char id)
{
    event *made = event_create(EVENT_PROBED);
    made->u.probed.reachable = true;
    made->u.probed.description = static_cast<description *>(malloc(sizeof(description)));
    *made->u.probed.description = EngineWorld::Store(id, 0, 0);
    return made;
}

// A probe of participant 0 that comes back with no description.
event *Undescribed(bool reachable, bool not_served)
{
    event *made = event_create(EVENT_PROBED);
    made->u.probed.reachable = reachable;
    made->u.probed.not_served = not_served;
    return made;
}

TEST(Loop, AParticipantIsProbedUntilItIsDescribedOrHasSaidThatItCannotBe)
{
    for (const bool serves : {true, false}) {
        LoopWorld world;
        world.Turn();
        EXPECT_EQ(1, world.probes);
        world.Turn({Undescribed(false, false)});
        world.Advance(1000);
        EXPECT_EQ(2, world.probes) << "not answered";
        world.Turn({Undescribed(true, false)});
        world.Advance(1000);
        EXPECT_EQ(3, world.probes) << "alive, and not described";
        world.Turn({serves ? Described('a') : Undescribed(true, true)});
        world.Advance(100000);
        EXPECT_EQ(3, world.probes);
    }
}

TEST(Loop, NothingIsSentToAParticipantThatIsHeldUntilItsReleaseIsDurable)
{
    LoopWorld world;
    world.Turn(); // its first probe leaves
    world.Turn({Described('a')});
    world.Turn({world.Execute("g", 1, 1)});
    world.Sync();
    ASSERT_EQ(1U, world.sent.size());
    dispatch_hold(world.dispatch, 0, true, world.now);
    dispatch_hold(world.dispatch, 0, false, world.now); // probed again
    world.Advance(1000);
    world.Turn({world.Answer(world.sent[0], ANSWER_REPLY, TERCET_VERDICT_DONE), Described('x')});
    ASSERT_EQ(1U, world.holds.size());
    EXPECT_TRUE(world.holds[0].held);
    world.Sync();
    EXPECT_EQ(1U, world.sent.size()) << "its confirm waits";

    event *resolve = world.Ask(REQUEST_RESOLVE, "", 2);
    resolve->u.request.resolution = RESOLUTION_ASK;
    reason_set(&resolve->u.request.reason, "", "compared");
    world.Turn({resolve});
    world.Advance(100);
    EXPECT_EQ(1U, world.holds.size()) << "not before its record is durable";
    world.Sync();
    ASSERT_EQ(2U, world.holds.size());
    EXPECT_FALSE(world.holds[1].held);
    world.Advance(1000);
    world.Turn({Described('x')});
    EXPECT_EQ(2U, world.sent.size());
}

TEST(Loop, AReleaseThatBecomesDurableAfterTheParticipantIsHeldAgainReleasesNothing)
{
    LoopWorld world;
    const auto probe = [&world] { // as if the last one had been answered before
        dispatch_hold(world.dispatch, 0, true, world.now);
        dispatch_hold(world.dispatch, 0, false, world.now);
        world.Advance(1000);
    };
    world.Turn();
    world.Turn({Described('a')});
    probe();
    world.Turn({Described('x')});
    ASSERT_EQ(1U, world.holds.size());
    world.Sync();

    event *resolve = world.Ask(REQUEST_RESOLVE, "", 2);
    resolve->u.request.resolution = RESOLUTION_ASK;
    reason_set(&resolve->u.request.reason, "", "compared");
    world.Turn({resolve});
    probe();
    world.Turn({Described('x')}); // met anew
    probe();
    world.Turn({Described('y')});
    ASSERT_EQ(2U, world.holds.size());
    EXPECT_TRUE(world.holds[1].held);
    world.Sync();
    EXPECT_TRUE(engine_is_held(world.engine, 0));
    EXPECT_EQ(2U, world.holds.size());
}

TEST(LoopDeathTest, AHigherEpochSeenAtAParticipantEndsTheCoordinator)
{
    LoopWorld world;
    world.Turn({world.Execute("g", 1, 1)});
    world.Sync();
    EXPECT_EXIT(
        world.Turn({world.Answer(world.sent[0], ANSWER_FENCED, TERCET_VERDICT_UNSPECIFIED)}),
        ::testing::ExitedWithCode(78), "");
    event *probed = event_create(EVENT_PROBED);
    probed->u.probed.fenced = true;
    EXPECT_EXIT(world.Turn({probed}), ::testing::ExitedWithCode(78), "");
    event_destroy(probed);
}

TEST(Loop, AtTheDeadlineItWakesByItself)
{
    LoopWorld world;
    world.Turn({world.Execute("g", 1, 1)});
    world.Sync();
    EXPECT_LE(loop_wake_at_boot_ms(world.loop, world.now), world.now.boot_ms + 30000);
    world.Advance(30000);
    EXPECT_EQ(TXN_CANCELLING, engine_find(world.engine, "g")->state);
}

} // namespace
} // namespace tercet
