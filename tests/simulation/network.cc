// network.cc -- see network.h.
#include "simulation/network.h"

namespace simulation
{
namespace
{

constexpr size_t LINKS = 16; // eight participants with two seats

} // namespace

Network::Network(const Swarm &swarm, Dice &dice, Tally &tally)
    : swarm_(swarm), dice_(dice), tally_(tally), blocked_until_us_(4 * LINKS, 0)
{
}

const LinkFaults &Network::FaultsOf(Link link) const
{
    switch (link) {
    case Link::ASK:
        return swarm_.ask;
    case Link::TOLD:
        return swarm_.told;
    case Link::CALL:
        return swarm_.call;
    case Link::ANSWER:
        break;
    }
    return swarm_.answer;
}

int64_t &Network::BlockedUntil(Link link, uint32_t participant, uint32_t seat)
{
    return blocked_until_us_[static_cast<size_t>(link) * LINKS + participant * 2 + seat];
}

Copies Network::Send(Link link, uint32_t participant, uint32_t seat, int64_t now_us)
{
    Copies copies;
    const LinkFaults &faults = FaultsOf(link);
    if (calm_) {
        copies.count = 1;
        copies.at_us[0] = now_us + 100;
        return copies;
    }
    const bool lost = now_us < BlockedUntil(link, participant, seat) || dice_.Chance(faults.loss);
    if (lost) {
        tally_.messages_lost++;
        return copies;
    }
    copies.count = dice_.Chance(faults.doubled) ? 2 : 1;
    tally_.messages_doubled += copies.count - 1;
    for (uint32_t i = 0; i < copies.count; i++) {
        const int64_t delay = faults.reorders ? dice_.Delay(faults.delay_us) : faults.delay_us;
        /* The second one comes much later: it is the one that does harm. */
        copies.at_us[i] = now_us + delay + (i == 0 ? 0 : dice_.Delay(20 * faults.delay_us + 30000));
    }
    return copies;
}

void Network::Cut(int64_t now_us)
{
    const int64_t until = now_us + dice_.Delay(swarm_.partition_us);
    const uint32_t participant = dice_.Below(swarm_.participants);
    const uint32_t which = dice_.Below(6);
    const uint32_t seat = swarm_.seats > 1 ? dice_.Below(swarm_.seats) : 0;
    tally_.partitions++;
    if (which == 0 || which == 2) {
        BlockedUntil(Link::CALL, participant, seat) = until;
    }
    if (which == 1 || which == 2) {
        BlockedUntil(Link::ANSWER, participant, seat) = until;
    }
    if (which == 3 || which == 5) {
        BlockedUntil(Link::ASK, 0, 0) = until;
    }
    if (which == 4 || which == 5) {
        BlockedUntil(Link::TOLD, 0, 0) = until;
    }
}

void Network::Calm()
{
    calm_ = true;
}

} // namespace simulation
