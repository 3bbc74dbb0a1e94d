// damage.h -- one thing that goes wrong with a directory.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "integrity/image.h"
#include "integrity/random.h"

namespace tercet
{

enum class Kind : uint32_t {
    kFlip,
    kByte,
    kLengthBit,
    kTruncate,
    kTruncateRecord,
    kZeroPage,
    kDuplicatePage,
    kAppendGarbage,
    kAppendZeros,
    kSwap,
    kStaleFile,
    kStaleStore,
    kDelete,
    kDeleteDirectory,
    kCount,
};
const char *KindName(Kind kind);

// A directory and what it was at earlier moments.
struct Shape {
    Image now;
    std::vector<Image> before;
};

// Damages `image`, a copy of shape.now, and says how; "" when there was nothing to damage.
std::string Damage(const Shape &shape, Kind kind, Dice *dice, Image *image);

// The same for the `number`-th of those that are done once each; "" when there are no more.
std::string DamageOnce(const Shape &shape, int64_t number, Kind *kind_out, Image *image);

} // namespace tercet
