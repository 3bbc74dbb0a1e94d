#include "support/server_process.h"

#include <fcntl.h>
#include <pwd.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

namespace
{

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

} // namespace

void ServerProcess::Give(const std::string &what)
{
    fprintf(stderr, "server_process: %s\n", what.c_str());
    abort();
}

ServerProcess::ServerProcess(const std::string &name, const std::string &user)
{
    std::string pattern = (Place() / ("tercet_" + name + "_XXXXXX")).string();
    directory_ = mkdtemp(pattern.data());
    if (geteuid() == 0) {
        const struct passwd *found = getpwnam(user.c_str());
        found = found != nullptr ? found : getpwnam("nobody");
        if (found == nullptr) {
            Give("there is neither a user " + user + " nor nobody");
        }
        as_another_ = true;
        user_ = found->pw_uid;
        group_ = found->pw_gid;
        if (chown(directory_.c_str(), user_, group_) != 0) {
            Give("chown");
        }
    }
    chmod(directory_.c_str(), 0755);
}

ServerProcess::~ServerProcess()
{
    if (process_ != 0) {
        End(SIGKILL);
    }
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
}

// In a child: as the server's user, in its directory, and until the test ends.
void ServerProcess::Become(const std::vector<std::string> &command) const
{
    if (as_another_ && (setgid(group_) != 0 || setuid(user_) != 0)) {
        _exit(99);
    }
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    const std::string log = directory_ + "/server.log";
    const int out = open(log.c_str(), O_CREAT | O_WRONLY | O_APPEND, 0644);
    if (dup2(out, STDOUT_FILENO) < 0 || dup2(out, STDERR_FILENO) < 0 ||
        chdir(directory_.c_str()) != 0) {
        _exit(98);
    }
    std::vector<char *> arguments;
    for (const std::string &word : command) {
        arguments.push_back(const_cast<char *>(word.c_str()));
    }
    arguments.push_back(nullptr);
    execv(arguments[0], arguments.data());
    _exit(97);
}

void ServerProcess::Run(const std::string &command) const
{
    const pid_t child = fork();
    if (child == 0) {
        Become({"/bin/sh", "-c", command});
    }
    int result = 0;
    if (waitpid(child, &result, 0) != child || result != 0) {
        Give(command + ": " + std::to_string(result) + "; see " + directory_ + "/server.log");
    }
}

void ServerProcess::Launch(const std::vector<std::string> &command)
{
    process_ = fork();
    if (process_ == 0) {
        Become(command);
    }
}

bool ServerProcess::Lives()
{
    int result = 0;
    return waitpid(process_, &result, WNOHANG) == 0;
}

void ServerProcess::End(int signal)
{
    int result = 0;
    if (kill(process_, signal) != 0 || waitpid(process_, &result, 0) != process_) {
        Give("the server does not end");
    }
    process_ = 0;
}

void ServerProcess::Keep()
{
    Run("rm -rf kept && cp -a data kept");
}

void ServerProcess::PutBack()
{
    Run("rm -rf data && cp -a kept data");
}
