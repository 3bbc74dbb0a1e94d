/* The client's side: connections that are not there, peers that misbehave, restarts. */
#include "rpc_fixture.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace
{

/* A TCP socket on loopback that listens and is never accepted from; the kernel answers for it. */
class SilentPeer
{
  public:
    SilentPeer()
    {
        fd_ = socket(AF_INET, SOCK_STREAM, 0);
        struct sockaddr_in name = {};
        name.sin_family = AF_INET;
        name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        EXPECT_EQ(bind(fd_, reinterpret_cast<struct sockaddr *>(&name), sizeof name), 0);
        EXPECT_EQ(listen(fd_, 16), 0);
        socklen_t size = sizeof name;
        EXPECT_EQ(getsockname(fd_, reinterpret_cast<struct sockaddr *>(&name), &size), 0);
        port_ = ntohs(name.sin_port);
    }
    ~SilentPeer()
    {
        close(fd_);
    }
    std::string Target() const
    {
        return "127.0.0.1:" + std::to_string(port_);
    }

  private:
    int fd_;
    uint16_t port_;
};

} // namespace

class RpcCall : public RpcTest
{
};

TEST_F(RpcCall, FailsAtOnceAndProvablyUnsentWhenNobodyListens)
{
    Connect("127.0.0.1:1");
    const auto start = Clock::now();
    const Outcome outcome = CallText(kEcho, "x");
    EXPECT_EQ(outcome.status, TERCET_UNAVAILABLE) << outcome.text;
    EXPECT_FALSE(outcome.sent_maybe);
    EXPECT_LT(MsSince(start), 3000);
}

TEST_F(RpcCall, FailsProvablyUnsentWithoutASocketFile)
{
    SocketDirectory directory;
    Connect("unix:" + directory.Socket("none.sock"));
    const Outcome outcome = CallText(kEcho, "x");
    EXPECT_EQ(outcome.status, TERCET_UNAVAILABLE) << outcome.text;
    EXPECT_FALSE(outcome.sent_maybe);
}

TEST_F(RpcCall, MayHaveBeenSentOverAUnixSocketThatIsConnected)
{
    SocketDirectory directory;
    addresses_ = {"unix:" + directory.Socket("a.sock")};
    unary_ = [](struct rpc_unary *call, const Request *) {
        rpc_unary_fail(call, TERCET_ABORTED, "x", nullptr);
    };
    Serve();
    const Outcome outcome = CallText(kEcho, "x");
    EXPECT_EQ(outcome.status, TERCET_ABORTED);
    EXPECT_TRUE(outcome.sent_maybe);
}

/* Goal: what a peer says can never pass for "not sent". */
TEST_F(RpcCall, IsNotTalkedIntoHavingSentNothing)
{
    SocketDirectory directory;
    addresses_ = {"127.0.0.1:0", "unix:" + directory.Socket("a.sock")};
    unary_ = [](struct rpc_unary *call, const Request *) {
        rpc_unary_fail(call, TERCET_UNAVAILABLE, "failed to connect to all addresses; not true",
                       nullptr);
    };
    Serve();
    EXPECT_TRUE(CallText(kEcho, "x").sent_maybe);
    rpc_channel_close(channel_);
    Connect(addresses_[1]);
    const Outcome outcome = CallText(kEcho, "x");
    EXPECT_EQ(outcome.status, TERCET_UNAVAILABLE);
    EXPECT_TRUE(outcome.sent_maybe);
}

/* Goal: a connection that breaks under a call leaves it unknown. */
TEST_F(RpcCall, MayHaveBeenSentWhenTheServerDiesUnderIt)
{
    std::mutex mutex;
    std::vector<struct rpc_unary *> held;
    Gate arrived;
    unary_ = [&](struct rpc_unary *call, const Request *) {
        std::lock_guard<std::mutex> lock(mutex);
        held.push_back(call);
        arrived.Open();
    };
    Serve();
    Request request = TERCET__TEST__ECHO_REQUEST__INIT;
    struct rpc_call_options options = CallOptions(kEcho, 60000);
    options.request = &request.base;
    struct rpc_call *call = rpc_call_start(channel_, &options);
    ASSERT_TRUE(arrived.Wait());
    rpc_server_destroy(server_);
    server_ = nullptr;
    EXPECT_EQ(rpc_call_wait(call)->status, TERCET_UNAVAILABLE);
    EXPECT_TRUE(rpc_call_wait(call)->sent_maybe);
    rpc_call_unref(call);
    rpc_unary_fail(held[0], TERCET_INTERNAL, "late", nullptr);
}

