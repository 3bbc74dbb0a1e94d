/* Describe and Inspect tell what the participant serves and what its store holds. */
#include <gtest/gtest.h>

#include "unit/sdk/served.h"

namespace
{

class ParticipantSurvey : public testing::Test
{
  protected:
    /* As the coordinator of that incarnation and epoch. */
    rpc_call *Describe(int64_t incarnation, int64_t epoch)
    {
        Tercet__V1__RequestContext context = TERCET__V1__REQUEST_CONTEXT__INIT;
        context.participant = const_cast<char *>("account");
        std::string origin(20, 'o');
        context.origin.data = reinterpret_cast<uint8_t *>(origin.data());
        context.origin.len = origin.size();
        context.incarnation = incarnation;
        context.epoch = epoch;
        Tercet__V1__DescribeRequest request = TERCET__V1__DESCRIBE_REQUEST__INIT;
        request.context = &context;
        return served.wire().StartRaw("/tercet.v1.Participant/Describe", &request.base,
                                      &tercet__v1__describe_reply__descriptor);
    }

    Served served;
};

TEST_F(ParticipantSurvey, DescribeTellsActionsAndWhatTheStoreHasSeen)
{
    Ask ask;
    ask.epoch = 5;
    ask.number = 41;
    (void)served.wire().Send(ask);
    rpc_call *call = Describe(1000, 5);
    const rpc_result *result = rpc_call_wait(call);
    ASSERT_EQ(result->status, TERCET_OK) << result->text;
    const auto *reply = reinterpret_cast<const Tercet__V1__DescribeReply *>(result->reply);
    EXPECT_STREQ(reply->participant, "account");
    EXPECT_EQ(reply->protocol, 1u);
    ASSERT_EQ(reply->n_actions, 4u);
    EXPECT_STREQ(reply->actions[0]->name, "act");
    EXPECT_FALSE(reply->actions[0]->confirm_only);
    EXPECT_STREQ(reply->actions[1]->name, "note");
    EXPECT_TRUE(reply->actions[1]->confirm_only);
    EXPECT_STREQ(reply->actions[2]->name, "out");
    EXPECT_FALSE(reply->actions[2]->confirm_only);
    EXPECT_TRUE(reply->actions[2]->unfenced);
    EXPECT_STREQ(reply->actions[3]->name, "shout");
    EXPECT_TRUE(reply->actions[3]->confirm_only);
    EXPECT_TRUE(reply->actions[3]->unfenced);
    ASSERT_EQ(reply->n_stores, 1u);
    const Tercet__V1__StoreDescription *store = reply->stores[0];
    EXPECT_EQ(store->store_id.len, 16u);
    EXPECT_EQ(store->incarnation, 1000);
    EXPECT_EQ(store->epoch, 5);
    EXPECT_EQ(store->rows, 1);
    ASSERT_NE(store->highest, nullptr);
    EXPECT_EQ(store->highest->number, 41);
    EXPECT_EQ(store->mark, nullptr);
    rpc_call_unref(call);

    Tercet__V1__DescribeRequest request = TERCET__V1__DESCRIBE_REQUEST__INIT;
    call = served.wire().StartRaw("/tercet.v1.Participant/Describe", &request.base, nullptr);
    EXPECT_EQ(rpc_call_wait(call)->status, TERCET_INVALID_ARGUMENT);
    rpc_call_unref(call);
}

TEST_F(ParticipantSurvey, AnOldEpochIsToldSoByDescribe)
{
    Ask ask;
    ask.epoch = 5;
    (void)served.wire().Send(ask);
    rpc_call *call = Describe(1000, 4);
    const rpc_result *result = rpc_call_wait(call);
    EXPECT_EQ(result->status, TERCET_FAILED_PRECONDITION);
    EXPECT_EQ(std::string(result->text).rfind("TERCET_OLD_EPOCH", 0), 0U) << result->text;
    rpc_call_unref(call);
}

TEST_F(ParticipantSurvey, WhoeverDescribesIsHeardAndNobodyOlderAnyMore)
{
    Ask ask;
    ask.epoch = 5;
    ask.number = 41;
    (void)served.wire().Send(ask);
    rpc_call *call = Describe(1001, 1);
    const rpc_result *result = rpc_call_wait(call);
    ASSERT_EQ(result->status, TERCET_OK) << result->text;
    const auto *reply = reinterpret_cast<const Tercet__V1__DescribeReply *>(result->reply);
    ASSERT_EQ(reply->n_stores, 1u);
    EXPECT_EQ(reply->stores[0]->incarnation, 1001) << "what it tells is what no older one changes";
    rpc_call_unref(call);
    ask.gid = "late";
    ask.number = 42;
    EXPECT_EQ(served.wire().Send(ask).status, TERCET_FAILED_PRECONDITION);
}

struct Inspected {
    tercet_status status;
    std::vector<std::string> rows; /* gid/branch/state/number */
    std::string token;
};

Inspected Inspect(Wire *wire, const std::string &gid, uint32_t branch, uint32_t page_size,
                  const std::string &token, const char *participant = "account")
{
    Tercet__V1__RequestContext context = TERCET__V1__REQUEST_CONTEXT__INIT;
    context.participant = const_cast<char *>(participant);
    std::string origin(20, 'o');
    context.origin.data = reinterpret_cast<uint8_t *>(origin.data());
    context.origin.len = origin.size();
    context.incarnation = 1000;
    context.epoch = 1;
    Tercet__V1__InspectRequest request = TERCET__V1__INSPECT_REQUEST__INIT;
    request.context = &context;
    request.gid = const_cast<char *>(gid.c_str());
    request.branch = branch;
    request.page_size = page_size;
    request.page_token = const_cast<char *>(token.c_str());
    rpc_call *call = wire->StartRaw("/tercet.v1.Participant/Inspect", &request.base,
                                    &tercet__v1__inspect_reply__descriptor);
    const rpc_result *result = rpc_call_wait(call);
    Inspected inspected = {result->status, {}, ""};
    if (result->status == TERCET_OK) {
        const auto *reply = reinterpret_cast<const Tercet__V1__InspectReply *>(result->reply);
        for (size_t i = 0; i < reply->n_rows; i++) {
            const Tercet__V1__FenceRow *row = reply->rows[i];
            inspected.rows.push_back(
                std::string(row->gid) + "/" + std::to_string(row->branch) + "/" +
                std::to_string(row->state) + "/" +
                (row->number == nullptr ? "-" : std::to_string(row->number->number)));
        }
        inspected.token = reply->next_page_token;
    }
    rpc_call_unref(call);
    return inspected;
}

TEST_F(ParticipantSurvey, InspectTellsOneBranchAllBranchesAndARangeInPages)
{
    Ask ask;
    for (uint32_t branch = 1; branch <= 3; branch++) {
        ask.branch = branch;
        ask.number = 10 + branch;
        (void)served.wire().Send(ask);
    }
    ask.gid = "gid-0";
    ask.branch = 1;
    ask.number = 20;
    ask.phase = TERCET_PHASE_CANCEL;
    (void)served.wire().Send(ask);

    Inspected told = Inspect(&served.wire(), "gid-1", 2, 0, "");
    EXPECT_EQ(told.rows, std::vector<std::string>({"gid-1/2/1/12"}));
    told = Inspect(&served.wire(), "gid-9", 2, 0, "");
    EXPECT_EQ(told.rows, std::vector<std::string>({"gid-9/2/5/-"}));
    told = Inspect(&served.wire(), "gid-1", 0, 0, "");
    EXPECT_EQ(told.rows,
              std::vector<std::string>({"gid-1/1/1/11", "gid-1/2/1/12", "gid-1/3/1/13"}));
    told = Inspect(&served.wire(), "", 0, 3, "");
    EXPECT_EQ(told.rows,
              std::vector<std::string>({"gid-1/1/1/11", "gid-1/2/1/12", "gid-1/3/1/13"}));
    EXPECT_NE(told.token, "");
    told = Inspect(&served.wire(), "", 0, 3, told.token);
    EXPECT_EQ(told.rows, std::vector<std::string>({"gid-0/1/4/20"}));
    EXPECT_EQ(told.token, "");
    EXPECT_EQ(Inspect(&served.wire(), "", 0, 0, "nonsense").status, TERCET_INVALID_ARGUMENT);
    EXPECT_EQ(Inspect(&served.wire(), "", 1, 0, "").status, TERCET_INVALID_ARGUMENT);
    EXPECT_EQ(Inspect(&served.wire(), "", 0, 1001, "").status, TERCET_INVALID_ARGUMENT);
    EXPECT_EQ(Inspect(&served.wire(), "g", 1, 0, "", "points").status, TERCET_FAILED_PRECONDITION);
}

} // namespace
