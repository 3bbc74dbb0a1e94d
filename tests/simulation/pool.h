// pool.h -- things in flight, named by number: a number that was given back names nothing.
#pragma once

#include <cstdint>
#include <vector>

namespace simulation
{

template <typename T> class Pool
{
  public:
    // A new one; its number.
    uint64_t Take(const T &value)
    {
        uint32_t index = 0;
        if (free_.empty()) {
            index = static_cast<uint32_t>(slots_.size());
            slots_.push_back({});
        } else {
            index = free_.back();
            free_.pop_back();
        }
        Slot &slot = slots_[index];
        slot.value = value;
        slot.used = true;
        slot.serial++;
        return (static_cast<uint64_t>(slot.serial) << 32) | index;
    }
    // nullptr: it was given back.
    T *Find(uint64_t number)
    {
        const uint32_t index = static_cast<uint32_t>(number);
        Slot *slot = index < slots_.size() ? &slots_[index] : nullptr;
        const bool found = slot != nullptr && slot->used && slot->serial == number >> 32;
        return found ? &slot->value : nullptr;
    }
    void Give(uint64_t number)
    {
        const uint32_t index = static_cast<uint32_t>(number);
        slots_[index].used = false;
        slots_[index].value = T{};
        free_.push_back(index);
    }
    template <typename F> void GiveAll(F each)
    {
        for (uint32_t i = 0; i < slots_.size(); i++) {
            if (slots_[i].used) {
                each(slots_[i].value);
                Give(i);
            }
        }
    }
    size_t count() const
    {
        return slots_.size() - free_.size();
    }

  private:
    struct Slot {
        T value;
        bool used = false;
        uint32_t serial = 0;
    };
    std::vector<Slot> slots_;
    std::vector<uint32_t> free_;
};

} // namespace simulation
