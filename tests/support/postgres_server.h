// postgres_server.h -- a real PostgreSQL server of Debian's packages, for one test program.
//
// Its data lie in a temporary directory of its own, in memory where there is room: it syncs (fsync is on)
// and does not wait for a disk.  It listens on a unix socket there and nowhere else.  Run by root, it is the user "postgres", because
// initdb refuses root.  It dies with the test.
#pragma once

#include <sys/types.h>

#include <string>

class PostgresServer
{
  public:
    // The directory with initdb and postgres; "" where they are not installed.
    static std::string Binaries();
    // The program's server, started when first asked for.  Only where Binaries() are.
    static PostgresServer &Shared();

    PostgresServer();
    ~PostgresServer();
    PostgresServer(const PostgresServer &) = delete;
    PostgresServer &operator=(const PostgresServer &) = delete;

    void Start();
    void Stop(); // in order
    void Kill(); // at once, as in a crash: the next start recovers from its log
    // Copies the data of a stopped server aside, and puts them back in place of what is there.
    void Keep();
    void PutBack();
    // From the next start on it takes no writes, and waits for a primary that never comes.
    void BeStandby(bool standby);

    // Where its socket lies, and the port that names it.
    const std::string &directory() const
    {
        return directory_;
    }
    static constexpr int kPort = 5432;
    // libpq's words for reaching it, of the form "host=... user=...".
    std::string Conninfo() const;

  private:
    void Run(const std::string &command) const;
    void End(int signal);

    std::string directory_;
    bool as_postgres_ = false; // not as whoever runs the test
    uid_t user_ = 0;
    gid_t group_ = 0;
    pid_t process_ = 0;
};
