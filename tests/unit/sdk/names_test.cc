/* Names for numbers, and gids that are made. */
#include <gtest/gtest.h>

#include <chrono>
#include <string>

#include "tercet/client.h"
#include "tercet/participant.h"

namespace
{

TEST(Gid, IsMadeOfTimeAndChance)
{
    char first[TERCET_GID_MADE_SIZE];
    char second[TERCET_GID_MADE_SIZE];
    tercet_gid_make(first);
    tercet_gid_make(second);
    EXPECT_EQ(std::string(first).size(), 32u);
    EXPECT_NE(std::string(first), second);
    const int64_t made = std::stoll(std::string(first, 12), nullptr, 16);
    const int64_t now = std::chrono::duration_cast<std::chrono::milliseconds>(
                            std::chrono::system_clock::now().time_since_epoch())
                            .count();
    EXPECT_NEAR(static_cast<double>(made), static_cast<double>(now), 10000.0);
}

TEST(Names, AreWordsForNumbersAndAQuestionMarkForOthers)
{
    EXPECT_STREQ(tercet_outcome_name(TERCET_OUTCOME_NOT_STARTED), "NOT_STARTED");
    EXPECT_STREQ(tercet_outcome_name(static_cast<tercet_outcome>(9)), "?");
    EXPECT_STREQ(tercet_cause_name(TERCET_CAUSE_TIMEOUT), "TIMEOUT");
    EXPECT_STREQ(tercet_branch_state_name(TERCET_BRANCH_SKIPPED), "SKIPPED");
    EXPECT_STREQ(tercet_branch_state_name(static_cast<tercet_branch_state>(-1)), "?");
    EXPECT_STREQ(tercet_conflict_name(TERCET_CONFLICT_FORGOTTEN), "FORGOTTEN");
    EXPECT_STREQ(tercet_how_name(TERCET_HOW_EMPTY), "EMPTY");
    EXPECT_STREQ(tercet_version(), "0.1.0");
}

} // namespace
