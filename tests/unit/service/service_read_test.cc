/* An Execute that passes becomes the event it should be; what is wrong names field, limit, value. */
#include "read_fixture.h"

extern "C" {
#include "engine/digest.h"
}

using ::testing::HasSubstr;

class ServiceRead : public ReadTest
{
};

TEST_F(ServiceRead, ExecuteArrivesWhole)
{
    ExecuteMessage execute;
    execute.Use(2);
    std::string payload("\0\1\2", 3);
    execute.branches[0].payload = {payload.size(), reinterpret_cast<uint8_t *>(payload.data())};
    execute.branches[0].stage = 63;
    execute.branches[0].optional = 1;
    execute.branches[0].call_timeout_ms = 10;
    std::string order = "order";
    execute.branches[1].participant = Text(order);
    execute.branches[1].kind = TERCET__V1__BRANCH_KIND__BRANCH_KIND_CONFIRM_ONLY;
    execute.message.wait = TERCET__V1__WAIT__WAIT_END;
    execute.message.try_timeout_ms = 3600000;
    execute.message.wait_timeout_ms = 1234;
    std::string trace(64, 't');
    execute.message.traceparent = Text(trace);
    execute.message.created_at_unix_ms = 42;
    Arrives("Execute", &execute.message.base, REQUEST_EXECUTE, [&](const struct request &request) {
        EXPECT_STREQ(request.gid, "pay-1");
        EXPECT_EQ(request.wait, WAIT_MODE_END);
        EXPECT_EQ(request.wait_ms, 1234U);
        EXPECT_EQ(request.try_timeout_ms, 3600000U);
        EXPECT_EQ(request.created_at_unix_ms, 42);
        EXPECT_EQ(request.traceparent, trace);
        ASSERT_EQ(request.branch_count, 2U);
        const struct branch *debit = request.branches[0];
        const struct branch_traits &first = debit->spec;
        EXPECT_EQ(first.index, 1U);
        EXPECT_EQ(first.participant, 1U);
        EXPECT_STREQ(debit->action, "debit");
        EXPECT_EQ(std::string(static_cast<const char *>(debit->payload), debit->payload_size),
                  payload);
        EXPECT_EQ(first.stage, 63U);
        EXPECT_TRUE(first.optional);
        EXPECT_FALSE(first.confirm_only);
        EXPECT_EQ(branch_rare(debit)->call_timeout_ms, 10U);
        const struct branch_traits &second = request.branches[1]->spec;
        EXPECT_EQ(second.index, 2U);
        EXPECT_EQ(second.participant, 0U);
        EXPECT_TRUE(second.confirm_only);

        struct digest_branch content = {};
        content.participant = "account";
        content.action = "debit";
        content.payload = tercet_bytes_of(payload.data(), payload.size());
        content.stage = 63;
        content.flags = DIGEST_FLAG_OPTIONAL;
        struct digest16 digests[2] = {digest_of_branch(&content), second.digest};
        EXPECT_TRUE(digest16_equal(&first.digest, &digests[0]));
        const struct digest16 whole = digest_of_content("pay-1", digests, 2);
        EXPECT_TRUE(digest16_equal(&request.content, &whole));
    });
}

TEST_F(ServiceRead, MakesAGidThatSortsByTime)
{
    ExecuteMessage execute;
    std::string none;
    execute.message.gid = Text(none);
    std::vector<std::string> gids;
    for (int i = 0; i < 3; i++) {
        Arrives("Execute", &execute.message.base, REQUEST_EXECUTE,
                [&](const struct request &request) { gids.emplace_back(request.gid); });
    }
    Tercet__V1__BeginRequest begin = TERCET__V1__BEGIN_REQUEST__INIT;
    Arrives("Begin", &begin.base, REQUEST_BEGIN,
            [&](const struct request &request) { gids.emplace_back(request.gid); });
    for (const std::string &gid : gids) {
        EXPECT_EQ(gid.size(), 32U);
        EXPECT_EQ(gid.find_first_not_of("0123456789abcdef"), std::string::npos) << gid;
        EXPECT_LE(gids[0].substr(0, 12), gid.substr(0, 12));
    }
    EXPECT_NE(gids[0], gids[1]);
    EXPECT_NE(gids[1], gids[2]);
}

