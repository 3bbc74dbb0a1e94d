// What a handler may do to its connection: end the transaction, fail in it, leave things lying about.
#include <functional>

#include "postgres_backend.h"
#include "store_fixture.h"
#include "support/postgres_server.h"

namespace fence_test
{
namespace
{

// Carries out `sql` as a handler would; what comes of it is the test's to see.
void Execute(const Harness &harness, const std::string &sql)
{
    PQclear(PQexec(tercet_postgres_connection(&harness.request), sql.c_str()));
}

class PostgresHandlers : public testing::Test
{
  protected:
    void SetUp() override
    {
        if (PostgresServer::Binaries().empty()) {
            GTEST_SKIP() << "PostgreSQL's server is not installed";
        }
    }

    // Three branches in one transaction, the second of which does this beside its effect.
    std::vector<group_answer> RunBeside(Harness &harness, const std::function<void()> &deed)
    {
        EXPECT_EQ(harness.Run(Cancel("warm", 50)).how, TERCET_HOW_EMPTY);
        harness.handler = [&harness, deed](const group_request &request, tercet_bytes,
                                           group_answer &) {
            const tercet_verdict verdict = harness.LeaveEffect(request);
            if (request.number.number == 2) {
                deed();
            }
            return verdict;
        };
        const auto answers = harness.Run({Try("a", 1), Try("b", 2), Try("c", 3)});
        harness.handler = nullptr;
        EXPECT_EQ(answers[0].verdict, TERCET_VERDICT_DONE);
        EXPECT_EQ(answers[2].verdict, TERCET_VERDICT_DONE);
        EXPECT_EQ(harness.Effects("a", 1, TERCET_PHASE_TRY), 1);
        EXPECT_EQ(harness.Effects("c", 1, TERCET_PHASE_TRY), 1);
        return answers;
    }

