/* What the engine tells arrives at the initiator. */
#include "service_fixture.h"

class ServiceReply : public ServiceTest
{
  protected:
    /* Asks Get, answers with the view, returns what came. */
    Answer Get(struct view *view_take)
    {
        Tercet__V1__GetRequest get = TERCET__V1__GET_REQUEST__INIT;
        std::string gid = "g";
        get.gid = Text(gid);
        Pending call = Call("Get", &get.base);
        const EventPointer event = NextRequest(REQUEST_GET);
        Reply(event->u.request.token, REQUEST_GET, view_take);
        return call.Wait();
    }

    Answer Try(enum tercet_verdict verdict, struct view *view_take)
    {
        ExecuteMessage any;
        Tercet__V1__TryRequest message = TERCET__V1__TRY_REQUEST__INIT;
        message.gid = Text(any.gid);
        message.number = 2;
        message.branch = any.branches.data();
        Pending call = Call("Try", &message.base);
        const EventPointer event = NextRequest(REQUEST_TRY);
        struct effect_reply reply = {};
        reply.token = event->u.request.token;
        reply.to = REQUEST_TRY;
        reply.last = true;
        reply.view = view_take;
        reply.verdict = verdict;
        reply.branch_index = 2;
        Reply(reply);
        return call.Wait();
    }
};

TEST_F(ServiceReply, ATransactionArrivesWhole)
{
    struct view view = PlainView("pay-7", TXN_CANCELLING);
    view.sequence = 11;
    view.cause = TXN_CAUSE_REFUSED;
    view.refused_branch = 2;
    view.reason_code = "BALANCE_TOO_LOW";
    view.reason_text = "needs 5";
    view.attention = "look";
    view.begun_unix_ms = 1;
    view.decided_unix_ms = 2;
    view.ended_unix_ms = 3;
    view.deadline_unix_ms = 4;
    struct view_branch first = ViewBranch(1, BRANCH_CANCELLING);
    first.result = tercet_bytes_of("r\0s", 3);
    first.stage = 5;
    first.optional = true;
    first.attempts = 9;
    first.next_attempt_unix_ms = 10;
    first.conflict = 3;
    struct view_branch second = ViewBranch(2, BRANCH_SKIPPED);
    second.confirm_only = true;
    second.reason_code = "CODE";
    second.reason_text = "words";
    second.resolved = "by hand";
    const Answer answer = Get(Copy(view, {first, second}));
    ASSERT_EQ(answer.status, TERCET_OK) << answer.text;
    const Tercet__V1__Transaction *told = answer.Transaction();
    EXPECT_STREQ(told->gid, "pay-7");
    EXPECT_EQ(told->outcome, TERCET__V1__OUTCOME__OUTCOME_CANCELLED);
    EXPECT_EQ(told->state, TERCET__V1__TRANSACTION_STATE__TRANSACTION_STATE_CANCELLING);
    EXPECT_EQ(told->cause, TERCET__V1__CAUSE__CAUSE_REFUSED);
    EXPECT_EQ(told->refused_branch, 2U);
    ASSERT_NE(told->reason, nullptr);
    EXPECT_STREQ(told->reason->code, "BALANCE_TOO_LOW");
    EXPECT_STREQ(told->reason->text, "needs 5");
    EXPECT_STREQ(told->attention, "look");
    EXPECT_EQ(told->begun_unix_ms, 1);
    EXPECT_EQ(told->decided_unix_ms, 2);
    EXPECT_EQ(told->ended_unix_ms, 3);
    EXPECT_EQ(told->try_deadline_unix_ms, 4);
    EXPECT_EQ(told->sequence, 11);
    ASSERT_EQ(told->n_branches, 2U);
    const Tercet__V1__BranchStatus *one = told->branches[0];
    EXPECT_EQ(one->number, 1U);
    EXPECT_EQ(one->state, TERCET__V1__BRANCH_STATE__BRANCH_STATE_CANCELLING);
    EXPECT_EQ(std::string(reinterpret_cast<char *>(one->result.data), one->result.len),
              std::string("r\0s", 3));
    EXPECT_EQ(one->reason, nullptr);
    EXPECT_STREQ(one->participant, "account");
    EXPECT_STREQ(one->action, "debit");
    EXPECT_EQ(one->stage, 5U);
    EXPECT_EQ(one->kind, TERCET__V1__BRANCH_KIND__BRANCH_KIND_TCC);
    EXPECT_TRUE(one->optional);
    EXPECT_EQ(one->attempts, 9U);
    EXPECT_EQ(one->next_attempt_unix_ms, 10);
    EXPECT_EQ(static_cast<int>(one->conflict), 3);
    const Tercet__V1__BranchStatus *two = told->branches[1];
    EXPECT_EQ(two->kind, TERCET__V1__BRANCH_KIND__BRANCH_KIND_CONFIRM_ONLY);
    ASSERT_NE(two->reason, nullptr);
    EXPECT_STREQ(two->reason->code, "CODE");
    EXPECT_STREQ(two->resolved, "by hand");
}