TEST_F(ServiceRead, WaitsNoLongerThanTheCaller)
{
    ExecuteMessage execute;
    const auto waited = [&](uint32_t call_timeout_ms, uint32_t wait_ms, uint32_t try_timeout_ms) {
        execute.message.wait_timeout_ms = wait_ms;
        execute.message.try_timeout_ms = try_timeout_ms;
        uint32_t result = 0;
        Arrives(
            "Execute", &execute.message.base, REQUEST_EXECUTE,
            [&](const struct request &request) { result = request.wait_ms; }, call_timeout_ms);
        return result;
    };
    EXPECT_EQ(waited(TERCET_FOREVER, 0, 0), 35000U);
    EXPECT_EQ(waited(TERCET_FOREVER, 0, 1000), 6000U);
    EXPECT_EQ(waited(TERCET_FOREVER, 70000, 1000), 70000U);
    const uint32_t of_call = waited(20000, 70000, 0);
    EXPECT_LE(of_call, 19900U) << "the answer would come after its caller has gone";
    EXPECT_GT(of_call, 10000U);
    EXPECT_EQ(waited(20000, 500, 0), 500U);
}

/* Who has gone keeps its place among the calls that wait: for an hour, not for seven weeks. */
TEST_F(ServiceRead, NobodyWaitsLongerThanAnHour)
{
    ExecuteMessage execute;
    execute.message.wait_timeout_ms = 3600001;
    ExpectLimit("Execute", &execute.message.base, "wait_timeout_ms", 3600000, 3600001);
    std::string gid("pay-1");
    Tercet__V1__TryRequest step = TERCET__V1__TRY_REQUEST__INIT;
    step.gid = Text(gid);
    step.wait_timeout_ms = UINT32_MAX;
    ExpectLimit("Try", &step.base, "wait_timeout_ms", 3600000, UINT32_MAX);
    Tercet__V1__ConfirmRequest confirm = TERCET__V1__CONFIRM_REQUEST__INIT;
    confirm.gid = Text(gid);
    confirm.wait_timeout_ms = UINT32_MAX;
    ExpectLimit("Confirm", &confirm.base, "wait_timeout_ms", 3600000, UINT32_MAX);
    Tercet__V1__CancelRequest cancel = TERCET__V1__CANCEL_REQUEST__INIT;
    cancel.gid = Text(gid);
    cancel.wait_timeout_ms = UINT32_MAX;
    ExpectLimit("Cancel", &cancel.base, "wait_timeout_ms", 3600000, UINT32_MAX);
    Tercet__V1__GetRequest get = TERCET__V1__GET_REQUEST__INIT;
    get.gid = Text(gid);
    get.wait_timeout_ms = 3600000;
    Arrives("Get", &get.base, REQUEST_GET,
            [](const struct request &request) { EXPECT_EQ(request.wait_ms, 3600000U); });
    get.wait_timeout_ms = 3600001;
    ExpectLimit("Get", &get.base, "wait_timeout_ms", 3600000, 3600001);
}

