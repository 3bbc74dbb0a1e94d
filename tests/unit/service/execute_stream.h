/* execute_stream.h -- a raw client of ExecuteStream. */
#ifndef TESTS_UNIT_SERVICE_EXECUTE_STREAM_H
#define TESTS_UNIT_SERVICE_EXECUTE_STREAM_H

#include <map>

#include "service_fixture.h"

extern "C" {
#include "rpc/rpc_duplex.h"
}

class ExecuteStream
{
  public:
    explicit ExecuteStream(struct rpc_channel *channel);
    ~ExecuteStream(); /* breaks it off */
    ExecuteStream(const ExecuteStream &) = delete;
    ExecuteStream &operator=(const ExecuteStream &) = delete;

    /* One message; `calls` from `first` on name its elements.  False: the stream is over. */
    bool Send(const std::vector<ExecuteMessage *> &messages, int64_t first);
    bool SendBytes(const std::string &bytes);
    /* One element as bytes, which may hold what protobuf-c does not know. */
    static std::string Element(const std::string &request);
    bool LeavesWithin(int ms);
    void HalfClose();

    /* The answer to an element; fails the test after 20 s. */
    Answer Await(int64_t call);
    size_t AnswerCount();
    size_t MessageCount();
    size_t CountOf(int64_t call);
    uint32_t AwaitWindow();
    /* Status and text of the stream's end. */
    Answer AwaitEnd();

    void StopReading();
    void ReadOn();

  private:
    void OnMessage(ProtobufCMessage *message);
    void Wait(std::unique_lock<std::mutex> *lock, const std::function<bool()> &until);

    std::mutex mutex_;
    std::condition_variable changed_;
    std::multimap<int64_t, Answer> answers_;
    size_t messages_ = 0;
    uint32_t window_ = 0;
    bool writing_ = false;
    bool reading_ = true;
    bool ended_ = false;
    Answer end_;
    struct rpc_duplex *duplex_ = nullptr;
};

#endif
