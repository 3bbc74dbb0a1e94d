// The procedure of group.h over a store whose slots fail on demand.
#include <deque>
#include <map>

#include "store_fixture.h"

namespace fence_test
{
namespace
{

// What the next calls of a slot return instead of doing their work; TERCET_OK: do it.
struct Script {
    std::map<std::string, std::deque<tercet_status>> plan;
    bool commit_before_failing = false; // a commit that fails has happened all the same
    int connects = 0;
    int disconnects = 0;
    std::vector<std::string> claims; // gids in the order they were claimed
};
Script script;
const tercet_store_ops *real;

tercet_status Planned(const char *slot, tercet_error *error)
{
    auto &plan = script.plan[slot];
    if (plan.empty()) {
        return TERCET_OK;
    }
    const tercet_status status = plan.front();
    plan.pop_front();
    if (status != TERCET_OK && error != nullptr) {
        error->status = status;
        snprintf(error->text, sizeof error->text, "planned %s", slot);
    }
    return status;
}

tercet_status Connect(void *self, void **connection, tercet_error *error)
{
    const tercet_status status = Planned("connect", error);
    script.connects += status == TERCET_OK;
    return status != TERCET_OK ? status : real->connect(self, connection, error);
}

void Disconnect(void *connection)
{
    script.disconnects++;
    real->disconnect(connection);
}

tercet_status Begin(void *connection, tercet_error *error)
{
    const tercet_status status = Planned("begin", error);
    return status != TERCET_OK ? status : real->begin(connection, error);
}

tercet_status Claim(void *connection, const tercet_fence_key *key, const tercet_fence_row *wanted,
                    tercet_fence_claim *claim, tercet_error *error)
{
    script.claims.emplace_back(static_cast<const char *>(key->gid.data), key->gid.size);
    const tercet_status status = Planned("claim", error);
    return status != TERCET_OK ? status : real->claim(connection, key, wanted, claim, error);
}

tercet_status Check(void *connection, tercet_error *error)
{
    const tercet_status status = Planned("check", error);
    return status != TERCET_OK ? status : real->check(connection, error);
}

tercet_status Commit(void *connection, tercet_error *error)
{
    const tercet_status status = Planned("commit", error);
    if (status == TERCET_OK || script.commit_before_failing) {
        EXPECT_EQ(real->commit(connection, error), TERCET_OK);
    }
    return status;
}

tercet_status ApplyMark(void *connection, const tercet_fence_caller *caller,
                        const tercet_mark *mark, tercet_sweep *sweep, tercet_error *error)
{
    const tercet_status status = Planned("apply_mark", error);
    return status != TERCET_OK ? status : real->apply_mark(connection, caller, mark, sweep, error);
}

class Group : public testing::Test
{
  protected:
    Group() : harness("memory", "")
    {
        script = Script();
        real = harness.group.ops;
        faulty = *real;
        faulty.connect = Connect;
        faulty.disconnect = Disconnect;
        faulty.begin = Begin;
        faulty.claim = Claim;
        faulty.check = Check;
        faulty.commit = Commit;
        faulty.apply_mark = ApplyMark;
        harness.group.ops = &faulty;
        // The first request of an origin is claimed twice; these tests count.
        EXPECT_EQ(harness.Run(Cancel("warm", 1000)).how, TERCET_HOW_EMPTY);
        script = Script();
        harness.group.transactions = 0;
    }

    std::vector<Ask> Tries(int count)
    {
        std::vector<Ask> asks;
        for (int i = 0; i < count; i++) {
            asks.push_back(Try("g-" + std::to_string(i), i + 1));
        }
        return asks;
    }

