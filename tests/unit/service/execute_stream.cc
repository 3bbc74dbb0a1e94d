#include "execute_stream.h"

#include <chrono>

ExecuteStream::ExecuteStream(struct rpc_channel *channel)
{
    struct rpc_duplex_options options = {};
    options.path = "/tercet.v1.Coordinator/ExecuteStream";
    options.reply = &tercet__v1__execute_reply_batch__descriptor;
    options.events.context = this;
    options.events.message = [](ProtobufCMessage *message, void *context) {
        static_cast<ExecuteStream *>(context)->OnMessage(message);
    };
    options.events.written = [](void *context) {
        auto *self = static_cast<ExecuteStream *>(context);
        const std::lock_guard<std::mutex> lock(self->mutex_);
        self->writing_ = false;
        self->changed_.notify_all();
    };
    options.events.ended = [](const struct rpc_result *result, void *context) {
        auto *self = static_cast<ExecuteStream *>(context);
        const std::lock_guard<std::mutex> lock(self->mutex_);
        self->end_.status = result->status;
        self->end_.text = result->text;
        self->ended_ = true;
        self->changed_.notify_all();
    };
    const std::lock_guard<std::mutex> lock(mutex_);
    duplex_ = rpc_duplex_start(channel, &options);
}

ExecuteStream::~ExecuteStream()
{
    ReadOn();
    rpc_duplex_cancel(duplex_);
    (void)AwaitEnd();
    rpc_duplex_unref(duplex_);
}

void ExecuteStream::OnMessage(ProtobufCMessage *message)
{
    const auto *batch = reinterpret_cast<const Tercet__V1__ExecuteReplyBatch *>(message);
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait(lock, [&] { return reading_; });
    messages_++;
    window_ = batch->window != 0 ? batch->window : window_;
    EXPECT_LE(batch->n_replies, 1024U);
    for (size_t i = 0; i < batch->n_replies; i++) {
        Tercet__V1__ExecuteReply *reply = batch->replies[i];
        Answer answer;
        EXPECT_NE(reply->error == nullptr, reply->transaction == nullptr) << "one of the two";
        if (reply->error != nullptr) {
            answer.status = static_cast<enum tercet_status>(reply->error->status);
            answer.text = reply->error->text;
            answer.refused = reply->refused != 0;
            answer.has_detail = true;
            answer.code = reply->error->code;
            answer.field = reply->error->field;
            answer.limit = reply->error->limit;
            answer.value = reply->error->value;
            answer.retry_after_ms = reply->error->retry_after_ms;
        } else {
            EXPECT_FALSE(reply->refused);
            answer.reply.reset(&reply->transaction->base, rpc_codec_free);
            reply->transaction = nullptr;
        }
        answers_.emplace(reply->call, answer);
    }
    changed_.notify_all();
    rpc_codec_free(message);
}

void ExecuteStream::Wait(std::unique_lock<std::mutex> *lock, const std::function<bool()> &until)
{
    EXPECT_TRUE(changed_.wait_for(*lock, std::chrono::seconds(20), until));
}

bool ExecuteStream::SendBytes(const std::string &bytes)
{
    std::unique_lock<std::mutex> lock(mutex_);
    Wait(&lock, [&] { return !writing_ || ended_; });
    writing_ = rpc_duplex_send(duplex_, tercet_bytes_of(bytes.data(), bytes.size()));
    return writing_;
}

std::string ExecuteStream::Element(const std::string &request)
{
    std::string bytes = "\x0a"; /* field 1, a message */
    size_t size = request.size();
    while (size >= 0x80) {
        bytes += static_cast<char>(0x80 | (size & 0x7f));
        size >>= 7;
    }
    return bytes + static_cast<char>(size) + request;
}

bool ExecuteStream::Send(const std::vector<ExecuteMessage *> &messages, int64_t first)
{
    std::string bytes;
    for (ExecuteMessage *message : messages) {
        message->message.call = first++;
        std::string packed(rpc_codec_size(&message->message.base), '\0');
        rpc_codec_pack_into(&message->message.base, packed.data());
        bytes += Element(packed);
    }
    return SendBytes(bytes);
}

bool ExecuteStream::LeavesWithin(int ms)
{
    std::unique_lock<std::mutex> lock(mutex_);
    return changed_.wait_for(lock, std::chrono::milliseconds(ms), [&] { return !writing_; });
}

void ExecuteStream::HalfClose()
{
    rpc_duplex_half_close(duplex_);
}

Answer ExecuteStream::Await(int64_t call)
{
    std::unique_lock<std::mutex> lock(mutex_);
    Wait(&lock, [&] { return answers_.count(call) != 0 || ended_; });
    const auto found = answers_.find(call);
    EXPECT_NE(found, answers_.end()) << end_.status << " " << end_.text;
    return found != answers_.end() ? found->second : Answer();
}

size_t ExecuteStream::AnswerCount()
{
    const std::lock_guard<std::mutex> lock(mutex_);
    return answers_.size();
}

size_t ExecuteStream::MessageCount()
{
    const std::lock_guard<std::mutex> lock(mutex_);
    return messages_;
}

size_t ExecuteStream::CountOf(int64_t call)
{
    const std::lock_guard<std::mutex> lock(mutex_);
    return answers_.count(call);
}

uint32_t ExecuteStream::AwaitWindow()
{
    std::unique_lock<std::mutex> lock(mutex_);
    Wait(&lock, [&] { return window_ != 0 || ended_; });
    return window_;
}

Answer ExecuteStream::AwaitEnd()
{
    std::unique_lock<std::mutex> lock(mutex_);
    Wait(&lock, [&] { return ended_; });
    return end_;
}

void ExecuteStream::StopReading()
{
    const std::lock_guard<std::mutex> lock(mutex_);
    reading_ = false;
}

void ExecuteStream::ReadOn()
{
    const std::lock_guard<std::mutex> lock(mutex_);
    reading_ = true;
    changed_.notify_all();
}
