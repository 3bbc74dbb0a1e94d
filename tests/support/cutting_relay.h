// cutting_relay.h -- a relay between libpq and a server on a unix socket, which cuts a connection at a
// chosen moment of what passes through.
#pragma once

#include <list>
#include <mutex>
#include <string>
#include <thread>

class CuttingRelay
{
  public:
    enum Moment {
        kBefore, // what holds the words does not reach the server
        kBehind, // it does, and the connection is cut at once: the server may carry it out or not
        kAfter   // it does, and the server's whole answer is lost
    };

    // Listens as libpq's `port` in a directory of its own; carries to `socket`, a path.
    explicit CuttingRelay(const std::string &socket);
    ~CuttingRelay();
    CuttingRelay(const CuttingRelay &) = delete;
    CuttingRelay &operator=(const CuttingRelay &) = delete;

    const std::string &directory() const
    {
        return directory_;
    }
    static constexpr int kPort = 5432;

    // Once, when a client next sends these words.
    void CutAt(const std::string &words, Moment moment);
    int Cuts();
    int Sent(); // how often clients have sent something, together

  private:
    struct Pair {
        int client;
        int server;
        bool ending; // nothing comes back to the client any more
        std::string answer;
    };
    void Run();
    void Accept();
    bool FromClient(Pair *pair);
    bool FromServer(Pair *pair);

    std::string socket_;
    std::string directory_;
    int listener_;
    int wake_;
    std::mutex mutex_; // of what follows
    std::string words_;
    Moment moment_ = kBefore;
    int cuts_ = 0;
    int sent_ = 0;
    bool ended_ = false;
    std::list<Pair> pairs_; // the thread's
    std::thread thread_;
};
