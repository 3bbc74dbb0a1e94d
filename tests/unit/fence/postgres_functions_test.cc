// The fence as functions (sql/postgres_functions.sql): the library's table, rows, marks and locks, so that participants with
// and without the library may share a database.
#include <fstream>
#include <regex>
#include <sstream>
#include <thread>

#include "postgres_backend.h"
#include "together.h"

namespace fence_test
{
namespace
{

const char *const kPhaseNames[] = {"", "PHASE_TRY", "PHASE_CONFIRM", "PHASE_CANCEL"};

// Of Ask: origin 1; digest 1, or another.
std::string ContextOf(const Ask &ask, const std::string &more = "")
{
    return "{\"participant\": \"" + ask.participant +
           "\", \"origin\": \"AQEBAQEBAQEBAQEBAQEBAQEBAQE=\", \"incarnation\": \"" +
           std::to_string(ask.incarnation) + "\", \"epoch\": \"" + std::to_string(ask.epoch) +
           "\"" + more + "}";
}

std::string RequestOf(const Ask &ask)
{
    return "{\"gid\": \"" + ask.gid + "\", \"branch\": " + std::to_string(ask.branch) +
           ", \"phase\": \"" + kPhaseNames[ask.phase] +
           "\", \"action\": \"debit\", \"digest\": \"" +
           (ask.digest == 1 ? "AQEBAQEBAQEBAQEBAQEBAQ==" : "AgICAgICAgICAgICAgICAg==") +
           "\", \"number\": {\"incarnation\": \"10\", \"number\": \"" + std::to_string(ask.number) +
           "\"}, \"context\": " + ContextOf(ask) + "}";
}

std::string Quoted(const std::string &text)
{
    return "'" + text + "'";
}

// A participant without the library.
class Stranger
{
  public:
    explicit Stranger(const std::string &directory, const std::string &isolation = "read committed")
        : link_(PQconnectdb(ConninfoOf(directory).c_str()))
    {
        Do("SET default_transaction_isolation = " + Quoted(isolation));
    }
    ~Stranger()
    {
        PQfinish(link_);
    }
    Stranger(const Stranger &) = delete;
    Stranger &operator=(const Stranger &) = delete;

    // The first value; or the SQLSTATE of what failed, with an exclamation mark.
    std::string Do(const std::string &sql)
    {
        PGresult *result = PQexec(link_, sql.c_str());
        const ExecStatusType told = PQresultStatus(result);
        std::string value;
        if (told != PGRES_TUPLES_OK && told != PGRES_COMMAND_OK) {
            value = std::string("!") + PQresultErrorField(result, PG_DIAG_SQLSTATE);
        } else if (PQntuples(result) > 0) {
            value = PQgetvalue(result, 0, 0);
        }
        PQclear(result);
        return value;
    }

    // The claim alone, in the transaction that is open: what is answered.
    std::string Claim(const Ask &ask)
    {
        return Do("SELECT reply FROM tercet_claim(" + Quoted(RequestOf(ask)) + ", " +
                  (ask.confirm_only ? "true" : "false") + ")");
    }

    // A branch as the manual says, with one effect in it; as a coordinator, who asks again.
    std::string Run(const Ask &ask, const std::string &result = "")
    {
        std::string reply;
        for (int i = 0; i < 100; i++) {
            Do("BEGIN");
            reply = Claim(ask);
            const bool ran = reply.find("HOW_RAN") != std::string::npos;
            if (ran && LeaveEffectOn(link_, "effect/" + ask.gid + "/1/" +
                                                std::to_string(ask.phase)) != TERCET_VERDICT_DONE) {
                reply = "!40001"; // at the levels above READ COMMITTED
            }
            if (ran && !result.empty()) {
                Do("SELECT tercet_keep_result(" + Quoted(RequestOf(ask)) + ", " + Quoted(result) +
                   ")");
            }
            const bool keep = reply.find("VERDICT_DONE") != std::string::npos;
            const std::string ended = Do(keep ? "COMMIT" : "ROLLBACK");
            if (reply == "!TC002") {
                Do("SELECT tercet_raise_epoch(" + Quoted(ContextOf(ask)) + ")");
            } else if (reply != "!40001" && reply != "!40P01" && ended.empty()) {
                return reply;
            }
        }
        return reply;
    }

