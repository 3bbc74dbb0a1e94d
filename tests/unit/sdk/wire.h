/* wire.h -- raw requests to a participant. */
#ifndef TESTS_UNIT_SDK_WIRE_H
#define TESTS_UNIT_SDK_WIRE_H

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "rpc/rpc_call.h"
#include "tercet/participant.h"
#include "unit/sdk/protos.h"

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

/* The message of an Ask, as long as `use` runs. */
void WithRequest(const Ask &ask, const std::function<void(Tercet__V1__BranchRequest *)> &use);

/* What a reply says; its status is left out. */
Told ToldBy(const Tercet__V1__BranchReply *reply);

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

#endif
