#include "service_fixture.h"

#include <chrono>

#include "rpc/rpc_scan.h"

const std::vector<const char *> kUnaryMethods = {"Execute", "Begin", "Try",  "Confirm",
                                                 "Cancel",  "Get",   "List", "Resolve"};

Answer CopyResult(const struct rpc_result *result)
{
    Answer answer;
    answer.status = result->status;
    answer.text = result->text;
    struct tercet_bytes value;
    if (rpc_result_trailer(result, "tercet-refused", &value)) {
        EXPECT_EQ(std::string(static_cast<const char *>(value.data), value.size), "1");
        answer.refused = true;
    }
    if (rpc_result_trailer(result, "tercet-error-bin", &value)) {
        ProtobufCMessage *message = rpc_codec_unpack(&tercet__v1__error_detail__descriptor, value,
                                                     RPC_SCAN_ELEMENT_COUNT_DEFAULT);
        const auto *detail = reinterpret_cast<Tercet__V1__ErrorDetail *>(message);
        EXPECT_NE(detail, nullptr);
        if (detail != nullptr) {
            answer.has_detail = true;
            EXPECT_EQ(detail->status, static_cast<int>(answer.status));
            EXPECT_EQ(detail->text, answer.text);
            answer.code = detail->code;
            answer.field = detail->field;
            answer.limit = detail->limit;
            answer.value = detail->value;
            answer.retry_after_ms = detail->retry_after_ms;
        }
        rpc_codec_free(message);
    }
    if (result->reply != nullptr) {
        answer.reply.reset(rpc_codec_unpack(result->reply->descriptor, result->reply_bytes,
                                            RPC_SCAN_ELEMENT_COUNT_DEFAULT),
                           rpc_codec_free);
    }
    return answer;
}

static const ProtobufCMessageDescriptor *ReplyOf(const std::string &method)
{
    if (method == "Try") {
        return &tercet__v1__try_reply__descriptor;
    }
    return method == "List" ? &tercet__v1__list_reply__descriptor
                            : &tercet__v1__transaction__descriptor;
}

static void Add(struct directory *directory, const char *name, const char *target)
{
    struct directory_entry entry = {};
    std::snprintf(entry.name, sizeof entry.name, "%s", name);
    entry.targets[0] = const_cast<char *>(target);
    entry.target_count = 1;
    entry.open_transaction_max = 100;
    ASSERT_EQ(directory_add(directory, &entry), TERCET_OK);
}

void ServiceTest::ListOutcomes(void *context, void *token, const char *cursor, uint32_t page_size)
{
    auto *self = static_cast<ServiceTest *>(context);
    const std::lock_guard<std::mutex> lock(self->mutex_);
    self->asked_.push_back({token, cursor, page_size});
    self->changed_.notify_all();
}

OutcomesAsked ServiceTest::NextOutcomes()
{
    std::unique_lock<std::mutex> lock(mutex_);
    const bool came =
        changed_.wait_for(lock, std::chrono::seconds(10), [this] { return !asked_.empty(); });
    EXPECT_TRUE(came);
    const OutcomesAsked asked = came ? asked_.front() : OutcomesAsked{nullptr, "", 0};
    if (came) {
        asked_.erase(asked_.begin());
    }
    return asked;
}

void ServiceTest::SetUp()
{
    directory_init(&directory_);
    Add(&directory_, "order", "unix:/nowhere");
    Add(&directory_, "account", "unix:/nowhere");
    (void)directory_intern(&directory_, "retired"); /* in the journal only */
    list_init(&taken_);
    runtime_ = rpc_runtime_create(nullptr);
    Start(100, 100);
}

void ServiceTest::Start(uint32_t waiting_calls_max, size_t inbox_max)
{
    Stop();
    inbox_init(&inbox_, inbox_max);
    struct service_options options = {};
    options.inbox = &inbox_;
    options.directory = &directory_;
    options.waiting_calls_max = waiting_calls_max;
    options.try_timeout_ms = 30000;
    options.list_outcomes = ListOutcomes;
    options.context = this;
    service_ = service_create(&options);
    target_ = "127.0.0.1:0";
    Serve();
    target_ = "127.0.0.1:" + std::to_string(rpc_server_port(server_, 0));
    struct rpc_channel_options channel_options = {};
    channel_options.runtime = runtime_;
    channel_options.target = target_.c_str();
    struct tercet_error error = {};
    ASSERT_EQ(rpc_channel_open(&channel_options, &channel_, &error), TERCET_OK) << error.text;
}

