// What a handler may do to its connection on PostgreSQL alone, and transactions that have failed there.
#include <functional>

#include "fence/postgres_connection.h"
#include "postgres_backend.h"
#include "server_slots.h"

namespace fence_test
{
namespace
{

using PostgresHandlers = ServerTest;

TEST_F(PostgresHandlers, DoneAfterAFailedStatementIsNotBelieved)
{
    Harness harness("postgres", directory.path());
    const auto answers = RunBeside(harness, [&] { Execute(harness.request, "SELECT 1 / 0"); });
    EXPECT_EQ(answers[1].verdict, TERCET_VERDICT_LATER);
    EXPECT_NE(std::string(answers[1].text).find("22012"), std::string::npos) << answers[1].text;
    EXPECT_EQ(harness.Effects("b", 1, TERCET_PHASE_TRY), 0);
    EXPECT_EQ(harness.State("b"), TERCET_FENCE_NONE);
}

TEST_F(PostgresHandlers, WhatAHandlerLeavesPendingCostsItsConnectionAndNobodyElse)
{
    const std::function<void(PGconn *)> deeds[] = {
        [](PGconn *link) { PQsendQuery(link, "SELECT 1"); },
        [](PGconn *link) { PQclear(PQexec(link, "COPY effect FROM STDIN")); },
        [](PGconn *link) { PQenterPipelineMode(link); },
    };
    for (const auto &deed : deeds) {
        TemporaryDirectory own;
        Harness harness("postgres", own.path());
        const auto answers =
            RunBeside(harness, [&] { deed(tercet_postgres_connection(&harness.request)); });
        EXPECT_EQ(answers[1].verdict, TERCET_VERDICT_LATER);
        EXPECT_NE(std::string(answers[1].text).find("the handler left"), std::string::npos)
            << answers[1].text;
        EXPECT_EQ(harness.State("b"), TERCET_FENCE_NONE);
        EXPECT_EQ(harness.Run(Try("b", 2)).how, TERCET_HOW_RAN);
    }
}

TEST_F(PostgresHandlers, ConnectionThatAHandlerMadeNonBlockingIsMadeBlockingAgain)
{
    Harness harness("postgres", directory.path());
    const auto answers = RunBeside(
        harness, [&] { PQsetnonblocking(tercet_postgres_connection(&harness.request), 1); });
    EXPECT_EQ(answers[1].how, TERCET_HOW_RAN);
}

TEST_F(PostgresHandlers, StatementsThatAHandlerForgetsAreBackWithTheNextConnection)
{
    Harness harness("postgres", directory.path());
    int deeds = 0;
    const auto answers = RunBeside(harness, [&] {
        if (deeds++ == 0) {
            Execute(harness.request, "DEALLOCATE ALL");
        }
    });
    EXPECT_EQ(answers[1].how, TERCET_HOW_RAN);
    EXPECT_EQ(harness.Effects("b", 1, TERCET_PHASE_TRY), 1);
}

TEST_F(PostgresHandlers, DeferredForeignKeyFailsTheBranchThatBreaksItAlone)
{
    Harness harness("postgres", directory.path());
    const std::string schema = TablesOf(directory.path());
    AskServer("CREATE TABLE " + schema + ".parent (id int PRIMARY KEY); CREATE TABLE " + schema +
              ".child (p int REFERENCES " + schema + ".parent DEFERRABLE INITIALLY DEFERRED)");
    const auto answers =
        RunBeside(harness, [&] { Execute(harness.request, "INSERT INTO child VALUES (7)"); });
    EXPECT_EQ(answers[1].verdict, TERCET_VERDICT_LATER);
    EXPECT_NE(std::string(answers[1].text).find("23503"), std::string::npos) << answers[1].text;
    EXPECT_EQ(harness.State("b"), TERCET_FENCE_NONE);
}

// A user's mistake, and a bad one: where the row is to be written again it is noticed before COMMIT.
TEST_F(PostgresHandlers, HandlerThatTakesItsRowAwayIsFoundOut)
{
    Harness harness("postgres", directory.path());
    ASSERT_EQ(harness.Run(Try("b", 2)).how, TERCET_HOW_RAN);
    harness.handler = [&](const group_request &request, tercet_bytes, group_answer &) {
        const tercet_verdict verdict = harness.LeaveEffect(request);
        if (request.number.number == 2) {
            Execute(harness.request, "DELETE FROM tercet_fence");
        }
        return verdict;
    };
    const auto answers = harness.Run({Try("a", 1), Confirm("b", 2), Try("c", 3)});
    EXPECT_EQ(answers[0].verdict, TERCET_VERDICT_DONE);
    EXPECT_EQ(answers[1].verdict, TERCET_VERDICT_LATER);
    EXPECT_EQ(answers[2].verdict, TERCET_VERDICT_DONE);
    EXPECT_EQ(harness.Effects("b", 1, TERCET_PHASE_CONFIRM), 0);
    EXPECT_EQ(harness.State("b"), TERCET_FENCE_TRIED);
}

TEST_F(PostgresHandlers, StatementThatTakesTooLongFailsItsBranchAlone)
{
    Harness harness("postgres", directory.path(), 40); // of statements: 80
    harness.handler = [&](const group_request &request, tercet_bytes, group_answer &) {
        PGconn *link = tercet_postgres_connection(&harness.request);
        PGresult *result =
            PQexec(link, request.number.number == 2 ? "SELECT pg_sleep(30)" : "SELECT 1");
        const bool good = PQresultStatus(result) == PGRES_TUPLES_OK;
        const tercet_verdict verdict =
            good ? harness.LeaveEffect(request) : tercet_postgres_failed(&harness.request, result);
        PQclear(result);
        return verdict;
    };
    const auto answers = harness.Run({Try("a", 1), Try("b", 2), Try("c", 3)});
    EXPECT_EQ(answers[0].how, TERCET_HOW_RAN);
    EXPECT_STREQ(answers[1].code, TERCET_CODE_HANDLER_FAILED);
    EXPECT_NE(std::string(answers[1].text).find("57014"), std::string::npos) << answers[1].text;
    EXPECT_EQ(answers[2].how, TERCET_HOW_RAN);
}

/* ---- The slots, one by one ------------------------------------------------------------------- */

class PostgresSlots : public ServerSlots
{
  protected:
    PGconn *Link() const
    {
        return static_cast<postgres_connection *>(connection)->link;
    }