    Harness harness;
    tercet_store_ops faulty;
};

TEST_F(Group, BranchesAreTakenInTheOrderOfTheirKeysAndAnsweredInTheOrderAsked)
{
    const std::vector<Ask> asks = {Try("c", 1), Try("a", 2), Try("b", 3), Try("aa", 4)};
    harness.handler = [](const group_request &request, tercet_bytes, group_answer &answer) {
        answer.result_bytes = request.key.gid.size;
        memcpy(answer.result, request.key.gid.data, request.key.gid.size);
        return TERCET_VERDICT_DONE;
    };
    const auto answers = harness.Run(asks);
    EXPECT_EQ(script.claims, (std::vector<std::string>{"a", "aa", "b", "c"}));
    for (size_t i = 0; i < asks.size(); i++) {
        EXPECT_EQ(
            std::string(reinterpret_cast<const char *>(answers[i].result), answers[i].result_bytes),
            asks[i].gid);
    }
    EXPECT_EQ(harness.group.transactions, 1u);
}

TEST_F(Group, SecondRequestOfABranchIsDeferredAndRunsInTheNextGroup)
{
    const auto answers =
        harness.Run({Try("g", 1), Confirm("h", 2), Confirm("g", 1), Cancel("g", 1)});
    EXPECT_FALSE(answers[0].deferred);
    EXPECT_EQ(answers[0].verdict, TERCET_VERDICT_DONE);
    EXPECT_EQ(answers[1].conflict, TERCET_CONFLICT_NOT_TRIED);
    EXPECT_TRUE(answers[2].deferred);
    EXPECT_TRUE(answers[3].deferred);
    EXPECT_EQ(harness.State("g"), TERCET_FENCE_TRIED);
    EXPECT_EQ(harness.Run(Confirm("g", 1)).verdict, TERCET_VERDICT_DONE);
}

TEST_F(Group, ClosesAfterTwentyMillisecondsOfHandlersAndTheFirstIsAlwaysAnswered)
{
    std::vector<Ask> asks = {Try("z-asked-first", 99)};
    for (const Ask &ask : Tries(10)) {
        asks.push_back(ask);
    }
    harness.handler = [&](const group_request &request, tercet_bytes, group_answer &) {
        harness.clock_us += 7000;
        return harness.LeaveEffect(request);
    };
    auto answers = harness.Run(asks);
    EXPECT_FALSE(answers[0].deferred) << "though its key comes last";
    EXPECT_EQ(answers[0].verdict, TERCET_VERDICT_DONE);
    int answered = 0;
    for (size_t i = 1; i < asks.size(); i++) {
        answered += !answers[i].deferred;
        EXPECT_EQ(harness.Effects(asks[i].gid, 1, TERCET_PHASE_TRY), !answers[i].deferred);
    }
    EXPECT_EQ(answered, 3) << "7 + 7 + 7 ms";
    answers = harness.Run(Tries(2));
    EXPECT_FALSE(answers[1].deferred) << "a new group has new time";
}

TEST_F(Group, TransactionThatFellIsRunAgainOneBranchAtATime)
{
    script.plan["commit"] = {TERCET_ABORTED, TERCET_OK, TERCET_ABORTED};
    const auto answers = harness.Run(Tries(3));
    for (const auto &answer : answers) {
        EXPECT_EQ(answer.verdict, TERCET_VERDICT_DONE);
        EXPECT_EQ(answer.how, TERCET_HOW_RAN);
    }
    EXPECT_EQ(harness.group.transactions, 3u);
    EXPECT_EQ(harness.group.handler_runs, 3u + 4u);
    EXPECT_EQ(harness.pauses, (std::vector<unsigned>{2, 2, 3, 2}));
    for (int i = 0; i < 3; i++) {
        EXPECT_EQ(harness.Effects("g-" + std::to_string(i), 1, TERCET_PHASE_TRY), 1);
    }
}

TEST_F(Group, BranchThatAlwaysFallsIsLaterAfterFiveRunsAndTheOthersAreDone)
{
    harness.handler = [&](const group_request &request, tercet_bytes, group_answer &) {
        if (request.number.number == 2) {
            script.plan["check"] = {TERCET_ABORTED};
        }
        return harness.LeaveEffect(request);
    };
    const auto answers = harness.Run(Tries(3));
    EXPECT_EQ(answers[0].verdict, TERCET_VERDICT_DONE);
    EXPECT_EQ(answers[1].verdict, TERCET_VERDICT_LATER);
    EXPECT_STREQ(answers[1].code, TERCET_CODE_STORE_UNAVAILABLE);
    EXPECT_EQ(answers[2].verdict, TERCET_VERDICT_DONE);
    EXPECT_EQ(harness.pauses, (std::vector<unsigned>{2, 2, 3, 4, 5, 2}));
    EXPECT_EQ(harness.State("g-1"), TERCET_FENCE_NONE);
    EXPECT_EQ(harness.Effects("g-1", 1, TERCET_PHASE_TRY), 0);
    EXPECT_EQ(harness.Effects("g-2", 1, TERCET_PHASE_TRY), 1);
}

TEST_F(Group, LostConnectionIsMadeAnewAndItsBranchesRunAgain)
{
    script.plan["claim"] = {TERCET_OK, TERCET_UNAVAILABLE};
    const auto answers = harness.Run(Tries(2));
    EXPECT_EQ(answers[0].verdict, TERCET_VERDICT_DONE);
    EXPECT_EQ(answers[1].verdict, TERCET_VERDICT_DONE);
    EXPECT_EQ(script.disconnects, 1);
    EXPECT_EQ(script.connects, 1);
}

TEST_F(Group, StoreThatCannotBeReachedIsLaterForAllAtOnce)
{
    script.plan["begin"] = {TERCET_UNAVAILABLE};
    script.plan["connect"] = {TERCET_UNAVAILABLE};
    const auto answers = harness.Run(Tries(3));
    for (const auto &answer : answers) {
        EXPECT_EQ(answer.verdict, TERCET_VERDICT_LATER);
        EXPECT_STREQ(answer.code, TERCET_CODE_STORE_UNAVAILABLE);
        EXPECT_EQ(answer.log, TERCET_LOG_WARNING);
    }
    EXPECT_EQ(harness.pauses.size(), 1u);
    EXPECT_EQ(harness.group.connection, nullptr);
    EXPECT_EQ(harness.Run(Try("g-0", 1)).verdict, TERCET_VERDICT_DONE) << "and comes back";
}

TEST_F(Group, FullDiskIsLaterForAllWithoutRunningAgain)
{
    script.plan["commit"] = {TERCET_RESOURCE_EXHAUSTED};
    for (const auto &answer : harness.Run(Tries(3))) {
        EXPECT_EQ(answer.verdict, TERCET_VERDICT_LATER);
    }
    EXPECT_TRUE(harness.pauses.empty());
    EXPECT_EQ(harness.Describe().rows, 1) << "the warm-up's";
}

// Anomaly 10, the commit having happened.
TEST_F(Group, UnknownCommitThatHappenedIsAnsweredFromTheRows)
{
    EXPECT_EQ(harness.Run(Try("tried", 20)).verdict, TERCET_VERDICT_DONE);
    script.plan["commit"] = {TERCET_UNKNOWN};
    script.commit_before_failing = true;
    harness.handler = [&](const group_request &request, tercet_bytes, group_answer &answer) {
        harness.LeaveEffect(request);
        answer.result_bytes = 2;
        memcpy(answer.result, "ok", 2);
        return request.number.number == 2 ? TERCET_VERDICT_REFUSED : TERCET_VERDICT_DONE;
    };
    const auto answers = harness.Run(
        {Try("a", 1), Try("b", 2), Cancel("c", 3), Confirm("tried", 20), Confirm("none", 30)});
    EXPECT_EQ(answers[0].verdict, TERCET_VERDICT_DONE);
    EXPECT_EQ(answers[0].how, TERCET_HOW_REPEATED);
    EXPECT_EQ(answers[0].result_bytes, 2u);
    EXPECT_EQ(answers[1].verdict, TERCET_VERDICT_LATER) << "a refusal may rest on what was lost";
    EXPECT_EQ(answers[2].verdict, TERCET_VERDICT_DONE);
    EXPECT_EQ(answers[2].how, TERCET_HOW_EMPTY);
    EXPECT_EQ(answers[3].verdict, TERCET_VERDICT_DONE);
    EXPECT_EQ(answers[4].conflict, TERCET_CONFLICT_NOT_TRIED);
    EXPECT_EQ(script.connects, 1);
    EXPECT_EQ(harness.Effects("a", 1, TERCET_PHASE_TRY), 1);
    EXPECT_EQ(harness.State("b"), TERCET_FENCE_NONE);
}

TEST_F(Group, UnknownCommitThatDidNotHappenIsLaterAndNothingIsRunUnasked)
{
    script.plan["commit"] = {TERCET_UNKNOWN};
    const auto answers = harness.Run({Try("a", 1), Cancel("c", 3)});
    EXPECT_EQ(answers[0].verdict, TERCET_VERDICT_LATER);
    EXPECT_EQ(answers[1].verdict, TERCET_VERDICT_LATER);
    EXPECT_EQ(harness.group.handler_runs, 1u);
    EXPECT_EQ(harness.State("a"), TERCET_FENCE_NONE);
    EXPECT_EQ(harness.State("c"), TERCET_FENCE_NONE);
    EXPECT_EQ(harness.Run(Try("a", 1)).how, TERCET_HOW_RAN);
}

TEST_F(Group, UnknownCommitAndThenNoConnectionIsLater)
{
    script.plan["commit"] = {TERCET_UNKNOWN};
    script.commit_before_failing = true;
    script.plan["connect"] = {TERCET_UNAVAILABLE};
    EXPECT_EQ(harness.Run(Try("a", 1)).verdict, TERCET_VERDICT_LATER);
    EXPECT_EQ(harness.Run(Try("a", 1)).how, TERCET_HOW_REPEATED);
}

TEST_F(Group, HandlerThatEndsTheTransactionIsLaterWithAnErrorAndTheOthersAreRunAgain)
{
    harness.handler = [&](const group_request &request, tercet_bytes, group_answer &) {
        if (request.number.number == 2) {
            script.plan["check"] = {TERCET_FAILED_PRECONDITION};
        }
        return harness.LeaveEffect(request);
    };
    const auto answers = harness.Run(Tries(3));
    EXPECT_EQ(answers[0].verdict, TERCET_VERDICT_DONE);
    EXPECT_EQ(answers[1].verdict, TERCET_VERDICT_LATER);
    EXPECT_STREQ(answers[1].code, TERCET_CODE_HANDLER_FAILED);
    EXPECT_EQ(answers[1].log, TERCET_LOG_ERROR);
    EXPECT_NE(std::string(answers[1].text).find("ended the local transaction"), std::string::npos);
    EXPECT_EQ(answers[2].verdict, TERCET_VERDICT_DONE);
    EXPECT_EQ(harness.Effects("g-0", 1, TERCET_PHASE_TRY), 1);
    EXPECT_EQ(harness.Effects("g-1", 1, TERCET_PHASE_TRY), 0);
    EXPECT_EQ(harness.group.handler_failures, 1u);
}

TEST_F(Group, HandlerWithoutAVerdictIsLaterInItsOwnWordsOrInOurs)
{
    harness.handler = [](const group_request &request, tercet_bytes, group_answer &answer) {
        snprintf(answer.text, sizeof answer.text, "%s",
                 request.number.number == 1 ? "the disk is on fire" : "");
        return TERCET_VERDICT_UNSPECIFIED;
    };
    const auto answers = harness.Run(Tries(2));
    for (const auto &answer : answers) {
        EXPECT_EQ(answer.verdict, TERCET_VERDICT_LATER);
        EXPECT_STREQ(answer.code, TERCET_CODE_HANDLER_FAILED);
    }
    EXPECT_STREQ(answers[0].text, "the disk is on fire");
    EXPECT_STREQ(answers[1].text, "the handler returned no verdict");
}

TEST_F(Group, WordsThatAreTooLongAreCutAtACharactersBorder)
{
    EXPECT_EQ(harness.Run(Try("a", 1)).verdict, TERCET_VERDICT_DONE);
    harness.handler = [](const group_request &, tercet_bytes, group_answer &answer) {
        std::string words; // 83 characters of three bytes each
        while (words.size() + 6 < sizeof answer.text) {
            words += "\u8d26";
        }
        snprintf(answer.text, sizeof answer.text, "%s", words.c_str());
        return TERCET_VERDICT_REFUSED;
    };
    const group_answer answer = harness.Run(Confirm("a", 1));
    const std::string text = answer.text;
    EXPECT_STREQ(answer.code, TERCET_CODE_REFUSED_TOO_LATE);
    EXPECT_GT(text.size(), 250U);
    EXPECT_EQ(text.substr(text.size() - 3), "\u8d26") << text;
}

// Anomaly 25: a branch whose row cannot be read must not hold up those that share its group.
TEST_F(Group, BranchWithABrokenRowIsAnsweredAloneAndTheOthersAreDone)
{
    script.plan["claim"] = {TERCET_OK, TERCET_DATA_LOSS};
    const auto answers = harness.Run(Tries(3));
    EXPECT_EQ(answers[0].verdict, TERCET_VERDICT_DONE);
    EXPECT_EQ(answers[1].verdict, TERCET_VERDICT_LATER);
    EXPECT_EQ(answers[1].log, TERCET_LOG_ERROR);
    EXPECT_EQ(answers[2].verdict, TERCET_VERDICT_DONE);
    EXPECT_EQ(harness.group.transactions, 1U) << "nor cost each of them a sync of its own";
    EXPECT_TRUE(harness.pauses.empty());
}

TEST_F(Group, OfTwoBrokenRowsEachIsAnsweredAloneAndNobodyPauses)
{
    script.plan["claim"] = {TERCET_OK, TERCET_DATA_LOSS, TERCET_OK, TERCET_OK, TERCET_DATA_LOSS};
    const auto answers = harness.Run(Tries(4));
    EXPECT_EQ(answers[0].verdict, TERCET_VERDICT_DONE);
    EXPECT_EQ(answers[1].verdict, TERCET_VERDICT_LATER);
    EXPECT_EQ(answers[2].verdict, TERCET_VERDICT_DONE);
    EXPECT_EQ(answers[3].verdict, TERCET_VERDICT_LATER);
    EXPECT_EQ(harness.group.transactions, 2U);
    EXPECT_TRUE(harness.pauses.empty());
}

TEST_F(Group, ABrokenRowByItselfNeedsNoSecondTransaction)
{
    script.plan["claim"] = {TERCET_DATA_LOSS};
    EXPECT_EQ(harness.Run(Tries(1))[0].verdict, TERCET_VERDICT_LATER);
    EXPECT_EQ(harness.group.transactions, 0U);
    EXPECT_EQ(harness.group.transactions_retried, 0U);
}

TEST_F(Group, MarkIsAppliedAgainAfterADeadlockAndALostConnection)
{
    script.plan["apply_mark"] = {TERCET_ABORTED, TERCET_UNAVAILABLE, TERCET_UNKNOWN};
    ASSERT_EQ(harness.Apply(5, {10, 9}), TERCET_OK);
    EXPECT_EQ(harness.pauses.size(), 3u);
    EXPECT_EQ(script.connects, 2);
    script.plan["apply_mark"] = {TERCET_ABORTED, TERCET_ABORTED, TERCET_ABORTED, TERCET_ABORTED,
                                 TERCET_ABORTED};
    EXPECT_EQ(harness.Apply(6, {10, 9}), TERCET_ABORTED);
}

} // namespace
} // namespace fence_test
