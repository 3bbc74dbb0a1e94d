/* Watch: every change, the latest at least, and an end in every case. */
#include <algorithm>
#include <chrono>

#include "service_fixture.h"

/* A watcher that counts. */
struct Watcher {
    std::mutex mutex;
    std::condition_variable changed;
    std::vector<int64_t> sequences; /* as told, in order */
    std::vector<int> states;
    bool ended = false;
    bool hold = false; /* do not return from the next message */
    Answer answer;
    struct rpc_client_stream *stream = nullptr;

    static void Message(const ProtobufCMessage *message, void *context)
    {
        auto *self = static_cast<Watcher *>(context);
        const auto *told = reinterpret_cast<const Tercet__V1__Transaction *>(message);
        std::unique_lock<std::mutex> lock(self->mutex);
        self->sequences.push_back(told->sequence);
        self->states.push_back(static_cast<int>(told->state));
        self->changed.notify_all();
        self->changed.wait(lock, [self] { return !self->hold; });
    }
    static void End(const struct rpc_result *result, void *context)
    {
        auto *self = static_cast<Watcher *>(context);
        const std::lock_guard<std::mutex> lock(self->mutex);
        self->answer = CopyResult(result);
        self->ended = true;
        self->changed.notify_all();
    }
    bool WaitFor(const std::function<bool()> &condition)
    {
        std::unique_lock<std::mutex> lock(mutex);
        return changed.wait_for(lock, std::chrono::seconds(10), condition);
    }
    void Hold(bool yes)
    {
        const std::lock_guard<std::mutex> lock(mutex);
        hold = yes;
        changed.notify_all();
    }
    ~Watcher()
    {
        if (stream != nullptr) {
            rpc_client_stream_cancel(stream);
            EXPECT_TRUE(WaitFor([this] { return ended; })) << "what it calls would be gone";
            rpc_client_stream_unref(stream);
        }
    }
};

class ServiceWatch : public ServiceTest
{
  protected:
    void Watch(Watcher *watcher, const std::string &gid)
    {
        Tercet__V1__WatchRequest request = TERCET__V1__WATCH_REQUEST__INIT;
        request.gid = Text(gid);
        struct rpc_client_stream_options options = {};
        options.path = "/tercet.v1.Coordinator/Watch";
        options.request = &request.base;
        options.reply = &tercet__v1__transaction__descriptor;
        options.timeout_ms = TERCET_FOREVER;
        options.message = Watcher::Message;
        options.end = Watcher::End;
        options.context = watcher;
        /* Streams do not wait for a connection: make one. */
        Tercet__V1__GetRequest nothing = TERCET__V1__GET_REQUEST__INIT;
        EXPECT_EQ(Call("Get", &nothing.base).Wait().status, TERCET_INVALID_ARGUMENT);
        watcher->stream = rpc_client_stream_start(channel_, &options);
    }

    void Tell(void *token, int64_t sequence, enum txn_state state, bool last)
    {
        struct view view = PlainView("g", state);
        view.sequence = sequence;
        Reply(token, REQUEST_WATCH, Copy(view), last);
    }
};

TEST_F(ServiceWatch, TellsEveryChangeAndEndsWithTheTransaction)
{
    Watcher watcher;
    Watch(&watcher, "g");
    const EventPointer event = NextRequest(REQUEST_WATCH);
    EXPECT_STREQ(event->u.request.gid, "g");
    void *token = event->u.request.token;
    Tell(token, 1, TXN_TRYING, false);
    ASSERT_TRUE(watcher.WaitFor([&] { return watcher.sequences.size() == 1; }));
    Tell(token, 2, TXN_CONFIRMING, false);
    ASSERT_TRUE(watcher.WaitFor([&] { return watcher.sequences.size() == 2; }));
    Tell(token, 3, TXN_CONFIRMED, true);
    ASSERT_TRUE(watcher.WaitFor([&] { return watcher.ended; }));
    EXPECT_EQ(watcher.answer.status, TERCET_OK) << watcher.answer.text;
    EXPECT_EQ(watcher.sequences, (std::vector<int64_t>{1, 2, 3}));
    EXPECT_EQ(watcher.states.back(), static_cast<int>(TXN_CONFIRMED));
    EXPECT_EQ(service_waiting_calls(service_), 0U);
    EXPECT_TRUE(NoEvent()) << "a watch that ended by itself is not forgotten again";
}

TEST_F(ServiceWatch, TellsASlowWatcherTheLatestInsteadOfABacklog)
{
    Watcher watcher;
    Watch(&watcher, "g");
    const EventPointer event = NextRequest(REQUEST_WATCH);
    void *token = event->u.request.token;
    watcher.Hold(true);
    constexpr int64_t kChanges = 20000;
    for (int64_t i = 1; i <= kChanges; i++) {
        Tell(token, i, TXN_CONFIRMING, false);
    }
    Tell(token, kChanges + 1, TXN_CONFIRMED, true);
    watcher.Hold(false);
    ASSERT_TRUE(watcher.WaitFor([&] { return watcher.ended; }));
    EXPECT_EQ(watcher.answer.status, TERCET_OK);
    ASSERT_FALSE(watcher.sequences.empty());
    EXPECT_EQ(watcher.sequences.back(), kChanges + 1);
    EXPECT_LT(watcher.sequences.size(), static_cast<size_t>(kChanges));
    EXPECT_TRUE(std::is_sorted(watcher.sequences.begin(), watcher.sequences.end()));
}

