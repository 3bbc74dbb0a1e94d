// What strangers send is followed frame by frame, however it is cut into pieces.
#include "screen.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <string>

namespace
{

constexpr int kFrees = 16;     // settings and pings that a connection may begin with
constexpr uint32_t kRate = 10; // tokens a second
constexpr int kBurst = 100;    // tokens that a new address has
constexpr int kArrivals = 60;  // connections that an address may make at once
constexpr int kStreams = 500;  // before our settings are acknowledged
constexpr int kReturns = 20;   // connections that an address may make at once after one was cut

std::string Frame(char kind, char flags, const std::string &payload)
{
    const size_t size = payload.size();
    std::string frame = {static_cast<char>(size >> 16), static_cast<char>(size >> 8),
                         static_cast<char>(size), kind, flags};
    return frame + std::string("\0\0\0\1", 4) + payload;
}

std::string Times(int count, const std::string &one)
{
    std::string all;
    for (int i = 0; i < count; i++) {
        all += one;
    }
    return all;
}

const std::string kPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const std::string kReset = Frame(3, 0, std::string(4, '\0'));
const std::string kAcknowledged = Frame(4, 1, "");
const std::string kCall = Frame(1, 5, "h");
const std::string kPing = Frame(6, 0, "12345678");

class Screen : public testing::Test
{
  protected:
    void SetUp() override
    {
        Configure(100);
        listener_ = socket(AF_INET, SOCK_STREAM, 0);
        struct sockaddr_in name = {};
        name.sin_family = AF_INET;
        name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof name;
        ASSERT_EQ(0, bind(listener_, reinterpret_cast<struct sockaddr *>(&name), size));
        ASSERT_EQ(0, listen(listener_, 16));
        ASSERT_EQ(0, getsockname(listener_, reinterpret_cast<struct sockaddr *>(&name_), &size));
        screen_read_stats(&before_);
    }

    void TearDown() override
    {
        Hang();
        close(listener_);
    }

    static void Configure(uint32_t connections_max)
    {
        const struct screen_options options = {connections_max, kArrivals, kRate, kStreams};
        screen_configure(&options);
    }

    void Connect()
    {
        Hang();
        client_ = socket(AF_INET, SOCK_STREAM, 0);
        ASSERT_EQ(0, connect(client_, reinterpret_cast<struct sockaddr *>(&name_), sizeof name_));
        server_ = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    }

    // Whether each of so many connections of this address is accepted; each ends before the next begins.
    bool IsAdmitted(const char *address, int count = 1) const
    {
        // The listener is asked without waiting, as core does.
        struct timeval brief = {0, 50000};
        setsockopt(listener_, SOL_SOCKET, SO_RCVTIMEO, &brief, sizeof brief);
        struct sockaddr_in from = {};
        from.sin_family = AF_INET;
        inet_pton(AF_INET, address, &from.sin_addr);
        bool all = true;
        for (int i = 0; i < count && all; i++) {
            const int client = socket(AF_INET, SOCK_STREAM, 0);
            EXPECT_EQ(0, bind(client, reinterpret_cast<struct sockaddr *>(&from), sizeof from));
            EXPECT_EQ(0, connect(client, reinterpret_cast<const struct sockaddr *>(&name_),
                                 sizeof name_));
            const int server = accept4(listener_, nullptr, nullptr, 0);
            all = server >= 0;
            if (all) {
                close(server);
            } else {
                char byte;
                EXPECT_EQ(EAGAIN, errno);
                EXPECT_EQ(0, recv(client, &byte, 1, 0)) << "it is told at once";
            }
            close(client);
        }
        return all;
    }

    void Hang()
    {
        for (int *fd : {&client_, &server_}) {
            if (*fd >= 0) {
                close(*fd);
                *fd = -1;
            }
        }
    }