    std::string Apply(int64_t lsn, int64_t low, const std::string &open = "")
    {
        return Do(
            "SELECT tercet_apply_mark(" +
            Quoted(ContextOf(Ask(), ", \"mark\": {\"asOfIncarnation\": \"10\", \"asOfLsn\": \"" +
                                        std::to_string(lsn) +
                                        "\", \"low\": {\"incarnation\": \"10\", \"number\": \"" +
                                        std::to_string(low) + "\"}, \"open\": [" + open + "]}")) +
            ")");
    }

  private:
    PGconn *link_;
};

bool Has(const std::string &text, const std::string &words)
{
    return text.find(words) != std::string::npos;
}

class PostgresFunctions : public ServerTest
{
  protected:
    void SetUp() override
    {
        ServerTest::SetUp();
        if (!IsSkipped()) {
            harness = std::make_unique<Harness>("postgres", directory.path());
            std::stringstream sql;
            sql << std::ifstream(TERCET_POSTGRES_FUNCTIONS_SQL).rdbuf();
            text = sql.str();
            stranger = std::make_unique<Stranger>(directory.path());
            ASSERT_EQ(stranger->Do(text), "");
        }
    }

    std::unique_ptr<Harness> harness;
    std::unique_ptr<Stranger> stranger;
    std::string text;
};

// What the functions answer where the library decides so.
std::string ReplyOf(const tercet_fence_decision &decision, int row)
{
    const char *const hows[] = {"", "RAN", "REPEATED", "EMPTY"};
    const char *const conflicts[] = {"",          "OTHER_TRANSACTION", "NOT_TRIED",
                                     "CONFIRMED", "CANCELLED",         "FORGOTTEN"};
    if (decision.run || decision.verdict == TERCET_VERDICT_DONE) {
        return std::string(R"({"how": "HOW_)") + hows[decision.how] +
               R"(", "verdict": "VERDICT_DONE"})";
    }
    const std::string reason =
        std::string(R"("reason": {"code": ")") + decision.code + R"("}, "verdict": "VERDICT_)";
    if (decision.verdict == TERCET_VERDICT_REFUSED) {
        return "{" + reason + R"(REFUSED"})";
    }
    return std::string(R"({"found": "FENCE_STATE_)") +
           tercet_fence_state_name(static_cast<tercet_fence_state>(row)) + "\", " + reason +
           R"(CONFLICT", "conflict": "CONFLICT_KIND_)" + conflicts[decision.conflict] + "\"}";
}

TEST_F(PostgresFunctions, TheirTableIsTheLibrarys)
{
    for (int cell = 0; cell < 5 * 3 * 2 * 2 * 2; cell++) {
        tercet_fence_facts facts = {};
        facts.row = static_cast<tercet_fence_state>(cell % 5);
        facts.phase = static_cast<tercet_phase>(1 + cell / 5 % 3);
        facts.same_identity = cell / 15 % 2 == 1;
        facts.mark = cell / 30 % 2 == 1 ? TERCET_MARK_BELOW : TERCET_MARK_ABOVE;
        facts.confirm_only = cell / 60 == 1;
        if (facts.confirm_only && facts.phase == TERCET_PHASE_TRY) {
            continue; // malformed, below
        }
        const std::string state = std::to_string(facts.row);
        const auto boolean = [](bool value) { return value ? ", true" : ", false"; };
        EXPECT_EQ(stranger->Do("SELECT tercet_reply(tercet_decide(" + state +
                               boolean(facts.same_identity) +
                               boolean(facts.mark == TERCET_MARK_BELOW) + ", " +
                               Quoted(kPhaseNames[facts.phase]) + boolean(facts.confirm_only) +
                               "), " + state + ")"),
                  ReplyOf(tercet_fence_decide(&facts), facts.row))
            << "row " << state << " phase " << facts.phase << " same " << facts.same_identity
            << " mark " << facts.mark;
    }
}

