/* A transaction step by step. */
#include "unit/sdk/client_fixture.h"

namespace
{

class ClientSteps : public ClientTest
{
};

Answer TryAnswer(int verdict, const std::string &bytes, const std::string &code)
{
    return [=](rpc_unary *call, const ProtobufCMessage *) {
        Tercet__V1__TryReply reply = TERCET__V1__TRY_REPLY__INIT;
        Tercet__V1__Reason reason = TERCET__V1__REASON__INIT;
        reply.verdict = static_cast<Tercet__V1__Verdict>(verdict);
        reply.result.data = reinterpret_cast<uint8_t *>(const_cast<char *>(bytes.data()));
        reply.result.len = bytes.size();
        reason.code = const_cast<char *>(code.c_str());
        if (!code.empty()) {
            reply.reason = &reason;
        }
        rpc_unary_reply(call, &reply.base);
    };
}

TEST_F(ClientSteps, StepsGoToTheirMethods)
{
    transaction.branch_count = 0;
    fake.Then(FakeCoordinator::Reply("pay-1", kUndecided, kTrying));
    EXPECT_EQ(tercet_client_begin(client, &transaction, &error), TERCET_OK) << error.text;
    fake.Then(TryAnswer(TERCET_VERDICT_DONE, "r1", ""));
    EXPECT_EQ(tercet_client_try(client, "pay-1", 3, &branch, &result), TERCET_VERDICT_DONE);
    ASSERT_NE(tercet_result_branch(result, 3), nullptr);
    EXPECT_STREQ(static_cast<const char *>(tercet_result_branch(result, 3)->result.data), "r1");
    tercet_result_destroy(result);
    result = nullptr;
    fake.Then(FakeCoordinator::Reply("pay-1", kConfirmed, kConfirming));
    EXPECT_EQ(tercet_client_confirm(client, "pay-1", nullptr), TERCET_OUTCOME_CONFIRMED);
    fake.Then(FakeCoordinator::Reply("pay-1", kConfirmed, kConfirming));
    EXPECT_EQ(tercet_client_cancel(client, "pay-1", "changed my mind", nullptr),
              TERCET_OUTCOME_CONFIRMED);
    fake.Then(FakeCoordinator::Reply("pay-1", kConfirmed, kEndConfirmed));
    EXPECT_EQ(tercet_client_query(client, "pay-1", TERCET_WAIT_END, 0, nullptr),
              TERCET_OUTCOME_CONFIRMED);
    EXPECT_EQ(fake.Paths(), std::vector<std::string>(
                                {"/tercet.v1.Coordinator/Begin", "/tercet.v1.Coordinator/Try",
                                 "/tercet.v1.Coordinator/Confirm", "/tercet.v1.Coordinator/Cancel",
                                 "/tercet.v1.Coordinator/Get"}));
}

TEST_F(ClientSteps, ATryThatIsNotAnsweredDoneOrRefusedIsUnspecified)
{
    fake.Then(TryAnswer(TERCET_VERDICT_REFUSED, "", "BALANCE_TOO_LOW"));
    EXPECT_EQ(tercet_client_try(client, "pay-1", 1, &branch, &result), TERCET_VERDICT_REFUSED);
    EXPECT_STREQ(result->reason.code, "BALANCE_TOO_LOW");
    tercet_result_destroy(result);
    for (const int verdict : {3, 4, 5, -1}) {
        fake.Then(TryAnswer(verdict, "", ""));
        EXPECT_EQ(tercet_client_try(client, "pay-1", 1, &branch, &result),
                  TERCET_VERDICT_UNSPECIFIED);
        EXPECT_EQ(result->status, TERCET_INTERNAL);
        tercet_result_destroy(result);
    }
    fake.Then(FakeCoordinator::Fail(TERCET_FAILED_PRECONDITION, true, "TERCET_DECIDED"));
    EXPECT_EQ(tercet_client_try(client, "pay-1", 1, &branch, &result), TERCET_VERDICT_UNSPECIFIED);
    EXPECT_EQ(result->status, TERCET_FAILED_PRECONDITION);
    EXPECT_EQ(tercet_client_try(client, "pay-1", 65, &branch, nullptr), TERCET_VERDICT_UNSPECIFIED);
}

TEST_F(ClientSteps, ABadBranchIsNamedByItsFieldAndNothingIsSent)
{
    branch.action = "a b";
    EXPECT_EQ(tercet_client_try(client, "pay-1", 1, &branch, &result), TERCET_VERDICT_UNSPECIFIED);
    EXPECT_EQ(result->status, TERCET_INVALID_ARGUMENT);
    EXPECT_STREQ(result->status_text,
                 "branch.action: byte 1 is 0x20, must be one of A-Z a-z 0-9 _ . -");
    EXPECT_EQ(fake.Calls(), 0);
}

TEST_F(ClientSteps, BeginOfADecidedGidIsFailedPrecondition)
{
    transaction.branch_count = 0;
    fake.Then(FakeCoordinator::Reply("pay-1", kCancelled, kCancelling));
    EXPECT_EQ(tercet_client_begin(client, &transaction, &error), TERCET_FAILED_PRECONDITION);
    EXPECT_NE(std::string(error.text).find("CANCELLED"), std::string::npos);
    transaction.branch_count = 1;
    EXPECT_EQ(tercet_client_begin(client, &transaction, &error), TERCET_INVALID_ARGUMENT);
}

TEST_F(ClientSteps, OnlyExecuteSaysNotStarted)
{
    fake.Then(FakeCoordinator::Fail(TERCET_NOT_FOUND, true));
    EXPECT_EQ(tercet_client_query(client, "pay-1", TERCET_WAIT_BEGIN, 5000, &result),
              TERCET_OUTCOME_UNKNOWN);
    EXPECT_EQ(result->status, TERCET_NOT_FOUND);
    fake.Then(FakeCoordinator::Fail(TERCET_FAILED_PRECONDITION, true));
    EXPECT_EQ(tercet_client_confirm(client, "pay-1", nullptr), TERCET_OUTCOME_UNKNOWN);
    EXPECT_EQ(tercet_client_cancel(client, "a b", nullptr, nullptr), TERCET_OUTCOME_UNKNOWN);
}

} // namespace
