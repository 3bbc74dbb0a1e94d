// random_dice.h -- what decides in random_world.h: a seed, or the bytes of a fuzzer.
//
// Bytes are used up: a history ends with them.  Whoever asks takes 0 for what happens when nobody
// interferes, so that a short input is a calm history.
#pragma once

#include <cstdint>
#include <random>

extern "C" {
#include "tercet/tercet.h"
}

namespace tercet
{

class Dice
{
  public:
    explicit Dice(uint64_t seed) : random_(seed) {}
    explicit Dice(tercet_bytes bytes)
        : at_(static_cast<const uint8_t *>(bytes.data)), end_(at_ + bytes.size), is_bytes_(true)
    {
    }

    // One byte for up to 256 of them, else two.
    uint32_t Below(uint32_t n)
    {
        if (!is_bytes_) {
            return static_cast<uint32_t>(random_() % n);
        }
        const uint32_t first = Take();
        return (n <= 256 ? first : first << 8U | Take()) % n;
    }

    bool is_used_up() const
    {
        return is_bytes_ && at_ == end_;
    }

  private:
    uint32_t Take()
    {
        return at_ == end_ ? 0 : *at_++;
    }

    std::mt19937_64 random_;
    const uint8_t *at_ = nullptr;
    const uint8_t *end_ = nullptr;
    bool is_bytes_ = false;
};

} // namespace tercet
