// process.cc -- see process.h.
#include "integrity/process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern "C" { // glibc 2.36 has forgotten it
#include <sys/pidfd.h>
}
#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <vector>

#include "integrity/image.h"

namespace tercet
{
namespace
{

constexpr int kHangSeconds = 60;
constexpr int kLookMs = 500; // how often it is seen whether a worker goes on
constexpr size_t kTextMax = 2000;

pid_t Fork(const std::string &error_path, const std::function<int()> &body)
{
    fflush(nullptr);
    const pid_t pid = fork();
    if (pid != 0) {
        return pid;
    }
    const int fd = open(error_path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0600);
    if (fd < 0 || dup2(fd, 2) < 0) {
        _exit(70);
    }
    close(fd);
    _exit(body());
}

// A descriptor that can be read from when this child of ours has ended.
int EndOf(pid_t pid)
{
    const int end = pidfd_open(pid, 0);
    if (end < 0) {
        perror("pidfd_open");
        _exit(70);
    }
    return end;
}

std::string EndOfText(const std::string &path)
{
    const std::string text = ReadFile(path);
    return text.size() <= kTextMax ? text : text.substr(text.size() - kTextMax);
}

int CodeOf(int status)
{
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

} // namespace

int64_t SecondsNow()
{
    timespec now = {};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec;
}

void *SharedMemory(size_t size)
{
    void *memory = mmap(nullptr, size, PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) {
        perror("mmap");
        _exit(70);
    }
    return memory;
}

Ended RunForked(const std::string &error_path, const std::function<int()> &body)
{
    const pid_t pid = Fork(error_path, body);
    pollfd end = {EndOf(pid), POLLIN, 0};
    Ended ended;
    int status = 0;
    if (poll(&end, 1, 1000 * kHangSeconds) == 0) {
        kill(pid, SIGKILL);
        ended.hung = true;
    }
    waitpid(pid, &status, 0);
    close(end.fd);
    ended.code = CodeOf(status);
    ended.text = EndOfText(error_path);
    return ended;
}

const char *ClassName(Class of)
{
    static const char *const names[] = {
        "not run", "complete", "refused", "refused later", "no journal", "no fault", "aborted",
        "spoiled", "FOR EVER", "CRIED",   "WORDLESS",      "SILENT",     "CRASHED",  "HUNG"};
    static_assert(sizeof names / sizeof names[0] == static_cast<size_t>(Class::kCount));
    return names[static_cast<size_t>(of)];
}

bool IsFailure(Class of)
{
    return of >= Class::kAborted;
}

Result MakeResult(Class of, const std::string &text)
{
    Result result;
    result.of = of;
    snprintf(result.text, sizeof result.text, "%s", text.c_str());
    return result;
}

namespace
{

// What a worker shares with its parent.
struct Desk {
    std::atomic<int64_t> current; // the case it is at; `count` or more: done
    pid_t pid;
    int end; // of the worker: EndOf()
    int64_t seen;
    int64_t since;
    char directory[300];
};

class Pool
{
  public:
    explicit Pool(Sweep *sweep) : sweep_(sweep)
    {
        desks_.resize(static_cast<size_t>(sweep->jobs));
        for (size_t i = 0; i < desks_.size(); i++) {
            desks_[i] = new (SharedMemory(sizeof(Desk))) Desk();
            desks_[i]->current = static_cast<int64_t>(i);
            snprintf(desks_[i]->directory, sizeof desks_[i]->directory, "%s/worker%zu",
                     sweep->directory.c_str(), i);
            std::filesystem::create_directories(desks_[i]->directory);
            Start(desks_[i]);
        }
    }

    void Work()
    {
        size_t busy = desks_.size();
        while (busy > 0) {
            std::vector<pollfd> ends;
            for (Desk *desk : desks_) {
                if (desk->pid != 0 && Look(desk)) {
                    ends.push_back({desk->end, POLLIN, 0});
                }
            }
            busy = ends.size();
            (void)poll(ends.data(), ends.size(), busy == 0 ? 0 : kLookMs);
        }
    }

  private:
    void Start(Desk *desk)
    {
        desk->seen = desk->current;
        desk->since = SecondsNow();
        desk->pid = Fork(std::string(desk->directory) + "/stderr", [&] {
            for (int64_t at = desk->current; at < sweep_->count; at = desk->current) {
                if (SecondsNow() >= sweep_->stop_at_s) {
                    desk->current = sweep_->count;
                    break;
                }
                (void)!ftruncate(2, 0); // what it says is this case's
                sweep_->results[at] = sweep_->run(sweep_->first + at, desk->directory);
                sweep_->results[at].kind = sweep_->kind_of(sweep_->first + at);
                desk->current += sweep_->jobs;
            }
            return 0;
        });
        desk->end = EndOf(desk->pid);
    }

    // Is it still at work?
    bool Look(Desk *desk)
    {
        int status = 0;
        bool hung = false;
        if (desk->seen != desk->current) {
            desk->seen = desk->current;
            desk->since = SecondsNow();
        }
        if (waitpid(desk->pid, &status, WNOHANG) == 0) {
            if (SecondsNow() - desk->since <= 2 * kHangSeconds) {
                return true;
            }
            kill(desk->pid, SIGKILL);
            waitpid(desk->pid, &status, 0);
            hung = true;
        }
        close(desk->end);
        desk->pid = 0;
        if (desk->current >= sweep_->count) {
            return false;
        }
        Bury(desk, CodeOf(status), hung);
        desk->current += sweep_->jobs;
        if (desk->current < sweep_->count) {
            Start(desk);
        }
        return desk->pid != 0;
    }

    // The worker's end is the result of the case that it was at.
    void Bury(Desk *desk, int code, bool hung)
    {
        const std::string text = EndOfText(std::string(desk->directory) + "/stderr");
        Class of = Class::kCrashed;
        if (hung) {
            of = Class::kHung;
        } else if (code == -SIGABRT && text.find("db/skiplist.h") != std::string::npos) {
            of = Class::kAborted;
        } else if (code == 74) {
            of = text.find("\"text\":\"\"") == std::string::npos && text.size() > 40
                     ? Class::kRefusedLater
                     : Class::kWordless;
        }
        Result *result = &sweep_->results[desk->current];
        *result = MakeResult(of, "exit " + std::to_string(code) + ": " + text);
        result->kind = sweep_->kind_of(sweep_->first + desk->current);
    }

    Sweep *sweep_;
    std::vector<Desk *> desks_;
};

} // namespace

void Sweep::Run()
{
    if (results == nullptr) {
        const size_t size = sizeof(Result) * static_cast<size_t>(count + 1);
        results = static_cast<Result *>(SharedMemory(size));
    }
    std::fill_n(results, count, Result());
    Pool(this).Work();
}

} // namespace tercet
