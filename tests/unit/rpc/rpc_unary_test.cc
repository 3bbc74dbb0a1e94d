/* Unary calls over real gRPC, both sides in one process. */
#include "rpc_fixture.h"

class RpcUnary : public RpcTest
{
};

TEST_F(RpcUnary, EchoesOverTcp)
{
    Serve();
    const Outcome outcome = CallText(kEcho, "hello");
    EXPECT_EQ(outcome.status, TERCET_OK) << outcome.text;
    EXPECT_EQ(outcome.reply_text, "hello");
    EXPECT_TRUE(outcome.sent_maybe);
}

TEST_F(RpcUnary, EchoesOverAUnixSocket)
{
    SocketDirectory directory;
    addresses_ = {"unix:" + directory.Socket("a.sock")};
    Serve();
    EXPECT_EQ(CallText(kEcho, "hello").reply_text, "hello");
}

TEST_F(RpcUnary, CarriesAMessageThatComesInManyPieces)
{
    Serve();
    const std::string text(2 << 20, 'x');
    const Outcome outcome = CallText(kEcho, text);
    EXPECT_EQ(outcome.status, TERCET_OK) << outcome.text;
    EXPECT_TRUE(outcome.reply_text == text);
}

TEST_F(RpcUnary, TakesAnEmptyMessageForARequestWithDefaults)
{
    Serve();
    const Outcome outcome = CallBytes(kEcho, "");
    EXPECT_EQ(outcome.status, TERCET_OK) << outcome.text;
    EXPECT_TRUE(outcome.has_reply);
    EXPECT_EQ(outcome.reply_text, "");
}

TEST_F(RpcUnary, MayBeAnsweredLaterFromAnotherThread)
{
    std::thread late;
    unary_ = [&](struct rpc_unary *call, const Request *request) {
        late = std::thread([call, request] {
            std::this_thread::sleep_for(std::chrono::milliseconds(50));
            EchoBack(call, request);
        });
    };
    Serve();
    EXPECT_EQ(CallText(kEcho, "late").reply_text, "late");
    late.join();
}

TEST_F(RpcUnary, TellsTheHandlerDeadlinePeerAndMetadata)
{
    uint32_t left = 0;
    std::string peer;
    std::string gid;
    bool has_other = true;
    unary_ = [&](struct rpc_unary *call, const Request *request) {
        struct tercet_bytes value;
        left = rpc_unary_timeout_ms(call);
        peer = rpc_unary_peer(call);
        if (rpc_unary_metadata(call, "tercet-gid", &value)) {
            gid = ToString(value);
        }
        has_other = rpc_unary_metadata(call, "tercet-other", &value);
        EchoBack(call, request);
    };
    Serve();
    Request request = TERCET__TEST__ECHO_REQUEST__INIT;
    const struct rpc_metadata metadata = {"tercet-gid", tercet_bytes_of_text("order-17")};
    struct rpc_call_options options = CallOptions(kEcho, 50000);
    options.request = &request.base;
    options.metadata = &metadata;
    options.metadata_count = 1;
    EXPECT_EQ(Run(options).status, TERCET_OK);
    EXPECT_GT(left, 30000u);
    EXPECT_LE(left, 51000u); // gRPC rounds a deadline up when it puts it on the wire
    EXPECT_EQ(peer.rfind("ipv4:127.0.0.1:", 0), 0u) << peer;
    EXPECT_EQ(gid, "order-17");
    EXPECT_FALSE(has_other);

    options.timeout_ms = TERCET_FOREVER;
    EXPECT_EQ(Run(options).status, TERCET_OK);
    EXPECT_EQ(left, TERCET_FOREVER);
}

TEST_F(RpcUnary, CarriesStatusTextTrailersAndDetails)
{
    unary_ = [](struct rpc_unary *call, const Request *) {
        const struct rpc_metadata trailers[] = {
            {"tercet-refused", tercet_bytes_of_text("1")},
            {"tercet-error-bin", tercet_bytes_of("a\0b", 3)},
        };
        const struct rpc_detail detail = {trailers, 2, tercet_bytes_of("\x08\x03", 2)};
        rpc_unary_fail(call, TERCET_FAILED_PRECONDITION, "no: \xc3\xa4 %", &detail);
    };
    Serve();
    const Outcome outcome = CallText(kEcho, "x");
    EXPECT_EQ(outcome.status, TERCET_FAILED_PRECONDITION);
    EXPECT_EQ(outcome.text, "no: \xc3\xa4 %");
    EXPECT_EQ(outcome.Trailer("tercet-refused"), "1");
    EXPECT_EQ(outcome.Trailer("tercet-error-bin"), std::string("a\0b", 3));
    EXPECT_EQ(outcome.Trailer("grpc-status-details-bin"), "\x08\x03");
    EXPECT_FALSE(outcome.has_reply);
}

