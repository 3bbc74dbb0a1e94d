#include "unit/edge/edge_work.h"

#include <gtest/gtest.h>

#include <chrono>

extern "C" {
#include "rpc/rpc_codec.h"
}

void FakeWork::Serve(struct rpc_duplex *duplex)
{
    struct rpc_duplex_events events = {};
    events.context = new Stream{this, duplex};
    events.message = [](ProtobufCMessage *message, void *context) {
        static_cast<Stream *>(context)->work->OnMessage(message);
    };
    events.written = [](void *context) {
        auto *self = static_cast<Stream *>(context)->work;
        std::lock_guard<std::mutex> lock(self->mutex_);
        self->writing_ = false;
        self->changed_.notify_all();
    };
    events.half_closed = [](void *context) {
        auto *self = static_cast<Stream *>(context)->work;
        std::lock_guard<std::mutex> lock(self->mutex_);
        self->half_closed_++;
        self->changed_.notify_all();
    };
    events.gone = [](void *context) {
        auto *stream = static_cast<Stream *>(context);
        stream->work->OnGone(stream->duplex);
    };
    events.ended = [](const struct rpc_result *, void *context) {
        delete static_cast<Stream *>(context);
    };
    rpc_duplex_listen(duplex, &events);
    {
        std::lock_guard<std::mutex> lock(mutex_);
        duplex_ = duplex;
        writing_ = false;
        streams_++;
        changed_.notify_all();
    }
    if (window_ != 0) {
        Answer({}, {}, window_);
    }
}

void FakeWork::OnGone(struct rpc_duplex *duplex)
{
    {
        std::lock_guard<std::mutex> lock(mutex_);
        if (duplex_ == duplex) {
            duplex_ = nullptr;
        }
        gone_ = true;
        changed_.notify_all();
    }
    rpc_duplex_finish(duplex, TERCET_OK, "");
}

void FakeWork::End(enum tercet_status status, const char *text)
{
    struct rpc_duplex *duplex = nullptr;
    {
        std::lock_guard<std::mutex> lock(mutex_);
        std::swap(duplex, duplex_);
    }
    ASSERT_NE(duplex, nullptr);
    rpc_duplex_finish(duplex, status, text);
}

void FakeWork::OnMessage(ProtobufCMessage *message)
{
    const auto *batch = reinterpret_cast<const Tercet__V1__WorkBatch *>(message);
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait(lock, [&] { return reading_; });
    batches_++;
    EXPECT_LE(batch->n_requests, 1024U);
    EXPECT_LE(protobuf_c_message_get_packed_size(message), 1U << 20);
    EXPECT_NE(batch->context, nullptr);
    participant_ = batch->context->participant;
    mark_lsn_ = batch->context->mark != nullptr ? batch->context->mark->as_of_lsn : 0;
    for (size_t i = 0; i < batch->n_requests; i++) {
        const Tercet__V1__BranchRequest *request = batch->requests[i];
        EXPECT_EQ(request->context, nullptr);
        Asked asked;
        asked.call = request->call;
        asked.phase = static_cast<int>(request->phase);
        asked.branch = request->branch;
        asked.attempt = request->attempt;
        asked.timeout_ms = request->timeout_ms;
        asked.gid = request->gid;
        asked.action = request->action;
        asked.payload.assign(reinterpret_cast<const char *>(request->payload.data),
                             request->payload.len);
        asked_.push_back(asked);
    }
    changed_.notify_all();
    rpc_codec_free(message);
}

std::vector<FakeWork::Asked> FakeWork::Await(size_t count)
{
    std::unique_lock<std::mutex> lock(mutex_);
    EXPECT_TRUE(
        changed_.wait_for(lock, std::chrono::seconds(10), [&] { return asked_.size() >= count; }))
        << asked_.size() << " requests of " << count;
    return asked_;
}

size_t FakeWork::AskedCount()
{
    std::lock_guard<std::mutex> lock(mutex_);
    return asked_.size();
}

size_t FakeWork::BatchCount()
{
    std::lock_guard<std::mutex> lock(mutex_);
    return batches_;
}

size_t FakeWork::StreamCount()
{
    std::lock_guard<std::mutex> lock(mutex_);
    return streams_;
}

bool FakeWork::AwaitStreams(size_t count)
{
    std::unique_lock<std::mutex> lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(10), [&] { return streams_ >= count; });
}

bool FakeWork::AwaitHalfClosed(size_t count)
{
    std::unique_lock<std::mutex> lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(10), [&] { return half_closed_ >= count; });
}

bool FakeWork::AwaitGone()
{
    std::unique_lock<std::mutex> lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(10), [&] { return gone_; });
}

std::string FakeWork::Participant()
{
    std::lock_guard<std::mutex> lock(mutex_);
    return participant_;
}

int64_t FakeWork::MarkLsn()
{
    std::lock_guard<std::mutex> lock(mutex_);
    return mark_lsn_;
}

void FakeWork::SayBytes(const std::string &bytes)
{
    std::unique_lock<std::mutex> lock(mutex_);
    EXPECT_TRUE(changed_.wait_for(lock, std::chrono::seconds(10),
                                  [&] { return !writing_ || duplex_ == nullptr; }));
    writing_ =
        duplex_ != nullptr && rpc_duplex_send(duplex_, tercet_bytes_of(bytes.data(), bytes.size()));
}

void FakeWork::Answer(const std::vector<int64_t> &calls, const Fill &fill, uint32_t window)
{
    std::vector<Tercet__V1__BranchReply> replies(calls.size());
    std::vector<Tercet__V1__BranchReply *> pointers;
    for (size_t i = 0; i < calls.size(); i++) {
        tercet__v1__branch_reply__init(&replies[i]);
        replies[i].call = calls[i];
        replies[i].verdict = TERCET__V1__VERDICT__VERDICT_DONE;
        if (fill) {
            fill(&replies[i]);
        }
        pointers.push_back(&replies[i]);
    }
    Tercet__V1__AnswerBatch batch = TERCET__V1__ANSWER_BATCH__INIT;
    batch.n_replies = pointers.size();
    batch.replies = pointers.data();
    batch.window = window;
    std::string bytes(rpc_codec_size(&batch.base), '\0');
    rpc_codec_pack_into(&batch.base, bytes.data());
    SayBytes(bytes);
}

void FakeWork::StopReading()
{
    std::lock_guard<std::mutex> lock(mutex_);
    reading_ = false;
}

void FakeWork::ReadOn()
{
    std::lock_guard<std::mutex> lock(mutex_);
    reading_ = true;
    changed_.notify_all();
}
