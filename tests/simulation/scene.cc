// scene.cc -- see scene.h.
#include "simulation/scene.h"

#include <cstdio>

namespace simulation
{

void FillDirectory(directory *names, const Swarm &swarm)
{
    directory_init(names);
    for (uint32_t i = 0; i < swarm.participants; i++) {
        directory_entry entry{};
        char target[] = "unix:/p";
        snprintf(entry.name, sizeof entry.name, "p%u", i);
        for (uint32_t seat = 0; seat < swarm.seats; seat++) {
            entry.targets[entry.target_count++] = target;
        }
        entry.call_timeout_ms = swarm.call_timeout_ms;
        entry.window = swarm.window;
        entry.open_transaction_max = swarm.share;
        if (directory_add(names, &entry) != TERCET_OK) {
            return;
        }
    }
}

Scene::Scene(const Swarm &drawn, uint64_t seed, bool print, Tally &totals)
    : swarm(drawn), dice(seed ^ 0x5eed), trace(print), tally(totals), network(swarm, dice, totals),
      judge(totals)
{
    FillDirectory(&names, swarm);
}

Scene::~Scene()
{
    directory_deinit(&names);
}

} // namespace simulation
