// postgres_stranger.cc -- see postgres_stranger.h.
#include "postgres_stranger.h"

#include <fstream>
#include <sstream>

namespace fence_test
{

const char *const kPhaseNames[] = {"", "PHASE_TRY", "PHASE_CONFIRM", "PHASE_CANCEL"};

namespace
{

const char *const kMethodNames[] = {"", "Try", "Confirm", "Cancel"};
const char *const kMe = R"({"participant": "account", "software": "a stranger", "actions": )"
                        R"([{"name": "debit"}, {"name": "credit", "confirmOnly": true}]})";

} // namespace

std::string ContextOf(const Ask &ask, const std::string &more)
{
    return "{\"participant\": \"" + ask.participant +
           "\", \"origin\": \"AQEBAQEBAQEBAQEBAQEBAQEBAQE=\", \"incarnation\": \"" +
           std::to_string(ask.incarnation) + "\", \"epoch\": \"" + std::to_string(ask.epoch) +
           "\"" + more + "}";
}

std::string RequestOf(const Ask &ask, const std::string &more)
{
    return "{\"gid\": \"" + ask.gid + "\", \"branch\": " + std::to_string(ask.branch) +
           ", \"phase\": \"" + kPhaseNames[ask.phase] + "\", \"action\": \"" + ask.action +
           "\", \"digest\": \"" +
           (ask.digest == 1 ? "AQEBAQEBAQEBAQEBAQEBAQ==" : "AgICAgICAgICAgICAgICAg==") +
           "\", \"number\": {\"incarnation\": \"10\", \"number\": \"" + std::to_string(ask.number) +
           "\"}, \"context\": " + ContextOf(ask, more) + "}";
}

std::string MarkOf(int64_t lsn, int64_t low, const std::string &open)
{
    return ", \"mark\": {\"asOfIncarnation\": \"10\", \"asOfLsn\": \"" + std::to_string(lsn) +
           "\", \"low\": {\"incarnation\": \"10\", \"number\": \"" + std::to_string(low) +
           "\"}, \"open\": [" + open + "]}";
}

std::string Quoted(const std::string &text)
{
    return "'" + text + "'";
}

bool Has(const std::string &text, const std::string &words)
{
    return text.find(words) != std::string::npos;
}

Stranger::Stranger(const std::string &directory, const std::string &isolation)
    : link_(PQconnectdb(ConninfoOf(directory).c_str()))
{
    Do("SET default_transaction_isolation = " + Quoted(isolation));
}

Stranger::~Stranger()
{
    PQfinish(link_);
}

std::string Stranger::Do(const std::string &sql)
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

std::string Stranger::Accept(const std::string &method, const std::string &request)
{
    return Do("SELECT tercet_accept(" + Quoted(kMe) + ", " + Quoted(method) + ", " +
              Quoted(request) + ")");
}

std::string Stranger::Accept(const Ask &ask, const std::string &more)
{
    return Accept(kMethodNames[ask.phase], RequestOf(ask, more));
}

std::string Stranger::Serve(const std::string &method, const std::string &request)
{
    return Do("SELECT reply FROM tercet_serve(" + Quoted(kMe) + ", " + Quoted(method) + ", " +
              Quoted(request) + ")");
}

std::string Stranger::Serve(const Ask &ask)
{
    return Serve(kMethodNames[ask.phase], RequestOf(ask));
}

std::string Stranger::Run(const Ask &ask, const std::string &result)
{
    std::string reply;
    for (int i = 0; i < 100; i++) {
        Accept(ask);
        Do("BEGIN");
        reply = Serve(ask);
        const bool ran = Has(reply, "HOW_RAN");
        if (ran && LeaveEffectOn(link_, "effect/" + ask.gid + "/1/" + std::to_string(ask.phase)) !=
                       TERCET_VERDICT_DONE) {
            reply = "!40001"; // at the levels above READ COMMITTED
        }
        if (ran && !result.empty()) {
            Do("SELECT tercet_keep_result(" + Quoted(RequestOf(ask)) + ", " + Quoted(result) + ")");
        }
        const std::string ended = Do(reply[0] == '!' ? "ROLLBACK" : "COMMIT");
        if (reply != "!40001" && reply != "!40P01" && ended.empty()) {
            return reply;
        }
    }
    return reply;
}

std::string Stranger::Apply(int64_t lsn, int64_t low, const std::string &open)
{
    return Do("SELECT tercet_apply_mark(" + Quoted(ContextOf(Ask(), MarkOf(lsn, low, open))) + ")");
}

void PostgresFunctions::SetUp()
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

} // namespace fence_test
