// plan.h -- what happens in a cycle, drawn from seed and cycle alone.
#pragma once

#include <cstdint>
#include <string>

namespace campaign
{

enum class Victim {
    COORDINATOR,          // SIGKILL at a moment
    COORDINATOR_ARMED,    // dies at a failpoint
    COORDINATOR_FAILS,    // a write fails: it must exit with 74
    COORDINATOR_STOPS,    // SIGTERM
    COORDINATOR_BACKS_UP, // SIGUSR1; the backup fails, it dies in it, or neither
    PARTICIPANT,
    PARTICIPANT_ARMED,
    PARTICIPANT_FAILS, // a commit's outcome or a connection is lost
    ANSWERS_LOST,      // between coordinator and participants
    BOTH,              // the coordinator at a moment, a participant at a failpoint
    ALL,               // everybody at a moment
    INITIATOR,         // SIGKILL at a moment, or at a failpoint
    COUNT
};

struct Plan {
    Victim victim = Victim::COORDINATOR;
    int participant = 0;
    int moment_ms = 0;      // of the kill, after the payments began
    std::string failpoints; // of the process that is armed, as in TERCET_FAILPOINTS
    std::string failpoint;  // its name
    std::string next; // of the coordinator that is started after a kill; dies with its backlog
};

Plan DrawPlan(uint64_t seed, int cycle);
const char *VictimName(Victim victim);

} // namespace campaign
