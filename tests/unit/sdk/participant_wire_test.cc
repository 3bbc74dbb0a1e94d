/* A served participant, asked over the wire: what it refuses, and how it says so. */
#include "unit/sdk/support.h"

namespace
{

class ParticipantWire : public testing::Test
{
  protected:
    Served served;
};

/* ---- Every field has its limit --------------------------------------------------------------- */

struct Bad {
    const char *name;
    std::function<void(Ask *)> spoil;
    const char *says;
};

TEST_F(ParticipantWire, EveryFieldOverItsLimitIsInvalidAndNamed)
{
    const int64_t end = INT64_C(1) << 53;
    const std::vector<Bad> all = {
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
    for (const Bad &bad : all) {
        Ask ask;
        bad.spoil(&ask);
        const Told told = served.wire().Send(ask);
        EXPECT_EQ(told.status, TERCET_INVALID_ARGUMENT) << bad.name;
        EXPECT_NE(told.text.find(bad.says), std::string::npos) << bad.name << ": " << told.text;
    }
    EXPECT_EQ(served.handlers.AllRuns(), 0);
}

TEST_F(ParticipantWire, LimitsThemselvesAreAllowed)
{
    Ask ask;
    ask.gid.assign(128, 'g');
    ask.branch = 64;
    ask.payload.assign(65536, 'p');
    ask.number = (INT64_C(1) << 53) - 1;
    ask.traceparent.assign(64, 't');
    EXPECT_EQ(served.wire().Send(ask).verdict, TERCET_VERDICT_DONE);
}

TEST_F(ParticipantWire, APhaseThatIsNotItsMethodsIsInvalid)
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

TEST_F(ParticipantWire, AnUnknownActionEndsTheTryForGoodAndIsNamed)
{
    Ask ask;
    ask.action = "debit2";
    const Told told = served.wire().Send(ask);
    EXPECT_EQ(told.status, TERCET_FAILED_PRECONDITION);
    EXPECT_EQ(told.text.rfind("TERCET_UNKNOWN_ACTION", 0), 0u) << told.text;
    EXPECT_NE(told.text.find("debit2"), std::string::npos);
}

TEST_F(ParticipantWire, AnotherParticipantsRequestIsLater)
{
    Ask ask;
    ask.participant = "points";
    const Told told = served.wire().Send(ask);
    EXPECT_EQ(told.verdict, TERCET_VERDICT_LATER);
    EXPECT_EQ(told.code, "TERCET_WRONG_PARTICIPANT");
    EXPECT_EQ(served.handlers.AllRuns(), 0);
}

TEST_F(ParticipantWire, ATryOfAConfirmOnlyActionIsInvalid)
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

TEST_F(ParticipantWire, AnOldEpochIsRefusedByFencedAndUnfencedActions)
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

TEST_F(ParticipantWire, TheStreamIsNotServed)
{
    Tercet__V1__WorkBatch batch = TERCET__V1__WORK_BATCH__INIT;
    rpc_call *call = served.wire().StartRaw("/tercet.v1.Participant/Work", &batch.base, nullptr);
    EXPECT_EQ(rpc_call_wait(call)->status, TERCET_UNIMPLEMENTED);
    rpc_call_unref(call);
}

TEST_F(ParticipantWire, AClientThatGoesAwayHarmsNobody)
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

/* ---- What handlers answer -------------------------------------------------------------------- */

TEST_F(ParticipantWire, AResultReachesTheCallerAndItsConfirm)
{
    Ask ask;
    ask.payload = "done:receipt";
    ask.traceparent = "00-trace";
    ask.attempt = 3;
    EXPECT_EQ(served.wire().Send(ask).result, "receipt");
    EXPECT_EQ(served.handlers.Last().attempt, 3u);
    EXPECT_EQ(served.handlers.Last().traceparent, "00-trace");
    const Told again = served.wire().Send(ask);
    EXPECT_EQ(again.result, "receipt");
    EXPECT_EQ(again.how, TERCET_HOW_REPEATED);
    ask.phase = TERCET_PHASE_CONFIRM;
    const Told confirmed = served.wire().Send(ask);
    EXPECT_EQ(confirmed.verdict, TERCET_VERDICT_DONE);
    EXPECT_EQ(confirmed.how, TERCET_HOW_RAN);
    EXPECT_EQ(confirmed.result, "");
    EXPECT_EQ(served.handlers.Last().result, "receipt");
    EXPECT_EQ(served.handlers.Last().payload, "done:receipt");
}

TEST_F(ParticipantWire, ARefusalCarriesItsReasonAndLeavesNoRow)
{
    Ask ask;
    ask.payload = "refuse";
    for (int run = 1; run <= 2; run++) {
        const Told told = served.wire().Send(ask);
        EXPECT_EQ(told.verdict, TERCET_VERDICT_REFUSED);
        EXPECT_EQ(told.code, "TOO_LOW");
        EXPECT_EQ(told.reason, "not 7 to move");
        EXPECT_EQ(served.handlers.Runs("gid-1/1/TRY"), run);
    }
    ask.phase = TERCET_PHASE_CANCEL;
    EXPECT_EQ(served.wire().Send(ask).how, TERCET_HOW_EMPTY);
}

TEST_F(ParticipantWire, LaterCarriesItsDelay)
{
    for (const char *action : {"act", "out"}) {
        Ask ask;
        ask.action = action;
        ask.payload = "later";
        const Told told = served.wire().Send(ask);
        EXPECT_EQ(told.verdict, TERCET_VERDICT_LATER);
        EXPECT_EQ(told.after_ms, 250u);
        EXPECT_EQ(told.reason, "a row is locked");
    }
}

TEST_F(ParticipantWire, AHandlerThatFailsOrLiesIsLaterNeverDone)
{
    for (const char *action : {"act", "out"}) {
        for (const char *payload : {"fail", "garbage", "nothing", "lie", "long", "refuse badly"}) {
            Ask ask;
            ask.gid = std::string(action) + "-" + payload[0] + payload[2];
            ask.action = action;
            ask.payload = payload;
            const Told told = served.wire().Send(ask);
            EXPECT_EQ(told.verdict, TERCET_VERDICT_LATER) << action << " " << payload;
            EXPECT_EQ(told.code, "TERCET_HANDLER_FAILED") << action << " " << payload;
            EXPECT_NE(told.reason, "") << payload;
        }
    }
    EXPECT_EQ(served.Stats().failures, 12u);
    EXPECT_TRUE(served.log.Has("disk on fire really"));
    EXPECT_TRUE(served.log.Has("the handler returned 77"));
}

TEST_F(ParticipantWire, OnlyAnUnfencedHandlerMaySayConflict)
{
    Ask ask;
    ask.payload = "conflict";
    EXPECT_EQ(served.wire().Send(ask).verdict, TERCET_VERDICT_LATER);
    ask.action = "out";
    EXPECT_EQ(served.wire().Send(ask).verdict, TERCET_VERDICT_CONFLICT);
}

TEST_F(ParticipantWire, AConfirmThatIsRefusedIsLaterWithAttention)
{
    for (const char *action : {"act", "out"}) {
        Ask ask;
        ask.gid = std::string("confirm-") + action;
        ask.action = action;
        EXPECT_EQ(served.wire().Send(ask).verdict, TERCET_VERDICT_DONE);
        ask.phase = TERCET_PHASE_CONFIRM;
        ask.payload = "refuse";
        const Told told = served.wire().Send(ask);
        EXPECT_EQ(told.verdict, TERCET_VERDICT_LATER) << action;
        EXPECT_EQ(told.code, "TERCET_REFUSED_TOO_LATE") << action;
    }
    EXPECT_TRUE(served.log.Has("TERCET_REFUSED_TOO_LATE"));
}

TEST_F(ParticipantWire, AContradictionIsAConflictWithWhatTheFenceHeldAndIsLogged)
{
    Ask ask;
    ask.phase = TERCET_PHASE_CONFIRM;
    Told told = served.wire().Send(ask);
    EXPECT_EQ(told.verdict, TERCET_VERDICT_CONFLICT);
    EXPECT_EQ(told.conflict, TERCET_CONFLICT_NOT_TRIED);
    EXPECT_EQ(told.found, TERCET__V1__FENCE_STATE__FENCE_STATE_NONE);
    ask.phase = TERCET_PHASE_TRY;
    (void)served.wire().Send(ask);
    ask.phase = TERCET_PHASE_CANCEL;
    EXPECT_EQ(served.wire().Send(ask).how, TERCET_HOW_RAN);
    ask.phase = TERCET_PHASE_CONFIRM;
    told = served.wire().Send(ask);
    EXPECT_EQ(told.conflict, TERCET_CONFLICT_CANCELLED);
    EXPECT_EQ(told.found, TERCET__V1__FENCE_STATE__FENCE_STATE_CANCELLED);
    ask.phase = TERCET_PHASE_TRY;
    told = served.wire().Send(ask);
    EXPECT_EQ(told.verdict, TERCET_VERDICT_REFUSED);
    EXPECT_EQ(told.code, "TERCET_TRY_AFTER_CANCEL");
    ask.digest.assign(16, 'x');
    told = served.wire().Send(ask);
    EXPECT_EQ(told.conflict, TERCET_CONFLICT_OTHER_TRANSACTION);
    EXPECT_TRUE(served.log.Has("verdict=CONFLICT"));
    EXPECT_EQ(served.handlers.AllRuns(), 2);
    EXPECT_EQ(served.Stats().conflicts, 3u);
}

TEST_F(ParticipantWire, AnUnfencedActionReachesItsHandlerEveryTime)
{
    Ask ask;
    ask.action = "out";
    for (int run = 1; run <= 3; run++) {
        const Told told = served.wire().Send(ask);
        EXPECT_EQ(told.verdict, TERCET_VERDICT_DONE);
        EXPECT_EQ(told.how, TERCET_HOW_RAN);
        EXPECT_EQ(served.handlers.Runs("gid-1/1/TRY"), run);
    }
}

/* ---- Health, Describe, Inspect --------------------------------------------------------------- */

TEST_F(ParticipantWire, DescribeTellsActionsAndWhatTheStoreHasSeen)
{
    Ask ask;
    ask.epoch = 5;
    ask.number = 41;
    (void)served.wire().Send(ask);
    Tercet__V1__RequestContext context = TERCET__V1__REQUEST_CONTEXT__INIT;
    context.participant = const_cast<char *>("account");
    std::string origin(20, 'o');
    context.origin.data = reinterpret_cast<uint8_t *>(origin.data());
    context.origin.len = origin.size();
    context.incarnation = 1000;
    context.epoch = 5;
    Tercet__V1__DescribeRequest request = TERCET__V1__DESCRIBE_REQUEST__INIT;
    request.context = &context;
    rpc_call *call = served.wire().StartRaw("/tercet.v1.Participant/Describe", &request.base,
                                            &tercet__v1__describe_reply__descriptor);
    const rpc_result *result = rpc_call_wait(call);
    ASSERT_EQ(result->status, TERCET_OK) << result->text;
    const auto *reply = reinterpret_cast<const Tercet__V1__DescribeReply *>(result->reply);
    EXPECT_STREQ(reply->participant, "account");
    EXPECT_EQ(reply->protocol, 1u);
    ASSERT_EQ(reply->n_actions, 3u);
    EXPECT_STREQ(reply->actions[0]->name, "act");
    EXPECT_FALSE(reply->actions[0]->confirm_only);
    EXPECT_STREQ(reply->actions[1]->name, "note");
    EXPECT_TRUE(reply->actions[1]->confirm_only);
    EXPECT_STREQ(reply->actions[2]->name, "out");
    EXPECT_TRUE(reply->actions[2]->unfenced);
    ASSERT_EQ(reply->n_stores, 1u);
    const Tercet__V1__StoreDescription *store = reply->stores[0];
    EXPECT_EQ(store->store_id.len, 16u);
    EXPECT_EQ(store->incarnation, 1000);
    EXPECT_EQ(store->epoch, 5);
    EXPECT_EQ(store->rows, 1);
    ASSERT_NE(store->highest, nullptr);
    EXPECT_EQ(store->highest->number, 41);
    EXPECT_EQ(store->mark, nullptr);
    rpc_call_unref(call);

    request.context = nullptr;
    call = served.wire().StartRaw("/tercet.v1.Participant/Describe", &request.base, nullptr);
    EXPECT_EQ(rpc_call_wait(call)->status, TERCET_INVALID_ARGUMENT);
    rpc_call_unref(call);
}

struct Inspected {
    tercet_status status;
    std::vector<std::string> rows; /* gid/branch/state/number */
    std::string token;
};

Inspected Inspect(Wire *wire, const std::string &gid, uint32_t branch, uint32_t page_size,
                  const std::string &token, const char *participant = "account")
{
    Tercet__V1__RequestContext context = TERCET__V1__REQUEST_CONTEXT__INIT;
    context.participant = const_cast<char *>(participant);
    std::string origin(20, 'o');
    context.origin.data = reinterpret_cast<uint8_t *>(origin.data());
    context.origin.len = origin.size();
    context.incarnation = 1000;
    context.epoch = 1;
    Tercet__V1__InspectRequest request = TERCET__V1__INSPECT_REQUEST__INIT;
    request.context = &context;
    request.gid = const_cast<char *>(gid.c_str());
    request.branch = branch;
    request.page_size = page_size;
    request.page_token = const_cast<char *>(token.c_str());
    rpc_call *call = wire->StartRaw("/tercet.v1.Participant/Inspect", &request.base,
                                    &tercet__v1__inspect_reply__descriptor);
    const rpc_result *result = rpc_call_wait(call);
    Inspected inspected = {result->status, {}, ""};
    if (result->status == TERCET_OK) {
        const auto *reply = reinterpret_cast<const Tercet__V1__InspectReply *>(result->reply);
        for (size_t i = 0; i < reply->n_rows; i++) {
            const Tercet__V1__FenceRow *row = reply->rows[i];
            inspected.rows.push_back(
                std::string(row->gid) + "/" + std::to_string(row->branch) + "/" +
                std::to_string(row->state) + "/" +
                (row->number == nullptr ? "-" : std::to_string(row->number->number)));
        }
        inspected.token = reply->next_page_token;
    }
    rpc_call_unref(call);
    return inspected;
}

TEST_F(ParticipantWire, InspectTellsOneBranchAllBranchesAndARangeInPages)
{
    Ask ask;
    for (uint32_t branch = 1; branch <= 3; branch++) {
        ask.branch = branch;
        ask.number = 10 + branch;
        (void)served.wire().Send(ask);
    }
    ask.gid = "gid-0";
    ask.branch = 1;
    ask.number = 20;
    ask.phase = TERCET_PHASE_CANCEL;
    (void)served.wire().Send(ask);

    Inspected told = Inspect(&served.wire(), "gid-1", 2, 0, "");
    EXPECT_EQ(told.rows, std::vector<std::string>({"gid-1/2/1/12"}));
    told = Inspect(&served.wire(), "gid-9", 2, 0, "");
    EXPECT_EQ(told.rows, std::vector<std::string>({"gid-9/2/5/-"}));
    told = Inspect(&served.wire(), "gid-1", 0, 0, "");
    EXPECT_EQ(told.rows,
              std::vector<std::string>({"gid-1/1/1/11", "gid-1/2/1/12", "gid-1/3/1/13"}));
    told = Inspect(&served.wire(), "", 0, 3, "");
    EXPECT_EQ(told.rows,
              std::vector<std::string>({"gid-1/1/1/11", "gid-1/2/1/12", "gid-1/3/1/13"}));
    EXPECT_NE(told.token, "");
    told = Inspect(&served.wire(), "", 0, 3, told.token);
    EXPECT_EQ(told.rows, std::vector<std::string>({"gid-0/1/4/20"}));
    EXPECT_EQ(told.token, "");
    EXPECT_EQ(Inspect(&served.wire(), "", 0, 0, "nonsense").status, TERCET_INVALID_ARGUMENT);
    EXPECT_EQ(Inspect(&served.wire(), "", 1, 0, "").status, TERCET_INVALID_ARGUMENT);
    EXPECT_EQ(Inspect(&served.wire(), "", 0, 1001, "").status, TERCET_INVALID_ARGUMENT);
    EXPECT_EQ(Inspect(&served.wire(), "g", 1, 0, "", "points").status, TERCET_FAILED_PRECONDITION);
}

} // namespace
