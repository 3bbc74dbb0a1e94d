/* grpc.health.v1 as a client sees it. */
#include "rpc_fixture.h"

#include "health/v1/health.pb-c.h"

using HealthRequest = Grpc__Health__V1__HealthCheckRequest;
using HealthResponse = Grpc__Health__V1__HealthCheckResponse;

namespace
{

constexpr int kServing = GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__SERVING;
constexpr int kNotServing = GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__NOT_SERVING;
constexpr int kServiceUnknown =
    GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__SERVICE_UNKNOWN;

} // namespace

class RpcHealth : public RpcTest
{
  protected:
    void SetUp() override
    {
        RpcTest::SetUp();
        health_ = rpc_health_create();
        Serve();
    }

    /* The status, or minus the call's. */
    int Check(const char *service)
    {
        HealthRequest request = GRPC__HEALTH__V1__HEALTH_CHECK_REQUEST__INIT;
        request.service = const_cast<char *>(service);
        struct rpc_call_options options = CallOptions("/grpc.health.v1.Health/Check", 10000);
        options.request = &request.base;
        options.reply = &grpc__health__v1__health_check_response__descriptor;
        struct rpc_call *call = rpc_call_start(channel_, &options);
        const struct rpc_result *result = rpc_call_wait(call);
        const int status =
            result->status == TERCET_OK
                ? static_cast<int>(reinterpret_cast<const HealthResponse *>(result->reply)->status)
                : -static_cast<int>(result->status);
        rpc_call_unref(call);
        return status;
    }

    struct Watcher {
        std::mutex mutex;
        std::vector<int> seen;
        Gate told;
        Gate ended;
        Outcome outcome;
    };

    struct rpc_client_stream *Watch(Watcher *watcher, const char *service)
    {
        HealthRequest request = GRPC__HEALTH__V1__HEALTH_CHECK_REQUEST__INIT;
        request.service = const_cast<char *>(service);
        struct rpc_client_stream_options options = {};
        options.path = "/grpc.health.v1.Health/Watch";
        options.request = &request.base;
        options.reply = &grpc__health__v1__health_check_response__descriptor;
        options.timeout_ms = TERCET_FOREVER;
        options.context = watcher;
        options.message = [](const ProtobufCMessage *message, void *context) {
            auto *at = static_cast<Watcher *>(context);
            {
                std::lock_guard<std::mutex> lock(at->mutex);
                at->seen.push_back(reinterpret_cast<const HealthResponse *>(message)->status);
            }
            at->told.Open();
        };
        options.end = [](const struct rpc_result *result, void *context) {
            auto *at = static_cast<Watcher *>(context);
            at->outcome = Copy(result);
            at->ended.Open();
        };
        return rpc_client_stream_start(channel_, &options);
    }
};

TEST_F(RpcHealth, AnswersWhatWasSet)
{
    EXPECT_EQ(Check(""), kNotServing);
    rpc_health_set(health_, "", true);
    EXPECT_EQ(Check(""), kServing);
    EXPECT_EQ(Check("tercet.v1.Coordinator"), -static_cast<int>(TERCET_NOT_FOUND));
    rpc_health_set(health_, "tercet.v1.Coordinator", false);
    EXPECT_EQ(Check("tercet.v1.Coordinator"), kNotServing);
}

TEST_F(RpcHealth, TellsWatchersOfChanges)
{
    Watcher all;
    Watcher one;
    struct rpc_client_stream *all_stream = Watch(&all, "");
    struct rpc_client_stream *one_stream = Watch(&one, "later");
    ASSERT_TRUE(all.told.Wait(1));
    ASSERT_TRUE(one.told.Wait(1));
    rpc_health_set(health_, "", true);
    ASSERT_TRUE(all.told.Wait(2));
    rpc_health_set(health_, "", true); /* no change, no message */
    rpc_health_set(health_, "later", true);
    ASSERT_TRUE(one.told.Wait(2));
    EXPECT_EQ(all.seen, (std::vector<int>{kNotServing, kServing}));
    EXPECT_EQ(one.seen, (std::vector<int>{kServiceUnknown, kServing}));
    rpc_client_stream_cancel(all_stream);
    ASSERT_TRUE(all.ended.Wait());
    rpc_server_stop(server_, 0);
    ASSERT_TRUE(one.ended.Wait());
    EXPECT_EQ(one.outcome.status, TERCET_UNAVAILABLE);
    rpc_client_stream_unref(all_stream);
    rpc_client_stream_unref(one_stream);
}

TEST_F(RpcHealth, RefusesANameThatIsTooLong)
{
    const std::string name(128, 'x');
    EXPECT_EQ(Check(name.c_str()), -static_cast<int>(TERCET_NOT_FOUND));
    Watcher watcher;
    rpc_client_stream_unref(Watch(&watcher, name.c_str()));
    ASSERT_TRUE(watcher.ended.Wait());
    EXPECT_EQ(watcher.outcome.status, TERCET_INVALID_ARGUMENT);
}
