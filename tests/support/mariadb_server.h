// mariadb_server.h -- MariaDB as a test's own server.
#pragma once

#include "support/server_process.h"

class MariadbServer : public ServerProcess
{
  public:
    static bool Installed();
    // The program's server, started when first asked for.  Only where it is installed.
    static MariadbServer &Shared();

    MariadbServer();

    void Start() override;
    void StartWith(const std::vector<std::string> &options); // more of the server's own
    void Stop() override;
    void Kill() override;

    // Reached by user "root" without a password.
    std::string Socket() const
    {
        return directory() + "/socket";
    }
};
