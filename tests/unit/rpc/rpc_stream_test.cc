/* Streams from the server's side: coalescing, the end, a client that leaves. */
#include "rpc_fixture.h"

class RpcStream : public RpcTest
{
  protected:
    struct Reader {
        std::mutex mutex;
        std::vector<uint32_t> numbers;
        Gate message;
        Gate ended;
        Outcome outcome;
        std::function<void()> on_message;
    };

    static void OnMessage(const ProtobufCMessage *message, void *context)
    {
        auto *reader = static_cast<Reader *>(context);
        {
            std::lock_guard<std::mutex> lock(reader->mutex);
            reader->numbers.push_back(reinterpret_cast<const Reply *>(message)->number);
        }
        reader->message.Open();
        if (reader->on_message) {
            reader->on_message();
        }
    }

    static void OnEnd(const struct rpc_result *result, void *context)
    {
        auto *reader = static_cast<Reader *>(context);
        reader->outcome = Copy(result);
        reader->ended.Open();
    }

    struct rpc_client_stream *Open(Reader *reader, uint32_t timeout_ms = 60000)
    {
        Request request = TERCET__TEST__ECHO_REQUEST__INIT;
        struct rpc_client_stream_options options = {};
        options.path = kWatch;
        options.request = &request.base;
        options.reply = kReply;
        options.timeout_ms = timeout_ms;
        options.message = OnMessage;
        options.end = OnEnd;
        options.context = reader;
        return rpc_client_stream_start(channel_, &options);
    }

    static void Send(struct rpc_stream *stream, uint32_t number, const std::string &blob = "")
    {
        Reply reply = TERCET__TEST__ECHO_REPLY__INIT;
        reply.number = number;
        reply.blob.data = reinterpret_cast<uint8_t *>(const_cast<char *>(blob.data()));
        reply.blob.len = blob.size();
        rpc_stream_send(stream, &reply.base);
    }

    /* Keeps the stream and listens to its events. */
    void KeepStream()
    {
        stream_ = [this](struct rpc_stream *stream, const Request *) {
            struct rpc_stream_events events = {};
            events.cancelled = [](struct rpc_stream *, void *context) {
                static_cast<RpcStream *>(context)->cancelled_.Open();
            };
            events.released = [](void *context) {
                static_cast<RpcStream *>(context)->released_.Open();
            };
            events.context = this;
            rpc_stream_listen(stream, &events);
            kept_ = stream;
            arrived_.Open();
        };
    }

  public:
    struct rpc_stream *kept_ = nullptr;
    Gate arrived_;
    Gate cancelled_;
    Gate released_;
};

TEST_F(RpcStream, DeliversMessagesAndItsEnd)
{
    stream_ = [](struct rpc_stream *stream, const Request *) {
        EXPECT_GT(rpc_stream_timeout_ms(stream), 0u);
        Send(stream, 1);
        const struct rpc_metadata trailer = {"tercet-refused", tercet_bytes_of_text("1")};
        const struct rpc_detail detail = {&trailer, 1, {nullptr, 0}};
        rpc_stream_finish(stream, TERCET_OK, "", &detail);
    };
    Serve();
    Reader reader;
    struct rpc_client_stream *stream = Open(&reader);
    ASSERT_TRUE(reader.ended.Wait());
    EXPECT_EQ(reader.outcome.status, TERCET_OK);
    EXPECT_EQ(reader.outcome.Trailer("tercet-refused"), "1");
    EXPECT_EQ(reader.numbers, std::vector<uint32_t>{1});
    rpc_client_stream_unref(stream);
}

TEST_F(RpcStream, EndsWithAStatusAndNoMessage)
{
    stream_ = [](struct rpc_stream *stream, const Request *) {
        rpc_stream_finish(stream, TERCET_NOT_FOUND, "no such gid", nullptr);
    };
    Serve();
    for (int i = 0; i < 50; i++) {
        Reader reader;
        rpc_client_stream_unref(Open(&reader));
        ASSERT_TRUE(reader.ended.Wait());
        EXPECT_EQ(reader.outcome.status, TERCET_NOT_FOUND);
        EXPECT_EQ(reader.outcome.text, "no such gid");
        EXPECT_TRUE(reader.numbers.empty());
    }
}

/* Goal: a reader that is slow gets few messages, in order, and always the last one. */
TEST_F(RpcStream, CoalescesWhatASlowReaderCannotTake)
{
    KeepStream();
    Serve();
    Gate go;
    Reader reader;
    reader.on_message = [&] { go.Wait(); };
    struct rpc_client_stream *client = Open(&reader);
    ASSERT_TRUE(arrived_.Wait());
    const std::string blob(100000, 'x'); /* fills the windows soon */
    constexpr uint32_t kCount = 2000;
    for (uint32_t i = 1; i <= kCount; i++) {
        Send(kept_, i, blob);
    }
    rpc_stream_finish(kept_, TERCET_OK, "", nullptr);
    go.Open();
    ASSERT_TRUE(reader.ended.Wait());
    EXPECT_EQ(reader.outcome.status, TERCET_OK);
    ASSERT_FALSE(reader.numbers.empty());
    EXPECT_LT(reader.numbers.size(), kCount / 2);
    EXPECT_EQ(reader.numbers.back(), kCount);
    EXPECT_TRUE(std::is_sorted(reader.numbers.begin(), reader.numbers.end()));
    EXPECT_TRUE(released_.Wait());
    EXPECT_EQ(cancelled_.Count(), 0);
    rpc_client_stream_unref(client);
}

