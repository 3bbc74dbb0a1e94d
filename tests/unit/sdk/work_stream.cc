/* work_stream.cc -- see work_stream.h. */
#include "unit/sdk/work_stream.h"

#include "rpc/rpc_codec.h"

namespace
{

std::string Packed(const Tercet__V1__WorkBatch &batch)
{
    std::string bytes(rpc_codec_size(&batch.base), '\0');
    rpc_codec_pack_into(&batch.base, bytes.data());
    return bytes;
}

uint32_t ReadReplies(ProtobufCMessage *message, WorkStream::Answers *answers)
{
    const auto *batch = reinterpret_cast<const Tercet__V1__AnswerBatch *>(message);
    for (size_t i = 0; i < batch->n_replies; i++) {
        const Tercet__V1__BranchReply *reply = batch->replies[i];
        Told told = ToldBy(reply);
        told.status = static_cast<tercet_status>(reply->status);
        told.text = reply->status != 0 ? told.reason : "";
        answers->emplace_back(reply->call, told);
    }
    return batch->window;
}

} // namespace

Ask Branch(int number, const std::string &payload)
{
    Ask ask;
    ask.gid = "gid-" + std::to_string(number);
    ask.number = number;
    ask.payload = payload;
    return ask;
}

WorkStream::WorkStream(Wire *wire)
    : RawStream(wire->channel(), "/tercet.v1.Participant/Work",
                &tercet__v1__answer_batch__descriptor, ReadReplies, true)
{
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
    (void)SendBytes(bytes);
}
