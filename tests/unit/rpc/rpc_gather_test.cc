/* What gathers while a message is being written. */
#include "rpc/rpc_gather.h"

#include <list>
#include <random>

#include "intruder.h"
#include "rpc/rpc_runtime.h"
#include "rpc_fixture.h"

class RpcGather : public RpcTest
{
  protected:
    void SetUp() override
    {
        RpcTest::SetUp();
        rpc_gather_init(&gather_);
        duplex_ = [this](struct rpc_duplex *duplex) {
            struct rpc_duplex_events events = {};
            events.context = this;
            events.message = [](ProtobufCMessage *message, void *context) {
                auto *self = static_cast<RpcGather *>(context);
                const auto *request = reinterpret_cast<const Request *>(message);
                std::vector<std::string> words(request->words, request->words + request->n_words);
                words.insert(words.begin(), request->text);
                {
                    std::lock_guard<std::mutex> lock(self->mutex_);
                    self->messages_.push_back(words);
                }
                rpc_codec_free(message);
                self->message_.Open();
            };
            events.gone = [](void *context) {
                rpc_duplex_finish(static_cast<RpcGather *>(context)->server_side_, TERCET_OK, "");
            };
            events.ended = [](const struct rpc_result *, void *) {};
            server_side_ = duplex;
            rpc_duplex_listen(duplex, &events);
        };
        Serve();
        struct rpc_duplex_options options = {};
        options.path = kDuplex;
        options.reply = kReply;
        options.events.context = this;
        options.events.message = [](ProtobufCMessage *message, void *) { rpc_codec_free(message); };
        options.events.written = [](void *context) {
            static_cast<RpcGather *>(context)->written_.Open();
        };
        options.events.ended = [](const struct rpc_result *, void *) {};
        client_ = rpc_duplex_start(channel_, &options);
    }

    void TearDown() override
    {
        rpc_gather_deinit(&gather_);
        RpcTest::TearDown();
        rpc_duplex_unref(client_);
    }

    void Add(const std::string &word, uint64_t *handle = nullptr)
    {
        char *words[] = {const_cast<char *>(word.c_str())};
        Request part = TERCET__TEST__ECHO_REQUEST__INIT;
        part.n_words = 1;
        part.words = words;
        rpc_gather_add(&gather_, &part.base, rpc_codec_size(&part.base), handle);
    }

    /* What arrives when this much may be sent; the parts in it, or -1. */
    int Send(size_t count_max, size_t bytes_max, const std::string &head = "\x0a\x04head")
    {
        size_t count = 0;
        return rpc_gather_send(&gather_, client_, tercet_bytes_of(head.data(), head.size()),
                               count_max, bytes_max, &count, nullptr)
                   ? static_cast<int>(count)
                   : -1;
    }

    /* One message.  Whether it has left by the time this returns; else `written` tells. */
    bool LeavesAtOnce()
    {
        size_t count = 0;
        bool written = false;
        Add("x");
        EXPECT_TRUE(
            rpc_gather_send(&gather_, client_, tercet_bytes_of("", 0), 1, 1, &count, &written));
        return written;
    }

    std::vector<std::string> Message(int number)
    {
        EXPECT_TRUE(message_.Wait(number));
        EXPECT_TRUE(written_.Wait(number));
        std::lock_guard<std::mutex> lock(mutex_);
        return messages_.at(static_cast<size_t>(number) - 1);
    }

    struct rpc_gather gather_;
    struct rpc_duplex *client_ = nullptr;
    struct rpc_duplex *server_side_ = nullptr;
    std::mutex mutex_;
    std::vector<std::vector<std::string>> messages_;
    Gate message_, written_;
};

using Words = std::vector<std::string>;