TEST_F(RpcStream, TellsAtOnceThatTheClientHasGone)
{
    KeepStream();
    Serve();
    Reader reader;
    struct rpc_client_stream *client = Open(&reader);
    ASSERT_TRUE(arrived_.Wait());
    Send(kept_, 1);
    ASSERT_TRUE(reader.message.Wait());
    rpc_client_stream_cancel(client);
    ASSERT_TRUE(cancelled_.Wait());
    ASSERT_TRUE(reader.ended.Wait());
    EXPECT_EQ(reader.outcome.status, TERCET_CALL_CANCELLED);
    rpc_client_stream_unref(client);
    Send(kept_, 2); /* nobody hears it */
    EXPECT_EQ(released_.Count(), 0);
    rpc_stream_finish(kept_, TERCET_OK, "", nullptr);
    EXPECT_TRUE(released_.Wait());
    EXPECT_EQ(cancelled_.Count(), 1);
}

TEST_F(RpcStream, TellsThatTheConnectionIsGoneOrTheDeadlineHasPassed)
{
    KeepStream();
    Serve();
    Reader first;
    rpc_client_stream_unref(Open(&first, 100));
    ASSERT_TRUE(arrived_.Wait(1));
    EXPECT_TRUE(cancelled_.Wait(1));
    ASSERT_TRUE(first.ended.Wait());
    EXPECT_EQ(first.outcome.status, TERCET_DEADLINE_EXCEEDED);
    rpc_stream_finish(kept_, TERCET_OK, "", nullptr);

    Reader second;
    rpc_client_stream_unref(Open(&second));
    ASSERT_TRUE(arrived_.Wait(2));
    rpc_channel_close(channel_);
    channel_ = nullptr;
    EXPECT_TRUE(second.ended.Wait());
    EXPECT_TRUE(cancelled_.Wait(2));
    rpc_stream_finish(kept_, TERCET_OK, "", nullptr);
    EXPECT_TRUE(released_.Wait(2));
}

TEST_F(RpcStream, IsEndedByAServerThatStops)
{
    KeepStream();
    Serve();
    Reader reader;
    rpc_client_stream_unref(Open(&reader));
    ASSERT_TRUE(arrived_.Wait());
    rpc_server_stop(server_, 60000);
    EXPECT_EQ(cancelled_.Count(), 1);
    ASSERT_TRUE(reader.ended.Wait());
    EXPECT_EQ(reader.outcome.status, TERCET_UNAVAILABLE);
    EXPECT_EQ(reader.outcome.text, "stopping");
    rpc_server_destroy(server_);
    server_ = nullptr;
    EXPECT_EQ(released_.Count(), 0);
    Send(kept_, 1);
    rpc_stream_finish(kept_, TERCET_OK, "", nullptr);
    EXPECT_EQ(released_.Count(), 1);
}

/* Goal: sends, the finish, the client's leaving and the server's end meet in every order. */
TEST_F(RpcStream, SurvivesEverythingAtOnce)
{
    std::vector<std::thread> senders;
    std::mutex mutex;
    stream_ = [&](struct rpc_stream *stream, const Request *) {
        struct rpc_stream_events events = {};
        events.released = [](void *context) {
            static_cast<RpcStream *>(context)->released_.Open();
        };
        events.context = this;
        rpc_stream_listen(stream, &events);
        std::lock_guard<std::mutex> lock(mutex);
        senders.emplace_back([stream] {
            for (uint32_t i = 0; i < 20; i++) {
                Send(stream, i);
            }
            rpc_stream_finish(stream, TERCET_ABORTED, "enough", nullptr);
        });
        arrived_.Open();
    };
    Serve();
    constexpr int kStreams = 200;
    std::vector<Reader> readers(kStreams);
    std::vector<struct rpc_client_stream *> clients;
    for (int i = 0; i < kStreams; i++) {
        clients.push_back(Open(&readers[static_cast<size_t>(i)]));
        if (i % 3 == 0) {
            rpc_client_stream_cancel(clients.back());
        }
        if (i == kStreams - 20) {
            rpc_server_drain(server_);
        }
    }
    rpc_server_stop(server_, 0);
    for (Reader &reader : readers) {
        ASSERT_TRUE(reader.ended.Wait());
    }
    for (struct rpc_client_stream *client : clients) {
        rpc_client_stream_unref(client);
    }
    for (std::thread &thread : senders) {
        thread.join();
    }
    EXPECT_TRUE(released_.Wait(arrived_.Count()));
}
