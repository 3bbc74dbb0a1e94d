#include "execute_stream.h"

namespace
{

uint32_t ReadReplies(ProtobufCMessage *message, ExecuteStream::Answers *answers)
{
    const auto *batch = reinterpret_cast<const Tercet__V1__ExecuteReplyBatch *>(message);
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
            answer.reply.reset(&reply->transaction->base, rpc_codec_free_pieces);
            reply->transaction = nullptr;
        }
        answers->emplace_back(reply->call, answer);
    }
    return batch->window;
}

} // namespace

ExecuteStream::ExecuteStream(struct rpc_channel *channel)
    : RawStream(channel, "/tercet.v1.Coordinator/ExecuteStream",
                &tercet__v1__execute_reply_batch__descriptor, ReadReplies, false)
{
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