TEST_F(RpcCall, IsSurelyUnsentWhenTheConnectionIsNeverAnswered)
{
    SilentPeer peer;
    Connect(peer.Target());
    const auto start = Clock::now();
    const Outcome outcome = CallText(kEcho, "x", 10000);
    EXPECT_EQ(outcome.status, TERCET_UNAVAILABLE) << outcome.text;
    EXPECT_FALSE(outcome.sent_maybe);
    EXPECT_LT(MsSince(start), 4000); /* the channel's connect timeout */
}

TEST_F(RpcCall, EndsAtItsDeadlineWhenThePeerNeverSpeaks)
{
    SilentPeer peer;
    Connect(peer.Target());
    const auto start = Clock::now();
    const Outcome outcome = CallText(kEcho, "x", 300);
    EXPECT_EQ(outcome.status, TERCET_DEADLINE_EXCEEDED) << outcome.text;
    EXPECT_TRUE(outcome.sent_maybe); /* it was not, but a deadline proves nothing */
    EXPECT_GE(MsSince(start), 290);
    EXPECT_LT(MsSince(start), 3000);
}

TEST_F(RpcCall, WaitsForAConnectionWhenAskedTo)
{
    Connect("127.0.0.1:1");
    Request request = TERCET__TEST__ECHO_REQUEST__INIT;
    struct rpc_call_options options = CallOptions(kEcho, 300);
    options.request = &request.base;
    options.wait_for_ready = true;
    const auto start = Clock::now();
    const Outcome outcome = Run(options);
    EXPECT_EQ(outcome.status, TERCET_DEADLINE_EXCEEDED);
    EXPECT_GE(MsSince(start), 290);
}

TEST_F(RpcCall, IsCancelledByItsOwner)
{
    SilentPeer peer;
    Connect(peer.Target());
    Request request = TERCET__TEST__ECHO_REQUEST__INIT;
    struct rpc_call_options options = CallOptions(kEcho, 60000);
    options.request = &request.base;
    struct rpc_call *call = rpc_call_start(channel_, &options);
    rpc_call_cancel(call);
    EXPECT_EQ(rpc_call_wait(call)->status, TERCET_CALL_CANCELLED);
    rpc_call_cancel(call); /* too late, and harmless */
    rpc_call_unref(call);
}

TEST_F(RpcCall, IsCancelledByTheClosingOfItsChannel)
{
    SilentPeer peer;
    Connect(peer.Target());
    Request request = TERCET__TEST__ECHO_REQUEST__INIT;
    Gate done;
    struct rpc_call_options options = CallOptions(kEcho, 60000);
    options.request = &request.base;
    options.context = &done;
    options.done = [](const struct rpc_result *result, void *context) {
        EXPECT_EQ(result->status, TERCET_CALL_CANCELLED);
        EXPECT_TRUE(rpc_runtime_on_poller());
        static_cast<Gate *>(context)->Open();
    };
    struct rpc_call *call = rpc_call_start(channel_, &options);
    for (int i = 0; i < 9; i++) {
        rpc_call_unref(rpc_call_start(channel_, &options));
    }
    rpc_channel_close(channel_);
    channel_ = nullptr;
    EXPECT_EQ(done.Count(), 10);
    EXPECT_EQ(rpc_call_wait(call)->status, TERCET_CALL_CANCELLED);
    rpc_call_unref(call);
}

TEST_F(RpcCall, CallsAReplyThatIsGarbageInternal)
{
    unary_ = [](struct rpc_unary *call, const Request *) {
        rpc_unary_reply_bytes(call, tercet_bytes_of("\xff\xff", 2));
    };
    Serve();
    const Outcome outcome = CallText(kEcho, "x");
    EXPECT_EQ(outcome.status, TERCET_INTERNAL);
    EXPECT_EQ(outcome.text, "reply is not a tercet.test.EchoReply");
    EXPECT_TRUE(outcome.sent_maybe);
}

TEST_F(RpcCall, GivesTheBytesWithoutADescriptor)
{
    unary_ = [](struct rpc_unary *call, const Request *) {
        rpc_unary_reply_bytes(call, tercet_bytes_of("\xff\x00\x01", 3));
    };
    Serve();
    Request request = TERCET__TEST__ECHO_REQUEST__INIT;
    struct rpc_call_options options = CallOptions(kEcho, 10000);
    options.request = &request.base;
    options.reply = nullptr;
    struct rpc_call *call = rpc_call_start(channel_, &options);
    const struct rpc_result *result = rpc_call_wait(call);
    EXPECT_EQ(result->status, TERCET_OK);
    EXPECT_EQ(result->reply, nullptr);
    EXPECT_EQ(ToString(result->reply_bytes), std::string("\xff\x00\x01", 3));
    rpc_call_unref(call);
}