TEST_F(RpcGather, SendsTheHeadAndAsManyPartsAsAreAllowed)
{
    for (const char *word : {"a", "b", "c", "d"}) {
        Add(word);
    }
    EXPECT_EQ(Send(3, 1000), 3);
    EXPECT_EQ(Message(1), (Words{"head", "a", "b", "c"}));
    EXPECT_EQ(gather_.count, 1u);
    Add("e");
    EXPECT_EQ(Send(1000, 1000), 2);
    EXPECT_EQ(Message(2), (Words{"head", "d", "e"}));
    EXPECT_EQ(Send(1000, 1000), 0);
    EXPECT_EQ(Message(3), (Words{"head"}));
    EXPECT_EQ(Send(1000, 1000, ""), 0);
    EXPECT_EQ(Message(4), (Words{""}));
}

/* Goal: a part that is larger than the bound still leaves, alone. */
TEST_F(RpcGather, ClosesAMessageWithThePartThatFillsIt)
{
    for (int i = 0; i < 3; i++) {
        Add(std::string(100, 'x'));
    }
    EXPECT_EQ(Send(1000, 103), 2); /* a part has 102 bytes */
    EXPECT_EQ(Message(1).size(), 3u);
    EXPECT_EQ(Send(1000, 1), 1);
    EXPECT_EQ(Message(2).size(), 2u);
}

TEST_F(RpcGather, DroppedPartsAreNotSentAndHandlesAreCleared)
{
    uint64_t first = 0;
    uint64_t second = 0;
    Add("first", &first);
    Add("second", &second);
    ASSERT_NE(first, 0u);
    rpc_gather_drop(&gather_, first);
    EXPECT_EQ(first, 0u);
    EXPECT_EQ(Send(10, 1000), 1);
    EXPECT_EQ(second, 0u);
    EXPECT_EQ(Message(1), (Words{"head", "second"}));
}

TEST_F(RpcGather, WhatIsDroppedInTheMiddleIsLeftOut)
{
    uint64_t dropped[2] = {};
    Add("a");
    Add("b", &dropped[0]);
    Add("c");
    Add("d", &dropped[1]);
    Add("e");
    rpc_gather_drop(&gather_, dropped[1]);
    rpc_gather_drop(&gather_, dropped[0]);
    EXPECT_EQ(Send(2, 1000), 2);
    EXPECT_EQ(Message(1), (Words{"head", "a", "c"}));
    EXPECT_EQ(Send(2, 1000), 1);
    EXPECT_EQ(Message(2), (Words{"head", "e"}));
}

/* Goal: what is sent is what was added and not dropped, in its order, however the room for it grows. */
TEST_F(RpcGather, SendsWhatAModelSends)
{
    struct Part {
        std::string word;
        uint64_t handle = 0;
    };
    const char *seed_text = getenv("TERCET_SEED");
    const unsigned seed =
        seed_text != nullptr ? static_cast<unsigned>(strtoul(seed_text, nullptr, 0)) : 20261122u;
    SCOPED_TRACE("TERCET_SEED=" + std::to_string(seed));
    std::mt19937 random(seed);
    std::list<Part> model;
    int sent = 0;
    for (int step = 0; step < 3000; step++) {
        const unsigned act = random() % 100;
        if (act < 70) {
            const size_t size = random() % 50 == 0 ? random() % 20000 : random() % 300;
            model.push_back({std::to_string(step) + std::string(size, 'x'), 0});
            Add(model.back().word, &model.back().handle);
        } else if (act < 90 && !model.empty()) {
            const auto at = std::next(model.begin(), static_cast<long>(random() % model.size()));
            rpc_gather_drop(&gather_, at->handle);
            EXPECT_EQ(at->handle, 0u);
            model.erase(at);
        } else {
            const size_t count_max = random() % 4 == 0 ? 1000 : random() % 20;
            const int count = Send(count_max, 30000);
            ASSERT_LE(count, static_cast<int>(std::min(count_max, model.size())));
            Words expected = {"head"};
            for (int i = 0; i < count; i++) {
                EXPECT_EQ(model.front().handle, 0u);
                expected.push_back(model.front().word);
                model.pop_front();
            }
            ASSERT_EQ(Message(++sent), expected);
        }
        ASSERT_EQ(gather_.count, model.size());
    }
    EXPECT_GT(sent, 200);
    for (const Part &part : model) {
        rpc_gather_drop(&gather_, part.handle);
    }
    EXPECT_EQ(gather_.bytes, 0u);
}

