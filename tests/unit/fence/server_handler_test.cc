// What a handler may do to its connection on any server: end the transaction, fail in it, lose it.
#include "server_backend.h"

namespace fence_test
{
namespace
{

using ServerHandlers = ServerTest;

class ServerMisdeeds : public ServerTest, public testing::WithParamInterface<Misdeed>
{
};

TEST_P(ServerMisdeeds, HandlerThatEndsTheTransactionIsFoundOut)
{
    Harness harness(Facts().kind, directory.path());
    const auto answers = RunBeside(harness, [&] {
        for (const char *sql : GetParam().sql) {
            Execute(harness.request, sql);
        }
    });
    EXPECT_EQ(answers[1].verdict, TERCET_VERDICT_LATER);
    EXPECT_STREQ(answers[1].code, TERCET_CODE_HANDLER_FAILED);
    EXPECT_EQ(answers[1].log, TERCET_LOG_ERROR);
    EXPECT_EQ(harness.Effects("b", 1, TERCET_PHASE_TRY), GetParam().kept ? 1 : 0);
    EXPECT_EQ(harness.State("b"), GetParam().kept ? TERCET_FENCE_TRIED : TERCET_FENCE_NONE);
    EXPECT_EQ(harness.Run(Try("b", 2)).how, GetParam().kept ? TERCET_HOW_REPEATED : TERCET_HOW_RAN);
    EXPECT_EQ(harness.Effects("b", 1, TERCET_PHASE_TRY), 1);
}

INSTANTIATE_TEST_SUITE_P(Sql, ServerMisdeeds, testing::ValuesIn(Facts().misdeeds),
                         [](const auto &misdeed) { return misdeed.param.name; });

TEST_F(ServerHandlers, ConfirmThatCommitsByItselfIsFoundOutToo)
{
    Harness harness(Facts().kind, directory.path());
    ASSERT_EQ(harness.Run(Try("b", 2)).how, TERCET_HOW_RAN);
    harness.handler = [&](const group_request &request, tercet_bytes, group_answer &) {
        const tercet_verdict verdict = harness.LeaveEffect(request);
        Execute(harness.request, "COMMIT");
        return verdict;
    };
    const group_answer answer = harness.Run(Confirm("b", 2));
    EXPECT_STREQ(answer.code, TERCET_CODE_HANDLER_FAILED);
    EXPECT_EQ(answer.log, TERCET_LOG_ERROR);
    EXPECT_EQ(harness.Effects("b", 1, TERCET_PHASE_CONFIRM), 1) << "it was run once";
    EXPECT_EQ(harness.State("b"), TERCET_FENCE_TRIED);
}

TEST_F(ServerHandlers, SavepointsOfItsOwnAreHarmlessWhetherItEndsThemOrNot)
{
    Harness harness(Facts().kind, directory.path());
    const auto answers = RunBeside(harness, [&] {
        for (const char *sql : {"SAVEPOINT mine", "INSERT INTO effect VALUES ('no', 1)",
                                "INSERT INTO effect VALUES ('no', 1)", "ROLLBACK TO SAVEPOINT mine",
                                "SAVEPOINT other"}) {
            Execute(harness.request, sql);
        }
    });
    EXPECT_EQ(answers[1].how, TERCET_HOW_RAN);
    EXPECT_EQ(harness.Effects("b", 1, TERCET_PHASE_TRY), 1);
    EXPECT_EQ(
        AskServer("SELECT n FROM " + TablesOf(directory.path()) + ".effect WHERE name = 'no'"), "");
}

TEST_F(ServerHandlers, RollbackToOurSavepointIsFoundOutBehindARefusalToo)
{
    Harness harness(Facts().kind, directory.path());
    ASSERT_EQ(harness.Run(Cancel("warm", 50)).how, TERCET_HOW_EMPTY);
    harness.handler = [&](const group_request &request, tercet_bytes, group_answer &) {
        const tercet_verdict verdict = harness.LeaveEffect(request);
        if (request.number.number % 2 == 0) {
            return TERCET_VERDICT_REFUSED;
        }
        if (request.number.number == 5) {
            Execute(harness.request, "ROLLBACK TO SAVEPOINT tercet_branch");
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

TEST_F(ServerHandlers, FailureIsToldWithTheServersWordsAndTakesBackOnlyItsOwn)
{
    Harness harness(Facts().kind, directory.path());
    harness.handler = [&](const group_request &request, tercet_bytes, group_answer &) {
        const tercet_verdict verdict = harness.LeaveEffect(request);
        return request.number.number == 2 ? FailBy(&harness.request, "SELECT 1 FROM nowhere")
                                          : verdict;
    };
    const auto answers = harness.Run({Try("a", 1), Try("b", 2), Try("c", 3)});
    EXPECT_EQ(answers[1].verdict, TERCET_VERDICT_LATER);
    EXPECT_STREQ(answers[1].code, TERCET_CODE_HANDLER_FAILED);
    for (const char *words : {"nowhere", Facts().unknown_table}) {
        EXPECT_NE(std::string(answers[1].text).find(words), std::string::npos) << answers[1].text;
    }
    for (const char *gid : {"a", "c"}) {
        EXPECT_EQ(harness.Effects(gid, 1, TERCET_PHASE_TRY), 1);
        EXPECT_EQ(harness.State(gid), TERCET_FENCE_TRIED);
    }
    EXPECT_EQ(harness.Effects("b", 1, TERCET_PHASE_TRY), 0);
    EXPECT_EQ(harness.State("b"), TERCET_FENCE_NONE);
    EXPECT_EQ(harness.group.transactions, 1u) << "in one transaction";
}

TEST_F(ServerHandlers, AccessorsOfAnotherStoresRequestGiveNothing)
{
    Harness other(Facts().kind, directory.path()), harness(Facts().kind, directory.path());
    harness.handler = [&](const group_request &, tercet_bytes, group_answer &answer) {
        EXPECT_FALSE(HasConnection(other.request));
        EXPECT_EQ(FailBy(&other.request, ""), TERCET_VERDICT_UNSPECIFIED);
        EXPECT_NE(std::string(answer.text).find("not registered"), std::string::npos);
        EXPECT_TRUE(HasConnection(harness.request));
        return TERCET_VERDICT_DONE;
    };
    EXPECT_EQ(harness.Run(Try("g", 1)).verdict, TERCET_VERDICT_DONE);
}

TEST_F(ServerHandlers, ConnectionThatIsLostUnderAHandlerIsMadeAnewAndTheBranchRunAgain)
{
    Harness harness(Facts().kind, directory.path());
    int deeds = 0;
    const auto answers = RunBeside(harness, [&] {
        if (deeds++ == 0) {
            EndSession(harness.connection);
        }
    });
    EXPECT_EQ(answers[1].how, TERCET_HOW_RAN);
    EXPECT_EQ(harness.Effects("b", 1, TERCET_PHASE_TRY), 1);
    EXPECT_EQ(deeds, 2);
}

// Whoever waited in vain may have taken back the statement and nothing else: the store takes back the rest.
TEST_F(ServerHandlers, LockThatIsNotGivenIsAskedForAgainAndThenPutOff)
{
    Harness harness(Facts().kind, directory.path(), Facts().lock_timeout_ms);
    const std::string effect = TablesOf(directory.path()) + ".effect";
    ASSERT_EQ(harness.Run(Cancel("warm", 50)).how, TERCET_HOW_EMPTY);
    AskServer("INSERT INTO " + effect + " VALUES ('effect/b/1/1', 5)");
    AskServer("BEGIN");
    AskServer("UPDATE " + effect + " SET n = 0 WHERE name = 'effect/b/1/1'");
    const group_answer answer = harness.Run(Try("b", 2));
    EXPECT_EQ(answer.verdict, TERCET_VERDICT_LATER);
    EXPECT_STREQ(answer.code, TERCET_CODE_STORE_UNAVAILABLE);
    EXPECT_NE(std::string(answer.text).find(Facts().lock_timeout), std::string::npos)
        << answer.text;
    EXPECT_EQ(harness.pauses, (std::vector<unsigned>{2, 3, 4, 5}));
    AskServer("COMMIT");
    EXPECT_EQ(harness.State("b"), TERCET_FENCE_NONE);
    EXPECT_EQ(harness.Run(Try("b", 2)).how, TERCET_HOW_RAN);
}

} // namespace
} // namespace fence_test