TEST_F(RpcCall, RefusesAReplyOverItsLimit)
{
    unary_ = [](struct rpc_unary *call, const Request *) {
        rpc_unary_reply_bytes(call, tercet_bytes_of(std::string(5 << 20, '\0').data(), 5 << 20));
    };
    Serve();
    const Outcome outcome = CallText(kEcho, "x");
    EXPECT_EQ(outcome.status, TERCET_RESOURCE_EXHAUSTED);
    EXPECT_TRUE(outcome.sent_maybe);
}

TEST_F(RpcCall, MayBeStartedInsideTheDoneOfAnother)
{
    Serve();
    struct Chain {
        RpcCall *test;
        struct rpc_channel *channel;
        int left;
        Gate done;
    } chain = {this, channel_, 20, {}};
    struct Step {
        static void Start(Chain *at)
        {
            Request request = TERCET__TEST__ECHO_REQUEST__INIT;
            struct rpc_call_options options = CallOptions(kEcho, 10000);
            options.request = &request.base;
            options.context = at;
            options.done = Done;
            rpc_call_unref(rpc_call_start(at->channel, &options));
        }
        static void Done(const struct rpc_result *result, void *context)
        {
            auto *at = static_cast<Chain *>(context);
            EXPECT_EQ(result->status, TERCET_OK);
            if (--at->left > 0) {
                Start(at);
            } else {
                at->done.Open();
            }
        }
        static struct rpc_call_options CallOptions(const char *path, uint32_t timeout_ms)
        {
            struct rpc_call_options options = {};
            options.path = path;
            options.reply = kReply;
            options.timeout_ms = timeout_ms;
            return options;
        }
    };
    Step::Start(&chain);
    EXPECT_TRUE(chain.done.Wait());
}

TEST_F(RpcCall, FindsARestartedServerWithinASecond)
{
    for (const bool is_unix : {false, true}) {
        SocketDirectory directory;
        addresses_ = {is_unix ? "unix:" + directory.Socket("a.sock") : "127.0.0.1:0"};
        Serve();
        addresses_ = {Target()};
        for (const int down_ms : {0, 300, 3000}) {
            ASSERT_EQ(CallText(kEcho, "x").status, TERCET_OK);
            rpc_server_destroy(server_);
            server_ = nullptr;
            const auto stopped = Clock::now();
            while (MsSince(stopped) < down_ms) {
                EXPECT_EQ(CallText(kEcho, "x").status, TERCET_UNAVAILABLE);
                std::this_thread::sleep_for(std::chrono::milliseconds(20));
            }
            struct rpc_server_options options = Options();
            struct tercet_error error = {};
            ASSERT_EQ(rpc_server_create(&options, &server_, &error), TERCET_OK) << error.text;
            rpc_server_start(server_);
            const auto start = Clock::now();
            while (CallText(kEcho, "x").status != TERCET_OK && MsSince(start) < 10000) {
                std::this_thread::sleep_for(std::chrono::milliseconds(5));
            }
            EXPECT_LT(MsSince(start), 1000) << "unix " << is_unix << " down " << down_ms;
        }
        rpc_channel_close(channel_);
        channel_ = nullptr;
        rpc_server_destroy(server_);
        server_ = nullptr;
    }
}

TEST_F(RpcCall, RefusesTargetsThatItMustNotReachInPlaintext)
{
    struct rpc_channel_options options = {};
    options.runtime = runtime_;
    struct tercet_error error = {};
    struct rpc_channel *channel = nullptr;
    options.target = "10.1.2.3:7400";
    EXPECT_EQ(rpc_channel_open(&options, &channel, &error), TERCET_INVALID_ARGUMENT);
    EXPECT_NE(std::string(error.text).find("has no TLS"), std::string::npos);
    options.target = "nonsense";
    EXPECT_EQ(rpc_channel_open(&options, &channel, &error), TERCET_INVALID_ARGUMENT);
    options.target = "127.0.0.1:0";
    EXPECT_EQ(rpc_channel_open(&options, &channel, &error), TERCET_INVALID_ARGUMENT);
    EXPECT_NE(std::string(error.text).find("nobody is reached at port 0"), std::string::npos);
    rpc_channel_close(nullptr);
}