/* Goal: behind one that waits for long, what comes and goes takes no memory. */
TEST_F(RpcGather, WhatIsDroppedBehindOneThatWaitsGivesItsBytesBack)
{
    const std::string word(1000, 'x');
    uint64_t dropped = 0;
    Add("waits");
    for (int i = 0; i < 5000; i++) {
        Add(word, &dropped);
        rpc_gather_drop(&gather_, dropped);
        ASSERT_LE(GRPC_SLICE_LENGTH(gather_.room), 4096u);
    }
    Add("last");
    EXPECT_EQ(Send(10, 1000), 2);
    EXPECT_EQ(Message(1), (Words{"head", "waits", "last"}));
}

/* Goal: a stream that was flooded once does not keep what it took. */
TEST_F(RpcGather, KeepsNoRoomForManyPartsBehindThem)
{
    for (int i = 0; i < 2000; i++) {
        Add("x");
    }
    EXPECT_GE(gather_.part_room, 2000u);
    EXPECT_EQ(Send(2000, 100000), 2000);
    EXPECT_EQ(Message(1).size(), 2001u);
    EXPECT_EQ(gather_.part_room, 0u);
    EXPECT_EQ(GRPC_SLICE_LENGTH(gather_.room), 0u);
    Add("y");
    EXPECT_EQ(Send(1, 100), 1);
    EXPECT_EQ(Message(2), (Words{"head", "y"}));
}

TEST_F(RpcGather, KeepsEverythingWhenNothingCanBeSent)
{
    uint64_t part = 0;
    Add("kept", &part);
    rpc_duplex_half_close(client_);
    EXPECT_EQ(Send(10, 1000), -1);
    EXPECT_NE(part, 0u);
    EXPECT_EQ(gather_.count, 1u);
    rpc_gather_drop(&gather_, part);
}

/* Goal: no event for what has left already, and one for what has not. */
TEST_F(RpcGather, TellsAtOnceWhatHasLeftAtOnce)
{
    int told = 0;
    int at_once = 0;
    for (int i = 1; i <= 200; i++) {
        if (LeavesAtOnce()) {
            at_once++;
        } else {
            ASSERT_TRUE(written_.Wait(++told));
        }
        ASSERT_TRUE(message_.Wait(i));
    }
    EXPECT_EQ(Send(1000, 1000), 0);
    ASSERT_TRUE(written_.Wait(told + 1));
    ASSERT_TRUE(message_.Wait(201));
    EXPECT_EQ(written_.Count(), told + 1);
    EXPECT_GT(at_once, 100);
}

/* Goal: whoever sends holds locks, so what it finished for somebody else must be worked on by a poller. */
TEST_F(RpcGather, GivesAnEventOfAnotherBackToThePollers)
{
    struct Intruder {
        std::thread::id sender = std::this_thread::get_id();
        bool on_poller = false;
        Gate came = {};
    };
    int told = 0;
    for (int i = 1; i <= 20; i++) {
        Intruder intruder;
        intruder_send(
            client_,
            [](void *context) {
                auto *self = static_cast<Intruder *>(context);
                self->on_poller =
                    rpc_runtime_on_poller() && std::this_thread::get_id() != self->sender;
                self->came.Open();
            },
            &intruder);
        EXPECT_FALSE(LeavesAtOnce()) << "the intruder was first";
        ASSERT_TRUE(intruder.came.Wait());
        EXPECT_TRUE(intruder.on_poller);
        ASSERT_TRUE(written_.Wait(++told));
        ASSERT_TRUE(message_.Wait(i));
        EXPECT_EQ(intruder.came.Count(), 1);
    }
}
