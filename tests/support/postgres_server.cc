#include "support/postgres_server.h"

#include <libpq-fe.h>
#include <signal.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <thread>

namespace
{

constexpr auto kStartTime = std::chrono::seconds(60);
constexpr auto kLook = std::chrono::milliseconds(10);

} // namespace

std::string PostgresServer::Binaries()
{
    std::error_code none;
    std::vector<std::pair<int, std::string>> found;
    for (const auto &version : std::filesystem::directory_iterator("/usr/lib/postgresql", none)) {
        const auto bin = version.path() / "bin";
        if (std::filesystem::exists(bin / "initdb", none) &&
            std::filesystem::exists(bin / "postgres", none)) {
            found.emplace_back(std::stoi(version.path().filename()), bin.string());
        }
    }
    return found.empty() ? "" : std::max_element(found.begin(), found.end())->second;
}

PostgresServer &PostgresServer::Shared()
{
    static PostgresServer server;
    return server;
}

PostgresServer::PostgresServer() : ServerProcess("postgres", "postgres")
{
    Run(Binaries() + "/initdb -D data -U tercet -A trust -E UTF8 --no-locale --no-sync");
    Start();
}

std::string PostgresServer::Conninfo() const
{
    return "host=" + directory() + " port=" + std::to_string(kPort) +
           " user=tercet dbname=postgres";
}

void PostgresServer::Start()
{
    Launch({Binaries() + "/postgres", "-D", directory() + "/data", "-k", directory(), "-c",
            "listen_addresses=", "-c", "max_connections=150", "-c", "shared_buffers=32MB", "-c",
            "deadlock_timeout=100ms", "-c", "autovacuum=off"});
    const auto end = std::chrono::steady_clock::now() + kStartTime;
    while (PQping(Conninfo().c_str()) != PQPING_OK) {
        if (!Lives() || std::chrono::steady_clock::now() > end) {
            Give("PostgreSQL does not start: see " + directory() + "/server.log");
        }
        std::this_thread::sleep_for(kLook);
    }
}

void PostgresServer::Stop()
{
    End(SIGINT);
}

void PostgresServer::Kill()
{
    End(SIGQUIT);
}

void PostgresServer::BeStandby(bool standby)
{
    Run(standby ? "touch data/standby.signal" : "rm data/standby.signal");
}
