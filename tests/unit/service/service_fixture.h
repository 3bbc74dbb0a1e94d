/* service_fixture.h -- the service behind a real gRPC server, and the loop in the test's hands: it
 * takes the events and gives the replies. */
#ifndef TESTS_UNIT_SERVICE_SERVICE_FIXTURE_H
#define TESTS_UNIT_SERVICE_SERVICE_FIXTURE_H

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

extern "C" {
#include "base/memory.h"
#include "rpc/rpc_call.h"
#include "rpc/rpc_client_stream.h"
#include "rpc/rpc_codec.h"
#include "service/service.h"
/* A method is called Try, which protobuf-c makes a member `try`. */
#define try try_method
#include "tercet/v1/coordinator.pb-c.h"
#undef try
}

inline char *Text(const std::string &text)
{
    return const_cast<char *>(text.c_str());
}

/* What a call ended with, copied. */
struct Answer {
    enum tercet_status status = TERCET_OK;
    std::string text;
    bool refused = false;
    bool has_detail = false;
    std::string code;
    std::string field;
    int64_t limit = 0;
    int64_t value = 0;
    uint32_t retry_after_ms = 0;
    std::shared_ptr<ProtobufCMessage> reply;

    const Tercet__V1__Transaction *Transaction() const
    {
        return reinterpret_cast<const Tercet__V1__Transaction *>(reply.get());
    }
    const Tercet__V1__TryReply *TryReply() const
    {
        return reinterpret_cast<const Tercet__V1__TryReply *>(reply.get());
    }
    const Tercet__V1__ListReply *List() const
    {
        return reinterpret_cast<const Tercet__V1__ListReply *>(reply.get());
    }
};

Answer CopyResult(const struct rpc_result *result);

/* A call that is under way. */
class Pending
{
  public:
    explicit Pending(struct rpc_call *call) : call_(call) {}
    Pending(Pending &&other) noexcept : call_(other.call_)
    {
        other.call_ = nullptr;
    }
    Pending(const Pending &) = delete;
    Pending &operator=(const Pending &) = delete;
    Pending &operator=(Pending &&) = delete;
    ~Pending()
    {
        rpc_call_unref(call_);
    }
    Answer Wait()
    {
        return CopyResult(rpc_call_wait(call_));
    }
    void Cancel()
    {
        rpc_call_cancel(call_);
    }

  private:
    struct rpc_call *call_;
};

struct EventDelete {
    void operator()(struct event *event) const
    {
        event_destroy(event);
    }
};
using EventPointer = std::unique_ptr<struct event, EventDelete>;

/* A branch for a view. */
inline struct view_branch ViewBranch(uint32_t index, enum branch_state state)
{
    struct view_branch branch = {};
    branch.index = index;
    branch.state = state;
    branch.participant = "account";
    branch.action = "debit";
    branch.reason_code = "";
    branch.reason_text = "";
    branch.resolved = "";
    branch.result = tercet_bytes_of("", 0);
    return branch;
}

/* A view with nothing special about it. */
inline struct view PlainView(const char *gid, enum txn_state state)
{
    struct view view = {};
    view.gid = gid;
    view.state = state;
    view.reason_code = "";
    view.reason_text = "";
    view.attention = "";
    return view;
}

inline struct view *Copy(struct view view, const std::vector<struct view_branch> &branches = {})
{
    view.branch_count = static_cast<uint32_t>(branches.size());
    return view_copy(&view, branches.data());
}

/* What the reader thread was asked for. */
struct OutcomesAsked {
    void *token;
    std::string cursor;
    uint32_t page_size;
};

class ServiceTest : public ::testing::Test
{
  protected:
    void SetUp() override;
    void TearDown() override;

    /* The service of SetUp() has the defaults; a test that wants others calls this first. */
    void Start(uint32_t waiting_calls_max, size_t inbox_max);
    void Stop();
    void Serve(); /* a server at target_; Start() does it */
    /* Before a method is served. */
    virtual void AdaptMethod(struct rpc_method *) {}

    Pending Call(const char *method, const ProtobufCMessage *request, uint32_t timeout_ms = 20000);
    Answer CallBytes(const char *method, const std::string &bytes);

    /* The next event, waited for; NULL after `timeout_ms`. */
    EventPointer Next(int timeout_ms = 10000);
    /* The next event, which must be a request. */
    EventPointer NextRequest(enum request_kind kind);
    bool NoEvent();

    /* What the loop does. */
    void Reply(void *token, enum request_kind kind, struct view *view_take, bool last = true);
    void Reply(struct effect_reply reply);
    void Fail(void *token, enum request_kind kind, enum tercet_status status, bool refused);

    OutcomesAsked NextOutcomes();

    /* Calls and expects a refusal without an event. */
    Answer Refused(const char *method, const ProtobufCMessage *request);

    static void ListOutcomes(void *context, void *token, const char *cursor, uint32_t page_size);

    struct directory directory_ = {};
    struct inbox inbox_ = {};
    struct list_node taken_ = {};
    struct service *service_ = nullptr;
    struct rpc_runtime *runtime_ = nullptr;
    struct rpc_server *server_ = nullptr;
    struct rpc_channel *channel_ = nullptr;
    std::string target_; /* where the server is */
    std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<OutcomesAsked> asked_;
};

/* An Execute that is fine as it stands; what it points at lives as long as it. */
struct ExecuteMessage {
    ExecuteMessage()
    {
        Use(1);
        message.gid = Text(gid);
    }

    /* So many plain branches. */
    void Use(size_t count)
    {
        branches.assign(count, TERCET__V1__BRANCH__INIT);
        pointers.clear();
        for (Tercet__V1__Branch &branch : branches) {
            branch.participant = Text(participant);
            branch.action = Text(action);
            pointers.push_back(&branch);
        }
        message.n_branches = count;
        message.branches = pointers.data();
    }

    Tercet__V1__ExecuteRequest message = TERCET__V1__EXECUTE_REQUEST__INIT;
    std::string gid = "pay-1";
    std::string participant = "account";
    std::string action = "debit";
    std::vector<Tercet__V1__Branch> branches;
    std::vector<Tercet__V1__Branch *> pointers;
};

/* All unary methods. */
extern const std::vector<const char *> kUnaryMethods;

#endif