TEST_F(RpcUnary, MayBeAnsweredAfterTheClientHasGone)
{
    Gate arrived;
    struct rpc_unary *held = nullptr;
    unary_ = [&](struct rpc_unary *call, const Request *) {
        held = call;
        arrived.Open();
    };
    Serve();
    Request request = TERCET__TEST__ECHO_REQUEST__INIT;
    struct rpc_call_options options = CallOptions(kEcho, 10000);
    options.request = &request.base;
    struct rpc_call *call = rpc_call_start(channel_, &options);
    ASSERT_TRUE(arrived.Wait());
    rpc_call_cancel(call);
    EXPECT_EQ(rpc_call_wait(call)->status, TERCET_CALL_CANCELLED);
    EXPECT_TRUE(rpc_call_wait(call)->sent_maybe);
    rpc_call_unref(call);
    rpc_channel_close(channel_);
    channel_ = nullptr;
    Reply reply = TERCET__TEST__ECHO_REPLY__INIT;
    rpc_unary_reply(held, &reply.base);
}

TEST_F(RpcUnary, EndsAtItsDeadlineAndTheLateAnswerIsLost)
{
    Gate arrived;
    struct rpc_unary *held = nullptr;
    Serve();
    ASSERT_EQ(CallText(kEcho, "the connection is there").status, TERCET_OK);
    unary_ = [&](struct rpc_unary *call, const Request *) {
        held = call;
        arrived.Open();
    };
    const auto start = Clock::now();
    const Outcome outcome = CallText(kEcho, "x", 500);
    EXPECT_EQ(outcome.status, TERCET_DEADLINE_EXCEEDED);
    EXPECT_TRUE(outcome.sent_maybe);
    EXPECT_GE(MsSince(start), 490);
    EXPECT_LT(MsSince(start), 5000);
    ASSERT_TRUE(arrived.Wait());
    /* The server counts from the call's arrival, so its deadline is a little later. */
    while (rpc_unary_timeout_ms(held) > 0 && MsSince(start) < 20000) {
        std::this_thread::yield();
    }
    EXPECT_EQ(rpc_unary_timeout_ms(held), 0u);
    rpc_unary_fail(held, TERCET_UNAVAILABLE, "too late", nullptr);
}

TEST_F(RpcUnary, NamesAMethodThatItDoesNotHave)
{
    Serve();
    for (const char *path : {"/tercet.test.Echo/Nothing", kBidi}) {
        const Outcome outcome = CallText(path, "x");
        EXPECT_EQ(outcome.status, TERCET_UNIMPLEMENTED);
        EXPECT_NE(outcome.text.find(path), std::string::npos) << outcome.text;
        EXPECT_EQ(outcome.Trailer("tercet-why"), "rpc");
    }
}

TEST_F(RpcUnary, RefusesBytesThatAreNoMessageBeforeTheHandler)
{
    std::atomic<int> handled{0};
    unary_ = [&](struct rpc_unary *call, const Request *request) {
        handled++;
        EchoBack(call, request);
    };
    Serve();
    /* Bad UTF-8 is not in this list: protobuf-c does not look. */
    for (const std::string &bytes :
         {std::string("\xff\xff\xff"), std::string("\x0a\x05hi"), std::string("\x0b\x0c"),
          std::string("\x28"), std::string("\x00\x00", 2), std::string("\x1d\x01\x02")}) {
        const Outcome outcome = CallBytes(kEcho, bytes);
        EXPECT_EQ(outcome.status, TERCET_INVALID_ARGUMENT) << outcome.text;
        EXPECT_EQ(outcome.text, "request is not a tercet.test.EchoRequest");
        EXPECT_EQ(outcome.Trailer("tercet-why"), "rpc");
    }
    EXPECT_EQ(handled, 0);
    EXPECT_EQ(Refused().size(), 6u);
    EXPECT_EQ(Refused().at(0), RPC_REFUSAL_MALFORMED);
}

TEST_F(RpcUnary, RefusesAMessageOverTheLimit)
{
    struct rpc_server_options options = Options();
    options.receive_bytes_max = 65536;
    Serve(options);
    EXPECT_EQ(CallText(kEcho, std::string(65000, 'x')).status, TERCET_OK);
    const Outcome outcome = CallText(kEcho, std::string(70000, 'x'));
    EXPECT_EQ(outcome.status, TERCET_RESOURCE_EXHAUSTED) << outcome.text;
    EXPECT_EQ(CallText(kEcho, "still here").status, TERCET_OK);
}

