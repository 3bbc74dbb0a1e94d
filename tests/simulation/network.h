// network.h -- loses, doubles, delays and reorders messages, and cuts links, one way at a time.
#pragma once

#include <vector>

#include "simulation/swarm.h"
#include "simulation/tally.h"

namespace simulation
{

enum class Link : uint8_t { ASK, TOLD, CALL, ANSWER };

// When the copies of one message arrive; none: it is lost.
struct Copies {
    uint32_t count = 0;
    int64_t at_us[2] = {0, 0};
};

class Network
{
  public:
    Network(const Swarm &swarm, Dice &dice, Tally &tally);

    // `participant`, `seat`: whose link; 0 where there is one.
    Copies Send(Link link, uint32_t participant, uint32_t seat, int64_t now_us);

    // Cuts one link to a seat, or those of the initiators, one way or both.
    void Cut(int64_t now_us);
    void Calm();

  private:
    const LinkFaults &FaultsOf(Link link) const;
    int64_t &BlockedUntil(Link link, uint32_t participant, uint32_t seat);

    const Swarm &swarm_;
    Dice &dice_;
    Tally &tally_;
    std::vector<int64_t> blocked_until_us_;
    bool calm_ = false;
};

} // namespace simulation
