/* support.h -- what the SDK's tests share: a participant that is really served, raw requests to it,
 * and a coordinator that answers by script. */
#ifndef TESTS_UNIT_SDK_SUPPORT_H
#define TESTS_UNIT_SDK_SUPPORT_H

#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <cstdlib>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "rpc/rpc_call.h"
#include "rpc/rpc_server.h"
#include "rpc/rpc_unary.h"
#include "tercet/client.h"
#include "tercet/participant.h"
#include "unit/sdk/protos.h"

/* A directory that goes with the test. */
class TemporaryDirectory
{
  public:
    TemporaryDirectory();
    ~TemporaryDirectory();
    TemporaryDirectory(const TemporaryDirectory &) = delete;
    TemporaryDirectory &operator=(const TemporaryDirectory &) = delete;
    std::string Path(const std::string &name) const
    {
        return path_ + "/" + name;
    }

  private:
    std::string path_;
};

/* A door that handlers wait at. */
class Gate
{
  public:
    void Open();
    void Close();
    void Wait(); /* in a handler: counts itself, then waits until it is open */
    void AwaitWaiting(int count);

  private:
    std::mutex mutex_;
    std::condition_variable changed_;
    bool open_ = true;
    int waiting_ = 0;
};

/* What the handlers of the tests do is told by the payload: done, done:RESULT, refuse, later, fail,
 * garbage, nothing, lie, long, conflict, gate.  Every run is counted under "gid/branch/phase". */
struct Handlers {
    Gate gate;
    std::mutex mutex;
    std::map<std::string, int> runs;
    struct Seen {
        std::string payload;
        std::string result;
        uint32_t attempt = 0;
        std::string traceparent;
    } last;

    Seen Last();
    int Runs(const std::string &key);
    int AllRuns();
    static tercet_verdict Handle(tercet_request *request);
};

/* One request with sensible fields; tests change what they are about. */
struct Ask {
    int phase = TERCET_PHASE_TRY; /* may be none */
    int method = 0;               /* 0: as phase */
    std::string gid = "gid-1";
    uint32_t branch = 1;
    std::string action = "act";
    std::string payload = "done";
    std::string digest = std::string(16, 'd');
    int64_t number_incarnation = 1000;
    int64_t number = 1;
    uint32_t attempt = 1;
    uint32_t timeout_ms = 0;
    uint32_t call_timeout_ms = 20000;
    std::string traceparent;
    std::string participant = "account";
    std::string origin = std::string(20, 'o');
    int64_t incarnation = 1000;
    int64_t epoch = 1;
    int64_t mark_lsn = 0; /* 0: no mark */
    int64_t mark_low = 1;
    std::vector<int64_t> mark_open;
    /* Last changes to the message; what it points to must live until the call was started. */
    std::function<void(Tercet__V1__BranchRequest *)> tweak;
};

struct Told {
    tercet_status status = TERCET_OK;
    std::string text;
    tercet_verdict verdict = TERCET_VERDICT_UNSPECIFIED;
    tercet_how how = TERCET_HOW_UNSPECIFIED;
    tercet_conflict conflict = TERCET_CONFLICT_NONE;
    int found = 0;
    std::string result;
    std::string code;
    std::string reason;
    uint32_t after_ms = 0;
    int64_t mark_lsn = 0;
};

/* A raw client of one address. */
class Wire
{
  public:
    explicit Wire(const std::string &address);
    ~Wire();
    Wire(const Wire &) = delete;
    Wire &operator=(const Wire &) = delete;

    rpc_call *Start(const Ask &ask);
    Told Finish(rpc_call *call);
    Told Send(const Ask &ask)
    {
        return Finish(Start(ask));
    }

    /* Any method; the reply is unpacked by the caller from the result. */
    rpc_call *StartRaw(const std::string &path, const ProtobufCMessage *request,
                       const ProtobufCMessageDescriptor *reply);
    rpc_channel *channel()
    {
        return channel_;
    }

  private:
    rpc_runtime *runtime_ = nullptr;
    rpc_channel *channel_ = nullptr;
};

enum class StoreKind { kMemory, kSqlite };

/* Collects log lines. */
struct Log {
    std::mutex mutex;
    std::vector<std::string> lines;
    bool Has(const std::string &part);
    static void Hook(tercet_log_level level, const char *line, void *context);
};

/* A served participant "account" with the action "act" (fenced), "note" (confirm-only) and "out"
 * (unfenced). */
class Served
{
  public:
    struct Options {
        StoreKind store = StoreKind::kMemory;
        std::string listen = "127.0.0.1:0";
        uint32_t batch_max = 0;
        uint32_t queue_max = 0;
        uint32_t in_flight_max = 0;
        uint32_t unfenced_workers = 0;
        std::string sqlite_path;
    };
    Served() : Served(Options()) {}
    explicit Served(const Options &options);
    ~Served();
    Served(const Served &) = delete;
    Served &operator=(const Served &) = delete;

    void Stop(); /* destroys the participant and closes the store */
    Wire &wire()
    {
        return *wire_;
    }
    tercet_participant *participant()
    {
        return participant_;
    }
    tercet_participant_stats Stats();

    Handlers handlers;
    Log log;

  private:
    TemporaryDirectory directory_;
    tercet_store *store_ = nullptr;
    tercet_participant *participant_ = nullptr;
    std::unique_ptr<Wire> wire_;
};

/* ---- A coordinator by script ----------------------------------------------------------------- */

/* Calls that are not answered. */
class Held
{
  public:
    void Add(rpc_unary *call);
    void LetGo(); /* answers them, which nobody hears any more */

  private:
    std::mutex mutex_;
    std::vector<rpc_unary *> calls_;
};

/* One answer.  The call is to be answered, now or later. */
using Answer = std::function<void(rpc_unary *call, const ProtobufCMessage *request)>;

class FakeCoordinator
{
  public:
    FakeCoordinator();
    ~FakeCoordinator();
    FakeCoordinator(const FakeCoordinator &) = delete;
    FakeCoordinator &operator=(const FakeCoordinator &) = delete;

    void Start();
    void Halt(); /* the server goes away with all calls that it holds */
    const std::string &target() const
    {
        return target_;
    }

    /* The next call of any method is answered so; with an empty script UNAVAILABLE. */
    void Then(Answer answer);
    int Calls();
    std::vector<int64_t> CreatedAt(); /* of every Execute and Begin */
    std::vector<std::string> Paths();

    static Answer Reply(const std::string &gid, int outcome, int state);
    static Answer ReplyBytes(const std::string &bytes);
    static Answer Fail(tercet_status status, bool refused, const std::string &code = "",
                       const std::string &refused_value = "1");
    static Answer Hold(Held *held);
    void Serve(rpc_unary *call, const ProtobufCMessage *request, const char *path);

  private:
    TemporaryDirectory directory_;
    std::string target_;
    rpc_runtime *runtime_ = nullptr;
    rpc_server *server_ = nullptr;
    std::mutex mutex_;
    std::deque<Answer> script_;
    int calls_ = 0;
    std::vector<int64_t> created_at_;
    std::vector<std::string> paths_;
};

#endif
