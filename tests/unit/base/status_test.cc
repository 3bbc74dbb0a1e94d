// The words for the numbers of tercet.h.
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "tercet/tercet.h"

namespace
{

TEST(Status, EveryStatusOfGrpcHasItsOwnName)
{
    std::set<std::string> names;
    for (int status = 0; status <= 16; status++) {
        names.insert(tercet_status_name(static_cast<tercet_status>(status)));
    }
    EXPECT_EQ(names.size(), 17U);
    EXPECT_EQ(names.count("?"), 0U);
    EXPECT_STREQ(tercet_status_name(TERCET_UNAVAILABLE), "UNAVAILABLE");
}

TEST(Status, NumbersOfALaterVersionAreAQuestionMark)
{
    EXPECT_STREQ(tercet_status_name(static_cast<tercet_status>(17)), "?");
    EXPECT_STREQ(tercet_phase_name(static_cast<tercet_phase>(0)), "?");
    EXPECT_STREQ(tercet_phase_name(static_cast<tercet_phase>(4)), "?");
    EXPECT_STREQ(tercet_verdict_name(static_cast<tercet_verdict>(5)), "?");
}

TEST(Status, PhasesAndVerdictsHaveTheWordsOfTheProtocol)
{
    EXPECT_STREQ(tercet_phase_name(TERCET_PHASE_TRY), "TRY");
    EXPECT_STREQ(tercet_phase_name(TERCET_PHASE_CONFIRM), "CONFIRM");
    EXPECT_STREQ(tercet_phase_name(TERCET_PHASE_CANCEL), "CANCEL");
    EXPECT_STREQ(tercet_verdict_name(TERCET_VERDICT_UNSPECIFIED), "UNSPECIFIED");
    EXPECT_STREQ(tercet_verdict_name(TERCET_VERDICT_DONE), "DONE");
    EXPECT_STREQ(tercet_verdict_name(TERCET_VERDICT_REFUSED), "REFUSED");
    EXPECT_STREQ(tercet_verdict_name(TERCET_VERDICT_LATER), "LATER");
    EXPECT_STREQ(tercet_verdict_name(TERCET_VERDICT_CONFLICT), "CONFLICT");
}

TEST(Status, TheVersionIsThatOfTheHeaders)
{
    const std::string expected = std::to_string(TERCET_VERSION_MAJOR) + "." +
                                 std::to_string(TERCET_VERSION_MINOR) + "." +
                                 std::to_string(TERCET_VERSION_PATCH);
    EXPECT_EQ(tercet_version(), expected);
}

} // namespace