TEST_F(ServiceReply, AnOutcomeIsToldOnlyOfADecision)
{
    const std::pair<enum txn_state, int> states[] = {{TXN_TRYING, 0},
                                                     {TXN_CONFIRMING, 1},
                                                     {TXN_CANCELLING, 2},
                                                     {TXN_CONFIRMED, 1},
                                                     {TXN_CANCELLED, 2}};
    for (const auto &state : states) {
        const Answer answer = Get(Copy(PlainView("g", state.first)));
        ASSERT_EQ(answer.status, TERCET_OK);
        EXPECT_EQ(static_cast<int>(answer.Transaction()->outcome), state.second);
        EXPECT_EQ(static_cast<int>(answer.Transaction()->state), static_cast<int>(state.first));
    }
}

TEST_F(ServiceReply, ADoneTryCarriesItsResult)
{
    struct view_branch branch = ViewBranch(2, BRANCH_TRIED);
    branch.result = tercet_bytes_of("ok", 2);
    const Answer answer = Try(TERCET_VERDICT_DONE, Copy(PlainView("g", TXN_TRYING),
                                                        {ViewBranch(1, BRANCH_TRIED), branch}));
    ASSERT_EQ(answer.status, TERCET_OK) << answer.text;
    EXPECT_EQ(answer.TryReply()->verdict, TERCET__V1__VERDICT__VERDICT_DONE);
    EXPECT_EQ(answer.TryReply()->result.len, 2U);
    EXPECT_EQ(answer.TryReply()->reason, nullptr);
}

TEST_F(ServiceReply, ARefusedTryCarriesTheTransactionsReason)
{
    struct view view = PlainView("g", TXN_CANCELLING);
    view.reason_code = "TERCET_TIMEOUT";
    view.reason_text = "too late";
    struct view_branch branch = ViewBranch(2, BRANCH_CANCELLING);
    branch.reason_code = "TERCET_UNREACHABLE";
    branch.result = tercet_bytes_of("no", 2);
    const Answer answer = Try(TERCET_VERDICT_REFUSED, Copy(view, {branch}));
    ASSERT_EQ(answer.status, TERCET_OK) << answer.text;
    EXPECT_EQ(answer.TryReply()->verdict, TERCET__V1__VERDICT__VERDICT_REFUSED);
    EXPECT_EQ(answer.TryReply()->result.len, 0U);
    ASSERT_NE(answer.TryReply()->reason, nullptr);
    EXPECT_STREQ(answer.TryReply()->reason->code, "TERCET_TIMEOUT");
}

TEST_F(ServiceReply, AnOptionalBranchThatWasRefusedCarriesItsOwnReason)
{
    struct view_branch branch = ViewBranch(2, BRANCH_REFUSED);
    branch.reason_code = "NO_COUPON";
    const Answer answer = Try(TERCET_VERDICT_REFUSED, Copy(PlainView("g", TXN_TRYING), {branch}));
    ASSERT_NE(answer.TryReply()->reason, nullptr);
    EXPECT_STREQ(answer.TryReply()->reason->code, "NO_COUPON");
}

TEST_F(ServiceReply, AnUnknownVerdictIsUnspecified)
{
    const Answer answer = Try(TERCET_VERDICT_UNSPECIFIED,
                              Copy(PlainView("g", TXN_TRYING), {ViewBranch(2, BRANCH_TRYING)}));
    ASSERT_EQ(answer.status, TERCET_OK);
    EXPECT_EQ(answer.TryReply()->verdict, TERCET__V1__VERDICT__VERDICT_UNSPECIFIED);
    EXPECT_EQ(answer.TryReply()->reason, nullptr);
}

TEST_F(ServiceReply, AnErrorSaysRefusedOnlyWhenTheEngineDoes)
{
    Tercet__V1__GetRequest get = TERCET__V1__GET_REQUEST__INIT;
    std::string gid = "g";
    get.gid = Text(gid);
    for (const bool refused : {true, false}) {
        Pending call = Call("Get", &get.base);
        const EventPointer event = NextRequest(REQUEST_GET);
        Fail(event->u.request.token, REQUEST_GET, TERCET_NOT_FOUND, refused);
        const Answer answer = call.Wait();
        EXPECT_EQ(answer.status, TERCET_NOT_FOUND);
        EXPECT_EQ(answer.text, "something is wrong");
        EXPECT_EQ(answer.code, "TERCET_SOMETHING");
        EXPECT_EQ(answer.retry_after_ms, 77U);
        EXPECT_EQ(answer.refused, refused);
    }
}

TEST_F(ServiceReply, TheLargestTransactionFitsIntoAReply)
{
    const std::string code(63, 'C');
    const std::string text(255, 't');
    const std::string name(64, 'n');
    const std::string result(1024, 'r');
    struct view view = PlainView("g", TXN_CONFIRMING);
    view.reason_code = code.c_str();
    view.reason_text = text.c_str();
    view.attention = text.c_str();
    std::vector<struct view_branch> branches;
    for (uint32_t i = 1; i <= 64; i++) {
        struct view_branch branch = ViewBranch(i, BRANCH_CONFIRMING);
        branch.participant = name.c_str();
        branch.action = name.c_str();
        branch.reason_code = code.c_str();
        branch.reason_text = text.c_str();
        branch.resolved = text.c_str();
        branch.result = tercet_bytes_of(result.data(), result.size());
        branches.push_back(branch);
    }
    const Answer answer = Get(Copy(view, branches));
    ASSERT_EQ(answer.status, TERCET_OK) << answer.text;
    ASSERT_EQ(answer.Transaction()->n_branches, 64U);
    EXPECT_EQ(answer.Transaction()->branches[63]->resolved, text);
}
