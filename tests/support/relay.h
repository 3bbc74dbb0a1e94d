// relay.h -- a relay in front of a server, which can be slow, and say what a peer of other making says.
#pragma once

#include <list>
#include <mutex>
#include <string>
#include <thread>

// Carries bytes both ways between whoever connects and the target, frame by frame towards the client.
class Relay
{
  public:
    explicit Relay(const std::string &target); // "127.0.0.1:<port>"; need not be there yet
    ~Relay();
    Relay(const Relay &) = delete;
    Relay &operator=(const Relay &) = delete;

    std::string Address() const;
    // Tells every client that is there to take its new calls elsewhere: a GOAWAY without an error.
    // What is open on its connection goes on.
    void GoAway();
    // From now on nothing comes through towards clients, until ReadOn(); what the server has sent
    // waits in its own buffers, but for some KiB.
    void Pause();
    void ReadOn();

  private:
    struct Pair {
        int client;
        int server;
        std::string unsent; // towards the client: less than a frame
    };
    void Run();
    void Accept();
    void Wake();
    bool Carry(Pair *pair, bool from_client, bool from_server);

    std::string target_;
    bool paused_ = false;
    bool ended_ = false;
    int listener_;
    int wake_;
    std::mutex mutex_; // of what is sent to clients, of the list and of the two flags
    std::list<Pair> pairs_;
    std::thread thread_;
};
