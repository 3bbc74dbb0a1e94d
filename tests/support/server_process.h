// server_process.h -- a real database server of Debian's packages, for one test program.
//
// Its data lie in a temporary directory of its own, in memory where there is room: it syncs, and does not
// wait for a disk.  It listens on a unix socket there and, unless a test asks for more, nowhere else.  Run by
// root, it is another user, because servers refuse root.  It dies with the test.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

class ServerProcess
{
  public:
    ServerProcess(const ServerProcess &) = delete;
    ServerProcess &operator=(const ServerProcess &) = delete;

    const std::string &directory() const
    {
        return directory_;
    }
    virtual void Start() = 0;
    virtual void Stop() = 0; // in order
    virtual void Kill() = 0; // at once, as in a crash: the next start recovers from its log

    // Copies the data of a stopped server aside, and puts them back in place of what is there.
    void Keep();
    void PutBack();

  protected:
    // `name`: of the directory; `user`: who it is where the test is root, if there is such a user.
    ServerProcess(const std::string &name, const std::string &user);
    virtual ~ServerProcess(); // kills it

    // Prints why and ends the program.
    [[noreturn]] static void Give(const std::string &what);
    // A command of the shell, in the directory and as the server's user.
    void Run(const std::string &command) const;
    // Starts the server; returns whether it lives when it is asked the next time.
    void Launch(const std::vector<std::string> &command);
    bool Lives();
    void End(int signal);

  private:
    std::string directory_;
    bool as_another_ = false;
    uid_t user_ = 0;
    gid_t group_ = 0;
    pid_t process_ = 0;

    [[noreturn]] void Become(const std::vector<std::string> &command) const;
};