    TemporaryDirectory directory;
};

struct Misdeed {
    const char *name;
    const char *sql;
    bool kept; // what it did before was committed, row and all
};

class PostgresMisdeeds : public PostgresHandlers, public testing::WithParamInterface<Misdeed>
{
};

TEST_P(PostgresMisdeeds, HandlerThatEndsTheTransactionIsFoundOut)
{
    Harness harness("postgres", directory.path());
    const auto answers = RunBeside(harness, [&] { Execute(harness, GetParam().sql); });
    EXPECT_EQ(answers[1].verdict, TERCET_VERDICT_LATER);
    EXPECT_STREQ(answers[1].code, TERCET_CODE_HANDLER_FAILED);
    EXPECT_EQ(answers[1].log, TERCET_LOG_ERROR);
    EXPECT_EQ(harness.Effects("b", 1, TERCET_PHASE_TRY), GetParam().kept ? 1 : 0);
    EXPECT_EQ(harness.State("b"), GetParam().kept ? TERCET_FENCE_TRIED : TERCET_FENCE_NONE);
    EXPECT_EQ(harness.Run(Try("b", 2)).how, GetParam().kept ? TERCET_HOW_REPEATED : TERCET_HOW_RAN);
    EXPECT_EQ(harness.Effects("b", 1, TERCET_PHASE_TRY), 1);
}

INSTANTIATE_TEST_SUITE_P(
    Sql, PostgresMisdeeds,
    testing::Values(Misdeed{"commit", "COMMIT", true}, Misdeed{"rollback", "ROLLBACK", false},
                    Misdeed{"commit_begin", "COMMIT; BEGIN", true},
                    Misdeed{"commit_and_chain", "COMMIT AND CHAIN", true},
                    Misdeed{"rollback_and_chain", "ROLLBACK AND CHAIN", false},
                    Misdeed{"rollback_begin", "ROLLBACK; BEGIN", false},
                    Misdeed{"rollback_begin_savepoint", "ROLLBACK; BEGIN; SAVEPOINT tercet_branch",
                            false},
                    Misdeed{"rollback_to_ours", "ROLLBACK TO tercet_branch", false},
                    Misdeed{"our_sign", "SET LOCAL application_name = 'mine'", false}),
    [](const auto &misdeed) { return misdeed.param.name; });

TEST_F(PostgresHandlers, SavepointsOfItsOwnAreHarmlessWhetherItEndsThemOrNot)
{
    Harness harness("postgres", directory.path());
    const auto answers = RunBeside(harness, [&] {
        Execute(harness, "SAVEPOINT mine; INSERT INTO effect VALUES ('no', 1)");
        Execute(harness, "INSERT INTO effect VALUES ('no', 1)");
        Execute(harness, "ROLLBACK TO mine; SAVEPOINT other");
    });
    EXPECT_EQ(answers[1].how, TERCET_HOW_RAN);
    EXPECT_EQ(harness.Effects("b", 1, TERCET_PHASE_TRY), 1);
    EXPECT_EQ(
        AskServer("SELECT n FROM " + TablesOf(directory.path()) + ".effect WHERE name = 'no'"), "");
}

// The sign that a savepoint is given differs from what is there, also where one was taken back before.
TEST_F(PostgresHandlers, RollbackToOurSavepointIsFoundOutBehindARefusalToo)
{
    Harness harness("postgres", directory.path());
    ASSERT_EQ(harness.Run(Cancel("warm", 50)).how, TERCET_HOW_EMPTY);
    harness.handler = [&](const group_request &request, tercet_bytes, group_answer &) {
        const tercet_verdict verdict = harness.LeaveEffect(request);
        if (request.number.number % 2 == 0) {
            return TERCET_VERDICT_REFUSED;
        }
        if (request.number.number == 5) {
            Execute(harness, "ROLLBACK TO tercet_branch");
        }
        return verdict;
    };
    const auto answers =
        harness.Run({Try("a", 1), Try("b", 2), Try("c", 4), Try("d", 5), Try("e", 7)});
    EXPECT_EQ(answers[0].verdict, TERCET_VERDICT_DONE);
    EXPECT_EQ(answers[1].verdict, TERCET_VERDICT_REFUSED);
    EXPECT_EQ(answers[2].verdict, TERCET_VERDICT_REFUSED);
    EXPECT_STREQ(answers[3].code, TERCET_CODE_HANDLER_FAILED);
    EXPECT_EQ(answers[4].verdict, TERCET_VERDICT_DONE);
    EXPECT_EQ(harness.State("d"), TERCET_FENCE_NONE);
}

TEST_F(PostgresHandlers, DoneAfterAFailedStatementIsNotBelieved)
{
    Harness harness("postgres", directory.path());
    const auto answers = RunBeside(harness, [&] { Execute(harness, "SELECT 1 / 0"); });
    EXPECT_EQ(answers[1].verdict, TERCET_VERDICT_LATER);
    EXPECT_NE(std::string(answers[1].text).find("22012"), std::string::npos) << answers[1].text;
    EXPECT_EQ(harness.Effects("b", 1, TERCET_PHASE_TRY), 0);
    EXPECT_EQ(harness.State("b"), TERCET_FENCE_NONE);
}

TEST_F(PostgresHandlers, FailureIsToldWithTheServersWordsAndTakesBackOnlyItsOwn)
{
    Harness harness("postgres", directory.path());
    harness.handler = [&](const group_request &request, tercet_bytes, group_answer &) {
        const tercet_verdict verdict = harness.LeaveEffect(request);
        if (request.number.number != 2) {
            return verdict;
        }
        PGconn *link = tercet_postgres_connection(&harness.request);
        PGresult *result = PQexec(link, "SELECT nothing FROM nowhere");
        const tercet_verdict failed = tercet_postgres_failed(&harness.request, result);
        PQclear(result);
        return failed;
    };
    const auto answers = harness.Run({Try("a", 1), Try("b", 2), Try("c", 3)});
    EXPECT_EQ(answers[1].verdict, TERCET_VERDICT_LATER);
    EXPECT_STREQ(answers[1].code, TERCET_CODE_HANDLER_FAILED);
    EXPECT_NE(std::string(answers[1].text).find("nowhere"), std::string::npos) << answers[1].text;
    EXPECT_NE(std::string(answers[1].text).find("42P01"), std::string::npos) << answers[1].text;
    for (const char *gid : {"a", "c"}) {
        EXPECT_EQ(harness.Effects(gid, 1, TERCET_PHASE_TRY), 1);
        EXPECT_EQ(harness.State(gid), TERCET_FENCE_TRIED);
    }
    EXPECT_EQ(harness.Effects("b", 1, TERCET_PHASE_TRY), 0);
    EXPECT_EQ(harness.group.transactions, 1u) << "in one transaction";
}

TEST_F(PostgresHandlers, AccessorsOfAnotherStoresRequestGiveNothing)
{
    Harness other("postgres", directory.path());
    Harness harness("postgres", directory.path());
    harness.handler = [&](const group_request &, tercet_bytes, group_answer &answer) {
        EXPECT_EQ(tercet_postgres_connection(&other.request), nullptr);
        EXPECT_EQ(tercet_postgres_failed(&other.request, nullptr), TERCET_VERDICT_UNSPECIFIED);
        EXPECT_NE(std::string(answer.text).find("not registered"), std::string::npos);
        EXPECT_NE(tercet_postgres_connection(&harness.request), nullptr);
        return TERCET_VERDICT_DONE;
    };
    EXPECT_EQ(harness.Run(Try("g", 1)).verdict, TERCET_VERDICT_DONE);
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
            Execute(harness, "DEALLOCATE ALL");
        }
    });
    EXPECT_EQ(answers[1].how, TERCET_HOW_RAN);
    EXPECT_EQ(harness.Effects("b", 1, TERCET_PHASE_TRY), 1);
}