TEST_F(ServiceRead, GidsHaveTheirLimits)
{
    ExecuteMessage execute;
    std::string longest(128, 'g');
    execute.message.gid = Text(longest);
    Arrives("Execute", &execute.message.base, REQUEST_EXECUTE,
            [&](const struct request &request) { EXPECT_EQ(request.gid, longest); });
    std::string longer(129, 'g');
    execute.message.gid = Text(longer);
    ExpectLimit("Execute", &execute.message.base, "gid", 128, 129);
    for (const char *bad : {"a b", "tab\t", "\x7f", "\xc3\xa4", "\xff"}) {
        execute.message.gid = const_cast<char *>(bad);
        ExpectRefused("Execute", &execute.message.base, "gid", "TERCET_MALFORMED");
        Tercet__V1__BeginRequest begin = TERCET__V1__BEGIN_REQUEST__INIT;
        begin.gid = const_cast<char *>(bad);
        ExpectRefused("Begin", &begin.base, "gid", "TERCET_MALFORMED");
        Tercet__V1__GetRequest get = TERCET__V1__GET_REQUEST__INIT;
        get.gid = const_cast<char *>(bad);
        ExpectRefused("Get", &get.base, "gid", "TERCET_MALFORMED");
    }
}

TEST_F(ServiceRead, AGidIsRequiredWhereNoneIsMade)
{
    Tercet__V1__TryRequest try_request = TERCET__V1__TRY_REQUEST__INIT;
    Tercet__V1__ConfirmRequest confirm = TERCET__V1__CONFIRM_REQUEST__INIT;
    Tercet__V1__CancelRequest cancel = TERCET__V1__CANCEL_REQUEST__INIT;
    Tercet__V1__GetRequest get = TERCET__V1__GET_REQUEST__INIT;
    Tercet__V1__ResolveRequest resolve = TERCET__V1__RESOLVE_REQUEST__INIT;
    ExpectRefused("Try", &try_request.base, "gid", "TERCET_REQUIRED");
    ExpectRefused("Confirm", &confirm.base, "gid", "TERCET_REQUIRED");
    ExpectRefused("Cancel", &cancel.base, "gid", "TERCET_REQUIRED");
    ExpectRefused("Get", &get.base, "gid", "TERCET_REQUIRED");
    ExpectRefused("Resolve", &resolve.base, "gid", "TERCET_REQUIRED");
}

TEST_F(ServiceRead, BranchesHaveTheirLimits)
{
    ExecuteMessage execute;
    execute.Use(64);
    Arrives("Execute", &execute.message.base, REQUEST_EXECUTE,
            [](const struct request &request) { EXPECT_EQ(request.branch_count, 64U); });
    execute.Use(0);
    ExpectLimit("Execute", &execute.message.base, "branches", 1, 0);
    execute.Use(65);
    ExpectLimit("Execute", &execute.message.base, "branches", 64, 65);
    execute.Use(2);
    execute.branches[1].stage = 64;
    ExpectLimit("Execute", &execute.message.base, "branches[1].stage", 63, 64);
    execute.Use(2);
    execute.branches[1].call_timeout_ms = 9;
    ExpectLimit("Execute", &execute.message.base, "branches[1].call_timeout_ms", 10, 9);
    execute.branches[1].call_timeout_ms = 600001;
    ExpectLimit("Execute", &execute.message.base, "branches[1].call_timeout_ms", 600000, 600001);
}

TEST_F(ServiceRead, PayloadsHaveTheirLimits)
{
    ExecuteMessage execute;
    std::string payload(65537, 'p');
    auto *data = reinterpret_cast<uint8_t *>(payload.data());
    execute.branches[0].payload = {65536, data};
    Arrives("Execute", &execute.message.base, REQUEST_EXECUTE, [](const struct request &request) {
        EXPECT_EQ(request.branches[0]->payload_size, 65536U);
    });
    execute.branches[0].payload = {65537, data};
    ExpectLimit("Execute", &execute.message.base, "branches[0].payload", 65536, 65537);
    execute.Use(17);
    for (size_t i = 0; i < 16; i++) {
        execute.branches[i].payload = {65536, data};
    }
    Arrives("Execute", &execute.message.base, REQUEST_EXECUTE, [](const struct request &) {});
    execute.branches[16].payload = {1, data};
    ExpectLimit("Execute", &execute.message.base, "branches.payload", 1048576, 1048577);
}

