// edge_work.h -- the participant's end of Work, played by the test.
#pragma once

#include "unit/edge/edge_world.h"

class FakeWork
{
  public:
    // What came as one request.
    struct Asked {
        int64_t call = 0;
        int phase = 0;
        uint32_t branch = 0;
        uint32_t attempt = 0;
        uint32_t timeout_ms = 0;
        std::string gid;
        std::string action;
        std::string payload;
    };

    // `window` is told at once; 0: the test speaks first itself.
    explicit FakeWork(uint32_t window = 1000) : window_(window) {}

    // The handler.
    void Serve(struct rpc_duplex *duplex);

    // All requests of all streams so far, at least so many; fails the test after ten seconds.
    std::vector<Asked> Await(size_t count);
    size_t AskedCount();
    size_t BatchCount();
    size_t StreamCount();
    bool AwaitStreams(size_t count);
    // Whether the stream was broken off from there.
    bool AwaitGone();
    // Whether the coordinator has said, on so many streams, that it sends no more.
    bool AwaitHalfClosed(size_t count);
    // Of the last context: participant, and the mark's as_of_lsn, 0 for none.
    std::string Participant();
    int64_t MarkLsn();

    using Fill = std::function<void(Tercet__V1__BranchReply *)>;
    // One message; each reply is DONE unless `fill` says otherwise.
    void Answer(const std::vector<int64_t> &calls, const Fill &fill = {}, uint32_t window = 0);
    void SayBytes(const std::string &bytes);
    void End(enum tercet_status status, const char *text);
    // What comes from now on waits until told; a poller of the participant's waits with it.
    void StopReading();
    void ReadOn();

  private:
    // One stream: what its events get.
    struct Stream {
        FakeWork *work;
        struct rpc_duplex *duplex;
    };
    void OnMessage(ProtobufCMessage *message);
    void OnGone(struct rpc_duplex *duplex);

    uint32_t window_;
    std::mutex mutex_;
    std::condition_variable changed_;
    struct rpc_duplex *duplex_ = nullptr;
    bool writing_ = false;
    bool gone_ = false;
    bool reading_ = true;
    size_t batches_ = 0;
    size_t streams_ = 0;
    size_t half_closed_ = 0;
    std::vector<Asked> asked_;
    std::string participant_;
    int64_t mark_lsn_ = 0;
};