TEST_F(PostgresFunctions, RowsAndMarksAreTheLibrarys)
{
    Ask only = Confirm("only", 4);
    only.confirm_only = true;
    ASSERT_EQ(harness->Run(Try("a", 1)).how, TERCET_HOW_RAN);
    EXPECT_TRUE(Has(stranger->Run(Confirm("a", 1)), "HOW_RAN"));
    EXPECT_EQ(harness->Run(Confirm("a", 1)).how, TERCET_HOW_REPEATED);
    EXPECT_EQ(harness->Effects("a", 1, TERCET_PHASE_CONFIRM), 1);
    EXPECT_TRUE(Has(stranger->Run(Try("b", 2), "kept"), "HOW_RAN"));
    const group_answer again = harness->Run(Try("b", 2));
    EXPECT_EQ(std::string(reinterpret_cast<const char *>(again.result), again.result_bytes),
              "kept");
    EXPECT_TRUE(Has(stranger->Run(Try("b", 2)), R"("result": "a2VwdA==")"));
    EXPECT_TRUE(Has(stranger->Run(Cancel("c", 3)), "HOW_EMPTY"));
    EXPECT_STREQ(harness->Run(Try("c", 3)).code, TERCET_CODE_TRY_AFTER_CANCEL);
    EXPECT_TRUE(Has(stranger->Run(only), "HOW_RAN"));
    EXPECT_EQ(harness->State("only"), TERCET_FENCE_CONFIRMED);

    ASSERT_EQ(harness->Apply(5, {10, 4}), TERCET_OK);
    EXPECT_TRUE(Has(stranger->Run(Try("a", 1)), "TERCET_FORGOTTEN"));
    EXPECT_TRUE(Has(stranger->Run(Confirm("a", 1)), "CONFLICT_KIND_FORGOTTEN"));
    EXPECT_EQ(harness->State("a"), TERCET_FENCE_NONE);
    EXPECT_EQ(harness->State("b"), TERCET_FENCE_TRIED) << "it holds a reservation";
    EXPECT_EQ(stranger->Apply(5, 9), "0") << "known";
    EXPECT_EQ(
        stranger->Apply(
            6, 9, R"({"incarnation": "10", "number": "7"}, {"incarnation": "10", "number": "3"})"),
        "1");
    const auto described = harness->Describe();
    EXPECT_EQ(described.mark.as_of_lsn, 6);
    ASSERT_EQ(described.mark.open_count, 2u);
    EXPECT_EQ(described.mark.open[0].number, 3);
    EXPECT_EQ(described.mark.open[1].number, 7);
    EXPECT_STREQ(harness->Run(Try("d", 8)).code, TERCET_CODE_FORGOTTEN);
    EXPECT_TRUE(Has(stranger->Run(Try("e", 7)), "HOW_RAN")) << "open";
}