TEST_F(PostgresHandlers, ConnectionThatIsLostUnderAHandlerIsMadeAnewAndTheBranchRunAgain)
{
    Harness harness("postgres", directory.path());
    int deeds = 0;
    const auto answers = RunBeside(harness, [&] {
        if (deeds++ == 0) {
            Execute(harness, "SELECT pg_terminate_backend(pg_backend_pid())");
        }
    });
    EXPECT_EQ(answers[1].how, TERCET_HOW_RAN);
    EXPECT_EQ(harness.Effects("b", 1, TERCET_PHASE_TRY), 1);
    EXPECT_EQ(deeds, 2);
}

TEST_F(PostgresHandlers, DeferredForeignKeyFailsTheBranchThatBreaksItAlone)
{
    Harness harness("postgres", directory.path());
    const std::string schema = TablesOf(directory.path());
    AskServer("CREATE TABLE " + schema + ".parent (id int PRIMARY KEY); CREATE TABLE " + schema +
              ".child (p int REFERENCES " + schema + ".parent DEFERRABLE INITIALLY DEFERRED)");
    const auto answers =
        RunBeside(harness, [&] { Execute(harness, "INSERT INTO child VALUES (7)"); });
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
            Execute(harness, "DELETE FROM tercet_fence");
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

TEST_F(PostgresHandlers, LockThatIsNotGivenIsAskedForAgainAndThenPutOff)
{
    Harness harness("postgres", directory.path(), 30);
    const std::string effect = TablesOf(directory.path()) + ".effect";
    AskServer("INSERT INTO " + effect + " VALUES ('effect/b/1/1', 5)");
    AskServer("BEGIN");
    AskServer("UPDATE " + effect + " SET n = 0");
    const group_answer answer = harness.Run(Try("b", 2));
    EXPECT_EQ(answer.verdict, TERCET_VERDICT_LATER);
    EXPECT_STREQ(answer.code, TERCET_CODE_STORE_UNAVAILABLE);
    EXPECT_NE(std::string(answer.text).find("55P03"), std::string::npos) << answer.text;
    EXPECT_EQ(harness.pauses, (std::vector<unsigned>{2, 3, 4, 5}));
    AskServer("COMMIT");
    EXPECT_EQ(harness.Run(Try("b", 2)).how, TERCET_HOW_RAN);
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

} // namespace
} // namespace fence_test
