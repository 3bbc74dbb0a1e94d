#include "unit/edge/edge_world.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <system_error>

extern "C" {
#include "base/logger.h"
}

FakeParticipant::FakeParticipant(const std::string &address, BranchHandler branch,
                                 DescribeHandler describe, WorkHandler work)
    : branch_(std::move(branch)), describe_(std::move(describe)), work_(std::move(work)),
      address_(address), runtime_(rpc_runtime_create(nullptr))
{
    std::vector<struct rpc_method> methods;
    for (const char *path : {"/tercet.v1.Participant/Try", "/tercet.v1.Participant/Confirm",
                             "/tercet.v1.Participant/Cancel"}) {
        struct rpc_method method = {};
        method.path = path;
        method.kind = RPC_METHOD_UNARY;
        method.request = &tercet__v1__branch_request__descriptor;
        method.unary = OnBranch;
        method.context = this;
        methods.push_back(method);
    }
    if (describe_) {
        struct rpc_method method = {};
        method.path = "/tercet.v1.Participant/Describe";
        method.kind = RPC_METHOD_UNARY;
        method.request = &tercet__v1__describe_request__descriptor;
        method.unary = OnDescribe;
        method.context = this;
        methods.push_back(method);
    }
    if (work_) {
        struct rpc_method method = {};
        method.path = "/tercet.v1.Participant/Work";
        method.kind = RPC_METHOD_DUPLEX;
        method.request = &tercet__v1__work_batch__descriptor;
        method.duplex = OnWork;
        method.context = this;
        methods.push_back(method);
    }
    const char *addresses[] = {address_.c_str()};
    struct rpc_server_options options = {};
    options.runtime = runtime_;
    options.addresses = addresses;
    options.address_count = 1;
    options.methods = methods.data();
    options.method_count = methods.size();
    struct tercet_error error = {};
    if (rpc_server_create(&options, &server_, &error) != TERCET_OK) {
        fprintf(stderr, "%s: %s\n", address_.c_str(), error.text);
        abort();
    }
    rpc_server_start(server_);
}

FakeParticipant::~FakeParticipant()
{
    Stop();
    rpc_server_destroy(server_);
    rpc_runtime_destroy(runtime_);
}

std::string FakeParticipant::Address() const
{
    if (address_.rfind("unix:", 0) == 0) {
        return address_;
    }
    return "127.0.0.1:" + std::to_string(rpc_server_port(server_, 0));
}

void FakeParticipant::Stop()
{
    rpc_server_destroy(server_);
    server_ = nullptr;
}

void FakeParticipant::OnBranch(struct rpc_unary *call, const ProtobufCMessage *request,
                               void *context)
{
    static_cast<FakeParticipant *>(context)->branch_(
        call, reinterpret_cast<const Tercet__V1__BranchRequest *>(request));
}

void FakeParticipant::OnDescribe(struct rpc_unary *call, const ProtobufCMessage *request,
                                 void *context)
{
    static_cast<FakeParticipant *>(context)->describe_(
        call, reinterpret_cast<const Tercet__V1__DescribeRequest *>(request));
}

void FakeParticipant::OnWork(struct rpc_duplex *duplex, void *context)
{
    static_cast<FakeParticipant *>(context)->work_(duplex);
}

EdgeWorld::EdgeWorld(const std::string &target, uint32_t window, bool streams)
    : EdgeWorld(std::vector<std::string>{target}, window, streams)
{
}

EdgeWorld::EdgeWorld(const std::vector<std::string> &targets, uint32_t window, bool streams)
    : runtime_(rpc_runtime_create(nullptr))
{
    inbox_init(&inbox, 1);
    directory_init(&directory);
    std::vector<std::string> writable = targets;
    struct directory_entry entry = {};
    snprintf(entry.name, sizeof entry.name, "account");
    for (std::string &target : writable) {
        entry.targets[entry.target_count++] = target.data();
    }
    entry.window = window;
    EXPECT_EQ(directory_add(&directory, &entry), TERCET_OK);
    (void)directory_intern(&directory, "removed");

    struct edge_options options = {};
    options.runtime = runtime_;
    options.inbox = &inbox;
    options.directory = &directory;
    for (size_t i = 0; i < sizeof options.origin; i++) {
        options.origin[i] = static_cast<uint8_t>(i);
    }
    options.incarnation = kIncarnation;
    options.epoch = kEpoch;
    options.streams = streams;
    struct tercet_error error = {};
    EXPECT_EQ(edge_create(&options, &edge, &error), TERCET_OK) << error.text;
    txn = txn_create("pay-0042", "", "00-trace-01");
    txn->deadline.unix_ms = 1700000123456;
}

EdgeWorld::~EdgeWorld()
{
    if (edge != nullptr) {
        edge_stop(edge);
    }
    if (!inbox.closed) {
        (void)Take(0);
    }
    edge_destroy(edge);
    inbox_deinit(&inbox);
    for (struct branch *branch : branches_) {
        branch->txn = nullptr;
        EXPECT_EQ(branch->refs, 1U) << "a reference was lost";
        branch_unref(branch);
    }
    txn_destroy(txn);
    directory_deinit(&directory);
    rpc_runtime_destroy(runtime_);
}

struct branch *EdgeWorld::Branch(enum tercet_phase phase)
{
    struct branch_spec spec = {};
    spec.index = 2;
    spec.participant = 0;
    spec.action = "debit";
    spec.payload = tercet_bytes_of("\x00pay\xff", 5);
    memset(spec.digest.bytes, 0xd1, sizeof spec.digest.bytes);
    struct branch *branch = branch_create(&spec);
    branch->txn = txn;
    branch->asked = phase;
    branch->number.incarnation = kIncarnation - 5;
    branch->number.number = 77;
    branches_.push_back(branch);
    return branch;
}

