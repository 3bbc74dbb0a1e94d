/* Draining and stopping, with calls under way. */
#include "rpc_fixture.h"

class RpcStop : public RpcTest
{
  protected:
    /* Starts a call that the handler holds; its end is copied to *outcome_. */
    struct rpc_call *StartHeld()
    {
        unary_ = [this](struct rpc_unary *call, const Request *request) {
            held_ = call;
            held_request_ = request;
            arrived_.Open();
        };
        Serve();
        Request request = TERCET__TEST__ECHO_REQUEST__INIT;
        request.text = const_cast<char *>("held");
        struct rpc_call_options options = CallOptions(kEcho, 60000);
        options.request = &request.base;
        struct rpc_call *call = rpc_call_start(channel_, &options);
        EXPECT_TRUE(arrived_.Wait());
        return call;
    }

    struct rpc_unary *held_ = nullptr;
    const Request *held_request_ = nullptr;
    Gate arrived_;
};

TEST_F(RpcStop, DrainingRefusesNewCallsAndKeepsHeldOnes)
{
    struct rpc_call *call = StartHeld();
    rpc_server_drain(server_);
    rpc_server_drain(server_);
    for (const char *path : {kEcho, kWatch, "/tercet.test.Echo/Nothing"}) {
        const Outcome refused = CallText(path, "new");
        EXPECT_EQ(refused.status, TERCET_UNAVAILABLE);
        EXPECT_EQ(refused.text, "stopping");
    }
    EXPECT_EQ(Refused(), std::vector<enum rpc_refusal>(3, RPC_REFUSAL_STOPPING));
    EchoBack(held_, held_request_);
    EXPECT_EQ(rpc_call_wait(call)->status, TERCET_OK);
    rpc_call_unref(call);
}

TEST_F(RpcStop, WaitsForHeldCallsWithinTheGrace)
{
    struct rpc_call *call = StartHeld();
    std::thread late([this] {
        /* UNIMPLEMENTED until the server is stopping. */
        while (CallText("/tercet.test.Echo/Nothing", "new").status != TERCET_UNAVAILABLE) {
            std::this_thread::yield();
        }
        EchoBack(held_, held_request_);
    });
    const auto start = Clock::now();
    rpc_server_stop(server_, 20000);
    EXPECT_LT(MsSince(start), 10000) << "the grace was waited for, not the call";
    late.join();
    EXPECT_EQ(rpc_call_wait(call)->status, TERCET_OK);
    rpc_call_unref(call);
}

TEST_F(RpcStop, EndsWithCallsThatNobodyAnswersAndTheirOwnersAnswerAfterwards)
{
    struct rpc_call *call = StartHeld();
    const auto start = Clock::now();
    rpc_server_stop(server_, 100);
    EXPECT_LT(MsSince(start), 5000);
    EXPECT_GE(MsSince(start), 90);
    EXPECT_EQ(rpc_call_wait(call)->status, TERCET_UNAVAILABLE);
    EXPECT_STREQ(rpc_call_wait(call)->text, "stopping");
    rpc_call_unref(call);
    rpc_server_destroy(server_);
    server_ = nullptr;
    /* The call and its request are still the owner's. */
    EXPECT_STREQ(held_request_->text, "held");
    EXPECT_GT(rpc_unary_timeout_ms(held_), 0u);
    EXPECT_EQ(std::string(rpc_unary_peer(held_)).rfind("ipv4:", 0), 0u);
    struct tercet_bytes value;
    EXPECT_TRUE(rpc_unary_metadata(held_, "user-agent", &value));
    EchoBack(held_, held_request_);
}

TEST_F(RpcStop, CutsOffAClientThatHoldsItsConnection)
{
    Serve();
    EXPECT_EQ(CallText(kEcho, "x").status, TERCET_OK);
    const auto start = Clock::now();
    rpc_server_stop(server_, 0);
    EXPECT_LT(MsSince(start), 5000);
    const Outcome outcome = CallText(kEcho, "x");
    EXPECT_EQ(outcome.status, TERCET_UNAVAILABLE) << outcome.text;
}

TEST_F(RpcStop, StopsInTheMiddleOfATraffic)
{
    Serve();
    std::atomic<bool> go{true};
    std::atomic<int> ok{0};
    std::atomic<int> other{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < 8; t++) {
        threads.emplace_back([&] {
            while (go) {
                const Outcome outcome = CallText(kEcho, "x", 5000);
                if (outcome.status == TERCET_OK) {
                    ok++;
                } else if (outcome.status != TERCET_UNAVAILABLE &&
                           outcome.status != TERCET_CALL_CANCELLED) {
                    other++;
                    ADD_FAILURE() << outcome.status << outcome.text;
                }
            }
        });
    }
    while (ok < 200) {
        std::this_thread::yield();
    }
    rpc_server_stop(server_, 1000);
    rpc_server_destroy(server_);
    server_ = nullptr;
    go = false;
    for (std::thread &thread : threads) {
        thread.join();
    }
    EXPECT_EQ(other, 0);
}