void ServiceTest::Serve()
{
    const char *address = target_.c_str();
    struct rpc_server_options server_options = {};
    server_options.runtime = runtime_;
    server_options.addresses = &address;
    server_options.address_count = 1;
    server_options.methods = service_methods(service_, &server_options.method_count);
    std::vector<struct rpc_method> methods(server_options.methods,
                                           server_options.methods + server_options.method_count);
    for (struct rpc_method &method : methods) {
        AdaptMethod(&method);
    }
    server_options.methods = methods.data();
    server_options.refused = service_refused;
    struct tercet_error error = {};
    ASSERT_EQ(rpc_server_create(&server_options, &server_, &error), TERCET_OK) << error.text;
    rpc_server_start(server_);
}

void ServiceTest::Stop()
{
    if (service_ == nullptr) {
        return;
    }
    rpc_channel_close(channel_);
    rpc_server_destroy(server_);
    EXPECT_EQ(service_waiting_calls(service_), 0U) << "a token was never given back";
    service_destroy(service_);
    service_ = nullptr;
    while (EventPointer event = Next(0)) {
        EXPECT_NE(event->kind, EVENT_REQUEST) << "a request that the test did not look at";
    }
    inbox_deinit(&inbox_);
}

void ServiceTest::TearDown()
{
    Stop();
    rpc_runtime_destroy(runtime_);
    directory_deinit(&directory_);
}

Pending ServiceTest::Call(const char *method, const ProtobufCMessage *request, uint32_t timeout_ms)
{
    const std::string path = std::string("/tercet.v1.Coordinator/") + method;
    struct rpc_call_options options = {};
    options.path = path.c_str();
    options.request = request;
    options.reply = ReplyOf(method);
    options.timeout_ms = timeout_ms;
    options.wait_for_ready = true;
    return Pending(rpc_call_start(channel_, &options));
}

Answer ServiceTest::CallBytes(const char *method, const std::string &bytes)
{
    const std::string path = std::string("/tercet.v1.Coordinator/") + method;
    struct rpc_call_options options = {};
    options.path = path.c_str();
    options.request_bytes = tercet_bytes_of(bytes.data(), bytes.size());
    options.reply = ReplyOf(method);
    options.timeout_ms = 20000;
    options.wait_for_ready = true;
    return Pending(rpc_call_start(channel_, &options)).Wait();
}

EventPointer ServiceTest::Next(int timeout_ms)
{
    if (list_is_empty(&taken_)) {
        inbox_take_all(&inbox_, timeout_ms, &taken_);
    }
    if (list_is_empty(&taken_)) {
        return nullptr;
    }
    return EventPointer(container_of(list_pop_front(&taken_), struct event, link));
}

EventPointer ServiceTest::NextRequest(enum request_kind kind)
{
    EventPointer event = Next();
    EXPECT_NE(event, nullptr);
    if (event != nullptr) {
        EXPECT_EQ(event->kind, EVENT_REQUEST);
        EXPECT_EQ(event->u.request.kind, kind);
        EXPECT_NE(event->u.request.token, nullptr);
    }
    return event;
}

bool ServiceTest::NoEvent()
{
    return Next(0) == nullptr;
}

void ServiceTest::Reply(struct effect_reply reply)
{
    service_reply(service_, &reply);
    service_flush(service_);
    EXPECT_EQ(reply.view, nullptr);
    EXPECT_EQ(reply.text, nullptr);
    EXPECT_EQ(reply.list, nullptr);
}

void ServiceTest::Reply(void *token, enum request_kind kind, struct view *view_take, bool last)
{
    struct effect_reply reply = {};
    reply.token = token;
    reply.to = kind;
    reply.last = last;
    reply.view = view_take;
    Reply(reply);
}

void ServiceTest::Fail(void *token, enum request_kind kind, enum tercet_status status, bool refused)
{
    struct effect_reply reply = {};
    reply.token = token;
    reply.to = kind;
    reply.last = true;
    reply.status = status;
    reply.refused = refused;
    reply.code = "TERCET_SOMETHING";
    reply.text = xstrdup("something is wrong");
    reply.retry_after_ms = 77;
    Reply(reply);
}

Answer ServiceTest::Refused(const char *method, const ProtobufCMessage *request)
{
    Answer answer = Call(method, request).Wait();
    EXPECT_NE(answer.status, TERCET_OK);
    EXPECT_TRUE(answer.refused) << answer.text;
    EXPECT_TRUE(answer.has_detail) << answer.text;
    EXPECT_EQ(answer.reply, nullptr);
    EXPECT_TRUE(NoEvent()) << answer.text;
    EXPECT_EQ(service_waiting_calls(service_), 0U);
    return answer;
}
