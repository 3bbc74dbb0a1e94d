// Connections to MariaDB that are cut in the middle of something.
#include "mariadb_backend.h"
#include "store_fixture.h"
#include "support/cutting_relay.h"
#include "support/mariadb_server.h"

namespace fence_test
{
namespace
{

// A store behind a relay, driven by a harness's group.
class Relayed
{
  public:
    explicit Relayed(const std::string &directory)
        : harness("mariadb", directory),
          relay(MariadbServer::Shared().Socket(), CuttingRelay::MariadbEnded)
    {
        const std::string socket = relay.Socket(), database = TablesOf(directory);
        tercet_mariadb_options options = {};
        options.size = sizeof options;
        options.unix_socket = socket.c_str();
        options.database = database.c_str();
        options.user = "root";
        EXPECT_EQ(tercet_mariadb_open(&options, &store_, &harness.error), TERCET_OK)
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

class MariadbLost : public testing::Test
{
  protected:
    void SetUp() override
    {
        if (!MariadbServer::Installed()) {
            GTEST_SKIP() << "MariaDB's server is not installed";
        }
    }

    TemporaryDirectory directory;
};

class MariadbLostCommit : public MariadbLost,
                          public testing::WithParamInterface<std::tuple<int, int>>
{
};

TEST_P(MariadbLostCommit, AnswerComesFromTheRowsWhenACommitsOutcomeIsLost)
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
    relayed.relay.CutAt(";COMMIT", moment);
    const auto answers = harness.Run(asks);
    EXPECT_EQ(relayed.relay.Cuts(), 1);
    if (moment != CuttingRelay::kBehind) {
        EXPECT_EQ(harness.Effects("a", 1, phase), moment == CuttingRelay::kAfter ? 1 : 0);
    }
    for (size_t i = 0; i < asks.size(); i++) {
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

INSTANTIATE_TEST_SUITE_P(Moments, MariadbLostCommit,
                         testing::Combine(testing::Range(1, 4),
                                          testing::Values(int{CuttingRelay::kBefore},
                                                          int{CuttingRelay::kBehind},
                                                          int{CuttingRelay::kAfter})));

TEST_F(MariadbLost, ABranchTakesThreeRoundTripsBesideItsHandlersOwn)
{
    Relayed relayed(directory.path());
    Harness &harness = relayed.harness;
    harness.handler = [](const group_request &, tercet_bytes, group_answer &answer) {
        answer.result_bytes = 3;
        return TERCET_VERDICT_DONE;
    };
    ASSERT_EQ(harness.Run(Try("warm", 1)).how, TERCET_HOW_RAN);
    int before = relayed.relay.Sent();
    for (Ask ask : {Try("g", 2), Confirm("g", 2), Try("h", 3), Cancel("h", 3)}) {
        ASSERT_EQ(harness.Run(ask).how, TERCET_HOW_RAN);
        EXPECT_EQ(relayed.relay.Sent() - before, 3) << ask.gid << " " << ask.phase;
        before = relayed.relay.Sent();
    }
    ASSERT_EQ(harness.Run(Cancel("none", 4)).how, TERCET_HOW_EMPTY);
    EXPECT_EQ(relayed.relay.Sent() - before, 2);
}

TEST_F(MariadbLost, AConnectionThatIsCutInAClaimIsMadeAnewAndTheBranchIsRunAgain)
{
    Relayed relayed(directory.path());
    Harness &harness = relayed.harness;
    ASSERT_EQ(harness.Run(Try("warm", 1)).how, TERCET_HOW_RAN);
    int64_t number = 2;
    for (const char *words : {"INSERT INTO tercet_fence", "RELEASE SAVEPOINT tercet_watch"}) {
        for (const auto moment : {CuttingRelay::kBefore, CuttingRelay::kBehind}) {
            const std::string gid = "g-" + std::to_string(number);
            relayed.relay.CutAt(words, moment);
            EXPECT_EQ(harness.Run(Try(gid, number++)).how, TERCET_HOW_RAN);
            EXPECT_EQ(harness.Effects(gid, 1, TERCET_PHASE_TRY), 1);
        }
    }
    EXPECT_EQ(relayed.relay.Cuts(), 4);
    for (const char *words : {"UPDATE tercet_scope", "DELETE f FROM", ";COMMIT"}) {
        relayed.relay.CutAt(words, CuttingRelay::kBefore);
        EXPECT_EQ(harness.Apply(++number, {10, 1}), TERCET_OK) << harness.error.text;
        EXPECT_EQ(harness.Describe().mark.as_of_lsn, number);
    }
    tercet_fence_caller caller = {};
    tercet_store_description description = {};
    caller.participant = "account";
    caller.epoch = {10, 1};
    relayed.relay.CutAt("store_id", CuttingRelay::kBefore);
    EXPECT_EQ(group_describe(&harness.group, &caller, &description, &harness.error),
              TERCET_UNAVAILABLE);
    EXPECT_EQ(group_describe(&harness.group, &caller, &description, &harness.error), TERCET_OK);
    for (const char *words : {"autocommit", "binlog_format", "SELECT version", "COUNT(*)"}) {
        group_disconnect(&harness.group);
        relayed.relay.CutAt(words, CuttingRelay::kBefore);
        const group_answer answer = harness.Run(Try("last", 90));
        EXPECT_STREQ(answer.code, TERCET_CODE_STORE_UNAVAILABLE) << words;
    }
    EXPECT_EQ(harness.Run(Try("last", 90)).how, TERCET_HOW_RAN);
}

} // namespace
} // namespace fence_test
