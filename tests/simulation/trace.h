// trace.h -- what happened, as a number and, when somebody wants to read it, as lines.
//
// Every line also goes into the hash, written out or not; two runs with the same hash had the same
// history.
#pragma once

#include <cstdint>

namespace simulation
{

class Trace
{
  public:
    explicit Trace(bool print) : print_(print) {}
    // One event: a static name with up to four numbers, whose names stand behind a colon
    // ("call leaves: p act").
    void Note(int64_t at_us, const char *name, int64_t a = 0, int64_t b = 0, int64_t c = 0,
              int64_t d = 0)
    {
        Mix(static_cast<uint64_t>(at_us));
        for (const char *at = name; *at != '\0' && *at != ':'; at++) {
            hash_ = (hash_ ^ static_cast<uint8_t>(*at)) * PRIME;
        }
        Mix(static_cast<uint64_t>(a));
        Mix(static_cast<uint64_t>(b));
        Mix(static_cast<uint64_t>(c));
        Mix(static_cast<uint64_t>(d));
        if (print_) {
            Print(at_us, name, a, b, c, d);
        }
    }
    uint64_t hash() const
    {
        return hash_;
    }
    bool prints() const
    {
        return print_;
    }

  private:
    static constexpr uint64_t PRIME = 0x100000001b3;
    void Mix(uint64_t value)
    {
        hash_ = (hash_ ^ value) * 0x9e3779b97f4a7c15;
        hash_ ^= hash_ >> 29;
    }
    void Print(int64_t at_us, const char *name, int64_t a, int64_t b, int64_t c, int64_t d) const;

    bool print_;
    uint64_t hash_ = 0xcbf29ce484222325;
};

} // namespace simulation
