/* A served participant, asked over the wire: what it refuses, and how it says so. */
#include <gtest/gtest.h>

#include "unit/sdk/served.h"

namespace
{

class ParticipantRequest : public testing::Test
{
  protected:
    Served served;
};

struct Bad {
    const char *name;
    std::function<void(Ask *)> spoil;
    const char *says;
};

std::vector<Bad> BadRequests()
{
    const int64_t end = INT64_C(1) << 53;
    return {
        {"no gid", [](Ask *a) { a->gid = ""; }, "gid: 0 bytes, must be 1 to 128"},
        {"long gid", [](Ask *a) { a->gid.assign(129, 'g'); }, "gid: 129 bytes, must be 1 to 128"},
        {"gid with a space", [](Ask *a) { a->gid = "a b"; }, "gid: byte 1 is 0x20"},
        {"gid with a high byte", [](Ask *a) { a->gid = "a\x7f"; }, "gid: byte 1 is 0x7f"},
        {"branch 0", [](Ask *a) { a->branch = 0; }, "branch: 0, must be 1 to 64"},
        {"branch 65", [](Ask *a) { a->branch = 65; }, "branch: 65, must be 1 to 64"},
        {"no action", [](Ask *a) { a->action = ""; }, "action: 0 bytes, must be 1 to 64"},
        {"long action", [](Ask *a) { a->action.assign(65, 'a'); }, "action: 65 bytes"},
        {"odd action", [](Ask *a) { a->action = "a/b"; }, "action: byte 1 is 0x2f"},
        {"payload", [](Ask *a) { a->payload.assign(65537, 'p'); },
         "payload: 65537 bytes, must be 0 to 65536"},
        {"no digest", [](Ask *a) { a->digest = ""; }, "digest: 0 bytes, must be 16 to 16"},
        {"long digest", [](Ask *a) { a->digest.assign(17, 'd'); }, "digest: 17 bytes"},
        {"number 0", [](Ask *a) { a->number = 0; }, "number.number: 0, must be 1 to"},
        {"number -1", [](Ask *a) { a->number = -1; }, "number.number: -1"},
        {"huge number", [=](Ask *a) { a->number = end; }, "number.number: 9007199254740992"},
        {"number's incarnation", [](Ask *a) { a->number_incarnation = 0; },
         "number.incarnation: 0"},
        {"no number", [](Ask *a) { a->tweak = [](auto *r) { r->number = nullptr; }; },
         "number: required"},
        {"attempt", [](Ask *a) { a->attempt = 0x80000000U; }, "attempt: 2147483648"},
        {"timeout", [](Ask *a) { a->timeout_ms = 0x80000000U; }, "timeout_ms: 2147483648"},
        {"expires", [](Ask *a) { a->tweak = [](auto *r) { r->expires_unix_ms = -5; }; },
         "expires_unix_ms: -5"},
        {"traceparent", [](Ask *a) { a->traceparent.assign(65, 't'); }, "traceparent: 65 bytes"},
        {"odd traceparent", [](Ask *a) { a->traceparent = "a\nb"; }, "traceparent: byte 1"},
    };
}

std::vector<Bad> BadContexts()
{
    return {
        {"no context", [](Ask *a) { a->tweak = [](auto *r) { r->context = nullptr; }; },
         "context: required"},
        {"no participant", [](Ask *a) { a->participant = ""; }, "context.participant: 0 bytes"},
        {"odd participant", [](Ask *a) { a->participant = "a b"; }, "context.participant: byte 1"},
        {"short origin", [](Ask *a) { a->origin.assign(19, 'o'); },
         "context.origin: 19 bytes, must be 20 to 20"},
        {"incarnation 0", [](Ask *a) { a->incarnation = 0; }, "context.incarnation: 0"},
        {"epoch 0", [](Ask *a) { a->epoch = 0; }, "context.epoch: 0"},
        {"mark's age", [](Ask *a) { a->mark_lsn = -3; }, "context.mark.as_of_lsn: -3"},
        {"mark's low",
         [](Ask *a) {
             a->mark_lsn = 3;
             a->mark_low = 0;
         },
         "context.mark.low.number: 0"},
        {"no low",
         [](Ask *a) {
             a->mark_lsn = 3;
             a->tweak = [](auto *r) { r->context->mark->low = nullptr; };
         },
         "context.mark.low: required"},
        {"open not rising",
         [](Ask *a) {
             a->mark_lsn = 3;
             a->mark_open = {2, 2};
         },
         "context.mark.open[1]"},
        {"open 0",
         [](Ask *a) {
             a->mark_lsn = 3;
             a->mark_open = {0};
         },
         "context.mark.open.number: 0"},
        {"too many open",
         [](Ask *a) {
             a->mark_lsn = 3;
             for (int64_t i = 1; i <= 257; i++) {
                 a->mark_open.push_back(i);
             }
         },
         "context.mark.open: 257 numbers, must be 0 to 256"},
    };
}

TEST_F(ParticipantRequest, EveryFieldOverItsLimitIsInvalidAndNamed)
{
    for (const std::vector<Bad> &all : {BadRequests(), BadContexts()}) {
        for (const Bad &bad : all) {
            Ask ask;
            bad.spoil(&ask);
            const Told told = served.wire().Send(ask);
            EXPECT_EQ(told.status, TERCET_INVALID_ARGUMENT) << bad.name;
            EXPECT_NE(told.text.find(bad.says), std::string::npos) << bad.name << ": " << told.text;
        }
    }
    EXPECT_EQ(served.handlers.AllRuns(), 0);
}

TEST_F(ParticipantRequest, LimitsThemselvesAreAllowed)
{
    Ask ask;
    ask.gid.assign(128, 'g');
    ask.branch = 64;
    ask.payload.assign(65536, 'p');
    ask.number = (INT64_C(1) << 53) - 1;
    ask.traceparent.assign(64, 't');
    EXPECT_EQ(served.wire().Send(ask).verdict, TERCET_VERDICT_DONE);
}

TEST_F(ParticipantRequest, APhaseThatIsNotItsMethodsIsInvalid)
{
    for (int phase = 0; phase <= 5; phase++) {
        for (int method = 1; method <= 3; method++) {
            if (phase == method) {
                continue;
            }
            Ask ask;
            ask.phase = phase;
            ask.method = method;
            const Told told = served.wire().Send(ask);
            EXPECT_EQ(told.status, TERCET_INVALID_ARGUMENT) << phase << " " << method;
            EXPECT_EQ(told.text.rfind("phase:", 0), 0u) << told.text;
        }
    }
    EXPECT_EQ(served.handlers.AllRuns(), 0);
}

TEST_F(ParticipantRequest, AnUnknownActionEndsTheTryForGoodAndIsNamed)
{
    Ask ask;
    ask.action = "debit2";
    const Told told = served.wire().Send(ask);
    EXPECT_EQ(told.status, TERCET_FAILED_PRECONDITION);
    EXPECT_EQ(told.text.rfind("TERCET_UNKNOWN_ACTION", 0), 0u) << told.text;
    EXPECT_NE(told.text.find("debit2"), std::string::npos);
}

TEST_F(ParticipantRequest, AnotherParticipantsRequestIsLater)
{
    Ask ask;
    ask.participant = "points";
    const Told told = served.wire().Send(ask);
    EXPECT_EQ(told.verdict, TERCET_VERDICT_LATER);
    EXPECT_EQ(told.code, "TERCET_WRONG_PARTICIPANT");
    EXPECT_EQ(served.handlers.AllRuns(), 0);
}

TEST_F(ParticipantRequest, ATryOfAConfirmOnlyActionIsInvalid)
{
    Ask ask;
    ask.action = "note";
    EXPECT_EQ(served.wire().Send(ask).status, TERCET_INVALID_ARGUMENT);
    ask.phase = TERCET_PHASE_CONFIRM;
    const Told told = served.wire().Send(ask);
    EXPECT_EQ(told.verdict, TERCET_VERDICT_DONE);
    EXPECT_EQ(told.how, TERCET_HOW_RAN);
    EXPECT_EQ(served.wire().Send(ask).how, TERCET_HOW_REPEATED);
    EXPECT_EQ(served.handlers.Runs("gid-1/1/CONFIRM"), 1);
}

TEST_F(ParticipantRequest, AnOldEpochIsRefusedByFencedAndUnfencedActions)
{
    for (const char *action : {"act", "out"}) {
        Ask ask;
        ask.action = action;
        ask.gid = std::string("epoch-") + action;
        ask.epoch = 7;
        EXPECT_EQ(served.wire().Send(ask).verdict, TERCET_VERDICT_DONE);
        ask.phase = TERCET_PHASE_CONFIRM;
        ask.epoch = 6;
        const Told told = served.wire().Send(ask);
        EXPECT_EQ(told.status, TERCET_FAILED_PRECONDITION) << action;
        EXPECT_EQ(told.text.rfind("TERCET_OLD_EPOCH", 0), 0u) << told.text;
        EXPECT_EQ(served.handlers.Runs(ask.gid + "/1/CONFIRM"), 0);
        ask.epoch = 7;
        EXPECT_EQ(served.wire().Send(ask).verdict, TERCET_VERDICT_DONE);
    }
}

TEST_F(ParticipantRequest, AClientThatGoesAwayHarmsNobody)
{
    served.handlers.gate.Close();
    Ask ask;
    ask.payload = "gate";
    {
        Wire other(tercet_participant_address(served.participant()));
        rpc_call *call = other.Start(ask);
        served.handlers.gate.AwaitWaiting(1);
        rpc_call_cancel(call);
        (void)other.Finish(call);
    }
    served.handlers.gate.Open();
    const Told told = served.wire().Send(ask);
    EXPECT_EQ(told.verdict, TERCET_VERDICT_DONE);
    EXPECT_EQ(told.how, TERCET_HOW_REPEATED);
    EXPECT_EQ(served.handlers.Runs("gid-1/1/TRY"), 1);
}

} // namespace
