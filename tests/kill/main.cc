// kill_campaign: real processes, real LevelDB and SQLite, SIGKILL at any moment and at named places;
// after every cycle the books of all participants must be what the initiators were told.
//
//   kill_campaign [--cycles N | --minutes M] [--seed S] [--directory DIR] [--json]
//   kill_campaign participant NAME LISTEN DATABASE      (one of its own children)
#include <getopt.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <thread>

#include "kill/crowd.h"

namespace kill_campaign
{
namespace
{

using Clock = std::chrono::steady_clock;

enum { PAYMENTS = 24, PAYMENTS_OF_A_CYCLE_MAX_MS = 80 };

// Where the coordinator is told to die, beside dying at any moment.
const char *const FAILPOINTS[] = {
#include "kill_failpoints.inc"
};

struct Options {
    int cycles = 30;
    double minutes = 0;
    uint64_t seed = 1;
    std::string directory = "/tmp";
    bool json = false;
};

struct Tally {
    int cycles = 0, coordinator_kills = 0, participant_kills = 0, failpoint_kills = 0;
    int64_t payments = 0, confirmed = 0, cancelled = 0, not_started = 0;
};

class Campaign
{
  public:
    Campaign(const Options &options, const std::string &self)
        : options_(options), random_(options.seed), stage_(options.directory, self),
          crowd_(stage_.Listen(), options.seed)
    {
    }

    // False after the first finding, which was printed.
    bool Run()
    {
        const auto start = Clock::now();
        const auto end = start + std::chrono::duration<double>(options_.minutes * 60);
        while (options_.minutes > 0 ? Clock::now() < end : tally_.cycles < options_.cycles) {
            std::string finding;
            if (!Cycle(&finding)) {
                stage_.Keep();
                printf("cycle %d of seed %llu: %s\nthe books and logs are in %s\n"
                       "again: kill_campaign --seed %llu --cycles %d\n",
                       tally_.cycles, static_cast<unsigned long long>(options_.seed),
                       finding.c_str(), stage_.directory().c_str(),
                       static_cast<unsigned long long>(options_.seed), tally_.cycles + 1);
                return false;
            }
            tally_.cycles++;
        }
        Report(std::chrono::duration<double>(Clock::now() - start).count());
        return true;
    }

  private:
    uint64_t Below(uint64_t bound)
    {
        return random_() % bound;
    }

    // Payments under way; somebody dies, and comes back; everything settles; the books are compared.
    bool Cycle(std::string *finding)
    {
        std::vector<Payment> payments;
        std::vector<tercet_outcome> outcomes;
        std::atomic<bool> settled{false}, done{false};
        std::thread crowd([&] {
            payments = crowd_.Pay(PAYMENTS, tally_.cycles);
            settled = crowd_.Settle(payments, &outcomes, finding);
            done = true;
        });
        std::this_thread::sleep_for( // the moment of the kill, drawn
            std::chrono::milliseconds(Below(PAYMENTS_OF_A_CYCLE_MAX_MS)));
        Kill();
        // Whoever was armed may die later, while its backlog is carried out.  On this thread: a child
        // dies with the thread that started it.
        while (!done) {
            tally_.failpoint_kills += stage_.Revive();
            std::this_thread::sleep_for(std::chrono::milliseconds(5)); // how often it looks
        }
        crowd.join();
        return settled && Compare(payments, outcomes, finding);
    }

    void Kill()
    {
        const uint64_t drawn = Below(10);
        if (drawn < 6 || drawn == 9) {
            stage_.KillCoordinator();
            tally_.coordinator_kills++;
        }
        for (int i = 0; i < PARTICIPANTS; i++) {
            if (drawn == 9 || (drawn >= 6 && i == static_cast<int>(Below(PARTICIPANTS)))) {
                stage_.KillParticipant(i);
                tally_.participant_kills++;
                stage_.StartParticipant(i);
            }
        }
        if (drawn < 6 || drawn == 9) {
            stage_.StartCoordinator(Below(2) == 0 ? Armed() : "");
        }
    }

    std::string Armed()
    {
        const size_t count = sizeof FAILPOINTS / sizeof FAILPOINTS[0];
        return std::string(FAILPOINTS[Below(count)]) + "=" + std::to_string(Below(6)) +
               "*off->kill";
    }

