// random.h -- numbers from a seed, the same on every machine.
#pragma once

#include <cstdint>

namespace tercet
{

inline uint64_t NextRandom(uint64_t *state) // SplitMix64
{
    uint64_t z = (*state += 0x9e3779b97f4a7c15ULL);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
}

class Dice
{
  public:
    Dice(uint64_t seed, uint64_t number) : state_(seed)
    {
        state_ = NextRandom(&state_) ^ (number * 0x2545f4914f6cdd1dULL);
        NextRandom(&state_);
    }
    uint64_t Below(uint64_t bound) // 0 when there is nothing to choose from
    {
        return bound == 0 ? 0 : NextRandom(&state_) % bound;
    }
    bool Maybe()
    {
        return Below(2) == 0;
    }

  private:
    uint64_t state_;
};

} // namespace tercet