void EdgeWorld::CarryOut(struct order order)
{
    edge_carry_out(edge, &order, &mark, clock_boot_ms());
    Tick();
}

void EdgeWorld::Tick()
{
    (void)edge_tick(edge, clock_read().boot_ms);
}

void EdgeWorld::Send(struct branch *branch, enum tercet_phase phase, uint32_t timeout_ms)
{
    if (connects_first) {
        connects_first = false;
        (void)ProbeAndWait(200);
    }
    struct order order = {};
    order.kind = ORDER_SEND;
    order.seat = seat;
    order.branch = branch_ref(branch);
    order.phase = phase;
    order.attempt = 4;
    order.timeout_ms = timeout_ms;
    CarryOut(order);
}

void EdgeWorld::Probe(uint32_t timeout_ms)
{
    struct order order = {};
    order.kind = ORDER_PROBE;
    order.seat = seat;
    order.timeout_ms = timeout_ms;
    CarryOut(order);
}

Told EdgeWorld::InspectAndWait()
{
    const struct effect_inspect inspect = {};
    edge_inspect(edge, &inspect);
    return Next();
}

std::vector<Told> EdgeWorld::Take(int64_t timeout_ms)
{
    std::vector<Told> all = std::move(waiting_);
    waiting_.clear();
    struct list_node events;
    list_init(&events);
    inbox_take_all(&inbox, all.empty() ? timeout_ms : 0, &events);
    while (!list_is_empty(&events)) {
        struct event *event = container_of(list_pop_front(&events), struct event, link);
        Told told = {};
        told.kind = event->kind;
        if (event->kind == EVENT_ANSWER) {
            const struct answer &answer = event->u.answer;
            told.branch = answer.branch;
            told.phase = answer.phase;
            told.answer = answer.kind;
            told.verdict = answer.verdict;
            told.how = answer.how;
            told.conflict = answer.conflict;
            told.after_ms = answer.after_ms;
            if (answer.result.size > 0) {
                told.result.assign(static_cast<const char *>(answer.result.data),
                                   answer.result.size);
            }
            told.code = answer.reason.code;
            told.text = answer.reason.text;
        } else if (event->kind == EVENT_INSPECTED) {
            told.reachable = event->u.inspected.answered;
        } else {
            told.reachable = event->u.probed.reachable;
            told.seat = event->u.probed.seat;
            told.not_served = event->u.probed.not_served;
            told.fenced = event->u.probed.fenced;
            if (event->u.probed.description != nullptr) {
                told.description = *event->u.probed.description;
            }
        }
        event_destroy(event);
        all.push_back(told);
    }
    return all;
}

Told EdgeWorld::Next()
{
    std::vector<Told> told = Take(10000);
    if (told.empty()) {
        ADD_FAILURE() << "no event within ten seconds";
        return {};
    }
    waiting_.assign(told.begin() + 1, told.end());
    return told[0];
}

bool EdgeWorld::Comes(int64_t timeout_ms)
{
    waiting_ = Take(timeout_ms);
    return !waiting_.empty();
}

Told EdgeWorld::SendAndWait(enum tercet_phase phase, uint32_t timeout_ms)
{
    Send(Branch(phase), phase, timeout_ms);
    return Next();
}

Told EdgeWorld::ProbeAndWait(uint32_t timeout_ms)
{
    Probe(timeout_ms);
    return Next();
}

LogCapture::LogCapture()
{
    char path[] = "/tmp/tercet_edge_log_XXXXXX";
    fd_ = mkstemp(path);
    path_ = path;
    logger_configure(LOGGER_INFO, fd_);
}

LogCapture::~LogCapture()
{
    logger_configure(LOGGER_INFO, STDERR_FILENO);
    close(fd_);
    unlink(path_.c_str());
}

std::string LogCapture::Text()
{
    std::string text;
    char part[4096];
    off_t at = 0;
    for (ssize_t size; (size = pread(fd_, part, sizeof part, at)) > 0; at += size) {
        text.append(part, static_cast<size_t>(size));
    }
    return text;
}

std::string FreeTcpAddress()
{
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    EXPECT_EQ(bind(fd, reinterpret_cast<struct sockaddr *>(&address), size), 0);
    EXPECT_EQ(getsockname(fd, reinterpret_cast<struct sockaddr *>(&address), &size), 0);
    close(fd);
    return "127.0.0.1:" + std::to_string(ntohs(address.sin_port));
}

// Removed with all sockets and lock files in it when the program ends.
class SocketDirectory
{
  public:
    SocketDirectory()
    {
        char path[] = "/tmp/tercet_edge_XXXXXX";
        path_ = mkdtemp(path);
    }
    ~SocketDirectory()
    {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    std::string path_;
};

std::string FreeUnixAddress()
{
    static SocketDirectory directory;
    static std::atomic<int> count{0};
    return "unix:" + directory.path_ + "/" + std::to_string(count++);
}

void ReplyDone(struct rpc_unary *call)
{
    Reply(call, [](Tercet__V1__BranchReply *) {});
}

void Reply(struct rpc_unary *call, const std::function<void(Tercet__V1__BranchReply *)> &fill)
{
    Tercet__V1__BranchReply reply = TERCET__V1__BRANCH_REPLY__INIT;
    reply.verdict = TERCET__V1__VERDICT__VERDICT_DONE;
    fill(&reply);
    rpc_unary_reply(call, &reply.base);
}
