// See child.h.
#include "campaign/child.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

extern "C" { // glibc 2.36 has forgotten it
#include <sys/pidfd.h>
}
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace campaign
{
namespace
{

// Our environment, with these failpoints.
std::vector<std::string> Environment(const std::string &failpoints)
{
    std::vector<std::string> made = {"TERCET_FAILPOINTS=" + failpoints};
    for (char **one = environ; *one != nullptr; one++) {
        if (strncmp(*one, "TERCET_FAILPOINTS=", 18) != 0) {
            made.push_back(*one);
        }
    }
    return made;
}

std::vector<char *> Pointers(std::vector<std::string> &texts)
{
    std::vector<char *> made;
    for (std::string &text : texts) {
        made.push_back(text.data());
    }
    made.push_back(nullptr);
    return made;
}

void Check(bool ok, const char *what)
{
    if (!ok) {
        perror(what);
        exit(70);
    }
}

} // namespace

Child::~Child()
{
    Send(SIGKILL);
    (void)WaitFor(10000);
    Forget();
}

void Child::Forget()
{
    if (input_ >= 0) {
        close(input_);
        close(output_);
        close(end_);
    }
    input_ = output_ = end_ = -1;
}

void Child::Start(const std::vector<std::string> &arguments, const std::string &log,
                  const std::string &failpoints)
{
    Send(SIGKILL);
    Check(WaitFor(10000), "a killed child has not ended");
    Forget();
    std::vector<std::string> words = arguments, variables = Environment(failpoints);
    const std::vector<char *> argv = Pointers(words), envp = Pointers(variables);
    int in[2], out[2];
    Check(pipe2(in, O_CLOEXEC) == 0 && pipe2(out, O_CLOEXEC) == 0, "pipe2");
    const int error = open(log.c_str(), O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0600);
    Check(error >= 0, log.c_str());
    id_ = fork();
    Check(id_ >= 0, "fork");
    if (id_ == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (dup2(in[0], 0) == 0 && dup2(out[1], 1) == 1 && dup2(error, 2) == 2) {
            (void)execve(argv[0], argv.data(), envp.data());
        }
        _exit(71);
    }
    end_ = pidfd_open(id_, 0);
    Check(end_ >= 0, "pidfd_open");
    close(in[0]);
    close(out[1]);
    close(error);
    input_ = in[1];
    output_ = out[0];
    failpoints_ = failpoints;
}

bool Child::Runs()
{
    if (id_ != 0 && waitpid(id_, &status_, WNOHANG) == id_) {
        id_ = 0;
    }
    return id_ != 0;
}

void Child::Send(int signal)
{
    if (Runs()) {
        (void)kill(id_, signal);
    }
}

bool Child::WaitFor(int timeout_ms)
{
    pollfd end = {End(), POLLIN, 0};
    return !Runs() || (poll(&end, 1, timeout_ms) == 1 && !Runs());
}

std::string Child::Ask(const std::string &line)
{
    const std::string all = line + "\n";
    std::string said;
    char bytes[4096];
    if (write(input_, all.data(), all.size()) != static_cast<ssize_t>(all.size())) {
        return "";
    }
    while (said.size() < 4 || said.compare(said.size() - 4, 4, "end\n") != 0) {
        const ssize_t got = read(output_, bytes, sizeof bytes);
        if (got <= 0) {
            return "";
        }
        said.append(bytes, static_cast<size_t>(got));
    }
    return said;
}

} // namespace campaign
