// Connections that are cut, servers that end, databases that are put back.
#include "postgres_backend.h"
#include "store_fixture.h"
#include "support/cutting_relay.h"
#include "support/postgres_server.h"

namespace fence_test
{
namespace
{

class PostgresLost : public testing::Test
{
  protected:
    void SetUp() override
    {
        if (PostgresServer::Binaries().empty()) {
            GTEST_SKIP() << "PostgreSQL's server is not installed";
        }
    }

    TemporaryDirectory directory;
};

// A store behind a relay, driven by a harness's group.
class Relayed
{
  public:
    explicit Relayed(const std::string &directory)
        : harness("postgres", directory),
          relay(PostgresServer::Shared().directory() + "/.s.PGSQL." +
                    std::to_string(PostgresServer::kPort),
                CuttingRelay::PostgresEnded)
    {
        const std::string conninfo = ConninfoOf(directory, "host=" + relay.directory() + " port=" +
                                                               std::to_string(CuttingRelay::kPort) +
                                                               " user=tercet dbname=postgres");
        tercet_postgres_options options = {};
        options.size = sizeof options;
        options.conninfo = conninfo.c_str();
        EXPECT_EQ(tercet_postgres_open(&options, &store_, &harness.error), TERCET_OK)
            << harness.error.text;
        harness.group.self = store_->self;
    }

    ~Relayed()
    {
        group_disconnect(&harness.group);
        tercet_store_close(store_);
    }

    Harness harness;
    CuttingRelay relay;

