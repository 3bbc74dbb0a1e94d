/* Begin, Try, Confirm, Cancel, Get and Resolve: what passes becomes the event it should be. */
#include "read_fixture.h"

extern "C" {
#include "engine/digest.h"
}

using ::testing::HasSubstr;

class ServiceSteps : public ReadTest
{
};

TEST_F(ServiceSteps, BeginArrives)
{
    Tercet__V1__BeginRequest begin = TERCET__V1__BEGIN_REQUEST__INIT;
    std::string gid = "b-1";
    begin.gid = Text(gid);
    begin.try_timeout_ms = 7;
    Arrives("Begin", &begin.base, REQUEST_BEGIN, [](const struct request &request) {
        EXPECT_EQ(request.wait, WAIT_MODE_BEGIN);
        EXPECT_EQ(request.try_timeout_ms, 7U);
        EXPECT_EQ(request.branch_count, 0U);
        const struct digest16 content = digest_of_content("b-1", nullptr, 0);
        EXPECT_TRUE(digest16_equal(&request.content, &content));
    });
}

TEST_F(ServiceSteps, TryArrivesAndHasItsLimits)
{
    ExecuteMessage any;
    Tercet__V1__TryRequest message = TERCET__V1__TRY_REQUEST__INIT;
    message.gid = Text(any.gid);
    message.number = 64;
    message.branch = any.branches.data();
    Arrives("Try", &message.base, REQUEST_TRY, [](const struct request &request) {
        EXPECT_EQ(request.branch_index, 64U);
        ASSERT_EQ(request.branch_count, 1U);
        EXPECT_EQ(request.branches[0]->spec.index, 64U);
        EXPECT_EQ(request.wait_ms, 35000U);
    });
    message.number = 0;
    ExpectLimit("Try", &message.base, "number", 1, 0);
    message.number = 65;
    ExpectLimit("Try", &message.base, "number", 64, 65);
    message.number = 1;
    message.branch->stage = 1;
    ExpectLimit("Try", &message.base, "branch.stage", 0, 1);
    message.branch->stage = 0;
    std::string other = "nobody";
    message.branch->participant = Text(other);
    EXPECT_EQ(Refused("Try", &message.base).code, "TERCET_UNKNOWN_PARTICIPANT");
    message.branch = nullptr;
    ExpectRefused("Try", &message.base, "branch", "TERCET_REQUIRED");
}

TEST_F(ServiceSteps, ConfirmAndCancelWaitForADecisionOrTheEnd)
{
    std::string gid = "g";
    Tercet__V1__ConfirmRequest confirm = TERCET__V1__CONFIRM_REQUEST__INIT;
    Tercet__V1__CancelRequest cancel = TERCET__V1__CANCEL_REQUEST__INIT;
    confirm.gid = cancel.gid = Text(gid);
    Arrives("Confirm", &confirm.base, REQUEST_CONFIRM,
            [](const struct request &request) { EXPECT_EQ(request.wait, WAIT_MODE_DECISION); });
    confirm.wait = cancel.wait = TERCET__V1__WAIT__WAIT_END;
    confirm.wait_timeout_ms = 9;
    Arrives("Confirm", &confirm.base, REQUEST_CONFIRM, [](const struct request &request) {
        EXPECT_EQ(request.wait, WAIT_MODE_END);
        EXPECT_EQ(request.wait_ms, 9U);
    });
    Tercet__V1__Reason reason = TERCET__V1__REASON__INIT;
    std::string code(63, 'C');
    std::string text(300, 't');
    reason.code = Text(code);
    reason.text = Text(text);
    cancel.reason = &reason;
    Arrives("Cancel", &cancel.base, REQUEST_CANCEL, [&](const struct request &request) {
        EXPECT_EQ(request.wait, WAIT_MODE_END);
        EXPECT_EQ(request.reason.code, code);
        EXPECT_EQ(request.reason.text, text.substr(0, 255)) << "cut, not refused";
    });
    confirm.wait = cancel.wait = TERCET__V1__WAIT__WAIT_BEGIN;
    ExpectRefused("Confirm", &confirm.base, "wait", "TERCET_MALFORMED");
    ExpectRefused("Cancel", &cancel.base, "wait", "TERCET_MALFORMED");
    cancel.wait = TERCET__V1__WAIT__WAIT_UNSPECIFIED;
    code += "C";
    reason.code = Text(code);
    ExpectLimit("Cancel", &cancel.base, "reason.code", 63, 64);
    code = "lower";
    reason.code = Text(code);
    ExpectRefused("Cancel", &cancel.base, "reason.code", "TERCET_MALFORMED");
    code = "";
    reason.code = Text(code);
    text = "\xff";
    reason.text = Text(text);
    ExpectRefused("Cancel", &cancel.base, "reason.text", "TERCET_MALFORMED");
}