TEST_F(ServiceRead, NamesHaveTheirLimits)
{
    ExecuteMessage execute;
    std::string name(65, 'n');
    execute.branches[0].action = Text(name);
    ExpectLimit("Execute", &execute.message.base, "branches[0].action", 64, 65);
    execute.Use(1);
    execute.branches[0].participant = Text(name);
    ExpectLimit("Execute", &execute.message.base, "branches[0].participant", 64, 65);
    std::string bad = "a/b";
    execute.Use(1);
    execute.branches[0].action = Text(bad);
    ExpectRefused("Execute", &execute.message.base, "branches[0].action", "TERCET_MALFORMED");
    execute.Use(1);
    execute.branches[0].participant = Text(bad);
    ExpectRefused("Execute", &execute.message.base, "branches[0].participant", "TERCET_MALFORMED");
    std::string none;
    execute.Use(1);
    execute.branches[0].action = Text(none);
    ExpectRefused("Execute", &execute.message.base, "branches[0].action", "TERCET_REQUIRED");
    execute.Use(1);
    execute.branches[0].participant = Text(none);
    ExpectRefused("Execute", &execute.message.base, "branches[0].participant", "TERCET_REQUIRED");
}

TEST_F(ServiceRead, AnUnknownParticipantIsNamedWithWhatToDo)
{
    for (std::string name : {"acount", "retired"}) {
        ExecuteMessage execute;
        execute.Use(2);
        execute.branches[1].participant = Text(name);
        const Answer answer = Refused("Execute", &execute.message.base);
        EXPECT_EQ(answer.status, TERCET_FAILED_PRECONDITION);
        EXPECT_EQ(answer.code, "TERCET_UNKNOWN_PARTICIPANT");
        EXPECT_EQ(answer.field, "branches[1].participant");
        EXPECT_THAT(answer.text, HasSubstr("\"" + name + "\""));
        EXPECT_THAT(answer.text, HasSubstr("participants:"));
    }
}

TEST_F(ServiceRead, AConfirmOnlyBranchCannotBeOptional)
{
    ExecuteMessage execute;
    execute.branches[0].kind = TERCET__V1__BRANCH_KIND__BRANCH_KIND_CONFIRM_ONLY;
    execute.branches[0].optional = 1;
    ExpectRefused("Execute", &execute.message.base, "branches[0].optional", "TERCET_MALFORMED");
}

TEST_F(ServiceRead, TimesAndTraceHaveTheirLimits)
{
    ExecuteMessage execute;
    execute.message.try_timeout_ms = 3600001;
    ExpectLimit("Execute", &execute.message.base, "try_timeout_ms", 3600000, 3600001);
    execute.message.try_timeout_ms = 0;
    execute.message.created_at_unix_ms = -1;
    ExpectLimit("Execute", &execute.message.base, "created_at_unix_ms", 0, -1);
    execute.message.created_at_unix_ms = INT64_C(1) << 53;
    ExpectLimit("Execute", &execute.message.base, "created_at_unix_ms", (INT64_C(1) << 53) - 1,
                INT64_C(1) << 53);
    execute.message.created_at_unix_ms = 0;
    std::string trace(65, 't');
    execute.message.traceparent = Text(trace);
    ExpectLimit("Execute", &execute.message.base, "traceparent", 64, 65);
    std::string bad = "a\nb";
    execute.message.traceparent = Text(bad);
    ExpectRefused("Execute", &execute.message.base, "traceparent", "TERCET_MALFORMED");

    Tercet__V1__BeginRequest begin = TERCET__V1__BEGIN_REQUEST__INIT;
    begin.try_timeout_ms = 3600001;
    ExpectLimit("Begin", &begin.base, "try_timeout_ms", 3600000, 3600001);
    begin.try_timeout_ms = 0;
    begin.created_at_unix_ms = -1;
    ExpectLimit("Begin", &begin.base, "created_at_unix_ms", 0, -1);
    begin.created_at_unix_ms = 0;
    begin.traceparent = Text(trace);
    ExpectLimit("Begin", &begin.base, "traceparent", 64, 65);
}