TEST_F(RpcUnary, RefusesAMessageOfTooManyElements)
{
    Serve();
    std::string bytes;
    for (int i = 0; i < 8193; i++) {
        bytes += std::string("\x1a\x00", 2); /* an empty part */
    }
    const Outcome outcome = CallBytes(kEcho, bytes);
    EXPECT_EQ(outcome.status, TERCET_RESOURCE_EXHAUSTED);
    EXPECT_NE(outcome.text.find("8192"), std::string::npos) << outcome.text;
    bytes.resize(bytes.size() - 2);
    EXPECT_EQ(CallBytes(kEcho, bytes).status, TERCET_OK);
}

TEST_F(RpcUnary, RefusesAMessageThatIsNestedTooDeep)
{
    Serve();
    std::string bytes = "\x08\x01";
    for (int level = 0; level < 8; level++) {
        bytes = std::string("\x0a") + static_cast<char>(bytes.size()) + bytes;
    }
    const Outcome outcome = CallBytes(kDeep, bytes);
    EXPECT_EQ(outcome.status, TERCET_INVALID_ARGUMENT);
    EXPECT_NE(outcome.text.find("8 levels"), std::string::npos) << outcome.text;
}

TEST_F(RpcUnary, NamesWhatItDoesNotKnowWhereThatIsRefused)
{
    Serve();
    const std::string unknown_field = "\x1a\x03\x98\x01\x01"; /* parts { 19: 1 } */
    const std::string unknown_enum = "\x1a\x02\x10\x09";      /* parts { mood: 9 } */
    Outcome outcome = CallBytes(kStrict, unknown_field);
    EXPECT_EQ(outcome.status, TERCET_INVALID_ARGUMENT);
    EXPECT_NE(outcome.text.find("parts.19"), std::string::npos) << outcome.text;
    outcome = CallBytes(kStrict, unknown_enum);
    EXPECT_EQ(outcome.status, TERCET_INVALID_ARGUMENT);
    EXPECT_NE(outcome.text.find("parts.mood=9"), std::string::npos) << outcome.text;
    EXPECT_EQ(Refused().back(), RPC_REFUSAL_NOT_UNDERSTOOD);
    EXPECT_EQ(CallBytes(kEcho, unknown_field).status, TERCET_OK);
    EXPECT_EQ(CallBytes(kEcho, unknown_enum).status, TERCET_OK);
}

TEST_F(RpcUnary, HoldsManyCallsFromManyThreads)
{
    Serve();
    std::atomic<int> right{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < 64; t++) {
        threads.emplace_back([&, t] {
            for (int i = 0; i < 50; i++) {
                const std::string text = std::to_string(t) + "/" + std::to_string(i);
                if (CallText(kEcho, text, 60000).reply_text == text) {
                    right++;
                }
            }
        });
    }
    for (std::thread &thread : threads) {
        thread.join();
    }
    EXPECT_EQ(right, 64 * 50);
}

TEST_F(RpcUnary, HoldsThousandsOfCallsUnanswered)
{
    constexpr int kCalls = 3000;
    std::mutex mutex;
    std::vector<std::pair<struct rpc_unary *, const Request *>> held;
    Gate arrived;
    unary_ = [&](struct rpc_unary *call, const Request *request) {
        std::lock_guard<std::mutex> lock(mutex);
        held.emplace_back(call, request);
        arrived.Open();
    };
    struct rpc_server_options server_options = Options();
    server_options.concurrent_streams_max = 10000;
    Serve(server_options);
    Gate done;
    std::atomic<int> ok{0};
    struct Context {
        Gate *done;
        std::atomic<int> *ok;
    } context = {&done, &ok};
    Request request = TERCET__TEST__ECHO_REQUEST__INIT;
    struct rpc_call_options options = CallOptions(kEcho, 60000);
    options.request = &request.base;
    options.context = &context;
    options.done = [](const struct rpc_result *result, void *pointer) {
        auto *both = static_cast<Context *>(pointer);
        if (result->status == TERCET_OK) {
            (*both->ok)++;
        }
        both->done->Open();
    };
    for (int i = 0; i < kCalls; i++) {
        rpc_call_unref(rpc_call_start(channel_, &options));
    }
    ASSERT_TRUE(arrived.Wait(kCalls, 60000));
    for (auto &item : held) {
        EchoBack(item.first, item.second);
    }
    EXPECT_TRUE(done.Wait(kCalls, 60000));
    EXPECT_EQ(ok, kCalls);
}