  private:
    tercet_store *store_ = nullptr;
};

TEST_F(PostgresLost, ABranchTakesTwoRoundTripsBesideItsHandlersOwn)
{
    Relayed relayed(directory.path());
    Harness &harness = relayed.harness;
    harness.handler = [](const group_request &, tercet_bytes, group_answer &answer) {
        answer.result_bytes = 3;
        return TERCET_VERDICT_DONE;
    };
    ASSERT_EQ(harness.Run(Try("warm", 1)).how, TERCET_HOW_RAN);
    int before = relayed.relay.Sent();
    for (Ask ask : {Try("g", 2), Confirm("g", 2), Try("h", 3), Cancel("h", 3), Cancel("none", 4)}) {
        ASSERT_EQ(harness.Run(ask).verdict, TERCET_VERDICT_DONE);
        EXPECT_EQ(relayed.relay.Sent() - before, 2) << ask.gid << " " << ask.phase;
        before = relayed.relay.Sent();
    }
    std::vector<Ask> many;
    for (int i = 0; i < 10; i++) {
        many.push_back(Try("many-" + std::to_string(i), 10 + i));
    }
    for (const auto &answer : harness.Run(many)) {
        EXPECT_EQ(answer.how, TERCET_HOW_RAN);
    }
    EXPECT_EQ(relayed.relay.Sent() - before, 11) << "ten that share a transaction";
}

class PostgresLostCommit : public PostgresLost,
                           public testing::WithParamInterface<std::tuple<int, int>>
{
};

TEST_P(PostgresLostCommit, AnswerComesFromTheRowsWhenACommitsOutcomeIsLost)
{
    const auto phase = static_cast<tercet_phase>(std::get<0>(GetParam()));
    const auto moment = static_cast<CuttingRelay::Moment>(std::get<1>(GetParam()));
    Relayed relayed(directory.path());
    Harness &harness = relayed.harness;
    std::vector<Ask> asks = {Try("a", 1), Try("b", 2)};
    ASSERT_EQ(harness.Run(Try("warm", 3)).how, TERCET_HOW_RAN); // the connection is made
    if (phase != TERCET_PHASE_TRY) {
        ASSERT_EQ(harness.Run(asks)[1].how, TERCET_HOW_RAN);
    }
    for (Ask &ask : asks) {
        ask.phase = phase;
    }
    relayed.relay.CutAt("tercet_commit", moment);
    const auto answers = harness.Run(asks);
    EXPECT_EQ(relayed.relay.Cuts(), 1);
    if (moment != CuttingRelay::kBehind) {
        EXPECT_EQ(harness.Effects("a", 1, phase), moment == CuttingRelay::kAfter ? 1 : 0);
    }
    for (size_t i = 0; i < asks.size(); i++) {
        // Behind the cut the server may still be at it: then LATER is right, and no lie.
        if (answers[i].verdict == TERCET_VERDICT_DONE) {
            EXPECT_EQ(harness.Effects(asks[i].gid, 1, phase), 1) << "both or neither";
            EXPECT_EQ(answers[i].how, TERCET_HOW_REPEATED);
        } else {
            EXPECT_EQ(answers[i].verdict, TERCET_VERDICT_LATER);
            EXPECT_NE(moment, CuttingRelay::kAfter);
        }
        EXPECT_EQ(harness.Run(asks[i]).verdict, TERCET_VERDICT_DONE);
        EXPECT_EQ(harness.Effects(asks[i].gid, 1, phase), 1);
    }
}

INSTANTIATE_TEST_SUITE_P(Moments, PostgresLostCommit,
                         testing::Combine(testing::Range(1, 4),
                                          testing::Values(int{CuttingRelay::kBefore},
                                                          int{CuttingRelay::kBehind},
                                                          int{CuttingRelay::kAfter})));

TEST_F(PostgresLost, AConnectionThatIsCutInAClaimIsMadeAnewAndTheBranchIsRunAgain)
{
    Relayed relayed(directory.path());
    Harness &harness = relayed.harness;
    ASSERT_EQ(harness.Run(Try("warm", 1)).how, TERCET_HOW_RAN);
    int64_t number = 2;
    for (const auto moment : {CuttingRelay::kBefore, CuttingRelay::kBehind, CuttingRelay::kAfter}) {
        const std::string gid = "g-" + std::to_string(number);
        relayed.relay.CutAt("tercet_row_insert", moment);
        EXPECT_EQ(harness.Run(Try(gid, number++)).how, TERCET_HOW_RAN);
        EXPECT_EQ(harness.Effects(gid, 1, TERCET_PHASE_TRY), 1);
    }
    EXPECT_EQ(relayed.relay.Cuts(), 3);
    for (const auto moment : {CuttingRelay::kBefore, CuttingRelay::kAfter}) {
        relayed.relay.CutAt("tercet_sweep", moment);
        EXPECT_EQ(harness.Apply(number, {10, 1}), TERCET_OK) << harness.error.text;
        relayed.relay.CutAt("tercet_begin_sweep", moment);
        EXPECT_EQ(harness.Apply(++number, {10, 2}), TERCET_OK) << harness.error.text;
        relayed.relay.CutAt("tercet_commit", moment);
        EXPECT_EQ(harness.Apply(++number, {10, 2}), TERCET_OK) << harness.error.text;
        EXPECT_EQ(harness.Describe().mark.as_of_lsn, number);
    }
    tercet_fence_caller caller = {};
    tercet_store_description description = {};
    caller.participant = "account";
    caller.epoch = {10, 1};
    relayed.relay.CutAt("tercet_describe", CuttingRelay::kBefore);
    EXPECT_EQ(group_describe(&harness.group, &caller, &description, &harness.error),
              TERCET_UNAVAILABLE);
    EXPECT_EQ(group_describe(&harness.group, &caller, &description, &harness.error), TERCET_OK);
}

TEST_F(PostgresLost, AConnectionThatIsCutWhileItIsMadeIsUnavailable)
{
    Relayed relayed(directory.path());
    Harness &harness = relayed.harness;
    for (const char *words : {"fsync", "quote_ident", "SELECT version", "tercet_kept"}) {
        group_disconnect(&harness.group);
        relayed.relay.CutAt(words, CuttingRelay::kBefore);
        const group_answer answer = harness.Run(Try("g", 1));
        EXPECT_STREQ(answer.code, TERCET_CODE_STORE_UNAVAILABLE) << words;
    }
    EXPECT_EQ(relayed.relay.Cuts(), 4);
    EXPECT_EQ(harness.Run(Try("g", 1)).how, TERCET_HOW_RAN);
}

TEST_F(PostgresLost, AServerThatEndsAndComesBackCostsNoBranchTwice)
{
    PostgresServer &server = PostgresServer::Shared();
    Harness harness("postgres", directory.path());
    ASSERT_EQ(harness.Run(Try("before", 1)).how, TERCET_HOW_RAN);
    server.Stop();
    server.Start();
    EXPECT_EQ(harness.Run(Try("after", 2)).how, TERCET_HOW_RAN) << "by a connection made anew";
    harness.handler = [&](const group_request &request, tercet_bytes, group_answer &) {
        const tercet_verdict verdict = harness.LeaveEffect(request);
        server.Kill();
        return verdict;
    };
    EXPECT_STREQ(harness.Run(Try("under", 3)).code, TERCET_CODE_STORE_UNAVAILABLE);
    EXPECT_STREQ(harness.Run(Try("under", 3)).code, TERCET_CODE_STORE_UNAVAILABLE);
    EXPECT_EQ(harness.Apply(5, {10, 1}), TERCET_UNAVAILABLE);
    server.Start();
    harness.handler = nullptr;
    EXPECT_EQ(harness.State("before"), TERCET_FENCE_TRIED);
    EXPECT_EQ(harness.State("under"), TERCET_FENCE_NONE);
    EXPECT_EQ(harness.Run(Try("under", 3)).how, TERCET_HOW_RAN);
    EXPECT_EQ(harness.Effects("under", 1, TERCET_PHASE_TRY), 1);
}

TEST_F(PostgresLost, ADatabaseThatWasPutBackShowsByItsMarkAndItsId)
{
    PostgresServer &server = PostgresServer::Shared();
    Harness harness("postgres", directory.path());
    ASSERT_EQ(harness.Run(Try("before", 1)).how, TERCET_HOW_RAN);
    ASSERT_EQ(harness.Apply(5, {10, 1}), TERCET_OK);
    server.Stop();
    server.Keep();
    server.Start();
    ASSERT_EQ(harness.Run(Try("lost", 2)).how, TERCET_HOW_RAN);
    ASSERT_EQ(harness.Apply(9, {10, 2}), TERCET_OK);
    const auto newest = harness.Describe();
    EXPECT_EQ(newest.mark.as_of_lsn, 9);
    server.Stop();
    server.PutBack();
    server.Start();
    group_disconnect(&harness.group);
    const auto older = harness.Describe();
    EXPECT_EQ(older.mark.as_of_lsn, 5);
    EXPECT_EQ(older.highest.number, 1);
    EXPECT_EQ(memcmp(older.store_id, newest.store_id, sizeof newest.store_id), 0);
}

TEST_F(PostgresLost, AServerInRecoveryIsNoPlaceForAParticipant)
{
    PostgresServer &server = PostgresServer::Shared();
    Harness harness("postgres", directory.path());
    ASSERT_EQ(harness.Run(Try("before", 1)).how, TERCET_HOW_RAN);
    server.Stop();
    server.BeStandby(true);
    server.Start();
    EXPECT_STREQ(harness.Run(Try("g", 2)).code, TERCET_CODE_STORE_UNAVAILABLE);
    const std::string conninfo = ConninfoOf(directory.path());
    tercet_postgres_options options = {};
    options.size = sizeof options;
    options.conninfo = conninfo.c_str();
    tercet_store *store = nullptr;
    tercet_error error = {};
    EXPECT_EQ(tercet_postgres_open(&options, &store, &error), TERCET_UNAVAILABLE);
    EXPECT_NE(std::string(error.text).find("in recovery"), std::string::npos) << error.text;
    server.Stop();
    server.BeStandby(false);
    server.Start();
    EXPECT_EQ(harness.Run(Try("g", 2)).how, TERCET_HOW_RAN);
}

} // namespace
} // namespace fence_test
