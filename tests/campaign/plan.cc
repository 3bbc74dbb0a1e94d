// See plan.h.
#include "campaign/plan.h"

#include <random>
#include <vector>

#include "campaign/crowd.h"

namespace campaign
{
namespace
{

enum { BACKUP_AFTER_MS = 100 }; // when it listens to signals

struct Failpoint {
    const char *name;
    char layer; // as failpoints.py says
};

const Failpoint FAILPOINTS[] = {
#include "campaign_failpoints.inc"
};

// Some places are reached once in a life, a group's a few times in a cycle, some a hundred times.
std::string Arm(std::mt19937_64 *random, char layer, std::string *name_out)
{
    std::vector<std::string> names;
    for (const Failpoint &one : FAILPOINTS) {
        if (one.layer == layer) {
            names.push_back(one.name);
        }
    }
    *name_out = names[(*random)() % names.size()];
    const uint64_t hits = (*random)() % 2 == 0 ? 0 : (*random)() % 12;
    return *name_out + "=" + std::to_string(hits) + "*off->kill";
}

std::string Fail(std::mt19937_64 *random, const std::vector<std::string> &names, int times,
                 std::string *name_out)
{
    *name_out = names[(*random)() % names.size()];
    return *name_out + "=" + std::to_string(1 + (*random)() % 6) + "*off->" +
           std::to_string(times) + "*fail";
}

} // namespace

Plan DrawPlan(uint64_t seed, int cycle)
{
    std::mt19937_64 random(seed * 7919 + static_cast<uint64_t>(cycle) * 104729 + 1);
    Plan plan;
    static const Victim DRAWN[] = {Victim::COORDINATOR,
                                   Victim::COORDINATOR,
                                   Victim::COORDINATOR_ARMED,
                                   Victim::COORDINATOR_ARMED,
                                   Victim::COORDINATOR_ARMED,
                                   Victim::COORDINATOR_ARMED,
                                   Victim::COORDINATOR_FAILS,
                                   Victim::COORDINATOR_STOPS,
                                   Victim::COORDINATOR_BACKS_UP,
                                   Victim::PARTICIPANT,
                                   Victim::PARTICIPANT_ARMED,
                                   Victim::PARTICIPANT_ARMED,
                                   Victim::PARTICIPANT_ARMED,
                                   Victim::PARTICIPANT_FAILS,
                                   Victim::ANSWERS_LOST,
                                   Victim::BOTH,
                                   Victim::ALL,
                                   Victim::INITIATOR};
    plan.victim = DRAWN[random() % (sizeof DRAWN / sizeof DRAWN[0])];
    plan.participant = static_cast<int>(random() % PARTICIPANTS);
    plan.moment_ms = static_cast<int>(random() % 80);
    switch (plan.victim) {
    case Victim::COORDINATOR_ARMED:
        plan.failpoints = Arm(&random, 'C', &plan.failpoint);
        break;
    case Victim::COORDINATOR_FAILS:
        plan.failpoints =
            Fail(&random, {"store.write", "journal.write", "witness.write"}, 1, &plan.failpoint);
        break;
    case Victim::PARTICIPANT_ARMED:
    case Victim::BOTH:
        plan.failpoints = Arm(&random, 'P', &plan.failpoint);
        break;
    case Victim::PARTICIPANT_FAILS:
        plan.failpoints =
            Fail(&random, {"group.commit_unknown", "group.connection_lost"}, 3, &plan.failpoint);
        break;
    case Victim::ANSWERS_LOST:
        plan.failpoints = random() % 4 == 0 ? "screen.refused=3*fail"
                                            : Fail(&random, {"edge.answer_lost", "screen.cut"}, 5,
                                                   &plan.failpoint);
        break;
    case Victim::INITIATOR:
        if (random() % 2 == 0) {
            plan.failpoints = Arm(&random, 'I', &plan.failpoint);
        }
        break;
    case Victim::COORDINATOR_BACKS_UP:
        plan.moment_ms += BACKUP_AFTER_MS;
        if (random() % 4 != 0) {
            plan.failpoints =
                random() % 4 == 0 ? "backup.write=fail" : Arm(&random, 'B', &plan.failpoint);
        }
        break;
    case Victim::COORDINATOR:
    case Victim::ALL:
        if (random() % 2 == 0) {
            plan.next = Arm(&random, 'C', &plan.failpoint);
        }
        break;
    case Victim::COORDINATOR_STOPS:
    case Victim::PARTICIPANT:
    case Victim::COUNT:
        break;
    }
    return plan;
}

const char *VictimName(Victim victim)
{
    static const char *const NAMES[] = {"coordinator",
                                        "coordinator_armed",
                                        "coordinator_fails",
                                        "coordinator_stops",
                                        "coordinator_backs_up",
                                        "participant",
                                        "participant_armed",
                                        "participant_fails",
                                        "answers_lost",
                                        "both",
                                        "all",
                                        "initiator"};
    static_assert(sizeof NAMES / sizeof NAMES[0] == static_cast<size_t>(Victim::COUNT), "names");
    return NAMES[static_cast<int>(victim)];
}

} // namespace campaign
