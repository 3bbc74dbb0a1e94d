/* work_stream.h -- a raw client of Participant.Work. */
#ifndef TESTS_UNIT_SDK_WORK_STREAM_H
#define TESTS_UNIT_SDK_WORK_STREAM_H

#include <condition_variable>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "rpc/rpc_duplex.h"
#include "unit/sdk/wire.h"

class WorkStream
{
  public:
    explicit WorkStream(Wire *wire);
    ~WorkStream(); /* breaks it off */
    WorkStream(const WorkStream &) = delete;
    WorkStream &operator=(const WorkStream &) = delete;

    /* One message; `calls` from `first` on name its requests.  The context is that of `context`. */
    void Send(const std::vector<Ask> &asks, int64_t first, const Ask &context = Ask());
    void SendBytes(const std::string &bytes);
    /* Whether what was sent last leaves within the time. */
    bool LeavesWithin(int ms);
    Told Await(int64_t call);
    size_t AnswerCount();
    uint32_t AwaitWindow();
    size_t MessageCount();
    void HalfClose()
    {
        rpc_duplex_half_close(duplex_);
    }
    /* How the stream ended, with the status and text in it. */
    Told AwaitEnd();

    /* Do not return from the next message until told. */
    void StopReading();
    void ReadOn();

  private:
    void OnMessage(ProtobufCMessage *message);
    void Wait(std::unique_lock<std::mutex> *lock, const std::function<bool()> &until);

    std::mutex mutex_;
    std::condition_variable changed_;
    std::map<int64_t, Told> answers_;
    size_t messages_ = 0;
    uint32_t window_ = 0;
    bool writing_ = false;
    bool reading_ = true;
    bool ended_ = false;
    Told end_;
    rpc_duplex *duplex_ = nullptr;
};

#endif