    // Whether all of it comes through, read `piece` bytes at a time into two buffers.
    bool Passes(const std::string &sent, size_t piece = 4096) const
    {
        std::string got;
        for (size_t at = 0; at < sent.size(); at += piece) {
            const std::string part = sent.substr(at, piece);
            EXPECT_EQ(static_cast<ssize_t>(part.size()),
                      send(client_, part.data(), part.size(), MSG_NOSIGNAL));
            while (got.size() < at + part.size()) {
                char a[3];
                char b[4093];
                struct iovec parts[2] = {{a, sizeof a}, {b, sizeof b}};
                struct msghdr message = {};
                message.msg_iov = parts;
                message.msg_iovlen = 2;
                const ssize_t size = recvmsg(server_, &message, 0);
                if (size == 0) {
                    return false;
                }
                if (size < 0) {
                    EXPECT_EQ(EAGAIN, errno);
                    continue;
                }
                const size_t first = std::min(static_cast<size_t>(size), sizeof a);
                got.append(a, first).append(b, static_cast<size_t>(size) - first);
            }
        }
        return got == sent;
    }

    // As the server, whose first frame holds its settings.
    void Speak() const
    {
        std::string settings = Frame(4, 0, "");
        struct iovec part = {settings.data(), settings.size()};
        struct msghdr message = {};
        message.msg_iov = &part;
        message.msg_iovlen = 1;
        EXPECT_EQ(static_cast<ssize_t>(settings.size()), sendmsg(server_, &message, 0));
    }

    uint64_t Cut() const
    {
        struct screen_stats stats;
        screen_read_stats(&stats);
        return stats.cut - before_.cut;
    }

