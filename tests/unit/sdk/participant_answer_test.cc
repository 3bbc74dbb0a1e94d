/* What handlers answer, and what of it reaches the caller. */
#include <gtest/gtest.h>

#include "unit/sdk/served.h"

namespace
{

class ParticipantAnswer : public testing::Test
{
  protected:
    Served served;
};

TEST_F(ParticipantAnswer, AResultReachesTheCallerAndItsConfirm)
{
    Ask ask;
    ask.payload = "done:receipt";
    ask.traceparent = "00-trace";
    ask.attempt = 3;
    EXPECT_EQ(served.wire().Send(ask).result, "receipt");
    EXPECT_EQ(served.handlers.Last().attempt, 3u);
    EXPECT_EQ(served.handlers.Last().traceparent, "00-trace");
    const Told again = served.wire().Send(ask);
    EXPECT_EQ(again.result, "receipt");
    EXPECT_EQ(again.how, TERCET_HOW_REPEATED);
    ask.phase = TERCET_PHASE_CONFIRM;
    const Told confirmed = served.wire().Send(ask);
    EXPECT_EQ(confirmed.verdict, TERCET_VERDICT_DONE);
    EXPECT_EQ(confirmed.how, TERCET_HOW_RAN);
    EXPECT_EQ(confirmed.result, "");
    EXPECT_EQ(served.handlers.Last().result, "receipt");
    EXPECT_EQ(served.handlers.Last().payload, "done:receipt");
}

TEST_F(ParticipantAnswer, ARefusalCarriesItsReasonAndLeavesNoRow)
{
    Ask ask;
    ask.payload = "refuse";
    for (int run = 1; run <= 2; run++) {
        const Told told = served.wire().Send(ask);
        EXPECT_EQ(told.verdict, TERCET_VERDICT_REFUSED);
        EXPECT_EQ(told.code, "TOO_LOW");
        EXPECT_EQ(told.reason, "not 7 to move");
        EXPECT_EQ(served.handlers.Runs("gid-1/1/TRY"), run);
    }
    ask.phase = TERCET_PHASE_CANCEL;
    EXPECT_EQ(served.wire().Send(ask).how, TERCET_HOW_EMPTY);
}

TEST_F(ParticipantAnswer, LaterCarriesItsDelay)
{
    for (const char *action : {"act", "out"}) {
        Ask ask;
        ask.action = action;
        ask.payload = "later";
        const Told told = served.wire().Send(ask);
        EXPECT_EQ(told.verdict, TERCET_VERDICT_LATER);
        EXPECT_EQ(told.after_ms, 250u);
        EXPECT_EQ(told.reason, "a row is locked");
    }
}

TEST_F(ParticipantAnswer, LaterIsAtMostAMinute)
{
    for (const char *action : {"act", "out"}) {
        Ask ask;
        ask.action = action;
        ask.payload = "much later";
        EXPECT_EQ(served.wire().Send(ask).after_ms, 60000u) << action;
    }
}

TEST_F(ParticipantAnswer, AHandlerThatFailsOrLiesIsLaterNeverDone)
{
    for (const char *action : {"act", "out"}) {
        for (const char *payload :
             {"fail", "garbage", "nothing", "lie", "long", "refuse badly", "unnamed"}) {
            Ask ask;
            ask.gid = std::string(action) + "-" + payload[0] + payload[2];
            ask.action = action;
            ask.payload = payload;
            const Told told = served.wire().Send(ask);
            EXPECT_EQ(told.verdict, TERCET_VERDICT_LATER) << action << " " << payload;
            EXPECT_EQ(told.code, "TERCET_HANDLER_FAILED") << action << " " << payload;
            EXPECT_NE(told.reason, "") << payload;
        }
    }
    EXPECT_EQ(served.Stats().failures, 14u);
    EXPECT_TRUE(served.log.Has("text=\"disk on fire\\x0areally\""));
    EXPECT_TRUE(served.log.Has("the handler returned 77"));
}

TEST_F(ParticipantAnswer, OnlyAnUnfencedHandlerMaySayConflict)
{
    Ask ask;
    ask.payload = "conflict";
    EXPECT_EQ(served.wire().Send(ask).verdict, TERCET_VERDICT_LATER);
    ask.action = "out";
    EXPECT_EQ(served.wire().Send(ask).verdict, TERCET_VERDICT_CONFLICT);
}

TEST_F(ParticipantAnswer, AConfirmThatIsRefusedIsLaterWithAttention)
{
    for (const char *action : {"act", "out"}) {
        Ask ask;
        ask.gid = std::string("confirm-") + action;
        ask.action = action;
        EXPECT_EQ(served.wire().Send(ask).verdict, TERCET_VERDICT_DONE);
        ask.phase = TERCET_PHASE_CONFIRM;
        ask.payload = "refuse";
        const Told told = served.wire().Send(ask);
        EXPECT_EQ(told.verdict, TERCET_VERDICT_LATER) << action;
        EXPECT_EQ(told.code, "TERCET_REFUSED_TOO_LATE") << action;
    }
    EXPECT_TRUE(served.log.Has("TERCET_REFUSED_TOO_LATE"));
}

TEST_F(ParticipantAnswer, AContradictionIsAConflictWithWhatTheFenceHeldAndIsLogged)
{
    Ask ask;
    ask.phase = TERCET_PHASE_CONFIRM;
    Told told = served.wire().Send(ask);
    EXPECT_EQ(told.verdict, TERCET_VERDICT_CONFLICT);
    EXPECT_EQ(told.conflict, TERCET_CONFLICT_NOT_TRIED);
    EXPECT_EQ(told.found, TERCET__V1__FENCE_STATE__FENCE_STATE_NONE);
    ask.phase = TERCET_PHASE_TRY;
    (void)served.wire().Send(ask);
    ask.phase = TERCET_PHASE_CANCEL;
    EXPECT_EQ(served.wire().Send(ask).how, TERCET_HOW_RAN);
    ask.phase = TERCET_PHASE_CONFIRM;
    told = served.wire().Send(ask);
    EXPECT_EQ(told.conflict, TERCET_CONFLICT_CANCELLED);
    EXPECT_EQ(told.found, TERCET__V1__FENCE_STATE__FENCE_STATE_CANCELLED);
    ask.phase = TERCET_PHASE_TRY;
    told = served.wire().Send(ask);
    EXPECT_EQ(told.verdict, TERCET_VERDICT_REFUSED);
    EXPECT_EQ(told.code, "TERCET_TRY_AFTER_CANCEL");
    ask.digest.assign(16, 'x');
    told = served.wire().Send(ask);
    EXPECT_EQ(told.conflict, TERCET_CONFLICT_OTHER_TRANSACTION);
    EXPECT_TRUE(served.log.Has("verdict=CONFLICT"));
    EXPECT_EQ(served.handlers.AllRuns(), 2);
    EXPECT_EQ(served.Stats().conflicts, 3u);
}

TEST_F(ParticipantAnswer, AnUnfencedActionReachesItsHandlerEveryTime)
{
    Ask ask;
    ask.action = "out";
    for (int run = 1; run <= 3; run++) {
        const Told told = served.wire().Send(ask);
        EXPECT_EQ(told.verdict, TERCET_VERDICT_DONE);
        EXPECT_EQ(told.how, TERCET_HOW_RAN);
        EXPECT_EQ(served.handlers.Runs("gid-1/1/TRY"), run);
    }
}

TEST_F(ParticipantAnswer, ACancelOfAConfirmOnlyActionIsEmptyAndCallsNobody)
{
    for (const char *action : {"note", "shout"}) {
        Ask ask;
        ask.gid = std::string("cancel-") + action;
        ask.action = action;
        ask.phase = TERCET_PHASE_CANCEL;
        const Told told = served.wire().Send(ask);
        EXPECT_EQ(told.verdict, TERCET_VERDICT_DONE) << action;
        EXPECT_EQ(told.how, TERCET_HOW_EMPTY) << action;
    }
    EXPECT_EQ(served.handlers.AllRuns(), 0);
    EXPECT_EQ(served.Stats().handler_runs, 0u);
}

TEST(ParticipantVersions, WhatWasTriedBeforeItsActionBecameConfirmOnlyWaitsForItsHandler)
{
    const TemporaryDirectory directory;
    Served::Options options;
    options.store = StoreKind::kSqlite;
    options.sqlite_path = directory.Path("store.db");
    Ask ask;
    EXPECT_EQ(Served(options).wire().Send(ask).verdict, TERCET_VERDICT_DONE);
    ask.phase = TERCET_PHASE_CANCEL;
    options.act_is_confirm_only = true;
    {
        Served later(options);
        const Told told = later.wire().Send(ask);
        EXPECT_EQ(told.verdict, TERCET_VERDICT_LATER);
        EXPECT_EQ(told.code, "TERCET_HANDLER_FAILED");
        EXPECT_TRUE(later.log.Has("has no on_cancel here"));
        EXPECT_EQ(later.handlers.AllRuns(), 0);
    }
    options.act_is_confirm_only = false;
    Served again(options);
    EXPECT_EQ(again.wire().Send(ask).how, TERCET_HOW_RAN);
    EXPECT_EQ(again.handlers.Runs("gid-1/1/CANCEL"), 1);
}

} // namespace
