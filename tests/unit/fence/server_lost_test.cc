// Connections that are cut, servers that end, databases that are put back.
#include "server_backend.h"

namespace fence_test
{
namespace
{

// A store behind a relay, driven by a harness's group.
class Relayed
{
  public:
    explicit Relayed(const std::string &directory)
        : harness(Facts().kind, directory), relay(ServerSocket(), Facts().ended)
    {
        tercet_store *store = nullptr;
        const tercet_status status = OpenBehind(relay, directory, &store, &harness.error);
        EXPECT_EQ(status, TERCET_OK) << harness.error.text;
        if (status == TERCET_OK) {
            harness.Drive(store);
        }
    }

    Harness harness;
    CuttingRelay relay;
};

using ServerLost = ServerTest;

TEST_F(ServerLost, ABranchTakesAsManyRoundTripsAsItsHeaderSays)
{
    Relayed relayed(directory.path());
    Harness &harness = relayed.harness;
    harness.handler = [](const group_request &, tercet_bytes, group_answer &answer) {
        answer.result_bytes = 3;
        return TERCET_VERDICT_DONE;
    };
    ASSERT_EQ(harness.Run(Try("warm", 1)).how, TERCET_HOW_RAN);
    int before = relayed.relay.Sent();
    const auto sent = [&] {
        const int since = relayed.relay.Sent() - before;
        before += since;
        return since;
    };
    for (const Ask &ask : {Try("g", 2), Confirm("g", 2), Try("h", 3), Cancel("h", 3)}) {
        ASSERT_EQ(harness.Run(ask).how, TERCET_HOW_RAN);
        EXPECT_EQ(sent(), Facts().round_trips) << ask.gid << " " << ask.phase;
    }
    ASSERT_EQ(harness.Run(Cancel("none", 4)).how, TERCET_HOW_EMPTY);
    EXPECT_EQ(sent(), Facts().empty_round_trips);
    std::vector<Ask> many;
    for (int i = 0; i < 10; i++) {
        many.push_back(Try("many-" + std::to_string(i), 10 + i));
    }
    for (const auto &answer : harness.Run(many)) {
        EXPECT_EQ(answer.how, TERCET_HOW_RAN);
    }
    EXPECT_EQ(sent(), 10 * (Facts().round_trips - 1) + 1) << "ten that share a transaction";
}

class ServerLostCommit : public ServerTest, public testing::WithParamInterface<std::tuple<int, int>>
{
};

TEST_P(ServerLostCommit, AnswerComesFromTheRowsWhenACommitsOutcomeIsLost)
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
    relayed.relay.CutAt(Facts().commit, moment);
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

INSTANTIATE_TEST_SUITE_P(Moments, ServerLostCommit,
                         testing::Combine(testing::Range(1, 4),
                                          testing::Values(int{CuttingRelay::kBefore},
                                                          int{CuttingRelay::kBehind},
                                                          int{CuttingRelay::kAfter})));

TEST_F(ServerLost, AConnectionThatIsCutInAClaimOrAMarkIsMadeAnewAndThatIsRunAgain)
{
    Relayed relayed(directory.path());
    Harness &harness = relayed.harness;
    ASSERT_EQ(harness.Run(Try("warm", 1)).how, TERCET_HOW_RAN);
    int64_t number = 2;
    int cuts = 0;
    for (const char *words : Facts().of_a_branch) {
        for (const auto moment :
             {CuttingRelay::kBefore, CuttingRelay::kBehind, CuttingRelay::kAfter}) {
            const std::string gid = "g-" + std::to_string(number);
            relayed.relay.CutAt(words, moment);
            EXPECT_EQ(harness.Run(Try(gid, number++)).how, TERCET_HOW_RAN);
            EXPECT_EQ(harness.Effects(gid, 1, TERCET_PHASE_TRY), 1);
            EXPECT_EQ(relayed.relay.Cuts(), ++cuts) << words;
        }
    }
    for (const char *words : Facts().of_a_mark) {
        for (const auto moment :
             {CuttingRelay::kBefore, CuttingRelay::kBehind, CuttingRelay::kAfter}) {
            const std::string gid = "g-" + std::to_string(number);
            ASSERT_EQ(harness.Run(Cancel(gid, number)).how, TERCET_HOW_EMPTY);
            relayed.relay.CutAt(words, moment);
            EXPECT_EQ(harness.Apply(number, {10, number + 1}), TERCET_OK) << harness.error.text;
            EXPECT_EQ(harness.State(gid), TERCET_FENCE_NONE) << "swept";
            EXPECT_EQ(harness.Describe().mark.as_of_lsn, number++);
            EXPECT_EQ(relayed.relay.Cuts(), ++cuts) << words;
        }
    }
    tercet_fence_caller caller = {};
    tercet_store_description description = {};
    caller.participant = "account";
    caller.epoch = {10, 1};
    relayed.relay.CutAt(Facts().describe, CuttingRelay::kBefore);
    EXPECT_EQ(group_describe(&harness.group, &caller, &description, &harness.error),
              TERCET_UNAVAILABLE);
    EXPECT_EQ(group_describe(&harness.group, &caller, &description, &harness.error), TERCET_OK);
}

TEST_F(ServerLost, AConnectionThatIsCutWhileItIsMadeIsUnavailable)
{
    Relayed relayed(directory.path());
    Harness &harness = relayed.harness;
    int cuts = 0;
    for (const char *words : Facts().of_connecting) {
        group_disconnect(&harness.group);
        relayed.relay.CutAt(words, CuttingRelay::kBefore);
        const group_answer answer = harness.Run(Try("g", 1));
        EXPECT_STREQ(answer.code, TERCET_CODE_STORE_UNAVAILABLE) << words;
        EXPECT_EQ(relayed.relay.Cuts(), ++cuts) << words;
    }
    EXPECT_EQ(harness.Run(Try("g", 1)).how, TERCET_HOW_RAN);
}

TEST_F(ServerLost, AServerThatIsTooOldIsRefusedWithASentence)
{
    Relayed relayed(directory.path());
    relayed.relay.Replace(Facts().version, Facts().old_version);
    tercet_store *store = nullptr;
    tercet_error error = {};
    EXPECT_EQ(OpenBehind(relayed.relay, directory.path(), &store, &error),
              TERCET_FAILED_PRECONDITION);
    EXPECT_NE(std::string(error.text).find(Facts().too_old), std::string::npos) << error.text;
}

TEST_F(ServerLost, AServerThatEndsAndComesBackCostsNoBranchTwice)
{
    Harness harness(Facts().kind, directory.path());
    ASSERT_EQ(harness.Run(Try("before", 1)).how, TERCET_HOW_RAN);
    Server().Stop();
    Server().Start();
    EXPECT_EQ(harness.Run(Try("after", 2)).how, TERCET_HOW_RAN) << "by a connection made anew";
    harness.handler = [&](const group_request &request, tercet_bytes, group_answer &) {
        const tercet_verdict verdict = harness.LeaveEffect(request);
        Server().Kill();
        return verdict;
    };
    EXPECT_STREQ(harness.Run(Try("under", 3)).code, TERCET_CODE_STORE_UNAVAILABLE);
    EXPECT_STREQ(harness.Run(Try("under", 3)).code, TERCET_CODE_STORE_UNAVAILABLE);
    EXPECT_EQ(harness.Apply(5, {10, 1}), TERCET_UNAVAILABLE);
    Server().Start();
    harness.handler = nullptr;
    EXPECT_EQ(harness.State("before"), TERCET_FENCE_TRIED);
    EXPECT_EQ(harness.State("under"), TERCET_FENCE_NONE);
    EXPECT_EQ(harness.Run(Try("under", 3)).how, TERCET_HOW_RAN);
    EXPECT_EQ(harness.Effects("under", 1, TERCET_PHASE_TRY), 1);
}

TEST_F(ServerLost, ADatabaseThatWasPutBackShowsByItsMarkAndItsId)
{
    Harness harness(Facts().kind, directory.path());
    ASSERT_EQ(harness.Run(Try("before", 1)).how, TERCET_HOW_RAN);
    ASSERT_EQ(harness.Apply(5, {10, 1}), TERCET_OK);
    Server().Stop();
    Server().Keep();
    Server().Start();
    ASSERT_EQ(harness.Run(Try("lost", 2)).how, TERCET_HOW_RAN);
    ASSERT_EQ(harness.Apply(9, {10, 2}), TERCET_OK);
    const auto newest = harness.Describe();
    EXPECT_EQ(newest.mark.as_of_lsn, 9);
    Server().Stop();
    Server().PutBack();
    Server().Start();
    group_disconnect(&harness.group);
    const auto older = harness.Describe();
    EXPECT_EQ(older.mark.as_of_lsn, 5);
    EXPECT_EQ(older.highest.number, 1);
    EXPECT_EQ(memcmp(older.store_id, newest.store_id, sizeof newest.store_id), 0);
}

} // namespace
} // namespace fence_test
