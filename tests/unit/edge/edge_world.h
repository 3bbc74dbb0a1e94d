// edge_world.h -- an edge with one participant, and a participant of the test's own making behind it:
// a real server on loopback or a unix socket.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

// protoc-c names a field after the method Try, which is a word of C++.
#define try try_
#include "tercet/v1/participant.pb-c.h"
#undef try

extern "C" {
#include "engine/txn.h"
#include "participant/describe.h"
#include "participant/edge.h"
#include "participant/wire.h"
#include "participant/words.h"
#include "rpc/rpc_duplex.h"
#include "rpc/rpc_server.h"
#include "rpc/rpc_unary.h"
}

// A participant whose answers the test writes.  Handlers run on poller threads.
class FakeParticipant
{
  public:
    using BranchHandler =
        std::function<void(struct rpc_unary *, const Tercet__V1__BranchRequest *)>;
    using DescribeHandler =
        std::function<void(struct rpc_unary *, const Tercet__V1__DescribeRequest *)>;

    using WorkHandler = std::function<void(struct rpc_duplex *)>;

    // `describe`, `work` empty: not served.
    FakeParticipant(const std::string &address, BranchHandler branch, DescribeHandler describe = {},
                    WorkHandler work = {});
    ~FakeParticipant();

    // "127.0.0.1:<port>", or the unix socket's address.
    std::string Address() const;
    // Ends as a process does that is killed: calls that are held are answered UNAVAILABLE.
    void Stop();

    static void OnBranch(struct rpc_unary *call, const ProtobufCMessage *request, void *context);
    static void OnDescribe(struct rpc_unary *call, const ProtobufCMessage *request, void *context);
    static void OnWork(struct rpc_duplex *duplex, void *context);

  private:
    BranchHandler branch_;
    DescribeHandler describe_;
    WorkHandler work_;
    std::string address_;
    struct rpc_runtime *runtime_;
    struct rpc_server *server_ = nullptr;
};

// An event that came out, copied.
struct Told {
    enum event_kind kind;
    struct branch *branch = nullptr;
    enum tercet_phase phase = TERCET_PHASE_TRY;
    enum answer_kind answer = ANSWER_UNKNOWN;
    enum tercet_verdict verdict = TERCET_VERDICT_UNSPECIFIED;
    uint32_t how = 0;
    uint32_t conflict = 0;
    uint32_t after_ms = 0;
    uint32_t seat = 0; // a probe's
    std::string result;
    std::string code;
    std::string text;
    bool reachable = false;
    bool not_served = false;
    bool fenced = false;
    struct description description = {};
};

class EdgeWorld
{
  public:
    static constexpr int64_t kIncarnation = 1700000000000;
    static constexpr int64_t kEpoch = 3;

    explicit EdgeWorld(const std::string &target, uint32_t window = 16, bool streams = true);
    explicit EdgeWorld(const std::vector<std::string> &targets, uint32_t window = 16,
                       bool streams = true);
    ~EdgeWorld();

    struct branch *Branch(enum tercet_phase phase);
    void Send(struct branch *branch, enum tercet_phase phase, uint32_t timeout_ms = 5000);
    void Probe(uint32_t timeout_ms = 1000);
    void CarryOut(struct order order);
    // A turn of the loop with no order in it.
    void Tick();

    // The next event; fails the test after ten seconds.
    Told Next();
    Told SendAndWait(enum tercet_phase phase = TERCET_PHASE_TRY, uint32_t timeout_ms = 5000);
    Told ProbeAndWait(uint32_t timeout_ms = 1000);
    // Goes over whatever connection there is, or makes one.  `reachable`: it was answered.
    Told InspectAndWait();
    // Whether anything comes in time; Next() tells it.
    bool Comes(int64_t timeout_ms);
    // Whatever has come, waiting so long for the first.
    std::vector<Told> Take(int64_t timeout_ms);

    uint32_t seat = 0;          // by which orders go
    bool connects_first = true; // a probe that nobody sees goes before the first branch
    struct mark mark = {};
    struct inbox inbox;
    struct directory directory;
    struct edge *edge = nullptr;
    struct txn *txn = nullptr;

  private:
    struct rpc_runtime *runtime_;
    std::vector<struct branch *> branches_;
    std::vector<Told> waiting_;
};

// What the logger writes while it lives.
class LogCapture
{
  public:
    LogCapture();
    ~LogCapture();
    std::string Text();

  private:
    int fd_;
    std::string path_;
};

// A name that stands for a free address: a port of loopback or a socket in a directory of its own.
std::string FreeTcpAddress();
std::string FreeUnixAddress();

// An answer OK with this message.
void ReplyDone(struct rpc_unary *call);
void Reply(struct rpc_unary *call, const std::function<void(Tercet__V1__BranchReply *)> &fill);