TEST_F(PostgresFunctions, WhatTheyTellOfTheDatabaseIsWhatTheLibraryTells)
{
    harness->Run({Try("a", 1), Try("b", 2)});
    const auto described = harness->Describe();
    const std::string told =
        stranger->Do("SELECT tercet_describe(" + Quoted(ContextOf(Ask())) + ")");
    EXPECT_TRUE(Has(told, R"("rows": "2")")) << told;
    EXPECT_TRUE(Has(told, R"("highest": {"number": "2", "incarnation": "10"})")) << told;
    EXPECT_FALSE(Has(told, "mark")) << told;
    EXPECT_EQ(stranger->Do("SELECT decode(" + Quoted(told) +
                           "::jsonb ->> 'storeId', 'base64') = store_id FROM tercet_schema"),
              "t");
    EXPECT_EQ(described.rows, 2);
    const auto inspect = [&](const std::string &more) {
        return stranger->Do("SELECT tercet_inspect(" +
                            Quoted("{\"context\": " + ContextOf(Ask()) + more + "}") + ")");
    };
    std::string page = inspect(R"(, "pageSize": 1)");
    EXPECT_TRUE(Has(page, R"("gid": "a")") && Has(page, R"("nextPageToken": "10.1")")) << page;
    page = inspect(R"(, "pageToken": "10.1")");
    EXPECT_TRUE(!Has(page, R"("gid": "a")") && Has(page, R"("gid": "b")") &&
                Has(page, R"("nextPageToken": "")"))
        << page;
    EXPECT_TRUE(Has(inspect(R"(, "gid": "z", "branch": 3)"), "FENCE_STATE_NONE"));
    EXPECT_TRUE(Has(inspect(R"(, "from": {"incarnation": "10", "number": "3"})"), R"("rows": [])"));
    EXPECT_EQ(inspect(R"(, "pageToken": "x")"), "!TC003");
}

TEST_F(PostgresFunctions, WhoMayNotAskIsToldByItsCode)
{
    EXPECT_EQ(stranger->Claim(Try("a", 1)), "!TC002") << "nobody has asked yet";
    EXPECT_TRUE(Has(stranger->Run(Try("a", 1)), "HOW_RAN"));
    Ask newer = Try("b", 2);
    newer.epoch = 2;
    EXPECT_EQ(stranger->Claim(newer), "!TC002");
    EXPECT_TRUE(Has(stranger->Run(newer), "HOW_RAN"));
    EXPECT_EQ(stranger->Claim(Try("a", 1)), "!TC001");
    EXPECT_EQ(stranger->Apply(7, 9), "!TC001");
    EXPECT_EQ(harness->Describe().epoch.epoch, 2);
    for (const char *wrong :
         {R"("gid": "b c")", R"("gid": "")", R"("branch": 65)", R"("branch": 4294967295)",
          R"("digest": "AQE=")", R"("phase": "PHASE_UNSPECIFIED")",
          R"("number": {"incarnation": "10"})", R"("context": {"participant": "account"})"}) {
        EXPECT_EQ(stranger->Do("SELECT reply FROM tercet_claim(" + Quoted(RequestOf(newer)) +
                               "::jsonb || '{" + wrong + "}', false)"),
                  "!TC003")
            << wrong;
    }
    newer.confirm_only = true;
    EXPECT_EQ(stranger->Claim(newer), "!TC003") << "a try of what is confirm-only";
    stranger->Do("UPDATE tercet_schema SET version = 2");
    EXPECT_EQ(stranger->Do(text), "!P0001") << "tables of another version";
}

// Waits until somebody waits in the server, and says whether that is so.
bool SomebodyWaits()
{
    while (WaitingInServer() == 0) {
        std::this_thread::yield();
    }
    return true;
}

TEST_F(PostgresFunctions, AMarkAndAnEpochWaitForThoseWhoHaveClaimed)
{
    ASSERT_EQ(harness->Run(Cancel("warm", 9)).how, TERCET_HOW_EMPTY);
    stranger->Do("BEGIN");
    EXPECT_TRUE(Has(stranger->Claim(Try("a", 1)), "HOW_RAN"));
    std::thread mark([&] {
        EXPECT_EQ(harness->Apply(5, {10, 4}), TERCET_OK) << harness->error.text;
    });
    EXPECT_TRUE(SomebodyWaits());
    EXPECT_EQ(stranger->Do("COMMIT"), "");
    mark.join();

    Stranger other(directory.path());
    std::thread epoch;
    harness->handler = [&](const group_request &request, tercet_bytes, group_answer &) {
        epoch = std::thread([&other] {
            Ask next;
            next.epoch = 2;
            EXPECT_EQ(other.Do("SELECT tercet_raise_epoch(" + Quoted(ContextOf(next)) + ")"), "");
        });
        EXPECT_TRUE(SomebodyWaits());
        EXPECT_EQ(stranger->Do("SELECT epoch FROM tercet_scope"), "1");
        return harness->LeaveEffect(request);
    };
    EXPECT_EQ(harness->Run(Try("b", 6)).how, TERCET_HOW_RAN);
    epoch.join();
    EXPECT_EQ(stranger->Do("SELECT epoch FROM tercet_scope"), "2");
}

