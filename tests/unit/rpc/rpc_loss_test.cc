/* What a channel counts as lost connections, also when nobody could look in time. */
#include "rpc_fixture.h"

namespace
{

// A runtime of its own whose pollers can all be kept from looking at anything.
class Blindfold
{
  public:
    explicit Blindfold(const std::string &target)
    {
        struct rpc_runtime_options options = {};
        options.thread_count = kPollers;
        runtime_ = rpc_runtime_create(&options);
        channel_ = Open(target);
    }
    ~Blindfold()
    {
        TakeOff();
        for (struct rpc_call *call : calls_) {
            (void)rpc_call_wait(call);
            rpc_call_unref(call);
        }
        rpc_channel_close(channel_);
        rpc_runtime_destroy(runtime_);
    }
    struct rpc_channel *Open(const std::string &target)
    {
        struct rpc_channel_options options = {};
        options.runtime = runtime_;
        options.target = target.c_str();
        struct tercet_error error = {};
        struct rpc_channel *channel = nullptr;
        EXPECT_EQ(rpc_channel_open(&options, &channel, &error), TERCET_OK) << error.text;
        return channel;
    }
    // Each poller stays in the end of a call until TakeOff().
    bool PutOn()
    {
        for (int i = 0; i < kPollers; i++) {
            Request request = TERCET__TEST__ECHO_REQUEST__INIT;
            struct rpc_call_options options = {};
            options.path = kEcho;
            options.request = &request.base;
            options.timeout_ms = 10000;
            options.wait_for_ready = true;
            options.done = Stay;
            options.context = this;
            calls_.push_back(rpc_call_start(channel_, &options));
        }
        return blind_.Wait(kPollers);
    }
    void TakeOff()
    {
        see_.Open();
    }

  private:
    static constexpr int kPollers = 4;
    static void Stay(const struct rpc_result *, void *context)
    {
        auto *self = static_cast<Blindfold *>(context);
        self->blind_.Open();
        (void)self->see_.Wait(1, 60000);
    }
    struct rpc_runtime *runtime_ = nullptr;
    struct rpc_channel *channel_ = nullptr;
    std::vector<struct rpc_call *> calls_;
    Gate blind_, see_;
};

bool ComesTrue(const std::function<bool()> &condition)
{
    const auto begun = Clock::now();
    while (!condition() && MsSince(begun) < 10000) {
        std::this_thread::yield();
    }
    return condition();
}

} // namespace

class RpcLoss : public RpcTest
{
};

TEST_F(RpcLoss, EachConnectionThatWasLostIsCountedAndNoOther)
{
    Serve();
    addresses_ = {Target()};
    for (uint64_t lost = 1; lost <= 3; lost++) {
        while (CallText(kEcho, "x").status !=
               TERCET_OK) { // a new server is not always found at once
        }
        EXPECT_EQ(rpc_channel_losses(channel_), lost - 1);
        rpc_server_destroy(server_);
        server_ = nullptr;
        EXPECT_TRUE(ComesTrue([&] { return rpc_channel_losses(channel_) == lost; }));
        EXPECT_EQ(CallText(kEcho, "x").status,
                  TERCET_UNAVAILABLE); // no connection, so none to lose
        EXPECT_EQ(rpc_channel_losses(channel_), lost);
        struct rpc_server_options options = Options();
        struct tercet_error error = {};
        ASSERT_EQ(rpc_server_create(&options, &server_, &error), TERCET_OK) << error.text;
        rpc_server_start(server_);
    }
}

TEST_F(RpcLoss, AConnectionThatCameAndWentBeforeAnybodyLookedIsCounted)
{
    Serve();
    Blindfold blindfold(Target());
    ASSERT_TRUE(blindfold.PutOn());
    SocketDirectory directory;
    addresses_ = {"unix:" + directory.Socket("brief.sock")};
    struct rpc_server_options options = Options();
    struct tercet_error error = {};
    struct rpc_server *brief = nullptr;
    ASSERT_EQ(rpc_server_create(&options, &brief, &error), TERCET_OK) << error.text;
    rpc_server_start(brief);
    struct rpc_channel *channel = blindfold.Open(addresses_[0]);
    struct rpc_call_options call_options = {};
    Request request = TERCET__TEST__ECHO_REQUEST__INIT;
    call_options.path = kEcho;
    call_options.request = &request.base;
    call_options.timeout_ms = 10000;
    struct rpc_call *call = rpc_call_start(channel, &call_options);
    ASSERT_TRUE(ComesTrue([&] { return rpc_channel_is_connected(channel); }));
    rpc_server_destroy(brief);
    ASSERT_TRUE(ComesTrue([&] { return !rpc_channel_is_connected(channel); }));
    EXPECT_EQ(rpc_channel_losses(channel), 0U); // nobody could look yet

    blindfold.TakeOff();
    EXPECT_TRUE(ComesTrue([&] { return rpc_channel_losses(channel) == 1; }));
    (void)rpc_call_wait(call);
    rpc_call_unref(call);
    rpc_channel_close(channel);
}
