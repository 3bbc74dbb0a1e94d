// cutting_relay.h -- a relay between a database's client and its server on a unix socket, which cuts a
// connection at a chosen moment of what passes through.
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

    // Whether these bytes are a server's whole answer.
    using Ended = bool (*)(const std::string &answer);
    static bool PostgresEnded(const std::string &answer);
    static bool MariadbEnded(const std::string &answer);

    // Listens at Socket(), carries to `socket`.
    CuttingRelay(const std::string &socket, Ended ended);
    ~CuttingRelay();
    CuttingRelay(const CuttingRelay &) = delete;
    CuttingRelay &operator=(const CuttingRelay &) = delete;

    const std::string &directory() const
    {
        return directory_;
    }
    // Named as libpq names the socket of kPort in its directory.
    std::string Socket() const;
    static constexpr int kPort = 5432;

    // Once, when a client next sends these words.
    void CutAt(const std::string &words, Moment moment);
    int Cuts();
    // From now on, in what servers say: words of the same length in place of others.
    void Replace(const std::string &words, const std::string &others);
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
    Ended whole_;
    std::string directory_;
    int listener_;
    int wake_;
    std::mutex mutex_; // of what follows
    std::string words_;
    Moment moment_ = kBefore;
    std::string said_, others_;
    int cuts_ = 0;
    int sent_ = 0;
    bool ended_ = false;
    std::list<Pair> pairs_; // the thread's
    std::thread thread_;
};
