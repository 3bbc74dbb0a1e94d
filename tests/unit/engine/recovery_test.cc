// The engine takes up what a journal held.
#include <gtest/gtest.h>

#include "support/engine_world.h"

namespace tercet
{
namespace
{

// An engine that adopts the given transactions instead of beginning with nothing.
class Restarted : public EngineWorld
{
  public:
    explicit Restarted(const char *boot_id, clock_now moment)
    {
        StartOver(boot_id, moment, 1000);
    }

    void Resume()
    {
        EngineWorld::Resume(100);
    }

    txn *Adopt(const char *gid, txn_state state, txn_mode mode,
               const std::vector<branch_state> &branches, uint32_t conflict = 0,
               const char *reason = "")
    {
        txn *made = txn_create(gid, "boot-1", "");
        made->sequence = next_++;
        made->mode = mode;
        made->state = state;
        made->begun_unix_ms = now.unix_ms;
        made->deadline = {now.boot_ms + 20000, now.unix_ms + 20000};
        made->timeout_ms = 30000;
        for (uint32_t i = 0; i < branches.size(); i++) {
            branch *part = MakeBranch(i + 1, {i}, names);
            part->number = {1700000000000, next_++};
            part->state = branches[i];
            part->asked = branch_state_asks(branches[i]);
            branch_set_conflict(part, static_cast<uint32_t>(conflict));
            branch_set_reason(part, "", reason);
            txn_add_branch_take(made, part);
        }
        engine_adopt_take(engine, made);
        return made;
    }

