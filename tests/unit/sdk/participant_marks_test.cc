/* A served participant forgets what the coordinator's marks allow, and nothing else. */
#include "tercet/fence.h"
#include "unit/sdk/places.h"

namespace
{

/* The rows that each slice was to look at, of one participant at a time. */
struct Slices {
    std::mutex mutex;
    std::vector<uint32_t> rows;
    tercet_store_ops ops;
    const tercet_store_ops *real;
    std::vector<uint32_t> Rows()
    {
        const std::lock_guard<std::mutex> lock(mutex);
        return rows;
    }
} slices;

tercet_status CountAndApply(void *connection, const tercet_fence_caller *caller,
                            const tercet_mark *mark, tercet_sweep *sweep, tercet_error *error)
{
    const std::lock_guard<std::mutex> lock(slices.mutex);
    slices.rows.push_back(sweep->row_count_max);
    return slices.real->apply_mark(connection, caller, mark, sweep, error);
}

const tercet_store_ops *CountSlices(const tercet_store_ops *real)
{
    slices.rows.clear();
    slices.real = real;
    slices.ops = *real;
    slices.ops.apply_mark = CountAndApply;
    return &slices.ops;
}

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

/* `count` branches that were never tried are cancelled: numbers from 1 on. */
void CancelMany(Served &served, Ask &ask, int count)
{
    std::vector<rpc_call *> calls;
    for (int i = 1; i <= count; i++) {
        ask.gid = "gid-" + std::to_string(i);
        ask.number = i;
        ask.phase = TERCET_PHASE_CANCEL;
        calls.push_back(served.wire().Start(ask));
    }
    for (rpc_call *call : calls) {
        EXPECT_EQ(served.wire().Finish(call).how, TERCET_HOW_EMPTY);
    }
}

/* A try brings the mark, which is the participant's `nth`; returns when it is applied. */
void ApplyMark(Served &served, Ask &ask, int nth, int64_t low)
{
    ask.gid = "last-" + std::to_string(nth);
    ask.number = 5000 + nth;
    ask.phase = TERCET_PHASE_TRY;
    ask.mark_lsn = nth;
    ask.mark_low = low;
    EXPECT_EQ(served.wire().Send(ask).verdict, TERCET_VERDICT_DONE);
    EXPECT_TRUE(Eventually([&] { return served.Stats().marks == static_cast<uint64_t>(nth); }));
}

TEST_P(ParticipantMarks, ALongSweepGoesInSlices)
{
    constexpr uint64_t kRows = 1200;
    Served::Options options = Options();
    options.around = CountSlices;
    Served served(options);
    Ask ask;
    CancelMany(served, ask, kRows);
    ApplyMark(served, ask, 1, 1); /* lets nothing go, and the count begins anew */
    ApplyMark(served, ask, 2, kRows + 1);
    EXPECT_TRUE(Eventually([&] { return served.Stats().rows_forgotten == kRows; }));
    EXPECT_EQ(served.Stats().marks, 2u);
    const std::vector<uint32_t> rows = slices.Rows();
    ASSERT_FALSE(rows.empty());
    EXPECT_EQ(std::vector<uint32_t>(rows.begin() + 1, rows.end()), std::vector<uint32_t>(5, 256));
}

/* With a fixed number of rows in a slice, and a slice every 20 ms, a table grew under a load that
 * was faster than that and left no pause. */
TEST_P(ParticipantMarks, ASliceLooksAtTwiceAsManyRowsAsBranchesRanSinceTheLast)
{
    constexpr uint64_t kRows = 1200;
    Served::Options options = Options();
    options.around = CountSlices;
    Served served(options);
    Ask ask;
    CancelMany(served, ask, kRows);
    ApplyMark(served, ask, 1, kRows + 1);
    ApplyMark(served, ask, 2, kRows + 2);
    EXPECT_EQ(served.Stats().rows_forgotten, kRows);
    ASSERT_EQ(slices.Rows().size(), 2u);
    EXPECT_GE(slices.Rows()[0], 2 * kRows); /* the try that brought the mark may be one of them */
    EXPECT_EQ(slices.Rows()[1], 256u);
}

} // namespace
