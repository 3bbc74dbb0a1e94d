// dice.h -- all chance of a world comes from here, so that one seed is one history.
#pragma once

#include <cstdint>

#include "base/random.h"

namespace simulation
{

class Dice
{
  public:
    explicit Dice(uint64_t seed)
    {
        random_init(&random_, seed);
    }
    uint64_t Number()
    {
        return random_u64(&random_);
    }
    // 0 to n - 1.
    uint32_t Below(uint32_t n)
    {
        return static_cast<uint32_t>(((Number() >> 32) * n) >> 32);
    }
    int64_t Between(int64_t low, int64_t high)
    {
        return low + static_cast<int64_t>(Number() % static_cast<uint64_t>(high - low + 1));
    }
    // So many times in a thousand.
    bool Chance(uint32_t per_mille)
    {
        return per_mille > 0 && Below(1000) < per_mille;
    }
    // About `mean`, now and then ten times as long.
    int64_t Delay(int64_t mean)
    {
        const int64_t usual = Between(mean / 2, mean + mean / 2);
        return Below(24) == 0 ? usual * 10 : usual;
    }

  private:
    struct random random_;
};

} // namespace simulation
