// clocks.h -- the clocks of the coordinator's machine.
//
// Simulated time counts microseconds from the world's beginning.  The boot clock follows it and never
// jumps, but begins anew when the machine starts anew; the wall clock jumps whenever it likes.
#pragma once

#include <cstdint>

#include "base/clock.h"

namespace simulation
{

class Clocks
{
  public:
    clock_now Read(int64_t now_us) const
    {
        return {1000 + (now_us - booted_us_) / 1000, UNIX_START_MS + now_us / 1000 + jumped_ms_};
    }
    // When, in simulated time, the boot clock shows this.
    int64_t MomentOf(int64_t boot_ms) const
    {
        return booted_us_ + (boot_ms - 1000) * 1000;
    }
    void Jump(int64_t ms)
    {
        jumped_ms_ += ms;
    }
    // Another machine's wall clock, which does not jump.
    static int64_t Elsewhere(int64_t now_us)
    {
        return UNIX_START_MS + now_us / 1000;
    }
    void Reboot(int64_t now_us)
    {
        booted_us_ = now_us;
        boots_++;
    }
    uint32_t boots() const
    {
        return boots_;
    }
    static constexpr int64_t UNIX_START_MS = 1790000000000;

  private:
    int64_t booted_us_ = 0;
    int64_t jumped_ms_ = 0;
    uint32_t boots_ = 0;
};

} // namespace simulation
