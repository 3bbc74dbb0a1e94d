// child.h -- one child process: started with failpoints, killed, waited for.
//
// It dies with the thread that started it (PR_SET_PDEATHSIG), so one thread of a world starts them all.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace campaign
{

class Child
{
  public:
    Child() = default;
    ~Child(); // kills
    Child(const Child &) = delete;
    Child &operator=(const Child &) = delete;

    // What ran before is killed.  Standard error is appended to `log`.
    void Start(const std::vector<std::string> &arguments, const std::string &log,
               const std::string &failpoints);

    bool Runs(); // false: it never was, or has ended; then Status() tells how
    // Can be read from when it has ended; -1: it never was, or Runs() has told that it has.
    int End() const
    {
        return id_ == 0 ? -1 : end_;
    }
    void Send(int signal);
    bool WaitFor(int timeout_ms); // for its end
    int Status() const
    {
        return status_; // as by waitpid()
    }
    const std::string &Failpoints() const
    {
        return failpoints_;
    }

    // A line to its input, and what it says until a line that is "end".  "": it died.
    std::string Ask(const std::string &line);

  private:
    void Forget();

    pid_t id_ = 0;
    int input_ = -1, output_ = -1, end_ = -1, status_ = 0;
    std::string failpoints_;
};

} // namespace campaign
