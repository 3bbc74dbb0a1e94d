// The slots one by one, where a group would not come: a lost connection in each of them, tables that
// somebody has spoilt.
#include "fence/sql_connection.h"
#include "server_slots.h"

namespace fence_test
{
namespace
{

TEST_F(ServerSlots, EverySlotOfALostConnectionIsUnavailable)
{
    ASSERT_EQ(BeginAndClaim(), TERCET_OK);
    EndSession(connection);
    EXPECT_EQ(ops->check(connection, &error), TERCET_UNAVAILABLE);
    EXPECT_EQ(ops->commit(connection, &error), TERCET_UNAVAILABLE) << "and not UNKNOWN";
    EXPECT_EQ(ops->savepoint(connection, &error), TERCET_UNAVAILABLE);
    EXPECT_EQ(ops->rewind(connection, &error), TERCET_UNAVAILABLE);
    EXPECT_EQ(ops->claim(connection, &key, &wanted, &claim, &error), TERCET_UNAVAILABLE);
    EXPECT_EQ(ops->raise_epoch(connection, &caller, &error), TERCET_UNAVAILABLE);
    wanted.result_bytes = 1;
    EXPECT_EQ(ops->write(connection, &key, &wanted, &error), TERCET_UNAVAILABLE);
    EXPECT_EQ(ops->find(connection, &key, &wanted, &error), TERCET_UNAVAILABLE);
    tercet_store_description description = {};
    EXPECT_EQ(ops->describe(connection, "account", caller.origin, &description, nullptr),
              TERCET_UNAVAILABLE);
    tercet_fence_range range = {};
    range.participant = "account";
    range.row_count_max = 1;
    EXPECT_EQ(ops->list(connection, &range, nullptr, nullptr, &error), TERCET_UNAVAILABLE);
    tercet_mark mark = {};
    tercet_sweep sweep = {};
    EXPECT_EQ(ops->apply_mark(connection, &caller, &mark, &sweep, &error), TERCET_UNAVAILABLE);
    ops->rollback(connection);
    EXPECT_EQ(ops->begin(connection, &error), TERCET_UNAVAILABLE);
    EXPECT_EQ(error.status, TERCET_UNAVAILABLE);
    EXPECT_EQ(harness->group.connection, connection);
    EXPECT_EQ(harness->Run(Try("h", 2)).how, TERCET_HOW_RAN) << "by a new one";
}

TEST_F(ServerSlots, WriteThatFailsIsNotLaidAtTheNextBranchsDoor)
{
    ASSERT_EQ(BeginAndClaim(), TERCET_OK) << error.text;
    ASSERT_EQ(ops->check(connection, &error), TERCET_OK) << error.text;
    tercet_fence_row row = wanted;
    row.state = static_cast<tercet_fence_state>(300); // more than the column holds
    EXPECT_EQ(ops->write(connection, &key, &row, &error), TERCET_OK) << "it waits";
    ASSERT_EQ(ops->savepoint(connection, &error), TERCET_OK);
    key.branch = 2;
    EXPECT_EQ(ops->claim(connection, &key, &wanted, &claim, &error), TERCET_ABORTED);
    EXPECT_EQ(error.status, TERCET_ABORTED);
    ops->rollback(connection);
    EXPECT_EQ(harness->State("h"), TERCET_FENCE_NONE);
    EXPECT_FALSE(static_cast<sql_connection *>(connection)->suspect);
}

TEST_F(ServerSlots, WhatCannotBeReadIsToldNobody)
{
    const std::string tables = TablesOf(directory.path());
    AskServer("UPDATE " + tables + ".tercet_fence SET digest = ''");
    tercet_fence_range range = {};
    range.participant = "account";
    memset(range.origin, 1, sizeof range.origin);
    range.row_count_max = 10;
    const auto told = [](const tercet_fence_key *, const tercet_fence_row *, void *) {
        ADD_FAILURE() << "told of it";
        return true;
    };
    EXPECT_EQ(ops->list(connection, &range, told, nullptr, &error), TERCET_DATA_LOSS);
    EXPECT_EQ(harness->Apply(5, {10, 9}), TERCET_DATA_LOSS);
    AskServer("UPDATE " + tables + ".tercet_scope SET open = 'x'");
    tercet_store_description description = {};
    EXPECT_EQ(ops->describe(connection, "account", caller.origin, &description, &error),
              TERCET_DATA_LOSS);
    AskServer("DELETE FROM " + tables + ".tercet_schema");
    EXPECT_EQ(ops->describe(connection, "account", caller.origin, &description, &error),
              TERCET_DATA_LOSS);
}

// What is stored can be spoilt only by somebody who writes into the tables.
TEST_F(ServerSlots, WhatCannotBeReadIsDataLossAndNeverNoRow)
{
    const std::string tables = TablesOf(directory.path());
    int64_t number = 10;
    for (std::string sql : Facts().spoilers) {
        for (size_t at = sql.find('@'); at != std::string::npos; at = sql.find('@')) {
            sql.replace(at, 1, tables + ".");
        }
        SCOPED_TRACE(sql);
        AskServer("DELETE FROM " + tables + ".tercet_fence");
        ASSERT_EQ(harness->Run(Try("h", number)).verdict, TERCET_VERDICT_DONE);
        AskServer(sql);
        const group_answer answer = harness->Run(Confirm("h", number++));
        EXPECT_EQ(answer.verdict, TERCET_VERDICT_LATER);
        EXPECT_EQ(answer.log, TERCET_LOG_ERROR);
        EXPECT_NE(std::string(answer.text).find("h/1 cannot be read"), std::string::npos)
            << answer.text;
        EXPECT_EQ(harness->Effects("h", 1, TERCET_PHASE_CONFIRM), 0);
    }
    AskServer("UPDATE " + tables + ".tercet_scope SET open = 'x'");
    EXPECT_EQ(harness->Run(Try("i", 50)).verdict, TERCET_VERDICT_LATER);
    EXPECT_EQ(harness->Apply(5, {10, 9}), TERCET_DATA_LOSS);
}

} // namespace
} // namespace fence_test
