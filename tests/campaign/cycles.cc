// See cycles.h.
#include "campaign/cycles.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <thread>

namespace campaign
{
namespace
{

using Clock = std::chrono::steady_clock;

enum { ASKED_AGAIN = 4 };

// Whether the effects of one branch are what the outcome says; the fence's row may have been swept.
bool Fits(tercet_outcome outcome, const Effects &effects)
{
    enum { NONE, TRIED, CONFIRMED, CANCELLED, SUSPENDED };
    switch (outcome) {
    case TERCET_OUTCOME_CONFIRMED:
        return effects.tries == 1 && effects.confirms == 1 && effects.cancels == 0 &&
               (effects.fence == NONE || effects.fence == CONFIRMED);
    case TERCET_OUTCOME_CANCELLED:
        return effects.tries <= 1 && effects.confirms == 0 && effects.cancels == effects.tries &&
               (effects.fence == NONE || effects.fence == CANCELLED ||
                effects.fence == SUSPENDED) &&
               (effects.fence != SUSPENDED || effects.tries == 0);
    case TERCET_OUTCOME_NOT_STARTED:
        return effects.tries == 0 && effects.confirms == 0 && effects.cancels == 0 &&
               effects.fence == NONE;
    case TERCET_OUTCOME_UNKNOWN:
        break;
    }
    return false;
}

// Until one of them can be read from, or it is time.
void WaitForAny(const std::vector<int> &files, bool timed, Clock::time_point end)
{
    using std::chrono::milliseconds;
    std::vector<pollfd> polled;
    for (const int file : files) {
        polled.push_back({file, POLLIN, 0});
    }
    const auto left = std::chrono::ceil<milliseconds>(end - Clock::now()).count();
    (void)poll(polled.data(), polled.size(), !timed ? -1 : left < 0 ? 0 : static_cast<int>(left));
}

} // namespace

Done::Done() : event_(eventfd(0, EFD_CLOEXEC))
{
    if (event_ < 0) {
        perror("eventfd");
        exit(70);
    }
}

Done::~Done()
{
    close(event_);
}

void Done::Tell()
{
    (void)eventfd_write(event_, 1);
}

bool Done::IsTold() const
{
    pollfd told = {event_, POLLIN, 0};
    return poll(&told, 1, 0) == 1;
}

void Done::Forget()
{
    eventfd_t count = 0;
    if (IsTold()) {
        (void)eventfd_read(event_, &count);
    }
}

// ---- One cycle ----------------------------------------------------------------------------------

Cycles::Cycles(Campaign *campaign)
    : campaign_(campaign), options_(campaign->options), stage_(options_.directory, options_.self),
      crowd_(stage_.Listen())
{
}

// Kills at the plan's moment, and starts again whoever has died, until it is done; `told` can be read
// from then.  Child processes of this world are started on this thread alone.
std::string Cycles::Watch(const Plan &plan, bool strikes, const std::function<bool()> &done,
                          int told)
{
    const auto moment = Clock::now() + std::chrono::milliseconds(plan.moment_ms);
    std::string finding;
    for (;;) {
        const bool over = done();
        if (strikes && Clock::now() >= moment) {
            stage_.Strike(plan);
            strikes = false;
        }
        const std::string death = stage_.Revive(plan);
        finding = finding.empty() ? death : finding;
        if (over && !strikes && !stage_.CoordinatorIsDying()) {
            return finding;
        }
        std::vector<int> files = stage_.Ends();
        files.push_back(over ? -1 : told);
        WaitForAny(files, strikes, moment);
    }
}

std::string Cycles::ReadTold(std::vector<Payment> *payments)
{
    std::ifstream file(stage_.Told());
    std::string gid;
    int told = 0, told_by_cancel = 0, stored = 0;
    while (file >> gid >> told >> told_by_cancel >> stored) {
        for (Payment &payment : *payments) {
            if (payment.gid == gid) {
                payment.told = static_cast<tercet_outcome>(told);
                payment.told_by_cancel = static_cast<tercet_outcome>(told_by_cancel);
                payment.stored = stored != 0;
            }
        }
    }
    return "";
}

// Payments under way; somebody dies, and comes back; everything settles; the books are compared.
std::string Cycles::One(int cycle)
{
    const Plan plan = DrawPlan(options_.seed, cycle);
    counts_.by_victim[static_cast<size_t>(plan.victim)]++;
    std::vector<Payment> payments = DrawPayments(options_.seed, cycle);
    std::vector<tercet_outcome> outcomes;
    std::string finding, settled;
    const auto done = [this] { return done_.IsTold(); };
    stage_.Arm(plan);
    if (plan.victim == Victim::INITIATOR) {
        stage_.StartInitiator(plan.failpoints, options_.seed, cycle);
        finding = Watch(
            plan, true, [&] { return !stage_.initiator.Runs(); }, stage_.initiator.End());
        (void)ReadTold(&payments);
    } else {
        std::thread crowd([&] {
            crowd_.Pay(&payments, [](const Payment &) {});
            done_.Tell();
        });
        finding = Watch(plan, true, done, done_.Told());
        crowd.join();
        done_.Forget();
    }
    std::thread judge([&] {
        settled = crowd_.Settle(payments, &outcomes);
        settled = settled.empty() ? AskAgain(cycle) : settled;
        done_.Tell();
    });
    const std::string death = Watch(plan, false, done, done_.Told());
    judge.join();
    done_.Forget();
    stage_.Disarm();
    const std::string backups =
        plan.victim == Victim::COORDINATOR_BACKS_UP ? stage_.JudgeBackups(plan) : "";
    for (const std::string &one : {finding, death, settled, backups}) {
        if (!one.empty()) {
            return one;
        }
    }
    return CompareBooks(cycle, payments, outcomes);
}

// Some that ended in earlier cycles, under earlier lives of the coordinator.
std::string Cycles::AskAgain(int cycle)
{
    for (int i = 0; i < ASKED_AGAIN && !ended_.empty(); i++) {
        const auto &old = ended_[(static_cast<size_t>(cycle) * 31 + i * 977) % ended_.size()];
        const tercet_outcome now = crowd_.Ask(old.first);
        counts_.asked_again++;
        if (now != old.second) {
            return "LOST: " + old.first + " had ended as " + tercet_outcome_name(old.second) +
                   ", and is now " + tercet_outcome_name(now);
        }
    }
    return "";
}

std::string Cycles::CompareBooks(int cycle, const std::vector<Payment> &payments,
                                 const std::vector<tercet_outcome> &outcomes)
{
    const std::string prefix = GidPrefix(options_.seed, cycle);
    std::array<Books, PARTICIPANTS> books;
    int64_t sum = 0;
    for (int i = 0; i < PARTICIPANTS; i++) {
        books[i] = stage_.Read(i, prefix);
        sum += books[i].balance;
        if (books[i].frozen != 0 || books[i].pending != 0) {
            return "RESERVED: " + ParticipantName(i) + " still holds " +
                   std::to_string(books[i].frozen) + " frozen and " +
                   std::to_string(books[i].pending) + " pending";
        }
    }
    if (sum != PARTICIPANTS * ACCOUNTS * OPENING_BALANCE) {
        return "NOT CONSERVED: the balances add up to " + std::to_string(sum);
    }
    for (size_t p = 0; p < payments.size(); p++) {
        counts_.by_outcome[outcomes[p]]++;
        if (outcomes[p] != TERCET_OUTCOME_NOT_STARTED) {
            ended_.emplace_back(payments[p].gid, outcomes[p]);
        }
        for (size_t m = 0; m < payments[p].moves.size(); m++) {
            const auto &all = books[payments[p].moves[m].participant].effects;
            const auto found = all.find({payments[p].gid, static_cast<int>(m) + 1});
            const Effects one = found == all.end() ? Effects{} : found->second;
            if (!Fits(outcomes[p], one)) {
                return "WRONG EFFECT: " + payments[p].gid + " ended as " +
                       tercet_outcome_name(outcomes[p]) + "; its branch " + std::to_string(m + 1) +
                       " has " + std::to_string(one.tries) + " tries, " +
                       std::to_string(one.confirms) + " confirms, " + std::to_string(one.cancels) +
                       " cancels, fence state " + std::to_string(one.fence);
            }
        }
    }
    return "";
}

void Cycles::Run()
{
    std::string finding;
    int cycle = 0;
    while (finding.empty() && campaign_->Next(&cycle)) {
        const auto began = Clock::now();
        finding = One(cycle);
        const Victim victim = DrawPlan(options_.seed, cycle).victim;
        counts_.ms[static_cast<size_t>(victim)] +=
            std::chrono::duration<double, std::milli>(Clock::now() - began).count();
        counts_.cycles++;
    }
    stage_.keep = !finding.empty();
    counts_.kills = stage_.kills;
    counts_.deaths_at_failpoint = stage_.deaths_at_failpoint;
    counts_.failed_writes = stage_.failed_writes;
    counts_.backups = stage_.backups;
    campaign_->Add(counts_);
    if (!finding.empty()) {
        campaign_->Found();
        Print(finding, cycle);
    }
}

void Cycles::Print(const std::string &finding, int cycle) const
{
    const Plan plan = DrawPlan(options_.seed, cycle);
    printf("cycle %d of seed %llu (%s %s%s): %s\nthe books and logs are in %s\n"
           "again: kill_campaign --seed %llu --cycle %d\n",
           cycle, static_cast<unsigned long long>(options_.seed), VictimName(plan.victim),
           plan.failpoints.c_str(), plan.next.c_str(), finding.c_str(), stage_.directory.c_str(),
           static_cast<unsigned long long>(options_.seed), cycle);
}

// ---- All worlds ---------------------------------------------------------------------------------

bool Campaign::Next(int *cycle_out)
{
    const std::lock_guard<std::mutex> lock(mutex_);
    const std::chrono::duration<double> passed = Clock::now() - start_;
    const bool more =
        options.minutes > 0 ? passed.count() < options.minutes * 60 : begun_ < options.cycles;
    if (!more || findings_ > 0) {
        return false;
    }
    *cycle_out = options.first + begun_++;
    return true;
}

void Campaign::Add(const Counts &counts)
{
    const std::lock_guard<std::mutex> lock(mutex_);
    counts_.Add(counts);
}

void Campaign::Found()
{
    const std::lock_guard<std::mutex> lock(mutex_);
    findings_++;
}

bool Campaign::Run()
{
    std::vector<std::thread> worlds;
    for (int i = 0; i < options.jobs; i++) {
        worlds.emplace_back([this] { Cycles(this).Run(); });
    }
    for (std::thread &world : worlds) {
        world.join();
    }
    const double seconds = std::chrono::duration<double>(Clock::now() - start_).count();
    if (findings_ == 0) {
        printf("%d cycles of seed %llu in %.1f s: %d kills, %d of them at a failpoint, %d failed "
               "writes, %d sound backups; nothing that was acknowledged is lost\n",
               counts_.cycles, static_cast<unsigned long long>(options.seed), seconds,
               counts_.kills, counts_.deaths_at_failpoint, counts_.failed_writes, counts_.backups);
    }
    if (options.json) {
        counts_.PrintJson(options.seed, seconds, findings_);
    }
    return findings_ == 0;
}

} // namespace campaign
