// world_faults.cc -- what strikes, and how often; see world.h.
#include "simulation/world.h"

namespace simulation
{

void World::AddFaults()
{
    const Swarm &swarm = scene_.swarm;
    const struct {
        int64_t every_us;
        What what;
    } faults[] = {
        {swarm.partition_every_us, What::PARTITION}, {swarm.crash_every_us, What::CRASH},
        {swarm.freeze_every_us, What::FREEZE},       {swarm.upkeep_every_us, What::UPKEEP},
        {swarm.p_crash_every_us, What::P_CRASH},     {swarm.p_freeze_every_us, What::P_FREEZE},
        {swarm.jump_every_us, What::CLOCK_JUMP},     {swarm.seat_lost_every_us, What::SEAT_LOST}};
    for (const auto &fault : faults) {
        if (fault.every_us > 0) {
            scene_.timeline.Add(scene_.dice.Between(0, 2 * fault.every_us), fault.what, 0, 0, 0);
        }
    }
}

// An instance goes away, and with it whatever is on its way to it or back.
void World::LoseSeat()
{
    const uint32_t participant = scene_.dice.Below(scene_.swarm.participants);
    const uint32_t seat = scene_.dice.Below(scene_.swarm.seats);
    Scene::Instance &instance = scene_.instances[participant][seat];
    instance.breaks++;
    instance.gone_until_us = scene_.now_us() + scene_.dice.Delay(scene_.swarm.seat_lost_us);
    scene_.tally.seats_lost++;
    scene_.Note("an instance goes away: p seat until_us", participant, seat,
                instance.gone_until_us);
}

// What strikes now, and how often it does.
int64_t World::Strike(const Happening &what)
{
    const Swarm &swarm = scene_.swarm;
    Dice &dice = scene_.dice;
    const int64_t now_us = scene_.now_us();
    if (what.what == What::PARTITION) {
        scene_.network.Cut(now_us);
        return swarm.partition_every_us;
    }
    if (what.what == What::CRASH) {
        const bool again = what.who != 0; /* soon after a start: that life's only */
        if (!again || what.life == coordinator_->life()) {
            coordinator_->Kill();
        }
        return again ? 0 : swarm.crash_every_us;
    }
    if (what.what == What::FREEZE) {
        coordinator_->Freeze(now_us + dice.Delay(swarm.freeze_us));
        return swarm.freeze_every_us;
    }
    if (what.what == What::UPKEEP) {
        coordinator_->OnUpkeep();
        return swarm.upkeep_every_us;
    }
    if (what.what == What::P_CRASH) {
        participants_[dice.Below(swarm.participants)].Crash();
        return swarm.p_crash_every_us;
    }
    if (what.what == What::P_FREEZE) {
        const uint32_t one = dice.Below(swarm.participants);
        participants_[one].Freeze(now_us + dice.Delay(swarm.p_freeze_us));
        return swarm.p_freeze_every_us;
    }
    if (what.what == What::SEAT_LOST) {
        LoseSeat();
        return swarm.seat_lost_every_us;
    }
    scene_.clocks.Jump(dice.Between(-swarm.jump_ms, swarm.jump_ms));
    scene_.tally.clock_jumps++;
    if (scene_.judge.OpenActs() > 0) {
        scene_.Hit(Mark::CLOCK_JUMPED_WITH_OPEN);
    }
    return swarm.jump_every_us;
}

void World::Fault(const Happening &what)
{
    const int64_t every_us = scene_.calm ? 0 : Strike(what);
    if (every_us > 0) {
        scene_.timeline.Add(scene_.now_us() + scene_.dice.Between(0, 2 * every_us), what.what,
                            what.who, 0, 0);
    }
}

} // namespace simulation
