// See counts.h.
#include "campaign/counts.h"

#include <cstdio>

namespace campaign
{

void Counts::PrintJson(uint64_t seed, double seconds, int findings) const
{
    printf("{\"cycles\": %d, \"seed\": %llu, \"seconds\": %.1f, \"kills\": %d, "
           "\"failpoint_kills\": %d, \"failed_writes\": %d, \"backups\": %d, \"payments\": %lld, "
           "\"confirmed\": %lld, \"cancelled\": %lld, \"asked_again\": %lld, \"findings\": %d",
           cycles, static_cast<unsigned long long>(seed), seconds, kills, deaths_at_failpoint,
           failed_writes, backups, static_cast<long long>(Payments()),
           static_cast<long long>(by_outcome[TERCET_OUTCOME_CONFIRMED]),
           static_cast<long long>(by_outcome[TERCET_OUTCOME_CANCELLED]),
           static_cast<long long>(asked_again), findings);
    for (size_t i = 0; i < by_victim.size(); i++) {
        printf(", \"%s\": {\"cycles\": %d, \"ms\": %.0f}", VictimName(static_cast<Victim>(i)),
               by_victim[i], by_victim[i] > 0 ? ms[i] / by_victim[i] : 0);
    }
    printf("}\n");
}

} // namespace campaign
