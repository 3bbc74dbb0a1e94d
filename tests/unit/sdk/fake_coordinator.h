/* fake_coordinator.h -- a coordinator that answers by script. */
#ifndef TESTS_UNIT_SDK_FAKE_COORDINATOR_H
#define TESTS_UNIT_SDK_FAKE_COORDINATOR_H

#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "rpc/rpc_server.h"
#include "rpc/rpc_unary.h"
#include "tercet/client.h"
#include "unit/sdk/protos.h"
#include "unit/sdk/temporary_directory.h"

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
