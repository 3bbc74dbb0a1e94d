/* The server's side of a stream of requests: how answers leave. */
#include "rpc/rpc_answers.h"

#include "rpc_fixture.h"

class RpcAnswers : public RpcTest
{
  protected:
    void SetUp() override
    {
        RpcTest::SetUp();
        duplex_ = [this](struct rpc_duplex *duplex) {
            const struct rpc_answers_limits limits = {5000, 5000, 1 << 20, SIZE_MAX};
            struct rpc_answers_hands hands = {};
            hands.context = this;
            hands.count = [](const ProtobufCMessage *message) {
                return reinterpret_cast<const Request *>(message)->n_words;
            };
            hands.message = [](struct rpc_answers *answers, ProtobufCMessage *message,
                               void *context) {
                auto *self = static_cast<RpcAnswers *>(context);
                self->answers_ = answers;
                rpc_codec_free(message);
                self->asked_.Open();
            };
            hands.busy = [](bool busy, void *context) {
                auto *self = static_cast<RpcAnswers *>(context);
                const std::lock_guard<std::mutex> lock(self->mutex_);
                self->busy_ = busy;
                self->changed_.notify_all();
            };
            Request hello = TERCET__TEST__ECHO_REQUEST__INIT;
            rpc_answers_hello(rpc_answers_open(duplex, &limits, &hands), &hello.base);
        };
        Serve();
        struct rpc_duplex_options options = {};
        options.path = kDuplex;
        options.reply = kRequest;
        options.events.context = this;
        options.events.message = [](ProtobufCMessage *message, void *context) {
            static_cast<RpcAnswers *>(context)->OnMessage(message);
        };
        options.events.ended = [](const struct rpc_result *, void *) {};
        client_ = rpc_duplex_start(channel_, &options);
    }

    void TearDown() override
    {
        while (given_count_ < asked_count_) {
            Give(""); /* until then it lives */
        }
        RpcTest::TearDown();
        rpc_duplex_unref(client_);
    }

    void OnMessage(ProtobufCMessage *message)
    {
        std::unique_lock<std::mutex> lock(mutex_);
        message_count_++;
        word_count_ += reinterpret_cast<Request *>(message)->n_words;
        changed_.notify_all();
        changed_.wait(lock, [this] { return reads_; });
        rpc_codec_free(message);
    }

    static std::string Words(size_t count, const std::string &word)
    {
        std::vector<char *> words(count, const_cast<char *>(word.c_str()));
        Request request = TERCET__TEST__ECHO_REQUEST__INIT;
        request.n_words = count;
        request.words = words.data();
        std::string bytes(rpc_codec_size(&request.base), '\0');
        rpc_codec_pack_into(&request.base, bytes.data());
        return bytes;
    }

    void Ask(size_t count)
    {
        const std::string bytes = Words(count, "?");
        ASSERT_TRUE(rpc_duplex_send(client_, tercet_bytes_of(bytes.data(), bytes.size())));
        ASSERT_TRUE(asked_.Wait());
        asked_count_ = count;
    }

    void Give(const std::string &word)
    {
        char *words[] = {const_cast<char *>(word.c_str())};
        Request answer = TERCET__TEST__ECHO_REQUEST__INIT;
        answer.n_words = 1;
        answer.words = words;
        given_count_++;
        rpc_answers_give(answers_, &answer.base, rpc_codec_size(&answer.base));
    }

    bool LeavesWithin(int ms)
    {
        std::unique_lock<std::mutex> lock(mutex_);
        return changed_.wait_for(lock, std::chrono::milliseconds(ms), [this] { return !busy_; });
    }

    bool AwaitWords(size_t count)
    {
        std::unique_lock<std::mutex> lock(mutex_);
        return changed_.wait_for(lock, std::chrono::seconds(10),
                                 [&] { return word_count_ >= count; });
    }

    void SetReading(bool reads)
    {
        const std::lock_guard<std::mutex> lock(mutex_);
        reads_ = reads;
        changed_.notify_all();
    }

    struct rpc_duplex *client_ = nullptr;
    struct rpc_answers *answers_ = nullptr;
    Gate asked_;
    size_t asked_count_ = 0;
    size_t given_count_ = 0;
    std::mutex mutex_;
    std::condition_variable changed_;
    bool busy_ = false;
    bool reads_ = true;
    size_t message_count_ = 0;
    size_t word_count_ = 0;
};

TEST_F(RpcAnswers, WhatComesWhileOneIsWrittenLeavesTogether)
{
    constexpr size_t kLate = 200;
    Ask(5000);
    SetReading(false);
    size_t given = 0;
    do {
        Give(std::string(10000, 'x'));
        given++;
        ASSERT_LT(given + kLate, 5000u) << "core takes everything for a client that does not read";
    } while (LeavesWithin(1000));
    for (size_t i = 0; i < kLate; i++) {
        Give("late");
    }
    SetReading(true);
    ASSERT_TRUE(AwaitWords(given + kLate));
    EXPECT_EQ(message_count_, 1 + given + 1) << "the hello, each by itself, and all that waited";
}

/* Goal: nothing waits for company on a stream that is free. */
TEST_F(RpcAnswers, WhatIsGivenToAFreeStreamLeavesAtOnce)
{
    Ask(100);
    for (size_t i = 1; i <= 100; i++) {
        Give("x");
        ASSERT_TRUE(AwaitWords(i));
        ASSERT_TRUE(LeavesWithin(5000));
    }
    EXPECT_EQ(message_count_, 101u);
}
