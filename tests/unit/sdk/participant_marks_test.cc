/* A served participant forgets what the coordinator's marks allow, and nothing else. */
#include "unit/sdk/places.h"

namespace
{

class ParticipantMarks : public AtEveryPlace
{
};

INSTANTIATE_TEST_SUITE_P(Places, ParticipantMarks, testing::ValuesIn(kPlaces), PlaceName);

TEST_P(ParticipantMarks, AMarkDeletesWhatHasEndedKeepsWhatIsTriedAndRefusesWhatIsPast)
{
    Served served(Options());
    Ask ask;
    for (int i = 1; i <= 5; i++) {
        ask.gid = "gid-" + std::to_string(i);
        ask.number = i;
        ask.phase = TERCET_PHASE_TRY;
        EXPECT_EQ(served.wire().Send(ask).verdict, TERCET_VERDICT_DONE);
        if (i != 3) {
            ask.phase = TERCET_PHASE_CONFIRM;
            EXPECT_EQ(served.wire().Send(ask).verdict, TERCET_VERDICT_DONE);
        }
    }
    /* 1, 2, 5 have ended; 3 is still tried, which the coordinator does not know; 4 is open. */
    ask.gid = "gid-9";
    ask.number = 9;
    ask.phase = TERCET_PHASE_TRY;
    ask.mark_lsn = 50;
    ask.mark_low = 6;
    ask.mark_open = {4};
    EXPECT_EQ(served.wire().Send(ask).verdict, TERCET_VERDICT_DONE);
    EXPECT_TRUE(Eventually([&] { return served.Stats().rows_forgotten == 3; }));
    EXPECT_EQ(served.Stats().rows_kept, 1u);
    EXPECT_EQ(served.Stats().marks, 1u);
    EXPECT_TRUE(Eventually([&] { return served.log.Has("branch.tried_below_mark "); }));
    EXPECT_TRUE(served.log.Has("gid=gid-3 branch=1"));

    ask.mark_lsn = 0;
    ask.gid = "gid-1";
    ask.number = 1;
    Told told = served.wire().Send(ask);
    EXPECT_EQ(told.verdict, TERCET_VERDICT_REFUSED);
    EXPECT_EQ(told.code, "TERCET_FORGOTTEN");
    EXPECT_EQ(told.mark_lsn, 50);
    ask.phase = TERCET_PHASE_CONFIRM;
    EXPECT_EQ(served.wire().Send(ask).conflict, TERCET_CONFLICT_FORGOTTEN);
    ask.gid = "gid-4";
    ask.number = 4;
    EXPECT_EQ(served.wire().Send(ask).how, TERCET_HOW_REPEATED);
    ask.gid = "gid-3";
    ask.number = 3;
    EXPECT_EQ(served.wire().Send(ask).how, TERCET_HOW_RAN);
    EXPECT_EQ(served.handlers.Runs("gid-1/1/TRY"), 1);
}

TEST_P(ParticipantMarks, TheSameMarkIsAppliedOnceAndAnOlderOneNever)
{
    Served served(Options());
    Ask ask;
    ask.number = 100;
    ask.mark_lsn = 50;
    ask.mark_low = 6;
    EXPECT_EQ(served.wire().Send(ask).verdict, TERCET_VERDICT_DONE);
    EXPECT_TRUE(Eventually([&] { return served.Stats().marks == 1; }));
    for (int i = 0; i < 20; i++) {
        EXPECT_EQ(served.wire().Send(ask).verdict, TERCET_VERDICT_DONE);
    }
    ask.mark_lsn = 49;
    ask.mark_low = 90;
    EXPECT_EQ(served.wire().Send(ask).verdict, TERCET_VERDICT_DONE);
    ask.mark_lsn = 51;
    ask.mark_low = 7;
    EXPECT_EQ(served.wire().Send(ask).verdict, TERCET_VERDICT_DONE);
    EXPECT_TRUE(Eventually([&] { return served.Stats().marks == 2; }));
    ask.gid = "gid-50";
    ask.number = 50;
    ask.mark_lsn = 0;
    EXPECT_EQ(served.wire().Send(ask).verdict, TERCET_VERDICT_DONE);
    ask.gid = "gid-6";
    ask.number = 6;
    EXPECT_EQ(served.wire().Send(ask).code, "TERCET_FORGOTTEN");
}

TEST_P(ParticipantMarks, ALongSweepGoesInSlicesWhileRequestsAreServed)
{
    Served served(Options());
    Ask ask;
    constexpr int kRows = 1200;
    std::vector<rpc_call *> calls;
    for (int i = 1; i <= kRows; i++) {
        ask.gid = "gid-" + std::to_string(i);
        ask.number = i;
        ask.phase = TERCET_PHASE_CANCEL;
        calls.push_back(served.wire().Start(ask));
    }
    for (rpc_call *call : calls) {
        EXPECT_EQ(served.wire().Finish(call).how, TERCET_HOW_EMPTY);
    }
    ask.gid = "last";
    ask.number = 5000;
    ask.phase = TERCET_PHASE_TRY;
    ask.mark_lsn = 9;
    ask.mark_low = kRows + 1;
    EXPECT_EQ(served.wire().Send(ask).verdict, TERCET_VERDICT_DONE);
    EXPECT_TRUE(Eventually([&] { return served.Stats().rows_forgotten == kRows; }));
    EXPECT_EQ(served.Stats().marks, 1u);
}

} // namespace
