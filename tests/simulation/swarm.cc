// swarm.cc -- see swarm.h.
#include "simulation/swarm.h"

namespace simulation
{
namespace
{

uint32_t Maybe(Dice &dice, uint32_t chance, uint32_t most)
{
    return dice.Chance(chance) ? static_cast<uint32_t>(dice.Between(1, most)) : 0;
}

LinkFaults DrawLink(Dice &dice)
{
    LinkFaults link;
    link.loss = Maybe(dice, 400, dice.Chance(200) ? 300 : 60);
    link.doubled = Maybe(dice, 400, dice.Chance(200) ? 400 : 60);
    link.delay_us = dice.Between(20, dice.Chance(300) ? 20000 : 1000);
    link.reorders = !dice.Chance(200);
    return link;
}

void DrawCoordinator(Dice &dice, Swarm &swarm, int64_t whole_us)
{
    swarm.turn_us = dice.Between(10, dice.Chance(300) ? 5000 : 200);
    swarm.sync_us = dice.Between(50, dice.Chance(300) ? 20000 : 2000);
    if (dice.Chance(600)) {
        swarm.crash_every_us = whole_us / dice.Between(1, 10);
        swarm.keep = static_cast<uint32_t>(dice.Between(0, 1000));
        swarm.crash_again = Maybe(dice, 500, 600);
        swarm.crash_in_load = Maybe(dice, 300, 20);
        swarm.reboot = Maybe(dice, 400, 1000);
    }
    if (dice.Chance(400)) {
        swarm.crash_at_point = static_cast<uint32_t>(dice.Between(10, 400));
    }
    if (dice.Chance(200)) {
        swarm.freeze_every_us = whole_us / dice.Between(1, 4);
        swarm.freeze_us = dice.Between(1000, 1500000);
    }
    swarm.open_transactions_max = dice.Chance(100) ? 8 : 1000;
    swarm.waiting_calls_max = dice.Chance(100) ? 6 : 1000;
    swarm.share = dice.Chance(100) ? 5 : 250;
    swarm.window = dice.Chance(150) ? static_cast<uint32_t>(dice.Between(1, 4)) : 64;
    swarm.batch_bytes_max = dice.Chance(100) ? 1500 : 0;
    swarm.resume_ahead = dice.Chance(500) ? 1 + dice.Below(8) : 0;
    swarm.end_wait_ms = dice.Chance(300) ? 1 : 0;
    swarm.try_timeout_ms = static_cast<uint32_t>(dice.Between(30, dice.Chance(500) ? 3000 : 300));
    swarm.call_timeout_ms = static_cast<uint32_t>(dice.Between(20, 400));
    swarm.retry_base_ms = static_cast<uint32_t>(dice.Between(2, 50));
    swarm.retry_cap_ms = static_cast<uint32_t>(dice.Between(50, 2000));
    if (dice.Chance(150)) {
        swarm.upkeep_every_us = dice.Between(10000, 200000);
        swarm.outcome_keep_ms = 24LL * 3600 * 1000;
    }
}

void DrawParticipants(Dice &dice, Swarm &swarm, int64_t whole_us)
{
    swarm.commit_us = dice.Between(20, dice.Chance(200) ? 10000 : 1000);
    swarm.group_max = dice.Chance(300) ? static_cast<uint32_t>(dice.Between(1, 4)) : 64;
    swarm.slice_rows = dice.Chance(300) ? 3 : 256;
    if (dice.Chance(500)) {
        swarm.p_crash_every_us = whole_us / dice.Between(1, 12);
    }
    if (dice.Chance(250)) {
        swarm.p_freeze_every_us = whole_us / dice.Between(1, 8);
        swarm.p_freeze_us = dice.Between(1000, 800000);
    }
    swarm.refuse = Maybe(dice, 500, 100);
    swarm.later = Maybe(dice, 400, 150);
    swarm.handler_fails = Maybe(dice, 300, 80);
    swarm.dirty = Maybe(dice, 500, 800);
    swarm.garbage = Maybe(dice, 250, 60);
    swarm.store_fails = Maybe(dice, 350, 80);
    swarm.handler_us = dice.Chance(200) ? dice.Between(500, 15000) : 0;
}

void DrawInitiators(Dice &dice, Swarm &swarm)
{
    swarm.steps = static_cast<uint32_t>(dice.Between(0, 500));
    swarm.repeats = Maybe(dice, 500, 300);
    swarm.other_content = Maybe(dice, 300, 150);
    swarm.cancels = Maybe(dice, 500, 300);
    swarm.buried = Maybe(dice, 400, 150);
    swarm.asks = Maybe(dice, 400, 300);
    swarm.dies = Maybe(dice, 500, 100);
    swarm.goes_away = Maybe(dice, 500, 1000);
    swarm.patience_us = dice.Between(50000, 1500000);
}

} // namespace

Swarm CalmSwarm()
{
    return {};
}

Swarm DrawSwarm(Dice &dice)
{
    Swarm swarm;
    swarm.participants = static_cast<uint32_t>(dice.Between(1, 5));
    swarm.acts = static_cast<uint32_t>(dice.Between(40, 260));
    swarm.between_acts_us = dice.Between(50, dice.Chance(300) ? 20000 : 2000);
    const int64_t whole_us = swarm.between_acts_us * swarm.acts + 500000;
    if (!dice.Chance(60)) {
        swarm.ask = DrawLink(dice);
        swarm.told = DrawLink(dice);
        swarm.call = DrawLink(dice);
        swarm.answer = DrawLink(dice);
    }
    if (dice.Chance(300)) {
        swarm.partition_every_us = whole_us / dice.Between(1, 10);
        swarm.partition_us = dice.Between(5000, 1000000);
    }
    DrawCoordinator(dice, swarm, whole_us);
    DrawParticipants(dice, swarm, whole_us);
    DrawInitiators(dice, swarm);
    if (dice.Chance(250) || swarm.upkeep_every_us > 0) {
        swarm.jump_every_us = whole_us / dice.Between(1, 8);
        swarm.jump_ms =
            dice.Chance(500) || swarm.upkeep_every_us > 0 ? 3LL * 24 * 3600 * 1000 : 3600 * 1000;
    }
    swarm.restores = dice.Chance(250);
    swarm.unserved = Maybe(dice, 200, 40);
    if (dice.Chance(300)) {
        swarm.operate_every_us = whole_us / dice.Between(5, 60);
    }
    swarm.restores_open = dice.Chance(200);
    swarm.restores = swarm.restores && !swarm.restores_open;
    swarm.takes_over = dice.Chance(200) && !swarm.restores_open;
    if (swarm.takes_over) {
        swarm.reboot = 0; /* the two are two machines, and time is one here */
    }
    const bool other = swarm.takes_over || swarm.restores || swarm.restores_open;
    swarm.loses_journal = !other && dice.Chance(300);
    if (swarm.loses_journal) {
        /* Its horizon is the moment of the restore, by the clock of whoever restores: he looks at it. */
        swarm.jump_every_us = 0;
        swarm.upkeep_every_us = 0;
    }
    if (dice.Chance(300)) {
        swarm.seats = 2;
        swarm.seat_lost_every_us = whole_us / dice.Between(1, 30);
        swarm.seat_lost_us = dice.Between(1000, dice.Chance(300) ? 1000000 : 100000);
    }
    return swarm;
}

} // namespace simulation
