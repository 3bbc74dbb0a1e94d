/* rpc_fixture.h -- a runtime, a server with the echo service, a channel to it. */
#ifndef TESTS_UNIT_RPC_RPC_FIXTURE_H
#define TESTS_UNIT_RPC_RPC_FIXTURE_H

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "echo.pb-c.h"
#include "rpc/rpc_call.h"
#include "rpc/rpc_client_stream.h"
#include "rpc/rpc_codec.h"
#include "rpc/rpc_duplex.h"
#include "rpc/rpc_health.h"
#include "rpc/rpc_server.h"
#include "rpc/rpc_stream.h"
#include "rpc/rpc_unary.h"

using Request = Tercet__Test__EchoRequest;
using Reply = Tercet__Test__EchoReply;

inline const ProtobufCMessageDescriptor *const kRequest = &tercet__test__echo_request__descriptor;
inline const ProtobufCMessageDescriptor *const kReply = &tercet__test__echo_reply__descriptor;

constexpr char kEcho[] = "/tercet.test.Echo/Echo";
constexpr char kStrict[] = "/tercet.test.Echo/Strict";
constexpr char kDeep[] = "/tercet.test.Echo/Deep";
constexpr char kWatch[] = "/tercet.test.Echo/Watch";
constexpr char kDuplex[] = "/tercet.test.Echo/Duplex";
constexpr char kBidi[] = "/tercet.test.Echo/Bidi";

using Clock = std::chrono::steady_clock;

inline int64_t MsSince(Clock::time_point start)
{
    return std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - start).count();
}

/* What one side wrote before, the other reads after: the connection between them orders it, but a
 * thread checker cannot see that. */
inline void Order()
{
    static std::atomic<unsigned> order{0};
    order.fetch_add(1, std::memory_order_acq_rel);
}

/* Waits until a condition that other threads bring about; false after ten seconds. */
class Gate
{
  public:
    void Open()
    {
        std::lock_guard<std::mutex> lock(mutex_);
        count_++;
        changed_.notify_all();
    }
    bool Wait(int count = 1, int timeout_ms = 10000)
    {
        std::unique_lock<std::mutex> lock(mutex_);
        return changed_.wait_for(lock, std::chrono::milliseconds(timeout_ms),
                                 [&] { return count_ >= count; });
    }
    int Count()
    {
        std::lock_guard<std::mutex> lock(mutex_);
        return count_;
    }

  private:
    std::mutex mutex_;
    std::condition_variable changed_;
    int count_ = 0;
};

/* A directory for sockets, removed at the end. */
class SocketDirectory
{
  public:
    SocketDirectory()
    {
        char name[] = "/tmp/tercet_rpc_XXXXXX";
        path_ = mkdtemp(name);
    }
    ~SocketDirectory()
    {
        const std::string command = "rm -rf '" + path_ + "'";
        (void)!std::system(command.c_str());
    }
    std::string Socket(const char *name) const
    {
        return path_ + "/" + name;
    }

  private:
    std::string path_;
};

/* What a call ended with, copied. */
struct Outcome {
    enum tercet_status status = TERCET_OK;
    std::string text;
    std::string reply_text;
    std::string reply_blob;
    uint32_t reply_number = 0;
    bool has_reply = false;
    bool sent_maybe = false;
    std::vector<std::pair<std::string, std::string>> trailers;

    std::string Trailer(const std::string &key) const
    {
        for (const auto &item : trailers) {
            if (item.first == key) {
                return item.second;
            }
        }
        return "(none)";
    }
};

inline std::string ToString(struct tercet_bytes bytes)
{
    return std::string(static_cast<const char *>(bytes.data), bytes.size);
}

inline Outcome Copy(const struct rpc_result *result)
{
    Outcome outcome;
    outcome.status = result->status;
    outcome.text = result->text;
    outcome.sent_maybe = result->sent_maybe;
    if (result->reply != nullptr && result->reply->descriptor == kReply) {
        const auto *reply = reinterpret_cast<const Reply *>(result->reply);
        outcome.has_reply = true;
        outcome.reply_text = reply->text;
        outcome.reply_number = reply->number;
        outcome.reply_blob.assign(reinterpret_cast<const char *>(reply->blob.data),
                                  reply->blob.len);
    }
    for (const char *key :
         {"tercet-refused", "tercet-error-bin", "grpc-status-details-bin", "tercet-why"}) {
        struct tercet_bytes value;
        if (rpc_result_trailer(result, key, &value)) {
            outcome.trailers.emplace_back(key, ToString(value));
        }
    }
    return outcome;
}

class RpcTest : public ::testing::Test
{
  protected:
    using UnaryFn = std::function<void(struct rpc_unary *, const Request *)>;
    using StreamFn = std::function<void(struct rpc_stream *, const Request *)>;

    void SetUp() override
    {
        runtime_ = rpc_runtime_create(nullptr);
    }

    void TearDown() override
    {
        rpc_channel_close(channel_);
        rpc_server_destroy(server_);
        rpc_health_destroy(health_);
        rpc_runtime_destroy(runtime_);
    }

    static void OnUnary(struct rpc_unary *call, const ProtobufCMessage *request, void *context)
    {
        Order();
        static_cast<RpcTest *>(context)->unary_(call, reinterpret_cast<const Request *>(request));
    }

    static void OnStream(struct rpc_stream *stream, const ProtobufCMessage *request, void *context)
    {
        static_cast<RpcTest *>(context)->stream_(stream,
                                                 reinterpret_cast<const Request *>(request));
    }

    static void OnDuplex(struct rpc_duplex *duplex, void *context)
    {
        static_cast<RpcTest *>(context)->duplex_(duplex);
    }

