// tally.h -- what a sweep has found, added up: a table of rows by classes, why journals were refused,
// and the same as one JSON object.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "integrity/process.h"

namespace tercet
{

class Tally
{
  public:
    void Add(const Result &result);
    int64_t cases() const
    {
        return cases_;
    }
    int64_t failures() const
    {
        return failures_;
    }

    // The `reasons_max` most frequent reasons, then the table.
    void Print(const std::vector<std::string> &rows, int64_t reasons_max) const;
    void PrintJson(const std::string &name, uint64_t seed, double seconds) const;

  private:
    std::vector<int64_t> Sums() const;
    void PrintReasons(int64_t reasons_max) const;

    std::map<uint32_t, std::vector<int64_t>> table_; // row, then class
    std::map<std::string, int64_t> reasons_;
    int64_t cases_ = 0;
    int64_t failures_ = 0;
};

} // namespace tercet
