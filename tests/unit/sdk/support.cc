/* support.cc -- see support.h. */
#include "unit/sdk/support.h"

#include <chrono>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <thread>

#include "tercet/store_memory.h"
#include "tercet/store_sqlite.h"

TemporaryDirectory::TemporaryDirectory()
{
    char name[] = "/tmp/tercet_sdk_XXXXXX";
    const char *made = mkdtemp(name);
    EXPECT_NE(made, nullptr);
    path_ = name;
}

TemporaryDirectory::~TemporaryDirectory()
{
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

/* ---- Handlers -------------------------------------------------------------------------------- */

void Gate::Open()
{
    const std::lock_guard<std::mutex> lock(mutex_);
    open_ = true;
    changed_.notify_all();
}

void Gate::Close()
{
    const std::lock_guard<std::mutex> lock(mutex_);
    open_ = false;
}

void Gate::Wait()
{
    std::unique_lock<std::mutex> lock(mutex_);
    waiting_++;
    changed_.notify_all();
    changed_.wait(lock, [this] { return open_; });
    waiting_--;
}

void Gate::AwaitWaiting(int count)
{
    std::unique_lock<std::mutex> lock(mutex_);
    ASSERT_TRUE(changed_.wait_for(lock, std::chrono::seconds(20),
                                  [this, count] { return waiting_ >= count; }));
}

int Handlers::Runs(const std::string &key)
{
    const std::lock_guard<std::mutex> lock(mutex);
    const auto found = runs.find(key);
    return found == runs.end() ? 0 : found->second;
}

Handlers::Seen Handlers::Last()
{
    const std::lock_guard<std::mutex> lock(mutex);
    return last;
}

int Handlers::AllRuns()
{
    const std::lock_guard<std::mutex> lock(mutex);
    int sum = 0;
    for (const auto &entry : runs) {
        sum += entry.second;
    }
    return sum;
}

tercet_verdict Handlers::Handle(tercet_request *request)
{
    auto *self = static_cast<Handlers *>(request->context);
    const std::string payload(static_cast<const char *>(request->payload.data));
    {
        const std::lock_guard<std::mutex> lock(self->mutex);
        const std::string key = std::string(request->gid) + "/" + std::to_string(request->branch) +
                                "/" + tercet_phase_name(request->phase);
        self->runs[key]++;
        self->last.payload = payload;
        self->last.result.assign(static_cast<const char *>(request->result.data),
                                 request->result.size);
        self->last.attempt = request->attempt;
        self->last.traceparent = request->traceparent;
    }
    if (payload.rfind("done:", 0) == 0) {
        return tercet_answer_done(request, tercet_bytes_of_text(payload.c_str() + 5));
    }
    if (payload == "refuse") {
        return tercet_answer_refused(request, "TOO_LOW", "not %d to move", 7);
    }
    if (payload == "refuse badly") {
        return tercet_answer_refused(request, "too low", "a code in small letters");
    }
    if (payload == "later") {
        return tercet_answer_later(request, 250, "a row is locked");
    }
    if (payload == "fail") {
        return tercet_answer_failed(request, "disk on fire\nreally");
    }
    if (payload == "garbage") {
        return static_cast<tercet_verdict>(77);
    }
    if (payload == "nothing") {
        return TERCET_VERDICT_UNSPECIFIED;
    }
    if (payload == "lie") {
        (void)tercet_answer_refused(request, "TOO_LOW", "but then it says DONE");
        return TERCET_VERDICT_DONE;
    }
    if (payload == "long") {
        const std::string result(TERCET_RESULT_BYTES_MAX + 1, 'x');
        return tercet_answer_done(request, tercet_bytes_of(result.data(), result.size()));
    }
    if (payload == "conflict") {
        return TERCET_VERDICT_CONFLICT;
    }
    if (payload == "gate") {
        self->gate.Wait();
    }
    return TERCET_VERDICT_DONE;
}

/* ---- Wire ------------------------------------------------------------------------------------ */

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

static ProtobufCBinaryData Bytes(const std::string &text)
{
    ProtobufCBinaryData data = {};
    data.len = text.size();
    data.data = reinterpret_cast<uint8_t *>(const_cast<char *>(text.data()));
    return data;
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

rpc_call *Wire::Start(const Ask &ask)
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
    static const char *const methods[] = {"?", "Try", "Confirm", "Cancel"};
    const int method = ask.method != 0 ? ask.method : ask.phase;
    const std::string path = std::string("/tercet.v1.Participant/") + methods[method];
    rpc_call_options options = {};
    options.path = path.c_str();
    options.request = &request.base;
    options.reply = &tercet__v1__branch_reply__descriptor;
    options.timeout_ms = ask.call_timeout_ms;
    options.wait_for_ready = true;
    return rpc_call_start(channel_, &options);
}

Told Wire::Finish(rpc_call *call)
{
    const rpc_result *result = rpc_call_wait(call);
    Told told;
    told.status = result->status;
    told.text = result->text;
    if (result->status == TERCET_OK) {
        const auto *reply = reinterpret_cast<const Tercet__V1__BranchReply *>(result->reply);
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
    }
    rpc_call_unref(call);
    return told;
}

/* ---- Served ---------------------------------------------------------------------------------- */

bool Log::Has(const std::string &part)
{
    const std::lock_guard<std::mutex> lock(mutex);
    for (const std::string &line : lines) {
        if (line.find(part) != std::string::npos) {
            return true;
        }
    }
    return false;
}

void Log::Hook(tercet_log_level, const char *line, void *context)
{
    auto *self = static_cast<Log *>(context);
    const std::lock_guard<std::mutex> lock(self->mutex);
    self->lines.emplace_back(line);
}

Served::Served(const Options &options)
{
    tercet_error error = {};
    if (options.store == StoreKind::kMemory) {
        tercet_memory_options memory = {};
        memory.size = sizeof memory;
        memory.batch_max = options.batch_max;
        memory.queue_max = options.queue_max;
        EXPECT_EQ(tercet_memory_open(&memory, &store_, &error), TERCET_OK) << error.text;
    } else {
        const std::string path =
            options.sqlite_path.empty() ? directory_.Path("store.db") : options.sqlite_path;
        tercet_sqlite_options sqlite = {};
        sqlite.size = sizeof sqlite;
        sqlite.path = path.c_str();
        sqlite.batch_max = options.batch_max;
        sqlite.queue_max = options.queue_max;
        EXPECT_EQ(tercet_sqlite_open(&sqlite, &store_, &error), TERCET_OK) << error.text;
    }
    std::string listen = options.listen;
    if (listen == "unix") {
        listen = "unix:" + directory_.Path("socket");
    }
    tercet_participant_options made = {};
    made.size = sizeof made;
    made.name = "account";
    made.listen = listen.c_str();
    made.in_flight_max = options.in_flight_max;
    made.unfenced_workers = options.unfenced_workers;
    made.log = Log::Hook;
    made.log_context = &log;
    EXPECT_EQ(tercet_participant_create(&made, &participant_, &error), TERCET_OK) << error.text;

    tercet_action fenced[2] = {};
    fenced[0].name = "act";
    fenced[0].on_try = Handlers::Handle;
    fenced[0].on_confirm = Handlers::Handle;
    fenced[0].on_cancel = Handlers::Handle;
    fenced[0].context = &handlers;
    fenced[1].name = "note";
    fenced[1].on_confirm = Handlers::Handle;
    fenced[1].context = &handlers;
    EXPECT_EQ(tercet_participant_register(participant_, store_, fenced, 2, &error), TERCET_OK)
        << error.text;
    tercet_action unfenced = fenced[0];
    unfenced.name = "out";
    EXPECT_EQ(tercet_participant_register_unfenced(participant_, &unfenced, 1, &error), TERCET_OK)
        << error.text;
    EXPECT_EQ(tercet_participant_start(participant_, &error), TERCET_OK) << error.text;
    wire_ = std::make_unique<Wire>(tercet_participant_address(participant_));
}

Served::~Served()
{
    Stop();
}

void Served::Stop()
{
    handlers.gate.Open();
    tercet_participant_destroy(participant_);
    participant_ = nullptr;
    tercet_store_close(store_);
    store_ = nullptr;
}

tercet_participant_stats Served::Stats()
{
    tercet_participant_stats stats = {};
    stats.size = sizeof stats;
    tercet_participant_read_stats(participant_, &stats);
    return stats;
}

/* ---- FakeCoordinator ------------------------------------------------------------------------- */

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