  private:
    int64_t next_ = 1;
};

TEST(Recovery, ADecidedTransactionIsAskedForAtOnce)
{
    Restarted world("boot-1", {5000, 1790000000000});
    world.Adopt("g", TXN_CONFIRMING, TXN_MODE_EXECUTE, {BRANCH_CONFIRMING, BRANCH_CONFIRMED});
    world.Resume();
    EXPECT_EQ(1, world.CountCalls("g", TERCET_PHASE_CONFIRM));
    world.RunToEnd();
    EXPECT_EQ(1, world.CountRecords("g", RECORD_END));
}

// A journal that was left in an outage does not bring it back a million times.
TEST(Recovery, WhatAllBranchesOfAParticipantWereToldIsKeptOnce)
{
    Restarted world("boot-1", {5000, 1790000000000});
    const std::vector<branch_state> both = {BRANCH_CONFIRMING, BRANCH_CONFIRMING};
    const txn *a = world.Adopt("a", TXN_CONFIRMING, TXN_MODE_EXECUTE, both, 0, "refused");
    const txn *b = world.Adopt("b", TXN_CONFIRMING, TXN_MODE_EXECUTE, both, 0, "refused");
    for (int i : {0, 1}) {
        EXPECT_STREQ("refused", said_text(a->branches[i]->trouble->reason));
        EXPECT_EQ(a->branches[i]->trouble->reason, b->branches[i]->trouble->reason);
    }
    world.Resume();
}

TEST(Recovery, WhatEndsWhileItIsParkedDoesNotHoldUpWhatStandsBehindIt)
{
    Restarted world("boot-1", {5000, 1790000000000});
    constexpr uint32_t kCancelled = 3;
    world.Adopt("a", TXN_CONFIRMING, TXN_MODE_EXECUTE, {BRANCH_CONFIRMING}, kCancelled);
    world.Adopt("b", TXN_CONFIRMING, TXN_MODE_EXECUTE, {BRANCH_CONFIRMING});
    world.ResumeUndecided(100);
    EXPECT_EQ(TERCET_OK, world.LastReply(world.Resolve("a", 1, RESOLUTION_SETTLE)).status);
    world.Sync();
    EXPECT_EQ(nullptr, world.Find("a"));
    EXPECT_TRUE(engine_has_parked(world.engine, 0));
    world.ResumeMore(0, 0);
    EXPECT_TRUE(world.calls.empty()) << "there is no room";
    world.ResumeMore(0, 1);
    EXPECT_EQ(1, world.CountCalls("b", TERCET_PHASE_CONFIRM));
}

TEST(Recovery, OnlyWhatWasAskedInTheLastLifeAndIsAskedStillIsAskedAgain)
{
    Restarted world("boot-1", {5000, 1790000000000});
    constexpr uint32_t kCancelled = 3;
    world.Adopt("a", TXN_CONFIRMING, TXN_MODE_EXECUTE, {BRANCH_CONFIRMING}, kCancelled);
    world.Adopt("b", TXN_CONFIRMING, TXN_MODE_EXECUTE, {BRANCH_CONFIRMED, BRANCH_CONFIRMING});
    world.ResumeUndecided(100);
    EXPECT_EQ(TERCET_OK, world.LastReply(world.Resolve("a", 1, RESOLUTION_SETTLE)).status);
    world.Execute("new", {{0}, {1}}); // has its calls
    EXPECT_EQ(2U, world.calls.size());
    for (uint32_t i = 0; i < 2; i++) {
        world.ResumeMore(i, 100);
        EXPECT_FALSE(engine_has_parked(world.engine, i));
        world.ResumeMore(i, 100); // nothing is left
    }
    EXPECT_EQ(3U, world.calls.size());
    EXPECT_EQ(1, world.CountCalls("b", TERCET_PHASE_CONFIRM));
}

TEST(Recovery, APayloadThatComesBackTwiceIsKeptOnce)
{
    Restarted world("boot-1", {5000, 1790000000000});
    world.Adopt("g", TXN_CONFIRMING, TXN_MODE_EXECUTE, {BRANCH_CONFIRMING});
    world.Resume();
    branch *asked = world.FindBranch("g", 1);
    for (int i = 0; i < 2; i++) {
        event *fetched = event_create(EVENT_FETCHED);
        fetched->u.fetched.branch = branch_ref(asked);
        fetched->u.fetched.payload = tercet_bytes_of(xmemdup("payload", 7), 7);
        world.Step(fetched);
        engine_stats stats{};
        engine_read_stats(world.engine, &stats);
        EXPECT_TRUE(branch_has_payload(asked));
        EXPECT_EQ(7U, stats.open_payload_bytes);
    }
}

TEST(Recovery, APayloadThatComesBackTooLateIsNobodys)
{
    Restarted world("boot-1", {5000, 1790000000000});
    world.Adopt("g", TXN_CONFIRMING, TXN_MODE_EXECUTE, {BRANCH_CONFIRMING});
    world.Resume();
    world.HandAll();
    branch *asked = world.FindBranch("g", 1);
    world.Answer("g", 1, TERCET_PHASE_CONFIRM, TERCET_VERDICT_DONE, 1);
    engine_stats before{}, after{};
    engine_read_stats(world.engine, &before);
    for (bool gone : {false, true}) {
        if (gone) {
            world.Sync();
            EXPECT_EQ(nullptr, asked->txn);
        }
        event *fetched = event_create(EVENT_FETCHED);
        fetched->u.fetched.branch = branch_ref(asked);
        fetched->u.fetched.payload = tercet_bytes_of(xmemdup("payload", 7), 7);
        world.Step(fetched);
        EXPECT_FALSE(branch_has_payload(asked));
    }
    engine_read_stats(world.engine, &after);
    EXPECT_EQ(before.open_payload_bytes, after.open_payload_bytes);
}

TEST(Recovery, AnEngineThatNeverWentOnLetsGoOfWhatItAdopted)
{
    branch *kept = nullptr;
    {
        Restarted world("boot-1", {5000, 1790000000000});
        txn *adopted = world.Adopt("g", TXN_CONFIRMING, TXN_MODE_EXECUTE, {BRANCH_CONFIRMING});
        kept = branch_ref(adopted->branches[0]);
    }
    EXPECT_EQ(nullptr, kept->txn);
    EXPECT_EQ(1U, kept->refs);
    branch_unref(kept);
}

TEST(Recovery, WhatIsDecidedIsAskedForInSlicesByItsNumbers)
{
    Restarted world("boot-1", {5000, 1790000000000});
    const char *const gids[] = {"a", "b", "c"};
    for (const char *gid : gids) {
        world.Adopt(gid, TXN_CONFIRMING, TXN_MODE_EXECUTE, {BRANCH_CONFIRMING, BRANCH_CONFIRMING});
    }
    world.ResumeUndecided(100);
    EXPECT_TRUE(world.calls.empty());
    EXPECT_TRUE(engine_is_resuming(world.engine));
    world.ResumeMore(0, 2);
    EXPECT_EQ(1, world.CountCalls("a", TERCET_PHASE_CONFIRM));
    EXPECT_EQ(1, world.CountCalls("b", TERCET_PHASE_CONFIRM));
    EXPECT_EQ(0, world.CountCalls("c", TERCET_PHASE_CONFIRM));
    world.ResumeMore(0, 2);
    EXPECT_EQ(1, world.CountCalls("c", TERCET_PHASE_CONFIRM));
    EXPECT_FALSE(engine_has_parked(world.engine, 0));
    EXPECT_TRUE(engine_has_parked(world.engine, 1)) << "each participant has its own pace";
    for (uint32_t i = 1; i < world.names.count; i++) {
        world.ResumeMore(i, 100);
    }
    EXPECT_EQ(2, world.CountCalls("c", TERCET_PHASE_CONFIRM));
    EXPECT_FALSE(engine_is_resuming(world.engine));
}

size_t BytesInMemory(const EngineWorld &world)
{
    engine_stats stats{};
    engine_read_stats(world.engine, &stats);
    return stats.open_payload_bytes;
}

TEST(Recovery, ThePayloadsOfWhatIsDecidedStayOnTheDiskAndDoNotCount)
{
    Restarted world("boot-1", {5000, 1790000000000});
    txn *decided = world.Adopt("g", TXN_CONFIRMING, TXN_MODE_EXECUTE, {BRANCH_CONFIRMING});
    txn *open = world.Adopt("h", TXN_TRYING, TXN_MODE_EXECUTE, {BRANCH_WAITING});
    branch *parked = decided->branches[0];
    const size_t bytes = parked->payload_size;
    ASSERT_GT(bytes, 0U);
    EXPECT_TRUE(branch_wants_payload(parked));
    EXPECT_FALSE(branch_wants_payload(open->branches[0]));
    EXPECT_EQ(bytes, BytesInMemory(world)) << "only that of the undecided one";
    world.Resume();
    event *fetched = event_create(EVENT_FETCHED);
    fetched->u.fetched.branch = branch_ref(parked);
    fetched->u.fetched.payload = tercet_bytes_of(calloc(1, bytes), bytes);
    world.Step(fetched);
    EXPECT_FALSE(branch_wants_payload(parked));
    EXPECT_EQ(2 * bytes, BytesInMemory(world));
    world.HandAll();
    world.Fail("g", 1, TERCET_PHASE_CONFIRM, ANSWER_UNREACHABLE);
    EXPECT_TRUE(branch_wants_payload(parked)) << "who knows how long it waits now";
    EXPECT_EQ(bytes, BytesInMemory(world));
}

TEST(Recovery, OneThatHadOnlyToEndEnds)
{
    Restarted world("boot-1", {5000, 1790000000000});
    world.Adopt("g", TXN_CANCELLING, TXN_MODE_EXECUTE, {BRANCH_CANCELLED, BRANCH_SKIPPED});
    world.Resume();
    EXPECT_EQ(1, world.CountRecords("g", RECORD_END));
    EXPECT_TRUE(world.calls.empty());
}

TEST(Recovery, AnUndecidedExecuteIsTriedAgainUntilItsDeadline)
{
    Restarted world("boot-1", {5000, 1790000000000});
    world.Adopt("g", TXN_TRYING, TXN_MODE_EXECUTE, {BRANCH_WAITING, BRANCH_WAITING});
    world.Resume();
    EXPECT_EQ(2, world.CountCalls("g", TERCET_PHASE_TRY));
    world.Advance(20000);
    EXPECT_EQ(TXN_CANCELLING, world.Find("g")->state);
}

TEST(Recovery, AnUndecidedStepByStepOneWaitsForItsInitiatorAndCanBeConfirmed)
{
    Restarted world("boot-1", {5000, 1790000000000});
    world.Adopt("g", TXN_TRYING, TXN_MODE_STEPS, {BRANCH_WAITING});
    world.Resume();
    world.HandAll();
    world.Answer("g", 1, TERCET_PHASE_TRY, TERCET_VERDICT_DONE, 2);
    EXPECT_EQ(TXN_TRYING, world.Find("g")->state);
    uintptr_t confirm = world.Ask(REQUEST_CONFIRM, "g");
    EXPECT_EQ(TXN_CONFIRMING, world.LastReply(confirm).told->state);
}

// Nobody knows what had left before the crash.
TEST(Recovery, ABranchThatWaitedForItsStageIsCancelledWithACall)
{
    Restarted world("boot-1", {5000, 1790000000000});
    txn *made = world.Adopt("g", TXN_TRYING, TXN_MODE_EXECUTE, {BRANCH_WAITING, BRANCH_WAITING});
    made->branches[1]->spec.stage = 1;
    world.Resume();
    world.Ask(REQUEST_CANCEL, "g");
    EXPECT_EQ(2, world.CountCalls("g", TERCET_PHASE_CANCEL));
}

// Anomaly 14.
TEST(Recovery, InTheSameBootTheDeadlineIgnoresTheWallClock)
{
    for (int64_t jump : {-3600000, 3600000}) {
        Restarted world("boot-1", {5000, 1790000000000});
        world.Adopt("g", TXN_TRYING, TXN_MODE_EXECUTE, {BRANCH_WAITING});
        world.now.unix_ms += jump;
        world.Resume();
        world.Advance(19999);
        EXPECT_EQ(TXN_TRYING, world.Find("g")->state) << jump;
        world.Advance(1);
        EXPECT_EQ(TXN_CANCELLING, world.Find("g")->state) << jump;
    }
}

TEST(Recovery, AfterARebootWhatIsLeftIsBetweenNothingAndAllOfIt)
{
    struct {
        int64_t wall_jump;
        int64_t want_left;
    } cases[] = {{0, 20000}, {5000, 15000}, {3600000, 0}, {-3600000, 30000}};
    for (const auto &one : cases) {
        Restarted world("boot-2", {777, 1790000000000});
        world.Adopt("g", TXN_TRYING, TXN_MODE_EXECUTE, {BRANCH_WAITING});
        world.now.unix_ms += one.wall_jump;
        world.Resume();
        if (one.want_left > 0) {
            world.Advance(one.want_left - 1);
            EXPECT_EQ(TXN_TRYING, world.Find("g")->state) << one.wall_jump;
            world.Advance(1);
        } else {
            world.Tick();
        }
        EXPECT_EQ(TXN_CANCELLING, world.Find("g")->state) << one.wall_jump;
    }
}

// A younger branch of an older transaction must not hide behind an older number in the list.
TEST(Recovery, MarksAreRightWhenNumbersAndTransactionsAreInDifferentOrder)
{
    Restarted world("boot-1", {5000, 1790000000000});
    txn *older = world.Adopt("older", TXN_CONFIRMING, TXN_MODE_STEPS, {BRANCH_CONFIRMING});
    txn *younger = world.Adopt("younger", TXN_TRYING, TXN_MODE_EXECUTE, {BRANCH_WAITING});
    older->branches[0]->number.number = 500;
    younger->branches[0]->number.number = 400;
    world.Resume();
    EXPECT_EQ(400, engine_mark(world.engine, 0)->low.number);
}

// An attempt of the life before may have reserved there.
TEST(Recovery, ATryThatIsNotServedIsCancelledWithACallAllTheSame)
{
    Restarted world("boot-1", {5000, 1790000000000});
    world.Adopt("g", TXN_TRYING, TXN_MODE_EXECUTE, {BRANCH_WAITING});
    world.Resume();
    world.HandAll();
    ASSERT_EQ(1U, world.FindBranch("g", 1)->attempts) << "the first of this life";
    world.Fail("g", 1, TERCET_PHASE_TRY, ANSWER_NOT_SERVED);
    EXPECT_EQ(BRANCH_CANCELLING, world.FindBranch("g", 1)->state);
    EXPECT_EQ(1, world.CountCalls("g", TERCET_PHASE_CANCEL));
}

TEST(Recovery, AnOptionalTryThatIsNotServedIsCancelledWithACallToo)
{
    Restarted world("boot-1", {5000, 1790000000000});
    txn *made = world.Adopt("g", TXN_TRYING, TXN_MODE_EXECUTE, {BRANCH_WAITING});
    made->branches[0]->spec.optional = true;
    world.Resume();
    world.HandAll();
    world.Fail("g", 1, TERCET_PHASE_TRY, ANSWER_NOT_SERVED);
    EXPECT_EQ(TXN_CONFIRMING, world.Find("g")->state);
    EXPECT_EQ(1, world.CountCalls("g", TERCET_PHASE_CANCEL));
}

// It had been tried, as its initiator knows; the coordinator does not yet.
TEST(Recovery, ConfirmWhileABranchIsAskedAgainIsPutOffAndNotTheInitiatorsFault)
{
    Restarted world("boot-1", {5000, 1790000000000});
    world.Adopt("g", TXN_TRYING, TXN_MODE_STEPS, {BRANCH_WAITING, BRANCH_WAITING});
    world.Resume();
    world.HandAll();
    world.Answer("g", 1, TERCET_PHASE_TRY, TERCET_VERDICT_DONE, 2);
    const Reply early = world.LastReply(world.Ask(REQUEST_CONFIRM, "g"));
    EXPECT_EQ(TERCET_UNAVAILABLE, early.status);
    EXPECT_EQ("TERCET_STARTING", early.code);
    EXPECT_TRUE(early.refused);
    EXPECT_GT(early.retry_after_ms, 0U);
    EXPECT_NE(std::string::npos, early.text.find("branch 2"));
    EXPECT_EQ(TXN_TRYING, world.Find("g")->state);
    world.Answer("g", 2, TERCET_PHASE_TRY, TERCET_VERDICT_DONE, 2);
    EXPECT_EQ(TXN_CONFIRMING, world.LastReply(world.Ask(REQUEST_CONFIRM, "g")).told->state);
}

TEST(Recovery, ConfirmBeforeABranchOfThisLifeIsTriedIsTheInitiatorsFault)
{
    Restarted world("boot-1", {5000, 1790000000000});
    world.Adopt("g", TXN_TRYING, TXN_MODE_STEPS, {});
    world.Resume();
    world.Try("g", 1, {0});
    EXPECT_EQ("TERCET_NOT_TRIED", world.LastReply(world.Ask(REQUEST_CONFIRM, "g")).code);
}

TEST(Recovery, OnlyBranchesThatHaveNotEndedCountForTheirParticipantsShare)
{
    Restarted world("boot-1", {5000, 1790000000000});
    world.Adopt("g", TXN_CONFIRMING, TXN_MODE_EXECUTE, {BRANCH_CONFIRMED, BRANCH_CONFIRMING});
    world.Resume();
    EXPECT_EQ(0U, engine_open_branches_of(world.engine, 0));
    EXPECT_EQ(1U, engine_open_branches_of(world.engine, 1));
    world.RunToEnd();
    EXPECT_EQ(0U, engine_open_branches_of(world.engine, 1));
}

TEST(Recovery, TheConflictOfABranchThatHasEndedIsNoAttention)
{
    Restarted world("boot-1", {1005000, 1790000005000});
    world.Adopt("g", TXN_CONFIRMING, TXN_MODE_EXECUTE, {BRANCH_CONFIRMED, BRANCH_CONFIRMING}, 3);
    world.Resume();
    engine_stats stats;
    engine_read_stats(world.engine, &stats);
    EXPECT_EQ(1U, stats.attention);
}

TEST(Recovery, JoinsReachATransactionOfTheLifeBefore)
{
    Restarted world("boot-1", {5000, 1790000000000});
    txn *made = world.Adopt("g", TXN_TRYING, TXN_MODE_EXECUTE, {BRANCH_WAITING});
    made->content = digest_of_content("g", &made->branches[0]->spec.digest, 1);
    world.Resume();
    uintptr_t again = world.Execute("g", {{0}});
    EXPECT_FALSE(world.HasReply(again));
    world.RunToEnd();
    EXPECT_EQ(TXN_CONFIRMING, world.LastReply(again).told->state);
}

} // namespace
} // namespace tercet
