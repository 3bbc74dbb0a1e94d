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
    // On the network of this machine too, and there only for who uses TLS, by the key and certificate in the
    // file `certificate`.  The user "certified" is let in there by a certificate of his own that `authority`
    // has signed, and nowhere else.
    void StartWithTls(const std::string &certificate, const std::string &authority);
    // On the network, too, for everybody, and without TLS.
    void StartWithoutTls();
    void Stop() override;
    void Kill() override;
    // From the next start on it takes no writes, and waits for a primary that never comes.
    void BeStandby(bool standby);

    // Names the socket.  Not PostgreSQL's own: that may be taken, at every address of this machine.
    static constexpr int kPort = 25432;
    // libpq's words for reaching it, of the form "host=... user=...".
    std::string Conninfo() const;
    // The same by the network, under the name "localhost".
    std::string NetworkConninfo() const;

  private:
    void StartWith(const std::vector<std::string> &settings);

    std::string address_; // nobody else's
};
