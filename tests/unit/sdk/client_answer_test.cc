/* What the client says is what the coordinator's answer told it, and no more. */
#include "unit/sdk/client_fixture.h"

namespace
{

class ClientAnswer : public ClientTest
{
};

TEST_F(ClientAnswer, AConfirmedReplyIsConfirmedWithItsResults)
{
    fake.Then(FakeCoordinator::Reply("pay-1", kConfirmed, kConfirming));
    EXPECT_EQ(Execute(), TERCET_OUTCOME_CONFIRMED);
    EXPECT_EQ(result->status, TERCET_OK);
    EXPECT_STREQ(result->status_text, "");
    EXPECT_STREQ(result->gid, "pay-1");
    EXPECT_FALSE(result->ended);
    ASSERT_EQ(result->branch_count, 1u);
    const tercet_branch_result *first = tercet_result_branch(result, 1);
    ASSERT_NE(first, nullptr);
    EXPECT_STREQ(static_cast<const char *>(first->result.data), "receipt-7");
    EXPECT_EQ(first->result.size, 9u);
    EXPECT_EQ(first->state, TERCET_BRANCH_TRIED);
    EXPECT_STREQ(first->participant, "account");
    EXPECT_EQ(tercet_result_branch(result, 2), nullptr);
    EXPECT_EQ(tercet_result_branch(result, 0), nullptr);
}

TEST_F(ClientAnswer, ACancelledReplyIsCancelled)
{
    fake.Then(FakeCoordinator::Reply("pay-1", kCancelled, kCancelling));
    EXPECT_EQ(Execute(), TERCET_OUTCOME_CANCELLED);
    EXPECT_EQ(result->status, TERCET_OK);
}

TEST_F(ClientAnswer, AnAnswerThatMakesNoSenseIsUnknownAndNeverConfirmed)
{
    const std::vector<Answer> answers = {
        FakeCoordinator::ReplyBytes("\xff\xff\xff\xff garbage"),
        FakeCoordinator::ReplyBytes(""),                          /* no gid at all */
        FakeCoordinator::Reply("pay-2", kConfirmed, kConfirming), /* another's */
        FakeCoordinator::Reply("pay-1", 3, kConfirming),          /* an outcome of the future */
        FakeCoordinator::Reply("pay-1", -1, 0),
        FakeCoordinator::Reply("pay-1", kConfirmed, kTrying), /* contradicts itself */
        FakeCoordinator::Reply("pay-1", kConfirmed, kCancelling),
        FakeCoordinator::Reply("pay-1", kCancelled, kEndConfirmed),
    };
    for (size_t i = 0; i < answers.size(); i++) {
        fake.Then(answers[i]);
        EXPECT_EQ(Execute(), TERCET_OUTCOME_UNKNOWN) << i;
        EXPECT_EQ(result->status, TERCET_INTERNAL) << i;
        EXPECT_STRNE(result->status_text, "") << i;
    }
    EXPECT_EQ(fake.Calls(), static_cast<int>(answers.size()));
}

TEST_F(ClientAnswer, AnUndecidedReplyIsAskedAgainUntilItIsDecided)
{
    fake.Then(FakeCoordinator::Reply("pay-1", kUndecided, kTrying));
    fake.Then(FakeCoordinator::Reply("pay-1", kUndecided, 0));
    fake.Then(FakeCoordinator::Reply("pay-1", kConfirmed, kConfirming));
    EXPECT_EQ(Execute(), TERCET_OUTCOME_CONFIRMED);
    EXPECT_EQ(fake.Calls(), 3);
}

TEST_F(ClientAnswer, AnUndecidedReplyIsUnknownWhenTheWaitIsOver)
{
    transaction.wait_timeout_ms = 150;
    for (int i = 0; i < 50; i++) {
        fake.Then(FakeCoordinator::Reply("pay-1", kUndecided, kTrying));
    }
    EXPECT_EQ(Execute(), TERCET_OUTCOME_UNKNOWN);
    EXPECT_EQ(result->status, TERCET_DEADLINE_EXCEEDED);
}

TEST_F(ClientAnswer, WaitBeginIsUnknownWithStatusOk)
{
    transaction.wait = TERCET_WAIT_BEGIN;
    fake.Then(FakeCoordinator::Reply("pay-1", kUndecided, kTrying));
    EXPECT_EQ(Execute(), TERCET_OUTCOME_UNKNOWN);
    EXPECT_EQ(result->status, TERCET_OK);
}

TEST_F(ClientAnswer, WaitEndTellsADecisionWhoseEndWasNotReached)
{
    transaction.wait = TERCET_WAIT_END;
    transaction.wait_timeout_ms = 200;
    fake.Then(FakeCoordinator::Reply("pay-1", kConfirmed, kConfirming));
    EXPECT_EQ(Execute(), TERCET_OUTCOME_CONFIRMED);
    EXPECT_EQ(result->status, TERCET_DEADLINE_EXCEEDED);
    EXPECT_FALSE(result->ended);
    EXPECT_GE(fake.Calls(), 2);
    fake.Then(FakeCoordinator::Reply("pay-1", kConfirmed, kEndConfirmed));
    EXPECT_EQ(Execute(), TERCET_OUTCOME_CONFIRMED);
    EXPECT_EQ(result->status, TERCET_OK);
    EXPECT_TRUE(result->ended);
}

TEST_F(ClientAnswer, AReplyThatTakesAnOutcomeBackMakesItUnknown)
{
    transaction.wait = TERCET_WAIT_END;
    fake.Then(FakeCoordinator::Reply("pay-1", kConfirmed, kConfirming));
    fake.Then(FakeCoordinator::Reply("pay-1", kCancelled, kCancelling));
    EXPECT_EQ(Execute(), TERCET_OUTCOME_UNKNOWN);
    EXPECT_EQ(result->status, TERCET_INTERNAL);
}

} // namespace
