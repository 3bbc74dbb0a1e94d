// edge_relay.h -- a relay in front of a participant, which can say what a peer of other making says.
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

  private:
    struct Pair {
        int client;
        int server;
        std::string unsent; // towards the client: less than a frame
    };
    void Run();
    void Accept();
    bool Carry(Pair *pair, bool from_client, bool from_server);

    std::string target_;
    int listener_;
    int wake_;
    std::mutex mutex_; // of what is sent to clients, and of the list
    std::list<Pair> pairs_;
    std::thread thread_;
};