    void Say(const char *sql)
    {
        PQclear(PQexec(Link(), sql));
    }
};

// COMMIT of a transaction that has failed is a ROLLBACK, and the server calls that no error.
TEST_F(PostgresSlots, CommitThatRollsBackIsNotOk)
{
    ASSERT_EQ(BeginAndClaim(), TERCET_OK) << error.text;
    EXPECT_EQ(claim.row.state, TERCET_FENCE_NONE);
    Say("SELECT 1 / 0");
    EXPECT_EQ(ops->commit(connection, &error), TERCET_ABORTED);
    EXPECT_STREQ(error.text, "PostgreSQL: a statement had failed, and COMMIT rolled back");
    EXPECT_EQ(error.status, TERCET_ABORTED);
    ops->rollback(connection);
    EXPECT_EQ(harness->State("h"), TERCET_FENCE_NONE);
    EXPECT_EQ(harness->Run(Try("h", 2)).how, TERCET_HOW_RAN);
}

TEST_F(PostgresSlots, RollbackEndsWhateverIsOpenQueuedOrFailed)
{
    ASSERT_EQ(ops->begin(connection, &error), TERCET_OK);
    ops->rollback(connection); // BEGIN was only queued
    EXPECT_EQ(PQtransactionStatus(Link()), PQTRANS_IDLE);
    ASSERT_EQ(BeginAndClaim(), TERCET_OK);
    Say("RELEASE tercet_branch");
    ASSERT_EQ(ops->rewind(connection, &error), TERCET_OK); // will fail when it is sent
    ops->rollback(connection);
    EXPECT_EQ(PQtransactionStatus(Link()), PQTRANS_IDLE);
    ops->rollback(connection); // and once more
    ASSERT_EQ(BeginAndClaim(), TERCET_OK);
    EXPECT_EQ(claim.row.state, TERCET_FENCE_NONE);
    ops->rollback(connection);
    EXPECT_FALSE(static_cast<sql_connection *>(connection)->suspect);
}

// A session that has a name of the fullest length, or one that ends as a sign does.
TEST_F(PostgresSlots, NoNameOfASessionIsTakenForASign)
{
    for (const std::string &name :
         {std::string(63, 'n'), std::string(62, 'n') + "*", std::string(62, 'n') + "+",
          std::string("*"), std::string("+")}) {
        const std::string conninfo = ConninfoOf(directory.path()) + " application_name=" + name;
        tercet_postgres_options options = {};
        options.size = sizeof options;
        options.conninfo = conninfo.c_str();
        tercet_store *store = nullptr;
        ASSERT_EQ(tercet_postgres_open(&options, &store, &error), TERCET_OK) << error.text;
        void *made = nullptr;
        ASSERT_EQ(store->ops->connect(store->self, &made, &error), TERCET_OK);
        auto *own = static_cast<postgres_connection *>(made);
        for (int64_t i = 0; i < 2; i++) {
            ASSERT_EQ(ops->begin(made, &error), TERCET_OK);
            ASSERT_EQ(ops->savepoint(made, &error), TERCET_OK);
            ASSERT_EQ(ops->claim(made, &key, &wanted, &claim, &error), TERCET_OK);
            EXPECT_EQ(ops->check(made, &error), TERCET_OK) << name << ": " << error.text;
            PQclear(PQexec(own->link, "ROLLBACK"));
            PQclear(PQexec(own->link, "BEGIN"));
            EXPECT_EQ(ops->check(made, &error), TERCET_FAILED_PRECONDITION) << name;
            ops->rollback(made);
            wanted.identity.number.number++;
        }
        ops->disconnect(made);
        tercet_store_close(store);
    }
}

} // namespace
} // namespace fence_test
