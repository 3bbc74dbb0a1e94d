// postgres_server.h -- PostgreSQL as a test's own server.
#pragma once

#include "support/server_process.h"

class PostgresServer : public ServerProcess
{
  public:
    // The directory with initdb and postgres; "" where they are not installed.
    static std::string Binaries();
    // The program's server, started when first asked for.  Only where Binaries() are.
    static PostgresServer &Shared();

    PostgresServer();

    void Start() override;
    void Stop() override;
    void Kill() override;
    // From the next start on it takes no writes, and waits for a primary that never comes.
    void BeStandby(bool standby);

    static constexpr int kPort = 5432; // names the socket
    // libpq's words for reaching it, of the form "host=... user=...".
    std::string Conninfo() const;
};
