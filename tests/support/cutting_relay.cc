#include "support/cutting_relay.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <filesystem>
#include <vector>

namespace
{

struct sockaddr_un Named(const std::string &path)
{
    struct sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    EXPECT_LT(path.size(), sizeof address.sun_path);
    path.copy(address.sun_path, sizeof address.sun_path - 1);
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

} // namespace

// "I am ready, and no transaction is open (or one is, or one has failed)": the end of every answer.
bool CuttingRelay::PostgresEnded(const std::string &answer)
{
    constexpr size_t kReadyBytes = 6;
    return answer.size() >= kReadyBytes &&
           answer.compare(answer.size() - kReadyBytes, 5, std::string("Z\0\0\0\5", 5)) == 0;
}

// An OK packet with nothing in it, or the end of a result's rows, behind which no more results come.
bool CuttingRelay::MariadbEnded(const std::string &answer)
{
    constexpr size_t kOkBytes = 11, kEndBytes = 9, kStatus = 7, kMoreResults = 8;
    const auto ends_in = [&](const char *size, size_t bytes, char kind) {
        if (answer.size() < bytes) {
            return false;
        }
        const std::string last = answer.substr(answer.size() - bytes);
        return last.compare(0, 3, std::string(size, 3)) == 0 && last[4] == kind &&
               (static_cast<unsigned char>(last[kStatus]) & kMoreResults) == 0;
    };
    return ends_in("\7\0\0", kOkBytes, 0) || ends_in("\5\0\0", kEndBytes, '\xfe');
}

std::string CuttingRelay::Socket() const
{
    return directory_ + "/.s.PGSQL." + std::to_string(kPort);
}

CuttingRelay::CuttingRelay(const std::string &socket, Ended ended)
    : socket_(socket), whole_(ended), listener_(::socket(AF_UNIX, SOCK_STREAM, 0)),
      wake_(eventfd(0, 0))
{
    std::string pattern = (std::filesystem::temp_directory_path() / "tercet_relay_XXXXXX").string();
    directory_ = mkdtemp(pattern.data());
    const struct sockaddr_un here = Named(Socket());
    EXPECT_EQ(bind(listener_, reinterpret_cast<const struct sockaddr *>(&here), sizeof here), 0);
    EXPECT_EQ(listen(listener_, 64), 0);
    thread_ = std::thread([this] { Run(); });
}

CuttingRelay::~CuttingRelay()
{
    {
        const std::lock_guard<std::mutex> lock(mutex_);
        ended_ = true;
    }
    EXPECT_EQ(eventfd_write(wake_, 1), 0);
    thread_.join();
    for (const Pair &pair : pairs_) {
        close(pair.client);
        close(pair.server);
    }
    close(listener_);
    close(wake_);
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
}

void CuttingRelay::CutAt(const std::string &words, Moment moment)
{
    const std::lock_guard<std::mutex> lock(mutex_);
    words_ = words;
    moment_ = moment;
}

int CuttingRelay::Cuts()
{
    const std::lock_guard<std::mutex> lock(mutex_);
    return cuts_;
}

int CuttingRelay::Sent()
{
    const std::lock_guard<std::mutex> lock(mutex_);
    return sent_;
}

void CuttingRelay::Replace(const std::string &words, const std::string &others)
{
    ASSERT_EQ(words.size(), others.size());
    const std::lock_guard<std::mutex> lock(mutex_);
    said_ = words;
    others_ = others;
}

void CuttingRelay::Accept()
{
    const int client = accept(listener_, nullptr, nullptr);
    const int server = socket(AF_UNIX, SOCK_STREAM, 0);
    const struct sockaddr_un there = Named(socket_);
    if (connect(server, reinterpret_cast<const struct sockaddr *>(&there), sizeof there) != 0) {
        close(client);
        close(server);
        return;
    }
    pairs_.push_back({client, server, false, ""});
}

// False: the pair is to be cut.
bool CuttingRelay::FromClient(Pair *pair)
{
    char bytes[65536];
    const ssize_t size = recv(pair->client, bytes, sizeof bytes, 0);
    if (size <= 0) {
        return false;
    }
    {
        const std::lock_guard<std::mutex> lock(mutex_);
        sent_++;
        const std::string sent(bytes, static_cast<size_t>(size));
        if (!words_.empty() && sent.find(words_) != std::string::npos) {
            words_.clear();
            cuts_++;
            if (moment_ == kBefore) {
                return false;
            }
            (void)SendAll(pair->server, bytes, static_cast<size_t>(size));
            pair->ending = moment_ == kAfter;
            return pair->ending;
        }
    }
    return SendAll(pair->server, bytes, static_cast<size_t>(size));
}

bool CuttingRelay::FromServer(Pair *pair)
{
    char bytes[65536];
    const ssize_t size = recv(pair->server, bytes, sizeof bytes, 0);
    if (size <= 0) {
        return false;
    }
    if (pair->ending) {
        pair->answer.append(bytes, static_cast<size_t>(size));
        return !whole_(pair->answer);
    }
    std::string said(bytes, static_cast<size_t>(size));
    {
        const std::lock_guard<std::mutex> lock(mutex_);
        const size_t at = said_.empty() ? std::string::npos : said.find(said_);
        if (at != std::string::npos) {
            said.replace(at, others_.size(), others_);
        }
    }
    return SendAll(pair->client, said.data(), said.size());
}

void CuttingRelay::Run()
{
    for (;;) {
        {
            const std::lock_guard<std::mutex> lock(mutex_);
            if (ended_) {
                return;
            }
        }
        std::vector<struct pollfd> events = {{wake_, POLLIN, 0}, {listener_, POLLIN, 0}};
        for (const Pair &pair : pairs_) {
            events.push_back({pair.client, POLLIN, 0});
            events.push_back({pair.server, POLLIN, 0});
        }
        ASSERT_GT(poll(events.data(), events.size(), -1), 0);
        size_t at = 2;
        for (auto pair = pairs_.begin(); pair != pairs_.end(); at += 2) {
            const bool goes_on = (events[at].revents == 0 || FromClient(&*pair)) &&
                                 (events[at + 1].revents == 0 || FromServer(&*pair));
            if (goes_on) {
                ++pair;
                continue;
            }
            close(pair->client);
            close(pair->server);
            pair = pairs_.erase(pair);
        }
        if (events[1].revents != 0) {
            Accept();
        }
    }
}