TEST_F(ServiceWatch, AWatcherThatGoesAwayIsForgotten)
{
    Watcher watcher;
    Watch(&watcher, "g");
    const EventPointer event = NextRequest(REQUEST_WATCH);
    void *token = event->u.request.token;
    Tell(token, 1, TXN_TRYING, false);
    ASSERT_TRUE(watcher.WaitFor([&] { return !watcher.sequences.empty(); }));
    rpc_client_stream_cancel(watcher.stream);
    const EventPointer forget = Next();
    ASSERT_NE(forget, nullptr);
    EXPECT_EQ(forget->kind, EVENT_FORGET);
    EXPECT_EQ(forget->u.forget.token, token);
    Tell(token, 2, TXN_CONFIRMING, false); /* was under way already */
    EXPECT_EQ(service_waiting_calls(service_), 1U);
    Fail(token, REQUEST_WATCH, TERCET_CALL_CANCELLED, false);
    EXPECT_EQ(service_waiting_calls(service_), 0U);
    ASSERT_TRUE(watcher.WaitFor([&] { return watcher.ended; }));
    EXPECT_EQ(watcher.answer.status, TERCET_CALL_CANCELLED);
}

TEST_F(ServiceWatch, AWatcherThatGoesAwayDuringALookUpIsAnsweredLikeAGet)
{
    Watcher watcher;
    Watch(&watcher, "g");
    const EventPointer event = NextRequest(REQUEST_WATCH);
    rpc_client_stream_cancel(watcher.stream);
    const EventPointer forget = Next();
    ASSERT_NE(forget, nullptr);
    EXPECT_EQ(forget->kind, EVENT_FORGET);
    Reply(event->u.request.token, REQUEST_GET, Copy(PlainView("g", TXN_TRYING)));
    EXPECT_EQ(service_waiting_calls(service_), 0U);
}

TEST_F(ServiceWatch, AFailureEndsTheStreamWithItsDetail)
{
    Watcher watcher;
    Watch(&watcher, "g");
    const EventPointer event = NextRequest(REQUEST_WATCH);
    Fail(event->u.request.token, REQUEST_WATCH, TERCET_NOT_FOUND, true);
    ASSERT_TRUE(watcher.WaitFor([&] { return watcher.ended; }));
    EXPECT_EQ(watcher.answer.status, TERCET_NOT_FOUND);
    EXPECT_EQ(watcher.answer.code, "TERCET_SOMETHING");
    EXPECT_TRUE(watcher.answer.refused);
    EXPECT_TRUE(watcher.sequences.empty());
}

TEST_F(ServiceWatch, ABadGidIsRefused)
{
    Watcher watcher;
    Watch(&watcher, "a b");
    ASSERT_TRUE(watcher.WaitFor([&] { return watcher.ended; }));
    EXPECT_EQ(watcher.answer.status, TERCET_INVALID_ARGUMENT);
    EXPECT_EQ(watcher.answer.field, "gid");
    EXPECT_TRUE(watcher.answer.refused);
    EXPECT_TRUE(NoEvent());
}

TEST_F(ServiceWatch, WatchersCountAsWaitingCalls)
{
    Start(1, 100);
    Watcher first;
    Watch(&first, "g");
    const EventPointer event = NextRequest(REQUEST_WATCH);
    Watcher second;
    Watch(&second, "g");
    ASSERT_TRUE(second.WaitFor([&] { return second.ended; }));
    EXPECT_EQ(second.answer.status, TERCET_RESOURCE_EXHAUSTED);
    EXPECT_EQ(second.answer.code, "TERCET_WAITING_CALLS");
    EXPECT_TRUE(second.answer.refused);
    Tell(event->u.request.token, 1, TXN_CONFIRMED, true);
    ASSERT_TRUE(first.WaitFor([&] { return first.ended; }));
}

TEST_F(ServiceWatch, AServerThatStopsLetsGoOfItsWatchers)
{
    Watcher watcher;
    Watch(&watcher, "g");
    const EventPointer event = NextRequest(REQUEST_WATCH);
    rpc_server_stop(server_, 0);
    ASSERT_TRUE(watcher.WaitFor([&] { return watcher.ended; }));
    EXPECT_EQ(watcher.answer.status, TERCET_UNAVAILABLE);
    const EventPointer forget = Next();
    ASSERT_NE(forget, nullptr);
    EXPECT_EQ(forget->kind, EVENT_FORGET);
    Fail(event->u.request.token, REQUEST_WATCH, TERCET_CALL_CANCELLED, false);
}
