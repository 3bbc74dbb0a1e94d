// See stage.h.
#include "kill/stage.h"

#include <signal.h>
#include <sys/wait.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <vector>

namespace kill_campaign
{
namespace
{

[[noreturn]] void Stop(const std::string &text)
{
    fprintf(stderr, "kill_campaign: %s\n", text.c_str());
    exit(70);
}

void Kill(process *victim)
{
    if (victim->id != 0 && process_is_alive(victim)) {
        (void)kill(victim->id, SIGKILL);
        (void)process_wait(victim, 20000);
    }
    (void)process_stop(victim, 1000); // closes what we hold of it
}

} // namespace

Stage::Stage(const std::string &parent, const std::string &self) : self_(self)
{
    std::string pattern = parent + "/tercet-kill-XXXXXX";
    if (mkdtemp(pattern.data()) == nullptr) {
        Stop(pattern + ": " + strerror(errno));
    }
    directory_ = pattern;
    if (system((std::string(TERCETD " init ") + directory_ + "/journal").c_str()) != 0) {
        Stop("tercetd init failed");
    }
    for (int i = 0; i < PARTICIPANTS; i++) {
        StartParticipant(i);
    }
    StartCoordinator();
}

Stage::~Stage()
{
    (void)process_stop(&coordinator_, 20000);
    for (process &one : participants_) {
        (void)process_stop(&one, 20000);
    }
    if (!keep_) {
        std::filesystem::remove_all(directory_);
    }
}

void Stage::Start(process *made, const char *const *arguments, const std::string &log,
                  const std::string &failpoints)
{
    (void)process_stop(made, 1000);
    // By env(1), because other threads of ours may be reading the environment.
    const std::string armed = "TERCET_FAILPOINTS=" + failpoints;
    std::vector<const char *> all = {"/usr/bin/env", armed.c_str()};
    for (; *arguments != nullptr; arguments++) {
        all.push_back(*arguments);
    }
    all.push_back(nullptr);
    const bool started = process_start(made, all.data(), log.c_str());
    if (!started) {
        Stop(log + ": " + strerror(errno));
    }
}

void Stage::StartCoordinator(const std::string &failpoints)
{
    std::string targets;
    for (int i = 0; i < PARTICIPANTS; i++) {
        targets += (i > 0 ? "," : "") + Name(i) + "=unix:" + directory_ + "/" + Name(i);
    }
    const std::string journal = directory_ + "/journal", listen = Listen();
    const char *const arguments[] = {
        TERCETD,          "--journal",     journal.c_str(),     "--listen", listen.c_str(),
        "--participants", targets.c_str(), "--call-timeout-ms", "1000",     nullptr};
    Start(&coordinator_, arguments, directory_ + "/tercetd.log", failpoints);
}

void Stage::StartParticipant(int i, const std::string &failpoints)
{
    const std::string name = Name(i), listen = "unix:" + directory_ + "/" + name,
                      database = Database(i);
    const char *const arguments[] = {self_.c_str(),  "participant",    name.c_str(),
                                     listen.c_str(), database.c_str(), nullptr};
    Start(&participants_[i], arguments, directory_ + "/" + name + ".log", failpoints);
}

void Stage::KillCoordinator()
{
    Kill(&coordinator_);
}

void Stage::KillParticipant(int i)
{
    Kill(&participants_[i]);
}

int Stage::Revive()
{
    int dead = 0;
    if (!process_is_alive(&coordinator_)) {
        StartCoordinator();
        dead++;
    }
    for (int i = 0; i < PARTICIPANTS; i++) {
        if (!process_is_alive(&participants_[i])) {
            StartParticipant(i);
            dead++;
        }
    }
    return dead;
}

} // namespace kill_campaign
