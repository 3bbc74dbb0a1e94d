/* handlers.h -- handlers whose payload tells them what to do, and the door that they wait at. */
#ifndef TESTS_UNIT_SDK_HANDLERS_H
#define TESTS_UNIT_SDK_HANDLERS_H

#include <condition_variable>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>

#include "tercet/participant.h"

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

#endif
