// The truth table through every store: each cell by the requests that lead there.
#include "store_fixture.h"

namespace fence_test
{
namespace
{

using Cells = EveryStore;

void ExpectDone(const group_answer &answer, tercet_how how)
{
    EXPECT_EQ(answer.status, TERCET_OK);
    EXPECT_FALSE(answer.deferred);
    EXPECT_EQ(answer.verdict, TERCET_VERDICT_DONE) << answer.code << " " << answer.text;
    EXPECT_EQ(answer.how, how);
    EXPECT_EQ(answer.from_fence, how != TERCET_HOW_RAN);
}

void ExpectConflict(const group_answer &answer, tercet_conflict kind, tercet_fence_state found)
{
    EXPECT_EQ(answer.verdict, TERCET_VERDICT_CONFLICT) << answer.code << " " << answer.text;
    EXPECT_EQ(answer.conflict, kind);
    EXPECT_EQ(answer.found, found);
    EXPECT_TRUE(answer.from_fence);
    EXPECT_EQ(answer.log, TERCET_LOG_ERROR);
}

void ExpectRefused(const group_answer &answer, const char *code)
{
    EXPECT_EQ(answer.verdict, TERCET_VERDICT_REFUSED);
    EXPECT_STREQ(answer.code, code);
    EXPECT_NE(answer.text[0], '\0');
}

// Leads the branch to `state`.
void Reach(Harness &harness, Ask ask, tercet_fence_state state)
{
    if (state == TERCET_FENCE_SUSPENDED) {
        ask.phase = TERCET_PHASE_CANCEL;
        ExpectDone(harness.Run(ask), TERCET_HOW_EMPTY);
    } else if (state != TERCET_FENCE_NONE) {
        ExpectDone(harness.Run(ask), TERCET_HOW_RAN);
        if (state != TERCET_FENCE_TRIED) {
            ask.phase =
                state == TERCET_FENCE_CONFIRMED ? TERCET_PHASE_CONFIRM : TERCET_PHASE_CANCEL;
            ExpectDone(harness.Run(ask), TERCET_HOW_RAN);
        }
    }
    EXPECT_EQ(harness.State(ask.gid), state);
}

const tercet_fence_state kStates[] = {TERCET_FENCE_NONE, TERCET_FENCE_TRIED, TERCET_FENCE_CONFIRMED,
                                      TERCET_FENCE_CANCELLED, TERCET_FENCE_SUSPENDED};

// Every state x phase x confirm-only x identity x mark, each with a participant and a gid of its own:
// the answer, the state after it, and that the handler ran when and only when the table says so.
TEST_P(Cells, EveryCellAnswersAndLeavesWhatTheTableSays)
{
    Harness &one = *harness;
    int cell = 0;
    for (const tercet_fence_state state : kStates) {
        for (int phase = 1; phase <= 3; phase++) {
            for (int other = 0; other <= 4; other++) {
                for (int mark = 0; mark <= 2; mark++) {
                    for (int only = 0; only <= (phase == 1 ? 0 : 1); only++) {
                        // A sweep would delete the row itself; that is store_mark_test.cc's.
                        if (state != TERCET_FENCE_NONE &&
                            (mark == TERCET_MARK_BELOW && state != TERCET_FENCE_TRIED)) {
                            continue;
                        }
                        SCOPED_TRACE(testing::Message()
                                     << tercet_fence_state_name(state) << " phase " << phase
                                     << " other " << other << " mark " << mark << " only " << only);
                        Ask ask = Try("g-" + std::to_string(++cell), 1);
                        ask.participant = "account-" + std::to_string(cell);
                        Reach(one, ask, state);
                        if (mark == TERCET_MARK_OPEN) {
                            ASSERT_EQ(one.Apply(5, {10, 9}, {{10, 1}, {10, 2}, {11, 1}}, 1, 1,
                                                ask.participant),
                                      TERCET_OK);
                        } else if (mark == TERCET_MARK_BELOW) {
                            ASSERT_EQ(one.Apply(5, {12, 9}, {}, 1, 1, ask.participant), TERCET_OK);
                        }
                        ask.phase = static_cast<tercet_phase>(phase);
                        ask.confirm_only = only != 0;
                        ask.number = other == 1 ? 2 : 1;
                        ask.number_incarnation = other == 2 ? 11 : 10;
                        ask.digest = other == 3 ? 2 : 1;
                        ask.origin = other == 4 ? 2 : 1;

                        tercet_fence_facts facts = {};
                        facts.row = state;
                        facts.phase = ask.phase;
                        facts.same_identity = other == 0;
                        // Another origin has another mark: none here.
                        facts.mark = other == 4 ? TERCET_MARK_ABOVE
                                                : static_cast<tercet_mark_relation>(mark);
                        if (mark == TERCET_MARK_OPEN && other == 2) {
                            facts.mark = TERCET_MARK_ABOVE;
                        }
                        facts.confirm_only = ask.confirm_only;
                        const auto want = tercet_fence_decide(&facts);

                        int runs = 0;
                        one.handler = [&](const group_request &request, tercet_bytes,
                                          group_answer &) {
                            runs++;
                            return one.LeaveEffect(request);
                        };
                        const int before = one.Effects(ask.gid, 1, ask.phase);
                        const group_answer answer = one.Run(ask);
                        EXPECT_EQ(runs, want.run ? 1 : 0);
                        EXPECT_EQ(one.Effects(ask.gid, 1, ask.phase), before + (want.run ? 1 : 0));
                        EXPECT_EQ(answer.verdict, want.run ? TERCET_VERDICT_DONE : want.verdict)
                            << answer.text;
                        EXPECT_EQ(answer.how, want.how);
                        EXPECT_EQ(answer.conflict, want.conflict);
                        EXPECT_STREQ(answer.code, want.code);
                        EXPECT_EQ(one.State(ask.gid), want.becomes);
                        one.handler = nullptr;
                        const group_answer again = one.Run(ask);
                        if (want.run) {
                            ExpectDone(again, TERCET_HOW_REPEATED);
                        } else {
                            EXPECT_EQ(again.verdict, answer.verdict);
                            EXPECT_EQ(again.how, answer.how);
                            EXPECT_EQ(again.conflict, answer.conflict);
                        }
                    }
                }
            }
        }
    }
}

TEST_P(Cells, RepeatedTryGivesTheSameBytesAndPhaseTwoSeesThem)
{
    const std::string result(TERCET_RESULT_BYTES_MAX, '\x01');
    harness->handler = [&](const group_request &request, tercet_bytes tried, group_answer &answer) {
        if (request.phase == TERCET_PHASE_TRY) {
            EXPECT_EQ(tried.size, 0u);
            memcpy(answer.result, result.data(), result.size());
            answer.result_bytes = result.size();
        } else {
            EXPECT_EQ(std::string(static_cast<const char *>(tried.data), tried.size), result);
            EXPECT_EQ(static_cast<const char *>(tried.data)[tried.size], '\0');
        }
        return TERCET_VERDICT_DONE;
    };
    for (int i = 0; i < 3; i++) {
        const group_answer answer = harness->Run(Try("g", 1));
        ExpectDone(answer, i == 0 ? TERCET_HOW_RAN : TERCET_HOW_REPEATED);
        EXPECT_EQ(std::string(reinterpret_cast<const char *>(answer.result), answer.result_bytes),
                  result);
    }
    ExpectDone(harness->Run(Confirm("g", 1)), TERCET_HOW_RAN);
    const group_answer late = harness->Run(Try("g", 1));
    ExpectDone(late, TERCET_HOW_REPEATED);
    EXPECT_EQ(late.result_bytes, result.size());
    const tercet_fence_row row = harness->Row("g");
    EXPECT_STREQ(row.participant, "account");
    EXPECT_STREQ(row.action, "debit");
    EXPECT_EQ(row.identity.number.number, 1);
    EXPECT_EQ(row.identity.origin[19], 1);
    EXPECT_EQ(row.result_bytes, result.size());
}

TEST_P(Cells, TryAfterCancelIsRefusedEveryTime)
{
    ExpectDone(harness->Run(Cancel("g", 1)), TERCET_HOW_EMPTY);
    for (int i = 0; i < 5; i++) {
        ExpectRefused(harness->Run(Try("g", 1)), TERCET_CODE_TRY_AFTER_CANCEL);
        EXPECT_EQ(harness->State("g"), TERCET_FENCE_SUSPENDED);
    }
    EXPECT_EQ(harness->Effects("g", 1, TERCET_PHASE_TRY), 0);
}

TEST_P(Cells, RefusedTryLeavesNeitherRowNorEffectAndMayDifferNextTime)
{
    harness->handler = [&](const group_request &request, tercet_bytes, group_answer &answer) {
        harness->LeaveEffect(request);
        snprintf(answer.code, sizeof answer.code, "BALANCE_TOO_LOW");
        snprintf(answer.text, sizeof answer.text, "not 5 fen");
        answer.result_bytes = 3;
        return TERCET_VERDICT_REFUSED;
    };
    const group_answer answer = harness->Run(Try("g", 1));
    ExpectRefused(answer, "BALANCE_TOO_LOW");
    EXPECT_EQ(answer.result_bytes, 0u);
    EXPECT_FALSE(answer.from_fence);
    EXPECT_EQ(harness->State("g"), TERCET_FENCE_NONE);
    EXPECT_EQ(harness->Effects("g", 1, TERCET_PHASE_TRY), 0);
    EXPECT_EQ(harness->Describe().rows, 0);
    harness->handler = nullptr;
    ExpectDone(harness->Run(Try("g", 1)), TERCET_HOW_RAN);
}

struct Bad {
    tercet_verdict says;
    size_t result_bytes;
    tercet_phase phase;
    const char *code;
};

TEST_P(Cells, WhatAHandlerMayNotSayLeavesNothingAndIsLater)
{
    const Bad bads[] = {
        {TERCET_VERDICT_UNSPECIFIED, 0, TERCET_PHASE_TRY, "TERCET_HANDLER_FAILED"},
        {static_cast<tercet_verdict>(7), 0, TERCET_PHASE_TRY, "TERCET_HANDLER_FAILED"},
        {TERCET_VERDICT_CONFLICT, 0, TERCET_PHASE_TRY, "TERCET_HANDLER_FAILED"},
        {TERCET_VERDICT_DONE, TERCET_RESULT_BYTES_MAX + 1, TERCET_PHASE_TRY,
         "TERCET_HANDLER_FAILED"},
        {TERCET_VERDICT_LATER, 0, TERCET_PHASE_TRY, ""},
        {TERCET_VERDICT_REFUSED, 0, TERCET_PHASE_CONFIRM, "TERCET_REFUSED_TOO_LATE"},
        {TERCET_VERDICT_REFUSED, 0, TERCET_PHASE_CANCEL, "TERCET_REFUSED_TOO_LATE"},
        {TERCET_VERDICT_CONFLICT, 0, TERCET_PHASE_CONFIRM, "TERCET_REFUSED_TOO_LATE"},
        {TERCET_VERDICT_CONFLICT, 0, TERCET_PHASE_CANCEL, "TERCET_REFUSED_TOO_LATE"},
        {TERCET_VERDICT_UNSPECIFIED, 0, TERCET_PHASE_CONFIRM, "TERCET_HANDLER_FAILED"},
        {TERCET_VERDICT_LATER, 0, TERCET_PHASE_CANCEL, ""},
    };
    int number = 1;
    for (const Bad &bad : bads) {
        const std::string gid = "bad-" + std::to_string(number);
        SCOPED_TRACE(gid);
        harness->handler = nullptr;
        const bool is_try = bad.phase == TERCET_PHASE_TRY;
        if (!is_try) {
            ExpectDone(harness->Run(Try(gid, number)), TERCET_HOW_RAN);
        }
        harness->handler = [&](const group_request &request, tercet_bytes, group_answer &answer) {
            harness->LeaveEffect(request);
            answer.result_bytes = bad.result_bytes;
            answer.after_ms = 70000;
            return bad.says;
        };
        Ask ask = Try(gid, number++);
        ask.phase = bad.phase;
        const group_answer answer = harness->Run(ask);
        EXPECT_EQ(answer.verdict, TERCET_VERDICT_LATER);
        EXPECT_STREQ(answer.code, bad.code);
        EXPECT_EQ(answer.after_ms, bad.says == TERCET_VERDICT_LATER ? 60000u : 0u);
        EXPECT_EQ(answer.result_bytes, 0u);
        EXPECT_EQ(answer.log != 0, bad.says != TERCET_VERDICT_LATER);
        EXPECT_EQ(harness->State(gid), is_try ? TERCET_FENCE_NONE : TERCET_FENCE_TRIED);
        EXPECT_EQ(harness->Effects(gid, 1, bad.phase), 0);
    }
}

TEST_P(Cells, GidsThatArePrefixesOrDifferInCaseAreDifferentTransactions)
{
    const std::vector<std::string> gids = {"x-1", "x-10", "x-1!", "a", "A", "x", "a~", "A~"};
    int64_t number = 1;
    for (const std::string &gid : gids) {
        ExpectDone(harness->Run(Try(gid, number++)), TERCET_HOW_RAN);
    }
    ExpectDone(harness->Run(Cancel("x-1", 1)), TERCET_HOW_RAN);
    ExpectDone(harness->Run(Confirm("A", 5)), TERCET_HOW_RAN);
    EXPECT_EQ(harness->State("x-1"), TERCET_FENCE_CANCELLED);
    EXPECT_EQ(harness->State("x-10"), TERCET_FENCE_TRIED);
    EXPECT_EQ(harness->State("x"), TERCET_FENCE_TRIED);
    EXPECT_EQ(harness->State("a"), TERCET_FENCE_TRIED);
    EXPECT_EQ(harness->State("A"), TERCET_FENCE_CONFIRMED);
    EXPECT_EQ(harness->Describe().rows, static_cast<int64_t>(gids.size()));
    EXPECT_EQ(harness->List({0, 0}, {0, 0}, 100), gids);
}

TEST_P(Cells, LongestGidAndHighestBranchAreKeptWhole)
{
    const std::string base(TERCET_GID_BYTES_MAX - 1, 'z');
    Ask first = Try(base + "1", 1);
    Ask second = Try(base + "2", 2);
    first.branch = second.branch = TERCET_BRANCH_COUNT_MAX;
    ExpectDone(harness->Run(first), TERCET_HOW_RAN);
    ExpectDone(harness->Run(second), TERCET_HOW_RAN);
    EXPECT_EQ(harness->State(first.gid, TERCET_BRANCH_COUNT_MAX), TERCET_FENCE_TRIED);
    EXPECT_EQ(harness->State(first.gid, 1), TERCET_FENCE_NONE);
}

// Anomaly 42: two coordinators use one business key at one participant.
TEST_P(Cells, TwoOriginsWithOneGidAreNeverMixedUp)
{
    Ask theirs = Try("pay-42", 1);
    theirs.origin = 2;
    ExpectDone(harness->Run(Try("pay-42", 1)), TERCET_HOW_RAN);
    ExpectConflict(harness->Run(theirs), TERCET_CONFLICT_OTHER_TRANSACTION, TERCET_FENCE_TRIED);
    theirs.phase = TERCET_PHASE_CANCEL;
    ExpectConflict(harness->Run(theirs), TERCET_CONFLICT_OTHER_TRANSACTION, TERCET_FENCE_TRIED);
    theirs.phase = TERCET_PHASE_CONFIRM;
    ExpectConflict(harness->Run(theirs), TERCET_CONFLICT_OTHER_TRANSACTION, TERCET_FENCE_TRIED);
    EXPECT_EQ(harness->State("pay-42"), TERCET_FENCE_TRIED);
    ExpectDone(harness->Run(Confirm("pay-42", 1)), TERCET_HOW_RAN);
    EXPECT_EQ(harness->Describe(2).rows, 0);
}

TEST_P(Cells, LowerEpochIsRefusedAndAHigherOneIsKeptEvenWhenTheHandlerRefuses)
{
    Ask ask = Try("g", 1);
    ask.epoch = 5;
    harness->handler = [](const group_request &, tercet_bytes, group_answer &) {
        return TERCET_VERDICT_REFUSED;
    };
    EXPECT_EQ(harness->Run(ask).verdict, TERCET_VERDICT_REFUSED);
    EXPECT_EQ(harness->Describe().epoch.epoch, 5);
    harness->handler = nullptr;
    ask.epoch = 4;
    group_answer answer = harness->Run(ask);
    EXPECT_EQ(answer.status, TERCET_FAILED_PRECONDITION);
    EXPECT_EQ(std::string(answer.text).rfind("TERCET_OLD_EPOCH", 0), 0u) << answer.text;
    EXPECT_EQ(answer.verdict, TERCET_VERDICT_UNSPECIFIED);
    EXPECT_EQ(harness->State("g"), TERCET_FENCE_NONE);
    EXPECT_EQ(harness->Effects("g", 1, TERCET_PHASE_TRY), 0);
    ask.incarnation = 11; // a later life of the journal counts its starts anew
    ask.epoch = 1;
    ExpectDone(harness->Run(ask), TERCET_HOW_RAN);
    ask.incarnation = 10;
    ask.epoch = 1000;
    EXPECT_EQ(harness->Run(ask).status, TERCET_FAILED_PRECONDITION);
    EXPECT_EQ(harness->Describe().epoch.incarnation, 11);
    ask.origin = 2; // another coordinator, and another participant, have epochs of their own
    ask.gid = "other";
    ExpectDone(harness->Run(ask), TERCET_HOW_RAN);
    ask.origin = 1;
    ask.participant = "coupons";
    ask.gid = "third";
    ExpectDone(harness->Run(ask), TERCET_HOW_RAN);
}

TEST_P(Cells, OneGroupSharesATransactionAndARefusalTakesBackOnlyItsOwn)
{
    std::vector<Ask> asks;
    for (int i = 0; i < 64; i++) {
        asks.push_back(Try("g-" + std::to_string(i), i + 1));
    }
    harness->handler = [&](const group_request &request, tercet_bytes, group_answer &) {
        const tercet_verdict verdict = harness->LeaveEffect(request);
        return request.number.number % 3 == 0 ? TERCET_VERDICT_REFUSED : verdict;
    };
    const auto answers = harness->Run(asks);
    EXPECT_EQ(harness->group.transactions, 1u);
    for (int i = 0; i < 64; i++) {
        const bool refused = (i + 1) % 3 == 0;
        EXPECT_EQ(answers[i].verdict, refused ? TERCET_VERDICT_REFUSED : TERCET_VERDICT_DONE);
        EXPECT_EQ(harness->State(asks[i].gid), refused ? TERCET_FENCE_NONE : TERCET_FENCE_TRIED);
        EXPECT_EQ(harness->Effects(asks[i].gid, 1, TERCET_PHASE_TRY), refused ? 0 : 1);
    }
}

// What one branch's claim has put into the transaction says nothing of the next one's row.
TEST_P(Cells, BranchesOfOneTransactionAreEachWritten)
{
    ExpectDone(harness->Run(Try("b", 1)), TERCET_HOW_RAN);
    Ask alone = Confirm("a", 2);
    alone.confirm_only = true;
    for (const group_answer &answer : harness->Run({alone, Confirm("b", 1), Try("c", 3)})) {
        ExpectDone(answer, TERCET_HOW_RAN);
    }
    EXPECT_EQ(harness->State("a"), TERCET_FENCE_CONFIRMED);
    EXPECT_EQ(harness->State("b"), TERCET_FENCE_CONFIRMED);
    EXPECT_EQ(harness->State("c"), TERCET_FENCE_TRIED);
}

TEST_P(Cells, RowsOutliveTheProcess)
{
    if (!survives()) {
        GTEST_SKIP() << "memory is forgotten";
    }
    ExpectDone(harness->Run(Try("g", 1)), TERCET_HOW_RAN);
    ExpectDone(harness->Run(Cancel("h", 2)), TERCET_HOW_EMPTY);
    const auto before = harness->Describe();
    Reopen();
    const auto after = harness->Describe();
    EXPECT_EQ(memcmp(before.store_id, after.store_id, sizeof before.store_id), 0);
    EXPECT_EQ(after.rows, 2);
    EXPECT_EQ(after.highest.number, 2);
    ExpectDone(harness->Run(Try("g", 1)), TERCET_HOW_REPEATED);
    ExpectRefused(harness->Run(Try("h", 2)), TERCET_CODE_TRY_AFTER_CANCEL);
}

TEST_P(Cells, EveryDatabaseHasAnIdOfItsOwn)
{
    TemporaryDirectory elsewhere;
    Harness other(GetParam(), elsewhere.path());
    const auto a = harness->Describe(), b = other.Describe();
    EXPECT_NE(memcmp(a.store_id, b.store_id, sizeof a.store_id), 0);
    EXPECT_EQ(a.rows, 0);
    EXPECT_EQ(a.epoch.incarnation, 0);
    EXPECT_EQ(a.mark.as_of_lsn, 0);
    EXPECT_EQ(a.highest.number, 0);
}

INSTANTIATE_TEST_SUITE_P(Stores, Cells, testing::ValuesIn(AllKinds()), StoreName);

} // namespace
} // namespace fence_test
