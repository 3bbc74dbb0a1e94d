// The fence as functions (sql/postgres_functions.sql): the library's table, rows, marks and locks, so that participants with
// and without the library may share a database.
#include "postgres_stranger.h"

namespace fence_test
{
namespace
{

// A request of Describe or Inspect.
std::string AskedOf(const Ask &ask, const std::string &more = "")
{
    return "{\"context\": " + ContextOf(ask) + more + "}";
}

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
    only.action = "credit";
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
    const std::string told = stranger->Serve("Describe", AskedOf(Ask()));
    EXPECT_TRUE(Has(told, R"("rows": "2")")) << told;
    EXPECT_TRUE(Has(told, R"("highest": {"number": "2", "incarnation": "10"})")) << told;
    EXPECT_FALSE(Has(told, "mark")) << told;
    EXPECT_EQ(
        stranger->Do("SELECT decode(" + Quoted(told) +
                     "::jsonb #>> '{stores,0,storeId}', 'base64') = store_id FROM tercet_schema"),
        "t");
    EXPECT_EQ(described.rows, 2);
    const auto inspect = [&](const std::string &more) {
        return stranger->Serve("Inspect", AskedOf(Ask(), more));
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

// A row with more would be damaged to the library, which may serve the same database.
TEST_F(PostgresFunctions, AResultThatIsTooLongIsNotKept)
{
    EXPECT_TRUE(Has(stranger->Run(Try("a", 1), "kept"), "HOW_RAN"));
    const auto keep = [&](size_t bytes) {
        return stranger->Do("SELECT tercet_keep_result(" + Quoted(RequestOf(Try("a", 1))) + ", " +
                            Quoted(std::string(bytes, 'x')) + ")");
    };
    EXPECT_EQ(keep(1025), "!22001");
    EXPECT_EQ(harness->Row("a").result_bytes, 4u);
    EXPECT_EQ(keep(1024), "");
    EXPECT_EQ(harness->Row("a").result_bytes, 1024u);
}

TEST_F(PostgresFunctions, WhoMayNotAskIsToldByItsCode)
{
    EXPECT_EQ(stranger->Serve(Try("a", 1)), "!40001") << "nobody has asked yet";
    EXPECT_TRUE(Has(stranger->Run(Try("a", 1)), "HOW_RAN"));
    Ask newer = Try("b", 2);
    newer.epoch = 2;
    EXPECT_EQ(stranger->Serve(newer), "!40001");
    EXPECT_TRUE(Has(stranger->Run(newer), "HOW_RAN"));
    EXPECT_EQ(stranger->Serve(Try("a", 1)), "!TC009");
    EXPECT_EQ(stranger->Serve("Describe", AskedOf(Ask())), "!TC009");
    EXPECT_EQ(stranger->Apply(7, 9), "!TC009");
    EXPECT_EQ(harness->Describe().epoch.epoch, 2);
    for (const char *wrong :
         {R"("gid": "b c")", R"("gid": "")", R"("branch": 65)", R"("branch": 4294967295)",
          R"("digest": "AQE=")", R"("phase": "PHASE_UNSPECIFIED")",
          R"("number": {"incarnation": "10"})", R"("context": {"participant": "account"})",
          R"("context": {})", R"("context": null)"}) {
        EXPECT_EQ(stranger->Do("SELECT reply FROM tercet_claim(" + Quoted(RequestOf(newer)) +
                               "::jsonb || '{" + wrong + "}', false)"),
                  "!TC003")
            << wrong;
    }
    stranger->Do("UPDATE tercet_schema SET version = 2");
    EXPECT_EQ(stranger->Do(text), "!P0001") << "tables of another version";
}

TEST_F(PostgresFunctions, ARequestIsHeldAgainstWhoIsAsked)
{
    Ask other = Try("a", 1);
    other.participant = "another";
    EXPECT_EQ(stranger->Accept(Try("a", 1)), "");
    EXPECT_EQ(stranger->Serve(other),
              R"({"reason": {"code": "TERCET_WRONG_PARTICIPANT", "text": "this is account"}, )"
              R"("verdict": "VERDICT_LATER"})");
    EXPECT_EQ(stranger->Serve("Inspect", AskedOf(other)), "!TC009");
    const std::string told = stranger->Serve("Describe", AskedOf(other));
    EXPECT_TRUE(Has(told, R"("participant": "account")") && Has(told, R"("protocol": 1)") &&
                Has(told, R"({"name": "credit", "confirmOnly": true})") &&
                Has(told, R"("kind": "postgres")"))
        << told;
    EXPECT_EQ(stranger->Serve("Describe", "{}"), "!TC003");
    EXPECT_EQ(stranger->Serve("Describe", R"({"context": null})"), "!TC003");
    EXPECT_EQ(stranger->Serve("Try", RequestOf(Confirm("a", 1))), "!TC003");
    EXPECT_EQ(stranger->Serve("Cancel", RequestOf(Try("a", 1))), "!TC003");
    EXPECT_EQ(stranger->Serve("Check", RequestOf(Try("a", 1))), "!TC003");
    other = Try("a", 1);
    other.participant = "";
    EXPECT_EQ(stranger->Serve(other), "!TC003");
    EXPECT_EQ(stranger->Serve("Inspect", AskedOf(other)), "!TC003");
    other = Try("a", 1);
    other.action = "nothing";
    EXPECT_EQ(stranger->Serve(other), "!TC009");
    other.action = "credit";
    EXPECT_EQ(stranger->Serve(other), "!TC003") << "a try of what is confirm-only";
    EXPECT_EQ(harness->Describe().rows, 0);
}

TEST_F(PostgresFunctions, WhatIsNewInAContextStaysWhateverBecomesOfTheRequest)
{
    EXPECT_EQ(stranger->Accept(Try("a", 20), MarkOf(5, 9)), "");
    stranger->Do("BEGIN");
    EXPECT_TRUE(Has(stranger->Serve(Try("a", 20)), R"("markLsn": "5")"));
    stranger->Do("ROLLBACK");
    auto described = harness->Describe();
    EXPECT_EQ(described.epoch.epoch, 1);
    EXPECT_EQ(described.mark.as_of_lsn, 5);
    EXPECT_EQ(described.rows, 0);

    Ask ask = Try("a", 20);
    EXPECT_EQ(stranger->Accept(ask, MarkOf(4, 3)), "") << "older";
    for (const char *part : {R"("asOfLsn": "8")", R"("asOfIncarnation": "11", "low": {})"}) {
        EXPECT_EQ(stranger->Accept(ask, std::string(R"(, "mark": {)") + part + "}"), "") << part;
    }
    ask.participant = "another";
    EXPECT_EQ(stranger->Accept(ask, MarkOf(8, 12)), "");
    ask = Ask();
    ask.epoch = 3;
    EXPECT_EQ(stranger->Accept("Inspect", AskedOf(ask)), "");
    EXPECT_EQ(harness->Describe().epoch.epoch, 1);
    EXPECT_EQ(stranger->Accept("Describe", "{\"context\": " + ContextOf(ask, MarkOf(8, 12)) + "}"),
              "");
    EXPECT_EQ(stranger->Accept(Try("a", 20), MarkOf(8, 12)), "!TC009") << "of an older start";
    EXPECT_EQ(stranger->Accept("Try", R"({"context": {"participant": "account"}})"), "!TC003");
    std::string open = R"({"incarnation": "10", "number": "1"})";
    for (int number = 2; number <= 257; number++) {
        open += R"(, {"incarnation": "10", "number": ")" + std::to_string(number) + "\"}";
    }
    EXPECT_EQ(stranger->Accept(ask, MarkOf(8, 300, open)), "!TC003");
    described = harness->Describe();
    EXPECT_EQ(described.epoch.epoch, 3);
    EXPECT_EQ(described.mark.as_of_lsn, 5);
    EXPECT_EQ(described.mark.low.number, 9);
    EXPECT_EQ(stranger->Do("SELECT count(*) FROM tercet_scope"), "1");
}

TEST_F(PostgresFunctions, AReplyThatIsNoHasWrittenNothing)
{
    stranger->Run(Try("confirmed", 11));
    stranger->Run(Confirm("confirmed", 11));
    stranger->Run(Cancel("suspended", 12));
    stranger->Run(Try("tried", 13), "kept");
    stranger->Apply(5, 10);
    Ask others = Cancel("tried", 13);
    others.digest = 2;
    const std::string rows = "SELECT string_agg(f::text, ' ' ORDER BY gid) FROM tercet_fence f";
    const std::string before = stranger->Do(rows);
    for (const Ask &ask :
         {Try("suspended", 12), Confirm("suspended", 12), Cancel("confirmed", 11),
          Confirm("none", 14), Try("past", 9), Confirm("past", 9), Cancel("past", 9), others}) {
        const std::string reply = stranger->Run(ask); // it commits
        EXPECT_TRUE(Has(reply, "VERDICT_CONFLICT") || Has(reply, "VERDICT_REFUSED")) << reply;
        EXPECT_EQ(stranger->Do(rows), before) << reply;
    }
}

} // namespace
} // namespace fence_test
