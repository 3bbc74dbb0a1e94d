// raw_stream.h -- a client of a stream whose requests are answered one by one, that does as it is told:
// it sends any bytes, exceeds its window, stops reading.  Await functions fail the test after 20 s.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

extern "C" {
#include "rpc/rpc_codec.h"
#include "rpc/rpc_duplex.h"
}

// Answer has `status` and `text`, which tell the stream's end, too.
template <typename Answer> class RawStream
{
  public:
    using Answers = std::vector<std::pair<int64_t, Answer>>;
    // The answers of one message by their calls; returns its window.
    using Reader = uint32_t (*)(ProtobufCMessage *message, Answers *answers);

    // `once`: no two requests will have one name, so no two answers may.
    RawStream(struct rpc_channel *channel, const char *path,
              const ProtobufCMessageDescriptor *reply, Reader read, bool once)
        : read_(read), once_(once)
    {
        struct rpc_duplex_options options = {};
        options.path = path;
        options.reply = reply;
        options.events.context = this;
        options.events.in_pieces = true; // a reader may keep parts
        options.events.message = [](ProtobufCMessage *message, void *context) {
            static_cast<RawStream *>(context)->OnMessage(message);
        };
        options.events.written = [](void *context) {
            auto *self = static_cast<RawStream *>(context);
            const std::lock_guard<std::mutex> lock(self->mutex_);
            self->writing_ = false;
            self->changed_.notify_all();
        };
        options.events.ended = [](const struct rpc_result *result, void *context) {
            auto *self = static_cast<RawStream *>(context);
            const std::lock_guard<std::mutex> lock(self->mutex_);
            self->end_.status = result->status;
            self->end_.text = result->text;
            self->ended_ = true;
            self->changed_.notify_all();
        };
        const std::lock_guard<std::mutex> lock(mutex_);
        duplex_ = rpc_duplex_start(channel, &options);
    }

    ~RawStream() // breaks it off
    {
        ReadOn();
        rpc_duplex_cancel(duplex_);
        (void)AwaitEnd();
        rpc_duplex_unref(duplex_);
    }
    RawStream(const RawStream &) = delete;
    RawStream &operator=(const RawStream &) = delete;

    // One message, as soon as the last has left.  False: the stream is over.
    bool SendBytes(const std::string &bytes)
    {
        std::unique_lock<std::mutex> lock(mutex_);
        Wait(&lock, [&] { return !writing_ || ended_; });
        writing_ = rpc_duplex_send(duplex_, tercet_bytes_of(bytes.data(), bytes.size()));
        return writing_;
    }

    // Whether what was sent last leaves within the time.
    bool LeavesWithin(int ms)
    {
        std::unique_lock<std::mutex> lock(mutex_);
        return changed_.wait_for(lock, std::chrono::milliseconds(ms), [&] { return !writing_; });
    }

    void HalfClose()
    {
        rpc_duplex_half_close(duplex_);
    }

    Answer Await(int64_t call)
    {
        std::unique_lock<std::mutex> lock(mutex_);
        Wait(&lock, [&] { return answers_.count(call) != 0 || ended_; });
        const auto found = answers_.find(call);
        EXPECT_NE(found, answers_.end()) << end_.status << " " << end_.text;
        return found != answers_.end() ? found->second : Answer();
    }

    uint32_t AwaitWindow()
    {
        std::unique_lock<std::mutex> lock(mutex_);
        Wait(&lock, [&] { return window_ != 0 || ended_; });
        return window_;
    }

    // Status and text of the stream's end.
    Answer AwaitEnd()
    {
        std::unique_lock<std::mutex> lock(mutex_);
        Wait(&lock, [&] { return ended_; });
        return end_;
    }

    size_t AnswerCount()
    {
        const std::lock_guard<std::mutex> lock(mutex_);
        return answers_.size();
    }

    size_t CountOf(int64_t call)
    {
        const std::lock_guard<std::mutex> lock(mutex_);
        return answers_.count(call);
    }

    size_t MessageCount()
    {
        const std::lock_guard<std::mutex> lock(mutex_);
        return messages_;
    }

    // Does not return from the next message until told.
    void StopReading()
    {
        const std::lock_guard<std::mutex> lock(mutex_);
        reading_ = false;
    }

    void ReadOn()
    {
        const std::lock_guard<std::mutex> lock(mutex_);
        reading_ = true;
        changed_.notify_all();
    }

  private:
    void OnMessage(ProtobufCMessage *message)
    {
        Answers answers;
        const uint32_t window = read_(message, &answers);
        std::unique_lock<std::mutex> lock(mutex_);
        changed_.wait(lock, [&] { return reading_; });
        messages_++;
        window_ = window != 0 ? window : window_;
        EXPECT_LE(answers.size(), 1024U);
        for (auto &answer : answers) {
            EXPECT_TRUE(!once_ || answers_.count(answer.first) == 0) << "answered twice";
            answers_.insert(std::move(answer));
        }
        changed_.notify_all();
        rpc_codec_free_pieces(message);
    }

    void Wait(std::unique_lock<std::mutex> *lock, const std::function<bool()> &until)
    {
        EXPECT_TRUE(changed_.wait_for(*lock, std::chrono::seconds(20), until));
    }

    const Reader read_;
    const bool once_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::multimap<int64_t, Answer> answers_;
    size_t messages_ = 0;
    uint32_t window_ = 0;
    bool writing_ = false;
    bool reading_ = true;
    bool ended_ = false;
    Answer end_;
    struct rpc_duplex *duplex_ = nullptr;
};