class FunctionsRace : public PostgresFunctions, public testing::WithParamInterface<std::string>
{
};

// Four with the library and four without, at one branch.
TEST_P(FunctionsRace, TryBesideItsCancelIsOneOfTheTwoLegalOrders)
{
    const std::string level = std::regex_replace(GetParam().substr(8), std::regex("_"), " ");
    std::vector<std::unique_ptr<Harness>> members;
    std::vector<std::unique_ptr<Stranger>> strangers;
    for (int i = 0; i < 4; i++) {
        members.push_back(std::make_unique<Harness>(GetParam(), directory.path()));
        strangers.push_back(std::make_unique<Stranger>(
            directory.path(), level.empty() ? "read committed" : level.substr(1)));
    }
    for (int round = 1; round <= 25; round++) {
        const std::string gid = "g-" + std::to_string(round);
        Together(8, [&](int i) {
            const Ask ask = i % 2 == 0 ? Try(gid, round) : Cancel(gid, round);
            if (i < 4) {
                members[i]->Run(ask);
            } else {
                const std::string reply = strangers[i - 4]->Run(ask);
                EXPECT_TRUE(Has(reply, "VERDICT_DONE") ||
                            (i % 2 == 0 && Has(reply, "TERCET_TRY_AFTER_CANCEL")))
                    << reply;
            }
        });
        const tercet_fence_state state = harness->State(gid);
        const int tried = harness->Effects(gid, 1, TERCET_PHASE_TRY);
        EXPECT_TRUE(state == TERCET_FENCE_SUSPENDED || state == TERCET_FENCE_CANCELLED) << state;
        EXPECT_EQ(tried, state == TERCET_FENCE_CANCELLED ? 1 : 0);
        EXPECT_EQ(harness->Effects(gid, 1, TERCET_PHASE_CANCEL), tried);
    }
}

// Anomaly 3, with the mark applied by either.
TEST_P(FunctionsRace, LateTryBesideTheSweepOfItsRowNeverRunsAgain)
{
    const std::string level = std::regex_replace(GetParam().substr(8), std::regex("_"), " ");
    std::vector<std::unique_ptr<Stranger>> late;
    for (int i = 0; i < 4; i++) {
        late.push_back(std::make_unique<Stranger>(
            directory.path(), level.empty() ? "read committed" : level.substr(1)));
    }
    for (int round = 1; round <= 25; round++) {
        const std::string gid = "g-" + std::to_string(round);
        ASSERT_EQ(harness->Run(Try(gid, round)).verdict, TERCET_VERDICT_DONE);
        ASSERT_EQ(harness->Run(Cancel(gid, round)).verdict, TERCET_VERDICT_DONE);
        Together(5, [&](int i) {
            if (i == 4 && round % 2 == 0) {
                EXPECT_EQ(harness->Apply(round, {10, round + 1}), TERCET_OK);
            } else if (i == 4) {
                EXPECT_EQ(stranger->Apply(round, round + 1), "1");
            } else {
                EXPECT_TRUE(Has(late[i]->Run(Try(gid, round)), "VERDICT_REFUSED"));
            }
        });
        EXPECT_EQ(harness->Effects(gid, 1, TERCET_PHASE_TRY), 1);
        EXPECT_EQ(harness->State(gid), TERCET_FENCE_NONE);
    }
}

INSTANTIATE_TEST_SUITE_P(Stores, FunctionsRace, testing::ValuesIn(SharedKinds()), StoreName);

} // namespace
} // namespace fence_test
