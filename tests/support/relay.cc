#include "support/relay.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <vector>

namespace
{

constexpr size_t kFrameHeadBytes = 9;

struct sockaddr_in Loopback(int port)
{
    struct sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(static_cast<uint16_t>(port));
    return address;
}

bool SendAll(int fd, const char *bytes, size_t size)
{
    while (size > 0) {
        const ssize_t sent = send(fd, bytes, size, MSG_NOSIGNAL);
        if (sent <= 0) {
            return false;
        }
        bytes += sent;
        size -= static_cast<size_t>(sent);
    }
    return true;
}

// How many of the bytes are whole frames.
size_t WholeFrames(const std::string &bytes)
{
    size_t whole = 0;
    while (bytes.size() - whole >= kFrameHeadBytes) {
        const auto *head = reinterpret_cast<const uint8_t *>(bytes.data()) + whole;
        const size_t size = kFrameHeadBytes + (static_cast<size_t>(head[0]) << 16) +
                            (static_cast<size_t>(head[1]) << 8) + head[2];
        if (bytes.size() - whole < size) {
            break;
        }
        whole += size;
    }
    return whole;
}

} // namespace

Relay::Relay(const std::string &target)
    : target_(target), listener_(socket(AF_INET, SOCK_STREAM, 0)), wake_(eventfd(0, 0))
{
    const struct sockaddr_in any = Loopback(0);
    EXPECT_EQ(bind(listener_, reinterpret_cast<const struct sockaddr *>(&any), sizeof any), 0);
    EXPECT_EQ(listen(listener_, 8), 0);
    thread_ = std::thread([this] { Run(); });
}

Relay::~Relay()
{
    {
        const std::lock_guard<std::mutex> lock(mutex_);
        ended_ = true;
    }
    Wake();
    thread_.join();
    for (const Pair &pair : pairs_) {
        close(pair.client);
        close(pair.server);
    }
    close(listener_);
    close(wake_);
}

std::string Relay::Address() const
{
    struct sockaddr_in address = {};
    socklen_t size = sizeof address;
    EXPECT_EQ(getsockname(listener_, reinterpret_cast<struct sockaddr *>(&address), &size), 0);
    return "127.0.0.1:" + std::to_string(ntohs(address.sin_port));
}

void Relay::GoAway()
{
    const char frame[] = "\0\0\x08"         // what follows the head
                         "\x07\0"           // GOAWAY, no flags
                         "\0\0\0\0"         // of the connection
                         "\x7f\xff\xff\xff" // every stream up to here goes on
                         "\0\0\0\0";        // NO_ERROR
    const std::lock_guard<std::mutex> lock(mutex_);
    for (const Pair &pair : pairs_) {
        EXPECT_TRUE(SendAll(pair.client, frame, sizeof frame - 1));
    }
}

void Relay::Wake()
{
    EXPECT_EQ(eventfd_write(wake_, 1), 0);
}

void Relay::Pause()
{
    {
        const std::lock_guard<std::mutex> lock(mutex_);
        paused_ = true;
    }
    Wake();
}

void Relay::ReadOn()
{
    {
        const std::lock_guard<std::mutex> lock(mutex_);
        paused_ = false;
        const int many = 1 << 20;
        for (const Pair &pair : pairs_) {
            EXPECT_EQ(setsockopt(pair.server, SOL_SOCKET, SO_RCVBUF, &many, sizeof many), 0);
        }
    }
    Wake();
}

void Relay::Accept()
{
    const int client = accept(listener_, nullptr, nullptr);
    const int server = socket(AF_INET, SOCK_STREAM, 0);
    const int few = 4096;
    EXPECT_EQ(setsockopt(server, SOL_SOCKET, SO_RCVBUF, &few, sizeof few), 0);
    const struct sockaddr_in to = Loopback(std::stoi(target_.substr(target_.rfind(':') + 1)));
    if (connect(server, reinterpret_cast<const struct sockaddr *>(&to), sizeof to) != 0) {
        close(client);
        close(server);
        return;
    }
    const std::lock_guard<std::mutex> lock(mutex_);
    pairs_.push_back({client, server, ""});
}

// False: one of the two has closed.
bool Relay::Carry(Pair *pair, bool from_client, bool from_server)
{
    char bytes[16384];
    if (from_client) {
        const ssize_t size = recv(pair->client, bytes, sizeof bytes, 0);
        if (size <= 0 || !SendAll(pair->server, bytes, static_cast<size_t>(size))) {
            return false;
        }
    }
    if (from_server) {
        const ssize_t size = recv(pair->server, bytes, sizeof bytes, 0);
        if (size <= 0) {
            return false;
        }
        pair->unsent.append(bytes, static_cast<size_t>(size));
        const size_t whole = WholeFrames(pair->unsent);
        const std::lock_guard<std::mutex> lock(mutex_);
        if (!SendAll(pair->client, pair->unsent.data(), whole)) {
            return false;
        }
        pair->unsent.erase(0, whole);
    }
    return true;
}

void Relay::Run()
{
    for (;;) {
        bool paused = false;
        {
            const std::lock_guard<std::mutex> lock(mutex_);
            if (ended_) {
                return;
            }
            paused = paused_;
        }
        std::vector<struct pollfd> events = {{wake_, POLLIN, 0}, {listener_, POLLIN, 0}};
        for (const Pair &pair : pairs_) {
            events.push_back({pair.client, POLLIN, 0});
            events.push_back({paused ? -1 : pair.server, POLLIN, 0});
        }
        ASSERT_GT(poll(events.data(), events.size(), -1), 0);
        if (events[0].revents != 0) {
            eventfd_t times = 0;
            EXPECT_EQ(eventfd_read(wake_, &times), 0);
        }
        size_t at = 2;
        for (auto pair = pairs_.begin(); pair != pairs_.end(); at += 2) {
            if (Carry(&*pair, events[at].revents != 0, events[at + 1].revents != 0)) {
                ++pair;
                continue;
            }
            close(pair->client);
            close(pair->server);
            const std::lock_guard<std::mutex> lock(mutex_);
            pair = pairs_.erase(pair);
        }
        if (events[1].revents != 0) {
            Accept();
        }
    }
}