    int listener_ = -1;
    int client_ = -1;
    int server_ = -1;
    struct sockaddr_in name_ = {};
    struct screen_stats before_ = {};
};

TEST_F(Screen, RequestsAndTheirBodiesPassUnchanged)
{
    Connect();
    const std::string call = Frame(1, 4, std::string(100, 'h')) + Frame(0, 1, kReset + kReset);
    EXPECT_TRUE(Passes(kPreface + Times(500, call)));
    EXPECT_EQ(0U, Cut());
}

TEST_F(Screen, ResetsPassAsLongAsThereAreTokensAndThenTheConnectionIsCut)
{
    Connect();
    EXPECT_TRUE(Passes(kPreface + Times(kBurst, kReset)));
    EXPECT_FALSE(Passes(Times(2 * kBurst, kReset)));
    EXPECT_EQ(1U, Cut());
}

TEST_F(Screen, FramesAreFollowedHoweverTheyAreCutIntoPieces)
{
    for (size_t piece = 1; piece <= 30; piece++) {
        Configure(100); // new tokens
        Connect();
        EXPECT_TRUE(Passes(kPreface + Times(kBurst, kReset), piece)) << piece;
        EXPECT_FALSE(Passes(Times(2 * kBurst, kReset), piece)) << piece;
    }
}

TEST_F(Screen, AnAddressWithoutTokensCanStillConnectAndCall)
{
    Connect();
    EXPECT_FALSE(Passes(kPreface + Times(3 * kBurst, kReset)));
    Connect();
    EXPECT_TRUE(Passes(kPreface + Frame(4, 0, "") + Times(kFrees - 1, kPing) +
                       Times(100, Frame(6, 1, "12345678")) + Frame(1, 5, "h")));
    EXPECT_FALSE(Passes(Times(20, kPing)));
}

// Core bounds the streams of a connection only when that has acknowledged its settings.
TEST_F(Screen, WhoDoesNotAcknowledgeOurSettingsOpensFewStreams)
{
    Connect();
    EXPECT_TRUE(Passes(kPreface + Times(kStreams, kCall)));
    EXPECT_FALSE(Passes(kCall));
    EXPECT_EQ(1U, Cut());
}

TEST_F(Screen, WhoHasAcknowledgedThemOpensAnyNumber)
{
    Connect();
    Speak();
    EXPECT_TRUE(Passes(kPreface + Times(kStreams, kCall) + kAcknowledged));
    EXPECT_TRUE(Passes(Times(10 * kStreams, kCall)));
    EXPECT_EQ(0U, Cut());
}

TEST_F(Screen, NothingIsAcknowledgedBeforeItWasSent)
{
    for (int i = 0; i < 2; i++) { // the second on the same descriptor
        Connect();
        EXPECT_TRUE(Passes(kPreface + kAcknowledged));
        Speak();
        EXPECT_TRUE(Passes(Times(kStreams, kCall)));
        EXPECT_FALSE(Passes(kCall));
    }
}

TEST_F(Screen, AHeaderBlockWithoutEndIsCut)
{
    Connect();
    const std::string piece = Frame(9, 0, std::string(16000, 'h'));
    EXPECT_TRUE(Passes(kPreface + Frame(1, 0, "h") + Times(4, piece)));
    EXPECT_FALSE(Passes(piece));
    Connect();
    EXPECT_FALSE(Passes(kPreface + Frame(1, 0, "h") + Times(8000, Frame(9, 0, ""))));
}

TEST_F(Screen, LargeHeaderBlocksTakeTokensAndOrdinaryOnesNone)
{
    Connect();
    const std::string ordinary = Frame(1, 4, std::string(8192, 'h'));
    const std::string large = Frame(1, 4, std::string(8193, 'h'));
    EXPECT_TRUE(Passes(kPreface + Times(2 * kBurst, ordinary)));
    EXPECT_TRUE(Passes(Times(kBurst - 10, large)));
    EXPECT_FALSE(Passes(Times(kBurst, large)));
}

TEST_F(Screen, ConnectionsAboveTheLimitAreClosedAndThoseThatEndMakeRoom)
{
    Configure(1);
    Connect();
    EXPECT_GE(server_, 0);
    EXPECT_FALSE(IsAdmitted("127.0.0.1"));
    EXPECT_FALSE(IsAdmitted("127.0.0.2"));
    Connect();
    EXPECT_GE(server_, 0);
}

TEST_F(Screen, AnAddressWhoseConnectionWasCutMayConnectOnlySoOften)
{
    EXPECT_TRUE(IsAdmitted("127.0.0.1", kArrivals - 1)) << "whose connections were never cut";
    Connect();
    EXPECT_FALSE(Passes(kPreface + Times(3 * kBurst, kReset)));
    EXPECT_TRUE(IsAdmitted("127.0.0.1", kReturns));
    EXPECT_FALSE(IsAdmitted("127.0.0.1", kReturns));
    EXPECT_TRUE(IsAdmitted("127.0.0.2", kReturns + 1)) << "another one";
}

TEST_F(Screen, AnAddressMayConnectOnlySoOftenWhateverItSends)
{
    EXPECT_TRUE(IsAdmitted("127.0.0.1", kArrivals));
    EXPECT_FALSE(IsAdmitted("127.0.0.1", kArrivals));
    EXPECT_TRUE(IsAdmitted("127.0.0.2", kArrivals)) << "another one";
}

TEST_F(Screen, ConnectionsComeAgainWithTime)
{
    EXPECT_FALSE(IsAdmitted("127.0.0.1", 10 * kArrivals));
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    bool admitted = false;
    while (!admitted && std::chrono::steady_clock::now() < until) {
        admitted = IsAdmitted("127.0.0.1");
    }
    EXPECT_TRUE(admitted);
}

TEST_F(Screen, WhatThisProcessConnectedItselfIsNotLookedAt)
{
    Connect();
    const int accepted = server_;
    close(accepted); // the number goes to somebody else
    int pair[2];
    ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair));
    ASSERT_EQ(accepted, pair[0]);
    server_ = pair[0];
    close(client_);
    client_ = pair[1];
    EXPECT_TRUE(Passes(kPreface + Times(10 * kBurst, kReset)));
}

} // namespace
