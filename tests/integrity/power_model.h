// power_model.h -- a history of file calls, and the disks that a loss of power at any moment of it
// may leave.
//
// What is known (the model of ALICE, "All File Systems Are Not Created Equal"): bytes are durable
// once their file is synced, names once their directory is.  All else is dropped, kept, torn at 512
// bytes, or is a size without its bytes (zeros, garbage); bytes that overwrite others are new or
// old, by sector.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "integrity/image.h"
#include "integrity/io_shim.h"
#include "integrity/random.h"

namespace tercet
{

enum class Data : uint32_t { kDropped, kKept, kTorn, kZeros, kGarbage, kMixed, kCount };
const char *DataName(Data data);

enum class Names : uint32_t {
    kOrdered, // all up to some moment; a sync brings all before it (ext4, XFS)
    kAny,     // any of them; the sync of a file brings its own name (btrfs)
    kStrict,  // any of them; only the sync of its directory brings a name (POSIX, to the letter)
    kCount,
};
const char *NamesName(Names names);

struct Disk {
    Image image;
    int64_t acknowledged = 0;
    std::string words; // the last call
};

// The calls below `root`, made on top of `base`, which is durable.
class History
{
  public:
    History(Image base, std::string root, std::string log);

    size_t size() const
    {
        return records_.size();
    }
    // The disk when the power goes before the `moment`-th call.
    Disk At(size_t moment, Data data, Names names, Dice *dice) const;

    const Image &base() const
    {
        return base_;
    }
    const std::string &root() const
    {
        return root_;
    }
    const std::string &log() const
    {
        return log_;
    }

  private:
    Image base_;
    std::string root_;
    std::string log_;
    std::vector<size_t> records_; // where they begin in the log
};

} // namespace tercet