TEST_F(ServiceSteps, GetAnswersAtOnceUnlessToldToWait)
{
    std::string gid = "g";
    Tercet__V1__GetRequest get = TERCET__V1__GET_REQUEST__INIT;
    get.gid = Text(gid);
    const std::pair<Tercet__V1__Wait, enum wait_mode> modes[] = {
        {TERCET__V1__WAIT__WAIT_UNSPECIFIED, WAIT_MODE_BEGIN},
        {TERCET__V1__WAIT__WAIT_BEGIN, WAIT_MODE_BEGIN},
        {TERCET__V1__WAIT__WAIT_DECISION, WAIT_MODE_DECISION},
        {TERCET__V1__WAIT__WAIT_END, WAIT_MODE_END}};
    for (const auto &mode : modes) {
        get.wait = mode.first;
        Arrives("Get", &get.base, REQUEST_GET,
                [&](const struct request &request) { EXPECT_EQ(request.wait, mode.second); });
    }
}

TEST_F(ServiceSteps, ResolveArrivesAndHasItsLimits)
{
    std::string gid = "g";
    std::string reason(255, 'r');
    Tercet__V1__ResolveRequest resolve = TERCET__V1__RESOLVE_REQUEST__INIT;
    resolve.gid = Text(gid);
    resolve.branch = 64;
    resolve.resolution = TERCET__V1__RESOLUTION__RESOLUTION_SETTLED;
    resolve.reason = Text(reason);
    Arrives("Resolve", &resolve.base, REQUEST_RESOLVE, [&](const struct request &request) {
        EXPECT_EQ(request.branch_index, 64U);
        EXPECT_EQ(request.resolution, RESOLUTION_SETTLE);
        EXPECT_EQ(request.reason.text, reason);
    });
    resolve.resolution = TERCET__V1__RESOLUTION__RESOLUTION_ASK_AGAIN;
    Arrives("Resolve", &resolve.base, REQUEST_RESOLVE,
            [](const struct request &request) { EXPECT_EQ(request.resolution, RESOLUTION_ASK); });
    resolve.resolution = TERCET__V1__RESOLUTION__RESOLUTION_UNSPECIFIED;
    ExpectRefused("Resolve", &resolve.base, "resolution", "TERCET_REQUIRED");
    resolve.resolution = TERCET__V1__RESOLUTION__RESOLUTION_SETTLED;
    resolve.branch = 0;
    ExpectLimit("Resolve", &resolve.base, "branch", 1, 0);
    resolve.branch = 65;
    ExpectLimit("Resolve", &resolve.base, "branch", 64, 65);
    resolve.branch = 1;
    reason += "r";
    resolve.reason = Text(reason);
    ExpectLimit("Resolve", &resolve.base, "reason", 255, 256);
    reason = "";
    resolve.reason = Text(reason);
    ExpectRefused("Resolve", &resolve.base, "reason", "TERCET_REQUIRED");
    reason = "\xc3";
    resolve.reason = Text(reason);
    ExpectRefused("Resolve", &resolve.base, "reason", "TERCET_MALFORMED");
}

TEST_F(ServiceSteps, AParticipantIsResolvedByItself)
{
    std::string gid = "g";
    std::string reason = "compared";
    std::string participant = "account";
    Tercet__V1__ResolveRequest resolve = TERCET__V1__RESOLVE_REQUEST__INIT;
    resolve.participant = Text(participant);
    resolve.resolution = TERCET__V1__RESOLUTION__RESOLUTION_ASK_AGAIN;
    resolve.reason = Text(reason);
    Arrives("Resolve", &resolve.base, REQUEST_RESOLVE, [&](const struct request &request) {
        EXPECT_STREQ(request.gid, "");
        EXPECT_EQ(request.participant, 1U);
    });
    resolve.resolution = TERCET__V1__RESOLUTION__RESOLUTION_SETTLED;
    ExpectRefused("Resolve", &resolve.base, "participant", "TERCET_MALFORMED");
    resolve.resolution = TERCET__V1__RESOLUTION__RESOLUTION_ASK_AGAIN;
    resolve.branch = 1;
    ExpectRefused("Resolve", &resolve.base, "participant", "TERCET_MALFORMED");
    resolve.branch = 0;
    resolve.gid = Text(gid);
    ExpectRefused("Resolve", &resolve.base, "participant", "TERCET_MALFORMED");
    resolve.gid = nullptr;
    std::string empty;
    resolve.gid = Text(empty);
    participant = "nobody";
    resolve.participant = Text(participant);
    EXPECT_EQ(Refused("Resolve", &resolve.base).code, "TERCET_UNKNOWN_PARTICIPANT");
}
