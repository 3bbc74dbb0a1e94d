// outcomes_fixture.h -- a journal whose outcomes are moved into their days.
#pragma once

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "unit/journal/journal_fixture.h"

namespace tercet
{

// Upkeep and the writes that carry what it finds, until there is nothing left to do.
inline void Settle(struct journal *journal, int64_t now)
{
    Batch batch;
    for (int i = 0; i < 100 && journal_maintain(journal, now); i++) {
        batch.Write(journal);
    }
    batch.Write(journal);
}

inline std::vector<std::string> Days(const std::string &directory)
{
    std::vector<std::string> days;
    for (const auto &entry : std::filesystem::directory_iterator(directory + "/outcomes")) {
        days.push_back(entry.path().filename());
    }
    std::sort(days.begin(), days.end());
    return days;
}

class Outcomes : public ::testing::Test
{
  protected:
    void SetUp() override
    {
        GTEST_FLAG_SET(death_test_style, "threadsafe"); // LevelDB has a thread
        ASSERT_EQ(Init(Path()), TERCET_OK);
    }
    void TearDown() override
    {
        journal_close(journal_);
    }
    std::string Path()
    {
        return temp_ / "j";
    }
    struct journal *OpenIt(int64_t keep_ms = 0, int64_t keep_bytes = 0)
    {
        journal_close(journal_);
        Opened opened = Open(Path(), keep_ms, keep_bytes);
        EXPECT_EQ(opened.status, TERCET_OK) << opened.text;
        journal_ = opened.journal;
        return journal_;
    }
    void Close()
    {
        journal_close(journal_);
        journal_ = nullptr;
    }

    TempDirectory temp_;
    struct journal *journal_ = nullptr;
};

} // namespace tercet
