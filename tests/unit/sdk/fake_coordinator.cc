/* fake_coordinator.cc -- see fake_coordinator.h. */
#include "unit/sdk/fake_coordinator.h"

#include <gtest/gtest.h>

#include <cstring>

namespace
{

struct Method {
    FakeCoordinator *fake;
    const char *path;
};

void Dispatch(rpc_unary *call, const ProtobufCMessage *request, void *context)
{
    const auto *method = static_cast<const Method *>(context);
    method->fake->Serve(call, request, method->path);
}

} // namespace

FakeCoordinator::FakeCoordinator()
{
    target_ = "unix:" + directory_.Path("coordinator");
    runtime_ = rpc_runtime_create(nullptr);
    Start();
}

FakeCoordinator::~FakeCoordinator()
{
    Halt();
    rpc_runtime_destroy(runtime_);
}

void FakeCoordinator::Start()
{
    static const struct {
        const char *path;
        const ProtobufCMessageDescriptor *request;
    } table[] = {
        {"/tercet.v1.Coordinator/Execute", &tercet__v1__execute_request__descriptor},
        {"/tercet.v1.Coordinator/Begin", &tercet__v1__begin_request__descriptor},
        {"/tercet.v1.Coordinator/Try", &tercet__v1__try_request__descriptor},
        {"/tercet.v1.Coordinator/Confirm", &tercet__v1__confirm_request__descriptor},
        {"/tercet.v1.Coordinator/Cancel", &tercet__v1__cancel_request__descriptor},
        {"/tercet.v1.Coordinator/Get", &tercet__v1__get_request__descriptor},
    };
    static std::vector<std::unique_ptr<Method>> contexts;
    static std::mutex contexts_mutex;
    rpc_method methods[6] = {};
    for (size_t i = 0; i < 6; i++) {
        auto method = std::make_unique<Method>(Method{this, table[i].path});
        methods[i].path = table[i].path;
        methods[i].kind = RPC_METHOD_UNARY;
        methods[i].request = table[i].request;
        methods[i].unary = Dispatch;
        methods[i].context = method.get();
        const std::lock_guard<std::mutex> lock(contexts_mutex);
        contexts.push_back(std::move(method));
    }
    const char *addresses[] = {target_.c_str()};
    rpc_server_options options = {};
    options.runtime = runtime_;
    options.addresses = addresses;
    options.address_count = 1;
    options.methods = methods;
    options.method_count = 6;
    tercet_error error = {};
    ASSERT_EQ(rpc_server_create(&options, &server_, &error), TERCET_OK) << error.text;
    rpc_server_start(server_);
}

void FakeCoordinator::Halt()
{
    rpc_server_destroy(server_);
    server_ = nullptr;
}

void FakeCoordinator::Then(Answer answer)
{
    const std::lock_guard<std::mutex> lock(mutex_);
    script_.push_back(std::move(answer));
}

int FakeCoordinator::Calls()
{
    const std::lock_guard<std::mutex> lock(mutex_);
    return calls_;
}

std::vector<int64_t> FakeCoordinator::CreatedAt()
{
    const std::lock_guard<std::mutex> lock(mutex_);
    return created_at_;
}

std::vector<std::string> FakeCoordinator::Paths()
{
    const std::lock_guard<std::mutex> lock(mutex_);
    return paths_;
}

void FakeCoordinator::Serve(rpc_unary *call, const ProtobufCMessage *request, const char *path)
{
    Answer answer = Fail(TERCET_UNAVAILABLE, false);
    {
        const std::lock_guard<std::mutex> lock(mutex_);
        calls_++;
        paths_.emplace_back(path);
        if (request->descriptor == &tercet__v1__execute_request__descriptor) {
            created_at_.push_back(
                reinterpret_cast<const Tercet__V1__ExecuteRequest *>(request)->created_at_unix_ms);
        }
        if (request->descriptor == &tercet__v1__begin_request__descriptor) {
            created_at_.push_back(
                reinterpret_cast<const Tercet__V1__BeginRequest *>(request)->created_at_unix_ms);
        }
        if (!script_.empty()) {
            answer = script_.front();
            script_.pop_front();
        }
    }
    answer(call, request);
}

Answer FakeCoordinator::Reply(const std::string &gid, int outcome, int state)
{
    return [=](rpc_unary *call, const ProtobufCMessage *) {
        Tercet__V1__Transaction reply = TERCET__V1__TRANSACTION__INIT;
        Tercet__V1__BranchStatus branch = TERCET__V1__BRANCH_STATUS__INIT;
        Tercet__V1__BranchStatus *branches[] = {&branch};
        const std::string result = "receipt-7";
        branch.number = 1;
        branch.state = TERCET__V1__BRANCH_STATE__BRANCH_STATE_TRIED;
        branch.result = Bytes(result);
        branch.participant = const_cast<char *>("account");
        branch.action = const_cast<char *>("act");
        reply.gid = const_cast<char *>(gid.c_str());
        reply.outcome = static_cast<Tercet__V1__Outcome>(outcome);
        reply.state = static_cast<Tercet__V1__TransactionState>(state);
        reply.n_branches = 1;
        reply.branches = branches;
        rpc_unary_reply(call, &reply.base);
    };
}

Answer FakeCoordinator::ReplyBytes(const std::string &bytes)
{
    return [=](rpc_unary *call, const ProtobufCMessage *) {
        rpc_unary_reply_bytes(call, tercet_bytes_of(bytes.data(), bytes.size()));
    };
}

Answer FakeCoordinator::Fail(tercet_status status, bool refused, const std::string &code,
                             const std::string &refused_value)
{
    return [=](rpc_unary *call, const ProtobufCMessage *) {
        Tercet__V1__ErrorDetail detail = TERCET__V1__ERROR_DETAIL__INIT;
        detail.status = static_cast<int32_t>(status);
        detail.code = const_cast<char *>(code.c_str());
        detail.text = const_cast<char *>("said by the detail");
        detail.retry_after_ms = 11;
        std::string packed(protobuf_c_message_get_packed_size(&detail.base), '\0');
        protobuf_c_message_pack(&detail.base, reinterpret_cast<uint8_t *>(packed.data()));
        std::vector<rpc_metadata> trailers;
        if (refused) {
            trailers.push_back(
                {"tercet-refused", tercet_bytes_of(refused_value.data(), refused_value.size())});
        }
        if (!code.empty()) {
            trailers.push_back({"tercet-error-bin", tercet_bytes_of(packed.data(), packed.size())});
        }
        rpc_detail extra = {};
        extra.trailers = trailers.data();
        extra.trailer_count = trailers.size();
        rpc_unary_fail(call, status, "said by the status", &extra);
    };
}

Answer FakeCoordinator::Hold(Held *held)
{
    return [=](rpc_unary *call, const ProtobufCMessage *) { held->Add(call); };
}

void Held::Add(rpc_unary *call)
{
    const std::lock_guard<std::mutex> lock(mutex_);
    calls_.push_back(call);
}

void Held::LetGo()
{
    const std::lock_guard<std::mutex> lock(mutex_);
    for (rpc_unary *call : calls_) {
        rpc_unary_fail(call, TERCET_UNAVAILABLE, "too late", nullptr);
    }
    calls_.clear();
}
