#include "support/postgres_server.h"

#include <libpq-fe.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <thread>

namespace
{

constexpr auto kStartTime = std::chrono::seconds(60);
constexpr auto kLook = std::chrono::milliseconds(10);

// Of the 2^24 that every machine has.
std::string AddressOf(pid_t process)
{
    return "127." + std::to_string(process >> 16 & 255) + "." + std::to_string(process >> 8 & 255) +
           "." + std::to_string(process & 255);
}

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

PostgresServer::PostgresServer()
    : ServerProcess("postgres", "postgres"), address_(AddressOf(getpid()))
{
    Run(Binaries() + "/initdb -D data -U tercet -A trust -E UTF8 --no-locale --no-sync");
    Start();
}

std::string PostgresServer::Conninfo() const
{
    return "host=" + directory() + " port=" + std::to_string(kPort) +
           " user=tercet dbname=postgres";
}

std::string PostgresServer::NetworkConninfo() const
{
    return "host=localhost hostaddr=" + address_ + " port=" + std::to_string(kPort) +
           " user=tercet dbname=postgres";
}

void PostgresServer::Start()
{
    StartWith({"listen_addresses="});
}

void PostgresServer::StartWithTls(const std::string &certificate, const std::string &authority)
{
    const std::string file = directory() + "/server.pem", clients = directory() + "/clients.pem",
                      rules = directory() + "/tls_hba.conf";
    Run("install -m 600 " + certificate + " " + file + " && install -m 600 " + authority + " " +
        clients +
        " && printf 'local all certified reject\\nlocal all all trust\\nhostssl all certified "
        "127.0.0.0/8 cert\\n"
        "hostssl all all 127.0.0.0/8 trust\\n' > " +
        rules);
    StartWith({"listen_addresses=" + address_, "hba_file=" + rules, "ssl=on",
               "ssl_cert_file=" + file, "ssl_key_file=" + file, "ssl_ca_file=" + clients});
}

void PostgresServer::StartWithoutTls()
{
    StartWith({"listen_addresses=" + address_});
}

void PostgresServer::StartWith(const std::vector<std::string> &settings)
{
    std::vector<std::string> command = {
        Binaries() + "/postgres", "-D", directory() + "/data", "-k", directory(), "-p",
        std::to_string(kPort)};
    for (const char *setting : {"max_connections=150", "shared_buffers=32MB",
                                "deadlock_timeout=100ms", "autovacuum=off"}) {
        command.insert(command.end(), {"-c", setting});
    }
    for (const std::string &setting : settings) {
        command.insert(command.end(), {"-c", setting});
    }
    Launch(command);
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
