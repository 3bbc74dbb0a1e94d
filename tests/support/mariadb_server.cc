#include "support/mariadb_server.h"

#include <mysql.h>
#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <thread>

namespace
{

constexpr char kServer[] = "/usr/sbin/mariadbd";
constexpr char kInstall[] = "/usr/bin/mariadb-install-db";
constexpr auto kStartTime = std::chrono::seconds(60);
constexpr auto kLook = std::chrono::milliseconds(20);

bool Answers(const std::string &socket)
{
    MYSQL link;
    mysql_init(&link);
    const bool answers = mysql_real_connect(&link, nullptr, "root", nullptr, nullptr, 0,
                                            socket.c_str(), 0) != nullptr;
    mysql_close(&link);
    return answers;
}

} // namespace

bool MariadbServer::Installed()
{
    return access(kServer, X_OK) == 0 && access(kInstall, X_OK) == 0;
}

MariadbServer &MariadbServer::Shared()
{
    static MariadbServer server;
    return server;
}

MariadbServer::MariadbServer() : ServerProcess("mariadb", "mysql")
{
    /* A server that starts removes the temporary tables of whatever others have the same tmpdir. */
    Run(std::string(kInstall) + " --no-defaults --datadir=\"$PWD/data\" --tmpdir=\"$PWD\" "
                                "--auth-root-authentication-method=normal --skip-test-db"
                                " --skip-name-resolve");
    Start();
}

void MariadbServer::Start()
{
    StartWith({});
}

void MariadbServer::StartWith(const std::vector<std::string> &options)
{
    std::vector<std::string> command = {kServer,
                                        "--no-defaults",
                                        "--datadir=" + directory() + "/data",
                                        "--tmpdir=" + directory(),
                                        "--socket=" + Socket(),
                                        "--pid-file=" + directory() + "/pid",
                                        "--skip-networking",
                                        "--max-connections=150",
                                        "--innodb-buffer-pool-size=32M",
                                        "--innodb-log-file-size=16M"};
    command.insert(command.end(), options.begin(), options.end());
    Launch(command);
    const auto end = std::chrono::steady_clock::now() + kStartTime;
    while (!Answers(Socket())) {
        if (!Lives() || std::chrono::steady_clock::now() > end) {
            Give("MariaDB does not start: see " + directory() + "/server.log");
        }
        std::this_thread::sleep_for(kLook);
    }
}

void MariadbServer::Stop()
{
    End(SIGTERM);
}

void MariadbServer::Kill()
{
    End(SIGKILL);
}
