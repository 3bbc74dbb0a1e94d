#include "support/postgres_server.h"

#include <gtest/gtest.h>
#include <libpq-fe.h>
#include <pwd.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <thread>

namespace
{

constexpr auto kStartTime = std::chrono::seconds(60);
constexpr auto kLook = std::chrono::milliseconds(10);

constexpr uintmax_t kRoomBytes = uintmax_t{1} << 30;

std::filesystem::path Place()
{
    std::error_code none;
    const std::filesystem::path memory = "/dev/shm";
    const auto room = std::filesystem::space(memory, none);
    return !none && room.available >= kRoomBytes && access(memory.c_str(), W_OK) == 0
               ? memory
               : std::filesystem::temp_directory_path();
}

[[noreturn]] void Give(const std::string &what)
{
    fprintf(stderr, "postgres_server: %s\n", what.c_str());
    abort();
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
{
    std::string pattern = (Place() / "tercet_postgres_XXXXXX").string();
    directory_ = mkdtemp(pattern.data());
    if (geteuid() == 0) {
        const struct passwd *user = getpwnam("postgres");
        user = user != nullptr ? user : getpwnam("nobody");
        if (user == nullptr) {
            Give("there is neither a user postgres nor nobody");
        }
        as_postgres_ = true;
        user_ = user->pw_uid;
        group_ = user->pw_gid;
        if (chown(directory_.c_str(), user_, group_) != 0) {
            Give("chown");
        }
    }
    chmod(directory_.c_str(), 0755);
    Run(Binaries() + "/initdb -D " + directory_ +
        "/data -U tercet -A trust -E UTF8 --no-locale --no-sync >" + directory_ +
        "/initdb.log 2>&1");
    Start();
}

PostgresServer::~PostgresServer()
{
    if (process_ != 0) {
        End(SIGQUIT);
    }
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
}

std::string PostgresServer::Conninfo() const
{
    return "host=" + directory_ + " port=" + std::to_string(kPort) + " user=tercet dbname=postgres";
}

// In a child that is the server's user and ends with the test.
void PostgresServer::Run(const std::string &command) const
{
    const pid_t child = fork();
    if (child == 0) {
        if (as_postgres_ && (setgid(group_) != 0 || setuid(user_) != 0)) {
            _exit(99);
        }
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (chdir(directory_.c_str()) != 0) {
            _exit(98);
        }
        execl("/bin/sh", "sh", "-c", command.c_str(), static_cast<char *>(nullptr));
        _exit(97);
    }
    int result = 0;
    if (waitpid(child, &result, 0) != child || result != 0) {
        Give(command + ": " + std::to_string(result));
    }
}

void PostgresServer::Start()
{
    const std::string program = Binaries() + "/postgres";
    const std::string data = directory_ + "/data";
    const std::string log = directory_ + "/server.log";
    process_ = fork();
    if (process_ == 0) {
        if (as_postgres_ && (setgid(group_) != 0 || setuid(user_) != 0)) {
            _exit(99);
        }
        prctl(PR_SET_PDEATHSIG, SIGQUIT);
        if (freopen(log.c_str(), "a", stderr) == nullptr || chdir(directory_.c_str()) != 0) {
            _exit(98);
        }
        execl(program.c_str(), "postgres", "-D", data.c_str(), "-k", directory_.c_str(), "-c",
              "listen_addresses=", "-c", "max_connections=150", "-c", "shared_buffers=32MB", "-c",
              "deadlock_timeout=100ms", "-c", "autovacuum=off", static_cast<char *>(nullptr));
        _exit(97);
    }
    const auto end = std::chrono::steady_clock::now() + kStartTime;
    while (PQping(Conninfo().c_str()) != PQPING_OK) {
        int result = 0;
        if (waitpid(process_, &result, WNOHANG) == process_ ||
            std::chrono::steady_clock::now() > end) {
            Give("the server does not start: see " + log);
        }
        std::this_thread::sleep_for(kLook);
    }
}

void PostgresServer::End(int signal)
{
    int result = 0;
    if (kill(process_, signal) != 0 || waitpid(process_, &result, 0) != process_) {
        Give("the server does not end");
    }
    process_ = 0;
}

void PostgresServer::Stop()
{
    End(SIGINT);
}

void PostgresServer::Kill()
{
    End(SIGQUIT);
}

void PostgresServer::Keep()
{
    Run("rm -rf kept && cp -a data kept");
}

void PostgresServer::PutBack()
{
    Run("rm -rf data && cp -a kept data");
}

void PostgresServer::BeStandby(bool standby)
{
    Run(standby ? "touch data/standby.signal" : "rm data/standby.signal");
}