    static void OnRefused(enum rpc_refusal refusal, enum tercet_status, const char *text,
                          struct rpc_trailers *trailers, void *context)
    {
        auto *self = static_cast<RpcTest *>(context);
        std::lock_guard<std::mutex> lock(self->refused_mutex_);
        self->refused_.push_back(refusal);
        rpc_trailers_add(trailers, "tercet-why", tercet_bytes_of_text("rpc"));
        (void)text;
    }

    // What was refused so far; it is written on the server's thread.
    std::vector<enum rpc_refusal> Refused()
    {
        std::lock_guard<std::mutex> lock(refused_mutex_);
        return refused_;
    }

    static void EchoBack(struct rpc_unary *call, const Request *request)
    {
        Order();
        Reply reply = TERCET__TEST__ECHO_REPLY__INIT;
        reply.text = request->text;
        reply.blob = request->blob;
        reply.number = request->number;
        rpc_unary_reply(call, &reply.base);
    }

    /* Options with the echo service; addresses_ decides where. */
    struct rpc_server_options Options()
    {
        methods_.clear();
        methods_.push_back(Unary(kEcho, kRequest, false));
        methods_.push_back(Unary(kStrict, kRequest, true));
        methods_.push_back(Unary(kDeep, &tercet__test__deep1__descriptor, false));
        struct rpc_method watch = {};
        watch.path = kWatch;
        watch.kind = RPC_METHOD_SERVER_STREAM;
        watch.request = kRequest;
        watch.stream = OnStream;
        watch.context = this;
        watch.slots = 4;
        methods_.push_back(watch);
        struct rpc_method duplex = {};
        duplex.path = kDuplex;
        duplex.kind = RPC_METHOD_DUPLEX;
        duplex.request = kRequest;
        duplex.duplex = OnDuplex;
        duplex.context = this;
        duplex.slots = 4;
        methods_.push_back(duplex);
        struct rpc_method bidi = {};
        bidi.path = kBidi;
        bidi.kind = RPC_METHOD_UNIMPLEMENTED;
        methods_.push_back(bidi);

        pointers_.clear();
        for (const std::string &address : addresses_) {
            pointers_.push_back(address.c_str());
        }
        struct rpc_server_options options = {};
        options.runtime = runtime_;
        options.addresses = pointers_.data();
        options.address_count = pointers_.size();
        options.methods = methods_.data();
        options.method_count = methods_.size();
        options.health = health_;
        options.refused = OnRefused;
        options.refused_context = this;
        return options;
    }

    struct rpc_method Unary(const char *path, const ProtobufCMessageDescriptor *request,
                            bool refuse_unknown)
    {
        struct rpc_method method = {};
        method.path = path;
        method.kind = RPC_METHOD_UNARY;
        method.request = request;
        method.refuse_unknown = refuse_unknown;
        method.unary = OnUnary;
        method.context = this;
        return method;
    }

    /* Server and channel on loopback. */
    void Serve()
    {
        Serve(Options());
    }

    void Serve(const struct rpc_server_options &options)
    {
        struct tercet_error error = {};
        ASSERT_EQ(rpc_server_create(&options, &server_, &error), TERCET_OK) << error.text;
        rpc_server_start(server_);
        Connect(Target());
    }

    std::string Target() const
    {
        if (addresses_[0].rfind("unix:", 0) == 0) {
            return addresses_[0];
        }
        return "127.0.0.1:" + std::to_string(rpc_server_port(server_, 0));
    }

    void Connect(const std::string &target)
    {
        struct rpc_channel_options options = {};
        options.runtime = runtime_;
        options.target = target.c_str();
        struct tercet_error error = {};
        ASSERT_EQ(rpc_channel_open(&options, &channel_, &error), TERCET_OK) << error.text;
    }

    static struct rpc_call_options CallOptions(const char *path, uint32_t timeout_ms)
    {
        struct rpc_call_options options = {};
        options.path = path;
        options.reply = kReply;
        options.timeout_ms = timeout_ms;
        return options;
    }

    Outcome Run(const struct rpc_call_options &options)
    {
        Order();
        struct rpc_call *call = rpc_call_start(channel_, &options);
        Outcome outcome = Copy(rpc_call_wait(call));
        Order();
        rpc_call_unref(call);
        return outcome;
    }

    Outcome CallText(const char *path, const std::string &text, uint32_t timeout_ms = 10000)
    {
        Request request = TERCET__TEST__ECHO_REQUEST__INIT;
        request.text = const_cast<char *>(text.c_str());
        struct rpc_call_options options = CallOptions(path, timeout_ms);
        options.request = &request.base;
        return Run(options);
    }

    Outcome CallBytes(const char *path, const std::string &bytes, uint32_t timeout_ms = 10000)
    {
        struct rpc_call_options options = CallOptions(path, timeout_ms);
        options.request_bytes = tercet_bytes_of(bytes.data(), bytes.size());
        return Run(options);
    }

    struct rpc_runtime *runtime_ = nullptr;
    struct rpc_server *server_ = nullptr;
    struct rpc_channel *channel_ = nullptr;
    struct rpc_health *health_ = nullptr;
    std::vector<std::string> addresses_ = {"127.0.0.1:0"};
    std::vector<const char *> pointers_;
    std::vector<struct rpc_method> methods_;
    std::mutex refused_mutex_; // for the next one
    std::vector<enum rpc_refusal> refused_;
    UnaryFn unary_ = EchoBack;
    StreamFn stream_;
    std::function<void(struct rpc_duplex *)> duplex_;
};

#endif
