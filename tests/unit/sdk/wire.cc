/* wire.cc -- see wire.h. */
#include "unit/sdk/wire.h"

#include <gtest/gtest.h>

Wire::Wire(const std::string &address)
{
    runtime_ = rpc_runtime_create(nullptr);
    rpc_channel_options options = {};
    options.runtime = runtime_;
    options.target = address.c_str();
    tercet_error error = {};
    EXPECT_EQ(rpc_channel_open(&options, &channel_, &error), TERCET_OK) << error.text;
}

Wire::~Wire()
{
    rpc_channel_close(channel_);
    rpc_runtime_destroy(runtime_);
}

rpc_call *Wire::StartRaw(const std::string &path, const ProtobufCMessage *request,
                         const ProtobufCMessageDescriptor *reply)
{
    rpc_call_options options = {};
    options.path = path.c_str();
    options.request = request;
    options.reply = reply;
    options.timeout_ms = 20000;
    options.wait_for_ready = true;
    return rpc_call_start(channel_, &options);
}

void WithRequest(const Ask &ask, const std::function<void(Tercet__V1__BranchRequest *)> &use)
{
    Tercet__V1__BranchNumber number = TERCET__V1__BRANCH_NUMBER__INIT;
    number.incarnation = ask.number_incarnation;
    number.number = ask.number;
    Tercet__V1__BranchNumber low = TERCET__V1__BRANCH_NUMBER__INIT;
    low.incarnation = ask.number_incarnation;
    low.number = ask.mark_low;
    std::vector<Tercet__V1__BranchNumber> open(ask.mark_open.size());
    std::vector<Tercet__V1__BranchNumber *> pointers(ask.mark_open.size());
    for (size_t i = 0; i < open.size(); i++) {
        tercet__v1__branch_number__init(&open[i]);
        open[i].incarnation = ask.number_incarnation;
        open[i].number = ask.mark_open[i];
        pointers[i] = &open[i];
    }
    Tercet__V1__Mark mark = TERCET__V1__MARK__INIT;
    mark.as_of_incarnation = ask.incarnation;
    mark.as_of_lsn = ask.mark_lsn;
    mark.low = &low;
    mark.n_open = open.size();
    mark.open = pointers.data();
    Tercet__V1__RequestContext context = TERCET__V1__REQUEST_CONTEXT__INIT;
    context.participant = const_cast<char *>(ask.participant.c_str());
    context.origin = Bytes(ask.origin);
    context.incarnation = ask.incarnation;
    context.epoch = ask.epoch;
    context.mark = ask.mark_lsn != 0 ? &mark : nullptr;
    Tercet__V1__BranchRequest request = TERCET__V1__BRANCH_REQUEST__INIT;
    request.gid = const_cast<char *>(ask.gid.c_str());
    request.branch = ask.branch;
    request.phase = static_cast<Tercet__V1__Phase>(ask.phase);
    request.action = const_cast<char *>(ask.action.c_str());
    request.payload = Bytes(ask.payload);
    request.digest = Bytes(ask.digest);
    request.number = &number;
    request.attempt = ask.attempt;
    request.timeout_ms = ask.timeout_ms;
    request.context = &context;
    request.traceparent = const_cast<char *>(ask.traceparent.c_str());
    if (ask.tweak) {
        ask.tweak(&request);
    }
    use(&request);
}

rpc_call *Wire::Start(const Ask &ask)
{
    static const char *const methods[] = {"?", "Try", "Confirm", "Cancel"};
    const int method = ask.method != 0 ? ask.method : ask.phase;
    const std::string path = std::string("/tercet.v1.Participant/") + methods[method];
    rpc_call_options options = {};
    options.path = path.c_str();
    options.reply = &tercet__v1__branch_reply__descriptor;
    options.timeout_ms = ask.call_timeout_ms;
    options.wait_for_ready = true;
    rpc_call *call = nullptr;
    WithRequest(ask, [&](Tercet__V1__BranchRequest *request) {
        options.request = &request->base;
        call = rpc_call_start(channel_, &options);
    });
    return call;
}

Told ToldBy(const Tercet__V1__BranchReply *reply)
{
    Told told;
    told.verdict = static_cast<tercet_verdict>(reply->verdict);
    told.how = static_cast<tercet_how>(reply->how);
    told.conflict = static_cast<tercet_conflict>(reply->conflict);
    told.found = static_cast<int>(reply->found);
    told.result.assign(reinterpret_cast<const char *>(reply->result.data), reply->result.len);
    told.after_ms = reply->after_ms;
    told.mark_lsn = reply->mark_lsn;
    if (reply->reason != nullptr) {
        told.code = reply->reason->code;
        told.reason = reply->reason->text;
    }
    return told;
}

Told Wire::Finish(rpc_call *call)
{
    const rpc_result *result = rpc_call_wait(call);
    Told told;
    if (result->status == TERCET_OK) {
        told = ToldBy(reinterpret_cast<const Tercet__V1__BranchReply *>(result->reply));
    }
    told.status = result->status;
    told.text = result->text;
    rpc_call_unref(call);
    return told;
}