    bool Compare(const std::vector<Payment> &payments, const std::vector<tercet_outcome> &outcomes,
                 std::string *finding)
    {
        std::array<Books, PARTICIPANTS> books;
        int64_t sum = 0;
        for (int i = 0; i < PARTICIPANTS; i++) {
            books[i] = ReadBooks(stage_.Database(i));
            sum += books[i].balance;
            if (books[i].frozen != 0 || books[i].pending != 0) {
                *finding = Stage::Name(i) + " still holds " + std::to_string(books[i].frozen) +
                           " frozen and " + std::to_string(books[i].pending) + " pending";
                return false;
            }
        }
        if (sum != PARTICIPANTS * ACCOUNTS * OPENING_BALANCE) {
            *finding = "the balances add up to " + std::to_string(sum);
            return false;
        }
        for (size_t p = 0; p < payments.size(); p++) {
            Count(outcomes[p]);
            for (size_t m = 0; m < payments[p].moves.size(); m++) {
                const Move &move = payments[p].moves[m];
                const auto &effects = books[move.participant].effects;
                const auto found = effects.find({payments[p].gid, static_cast<int>(m) + 1});
                const Effects one = found == effects.end() ? Effects{} : found->second;
                if (!Fits(outcomes[p], one)) {
                    *finding = payments[p].gid + " ended as " + std::to_string(outcomes[p]) +
                               "; its branch " + std::to_string(m + 1) + " has " +
                               std::to_string(one.tries) + " tries, " +
                               std::to_string(one.confirms) + " confirms, " +
                               std::to_string(one.cancels) + " cancels";
                    return false;
                }
            }
        }
        return true;
    }

    static bool Fits(tercet_outcome outcome, const Effects &effects)
    {
        switch (outcome) {
        case TERCET_OUTCOME_CONFIRMED:
            return effects.tries == 1 && effects.confirms == 1 && effects.cancels == 0;
        case TERCET_OUTCOME_CANCELLED:
            return effects.tries <= 1 && effects.confirms == 0 && effects.cancels == effects.tries;
        case TERCET_OUTCOME_NOT_STARTED:
            return effects.tries == 0 && effects.confirms == 0 && effects.cancels == 0;
        case TERCET_OUTCOME_UNKNOWN:
            return false;
        }
        return false;
    }

    void Count(tercet_outcome outcome)
    {
        tally_.payments++;
        tally_.confirmed += outcome == TERCET_OUTCOME_CONFIRMED ? 1 : 0;
        tally_.cancelled += outcome == TERCET_OUTCOME_CANCELLED ? 1 : 0;
        tally_.not_started += outcome == TERCET_OUTCOME_NOT_STARTED ? 1 : 0;
    }

    void Report(double seconds) const
    {
        printf(
            "%d cycles in %.1f s: %d kills of the coordinator, %d of participants, %d deaths at a "
            "failpoint\n%lld payments: %lld confirmed, %lld cancelled, %lld never begun; nothing "
            "that was acknowledged is lost\n",
            tally_.cycles, seconds, tally_.coordinator_kills, tally_.participant_kills,
            tally_.failpoint_kills, static_cast<long long>(tally_.payments),
            static_cast<long long>(tally_.confirmed), static_cast<long long>(tally_.cancelled),
            static_cast<long long>(tally_.not_started));
        if (options_.json) {
            printf(
                "{\"cycles\": %d, \"coordinator_kills\": %d, \"participant_kills\": %d, "
                "\"failpoint_kills\": %d, \"payments\": %lld, \"confirmed\": %lld, \"lost\": 0}\n",
                tally_.cycles, tally_.coordinator_kills, tally_.participant_kills,
                tally_.failpoint_kills, static_cast<long long>(tally_.payments),
                static_cast<long long>(tally_.confirmed));
        }
    }

    const Options options_;
    std::mt19937_64 random_;
    Stage stage_;
    Crowd crowd_;
    Tally tally_;
};

int Usage()
{
    fprintf(stderr, "kill_campaign: wrong use; for example: kill_campaign --cycles 300 --seed 7\n");
    return 64;
}

bool Read(int count, char **arguments, Options *options)
{
    const option known[] = {
        {"cycles", required_argument, nullptr, 'c'}, {"minutes", required_argument, nullptr, 'm'},
        {"seed", required_argument, nullptr, 's'},   {"directory", required_argument, nullptr, 'd'},
        {"json", no_argument, nullptr, 'j'},         {nullptr, 0, nullptr, 0}};
    for (int one = 0; (one = getopt_long(count, arguments, "", known, nullptr)) != -1;) {
        switch (one) {
        case 'c':
            options->cycles = atoi(optarg);
            break;
        case 'm':
            options->minutes = atof(optarg);
            break;
        case 's':
            options->seed = strtoull(optarg, nullptr, 10);
            break;
        case 'd':
            options->directory = optarg;
            break;
        case 'j':
            options->json = true;
            break;
        default:
            return false;
        }
    }
    return optind == count && (options->cycles > 0 || options->minutes > 0);
}

} // namespace
} // namespace kill_campaign

int main(int count, char **arguments)
{
    using namespace kill_campaign;
    if (count == 5 && strcmp(arguments[1], "participant") == 0) {
        return LedgerMain(arguments[2], arguments[3], arguments[4]);
    }
    Options options;
    if (!Read(count, arguments, &options)) {
        return Usage();
    }
    char self[4096];
    const ssize_t size = readlink("/proc/self/exe", self, sizeof self - 1);
    if (size < 0) {
        perror("kill_campaign: /proc/self/exe");
        return 70;
    }
    return Campaign(options, std::string(self, static_cast<size_t>(size))).Run() ? 0 : 1;
}
