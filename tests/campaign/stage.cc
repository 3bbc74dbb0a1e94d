// See stage.h.
#include "campaign/stage.h"

#include <signal.h>
#include <sys/wait.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <thread>

namespace campaign
{

enum { EXIT_JOURNAL = 74, STOPS_WITHIN_MS = 20000, BACKED_UP_MS = 2000 };

Stage::Stage(const std::string &parent, const std::string &self) : self_(self)
{
    std::string pattern = parent + "/tercet-kill-XXXXXX";
    if (mkdtemp(pattern.data()) == nullptr) {
        perror(pattern.c_str());
        exit(70);
    }
    directory = pattern;
    std::filesystem::create_directory(Backups());
    Child init;
    init.Start({TERCETD, "init", directory + "/journal"}, directory + "/tercetd.log", "");
    if (!init.WaitFor(STOPS_WITHIN_MS) || init.Status() != 0) {
        fprintf(stderr, "campaign: tercetd init failed, see %s\n", directory.c_str());
        exit(70);
    }
    for (int i = 0; i < PARTICIPANTS; i++) {
        StartParticipant(i);
    }
    StartCoordinator();
}

Stage::~Stage()
{
    coordinator_.Send(SIGTERM);
    (void)coordinator_.WaitFor(STOPS_WITHIN_MS);
    for (Child &one : participants_) {
        one.Send(SIGKILL);
    }
    if (!keep) {
        std::filesystem::remove_all(directory);
    }
}

std::string Stage::Database(int i) const
{
    return directory + "/" + ParticipantName(i) + (i == PARTICIPANTS - 1 ? ".ldb" : ".db");
}

void Stage::StartCoordinator(const std::string &failpoints)
{
    std::string targets;
    for (int i = 0; i < PARTICIPANTS; i++) {
        const std::string name = ParticipantName(i);
        targets += (i > 0 ? "," : "") + name + "=unix:" + directory + "/" + name;
    }
    coordinator_.Start({TERCETD, "--journal", directory + "/journal", "--listen", Listen(),
                        "--participants", targets, "--call-timeout-ms", "1000",
                        "--backup-directory", Backups()},
                       directory + "/tercetd.log", failpoints);
    coordinator_struck_ = false;
}

void Stage::StartParticipant(int i, const std::string &failpoints)
{
    const std::string name = ParticipantName(i);
    participants_[i].Start(
        {self_, "participant", name, "unix:" + directory + "/" + name, Database(i)},
        directory + "/" + name + ".log", failpoints);
    struck_[i] = false;
}

void Stage::StartInitiator(const std::string &failpoints, uint64_t seed, int cycle)
{
    std::filesystem::remove(Told());
    initiator.Start(
        {self_, "initiator", Listen(), std::to_string(seed), std::to_string(cycle), Told()},
        directory + "/initiator.log", failpoints);
}

void Stage::Arm(const Plan &plan)
{
    switch (plan.victim) {
    case Victim::COORDINATOR_ARMED:
    case Victim::COORDINATOR_FAILS:
    case Victim::ANSWERS_LOST:
        StartCoordinator(plan.failpoints);
        break;
    case Victim::COORDINATOR_BACKS_UP:
        if (!plan.failpoints.empty()) {
            StartCoordinator(plan.failpoints);
        }
        break;
    case Victim::PARTICIPANT_ARMED:
    case Victim::PARTICIPANT_FAILS:
    case Victim::BOTH:
        StartParticipant(plan.participant, plan.failpoints);
        break;
    case Victim::COORDINATOR:
    case Victim::COORDINATOR_STOPS:
    case Victim::PARTICIPANT:
    case Victim::ALL:
    case Victim::INITIATOR:
    case Victim::COUNT:
        break;
    }
}

void Stage::Strike(const Plan &plan)
{
    const bool all = plan.victim == Victim::ALL;
    if (all || plan.victim == Victim::COORDINATOR || plan.victim == Victim::BOTH ||
        plan.victim == Victim::COORDINATOR_STOPS) {
        coordinator_.Send(plan.victim == Victim::COORDINATOR_STOPS ? SIGTERM : SIGKILL);
        coordinator_struck_ = true;
        next_ = plan.next;
    }
    if (plan.victim == Victim::COORDINATOR_BACKS_UP) {
        coordinator_.Send(SIGUSR1);
    }
    for (int i = 0; i < PARTICIPANTS; i++) {
        if (all || (plan.victim == Victim::PARTICIPANT && i == plan.participant)) {
            participants_[i].Send(SIGKILL);
            struck_[i] = true;
        }
    }
    if (plan.victim == Victim::INITIATOR && plan.failpoints.empty()) {
        initiator.Send(SIGKILL);
        kills++;
    }
}

std::string Stage::JudgeDeath(Child *child, const std::string &name, bool struck, const Plan &plan)
{
    const int status = child->Status();
    const bool killed = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
    const std::string how =
        name + (WIFSIGNALED(status) ? " died by signal " + std::to_string(WTERMSIG(status))
                                    : " exited with " + std::to_string(WEXITSTATUS(status)));
    const bool armed = !child->Failpoints().empty();
    if (armed && plan.victim == Victim::COORDINATOR_FAILS) {
        failed_writes++;
        return WIFEXITED(status) && WEXITSTATUS(status) == EXIT_JOURNAL
                   ? ""
                   : how + " after " + plan.failpoints + ", and not with 74";
    }
    if (struck && plan.victim == Victim::COORDINATOR_STOPS) {
        if (WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM) {
            return ""; // it had only just been started, and did not listen to signals yet
        }
        return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? "" : how + " on SIGTERM";
    }
    if (plan.victim == Victim::COORDINATOR_BACKS_UP && WIFSIGNALED(status) &&
        WTERMSIG(status) == SIGUSR1) {
        return ""; // the same
    }
    kills += killed ? 1 : 0;
    deaths_at_failpoint += armed && killed && !struck ? 1 : 0;
    return killed && (armed || struck) ? "" : how + ", and nobody killed it";
}

std::string Stage::Revive(const Plan &plan)
{
    std::string finding;
    if (!coordinator_.Runs()) {
        finding = JudgeDeath(&coordinator_, "the coordinator", coordinator_struck_, plan);
        StartCoordinator(next_);
        next_.clear();
    }
    for (int i = 0; i < PARTICIPANTS; i++) {
        if (!participants_[i].Runs()) {
            const std::string death =
                JudgeDeath(&participants_[i], ParticipantName(i), struck_[i], plan);
            finding = death.empty() ? finding : death;
            StartParticipant(i);
        }
    }
    return finding;
}

std::vector<int> Stage::Ends() const
{
    std::vector<int> ends = {coordinator_.End()};
    for (const Child &one : participants_) {
        ends.push_back(one.End());
    }
    return ends;
}

void Stage::Disarm()
{
    if (!coordinator_.Failpoints().empty()) {
        StartCoordinator();
    }
    for (int i = 0; i < PARTICIPANTS; i++) {
        if (!participants_[i].Failpoints().empty()) {
            StartParticipant(i);
        }
    }
}

bool Stage::IsBackingUp() const
{
    for (const auto &one : std::filesystem::directory_iterator(Backups())) {
        if (one.path().extension() == ".new") {
            return true;
        }
    }
    return false;
}

std::string Stage::JudgeBackups(const Plan &plan)
{
    std::string finding;
    const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(BACKED_UP_MS);
    while (plan.failpoints.empty() && IsBackingUp() && std::chrono::steady_clock::now() < end) {
        std::this_thread::sleep_for(std::chrono::milliseconds(1)); // how often it looks
    }
    StartCoordinator(); // whatever it is writing is not finished any more
    for (const auto &one : std::filesystem::directory_iterator(Backups())) {
        const std::string path = one.path();
        if (one.path().extension() == ".new") {
            continue;
        }
        Child verify;
        verify.Start({TERCETD, "verify", path}, directory + "/verify.log", "");
        const bool sound = verify.WaitFor(STOPS_WITHIN_MS) && verify.Status() == 0;
        finding = sound ? finding : path + " is no sound backup, see verify.log";
        backups++;
    }
    if (finding.empty()) {
        std::filesystem::remove_all(Backups());
        std::filesystem::create_directory(Backups());
    }
    return finding;
}

Books Stage::Read(int i, const std::string &prefix)
{
    if (i < PARTICIPANTS - 1) {
        return ReadSqlite(Database(i), prefix);
    }
    Books books;
    if (!ReadPrinted(participants_[i].Ask(prefix), &books)) {
        fprintf(stderr, "campaign: %s does not tell its books\n", ParticipantName(i).c_str());
        books.balance = -1; // which is a finding
    }
    return books;
}

} // namespace campaign
