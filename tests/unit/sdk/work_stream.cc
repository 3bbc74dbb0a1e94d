/* work_stream.cc -- see work_stream.h. */
#include "unit/sdk/work_stream.h"

#include <gtest/gtest.h>

#include <chrono>

#include "rpc/rpc_codec.h"

namespace
{

std::string Packed(const Tercet__V1__WorkBatch &batch)
{
    std::string bytes(rpc_codec_size(&batch.base), '\0');
    rpc_codec_pack_into(&batch.base, bytes.data());
    return bytes;
}

} // namespace

WorkStream::WorkStream(Wire *wire)
{
    rpc_duplex_options options = {};
    options.path = "/tercet.v1.Participant/Work";
    options.reply = &tercet__v1__answer_batch__descriptor;
    options.events.context = this;
    options.events.message = [](ProtobufCMessage *message, void *context) {
        static_cast<WorkStream *>(context)->OnMessage(message);
    };
    options.events.written = [](void *context) {
        auto *self = static_cast<WorkStream *>(context);
        std::lock_guard<std::mutex> lock(self->mutex_);
        self->writing_ = false;
        self->changed_.notify_all();
    };
    options.events.ended = [](const rpc_result *result, void *context) {
        auto *self = static_cast<WorkStream *>(context);
        std::lock_guard<std::mutex> lock(self->mutex_);
        self->end_.status = result->status;
        self->end_.text = result->text;
        self->ended_ = true;
        self->changed_.notify_all();
    };
    duplex_ = rpc_duplex_start(wire->channel(), &options);
}

WorkStream::~WorkStream()
{
    ReadOn();
    rpc_duplex_cancel(duplex_);
    (void)AwaitEnd();
    rpc_duplex_unref(duplex_);
}

void WorkStream::OnMessage(ProtobufCMessage *message)
{
    const auto *batch = reinterpret_cast<const Tercet__V1__AnswerBatch *>(message);
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait(lock, [&] { return reading_; });
    messages_++;
    window_ = batch->window != 0 ? batch->window : window_;
    EXPECT_LE(batch->n_replies, 1024u);
    for (size_t i = 0; i < batch->n_replies; i++) {
        const Tercet__V1__BranchReply *reply = batch->replies[i];
        Told told = ToldBy(reply);
        told.status = static_cast<tercet_status>(reply->status);
        told.text = reply->status != 0 ? told.reason : "";
        EXPECT_TRUE(answers_.emplace(reply->call, told).second) << "answered twice";
    }
    changed_.notify_all();
    rpc_codec_free(message);
}

void WorkStream::Wait(std::unique_lock<std::mutex> *lock, const std::function<bool()> &until)
{
    EXPECT_TRUE(changed_.wait_for(*lock, std::chrono::seconds(20), until));
}

void WorkStream::SendBytes(const std::string &bytes)
{
    std::unique_lock<std::mutex> lock(mutex_);
    Wait(&lock, [&] { return !writing_ || ended_; });
    writing_ = rpc_duplex_send(duplex_, tercet_bytes_of(bytes.data(), bytes.size()));
}

bool WorkStream::LeavesWithin(int ms)
{
    std::unique_lock<std::mutex> lock(mutex_);
    return changed_.wait_for(lock, std::chrono::milliseconds(ms), [&] { return !writing_; });
}

void WorkStream::Send(const std::vector<Ask> &asks, int64_t first, const Ask &context)
{
    std::string bytes;
    WithRequest(context, [&](Tercet__V1__BranchRequest *request) {
        Tercet__V1__WorkBatch batch = TERCET__V1__WORK_BATCH__INIT;
        batch.context = request->context;
        bytes += Packed(batch);
    });
    for (const Ask &ask : asks) {
        WithRequest(ask, [&](Tercet__V1__BranchRequest *request) {
            Tercet__V1__WorkBatch batch = TERCET__V1__WORK_BATCH__INIT;
            request->context = nullptr;
            request->call = first++;
            batch.n_requests = 1;
            batch.requests = &request;
            bytes += Packed(batch);
        });
    }
    SendBytes(bytes);
}

Told WorkStream::Await(int64_t call)
{
    std::unique_lock<std::mutex> lock(mutex_);
    Wait(&lock, [&] { return answers_.count(call) != 0 || ended_; });
    EXPECT_EQ(answers_.count(call), 1u) << end_.status << " " << end_.text;
    return answers_[call];
}

size_t WorkStream::AnswerCount()
{
    std::lock_guard<std::mutex> lock(mutex_);
    return answers_.size();
}

uint32_t WorkStream::AwaitWindow()
{
    std::unique_lock<std::mutex> lock(mutex_);
    Wait(&lock, [&] { return window_ != 0 || ended_; });
    return window_;
}

size_t WorkStream::MessageCount()
{
    std::lock_guard<std::mutex> lock(mutex_);
    return messages_;
}

Told WorkStream::AwaitEnd()
{
    std::unique_lock<std::mutex> lock(mutex_);
    Wait(&lock, [&] { return ended_; });
    return end_;
}

void WorkStream::StopReading()
{
    std::lock_guard<std::mutex> lock(mutex_);
    reading_ = false;
}

void WorkStream::ReadOn()
{
    std::lock_guard<std::mutex> lock(mutex_);
    reading_ = true;
    changed_.notify_all();
}
