// kill_campaign: real processes, real LevelDB and SQLite, SIGKILL at any moment and at named places;
// after every cycle the books of all participants must be what the initiators were told.  README.md.
//
//   kill_campaign [--cycles N | --minutes M] [--seed S] [--jobs N] [--cycle K] [--directory DIR] [--json]
//   kill_campaign participant NAME LISTEN DATABASE      (its own children)
//   kill_campaign initiator TARGET SEED CYCLE TOLD
#include <fcntl.h>
#include <getopt.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>

#include "campaign/cycles.h"

namespace campaign
{
namespace
{

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
        {"cycle", required_argument, nullptr, 'k'},  {"jobs", required_argument, nullptr, 'w'},
        {"json", no_argument, nullptr, 'j'},         {nullptr, 0, nullptr, 0}};
    for (int one = 0; (one = getopt_long(count, arguments, "", known, nullptr)) != -1;) {
        switch (one) {
        case 'c':
            options->cycles = static_cast<int>(strtol(optarg, nullptr, 10));
            break;
        case 'm':
            options->minutes = strtod(optarg, nullptr);
            break;
        case 's':
            options->seed = strtoull(optarg, nullptr, 10);
            break;
        case 'd':
            options->directory = optarg;
            break;
        case 'w':
            options->jobs = static_cast<int>(strtol(optarg, nullptr, 10));
            break;
        case 'j':
            options->json = true;
            break;
        case 'k':
            options->first = static_cast<int>(strtol(optarg, nullptr, 10));
            options->cycles = 1;
            break;
        default:
            return false;
        }
    }
    return optind == count && options->jobs > 0 && (options->cycles > 0 || options->minutes > 0);
}

// Pays, and notes what it was told in a file that outlives its death.
int InitiatorMain(const char *target, const char *seed, const char *cycle, const char *told)
{
    std::vector<Payment> payments =
        DrawPayments(strtoull(seed, nullptr, 10), static_cast<int>(strtol(cycle, nullptr, 10)));
    const int file = open(told, O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0600);
    std::mutex mutex;
    bool ok = file >= 0;
    Crowd(target).Pay(&payments, [&](const Payment &payment) {
        std::lock_guard<std::mutex> lock(mutex);
        const std::string line = payment.gid + " " + std::to_string(payment.told) + " " +
                                 std::to_string(payment.told_by_cancel) + " " +
                                 std::to_string(payment.stored ? 1 : 0) + "\n";
        ok = ok && write(file, line.data(), line.size()) == static_cast<ssize_t>(line.size()) &&
             fdatasync(file) == 0;
    });
    return ok ? 0 : 70;
}

} // namespace
} // namespace campaign

int main(int count, char **arguments)
{
    using namespace campaign;
    if (count == 5 && strcmp(arguments[1], "participant") == 0) {
        return LedgerMain(arguments[2], arguments[3], arguments[4]);
    }
    if (count == 6 && strcmp(arguments[1], "initiator") == 0) {
        return InitiatorMain(arguments[2], arguments[3], arguments[4], arguments[5]);
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
    options.self.assign(self, static_cast<size_t>(size));
    return Campaign(options).Run() ? 0 : 1;
}
