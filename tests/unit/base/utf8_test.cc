// Where characters end.
#include "base/utf8.h"

#include <gtest/gtest.h>

namespace
{

TEST(Utf8, ACharacterHasOneToFourBytes)
{
    EXPECT_EQ(utf8_size("a"), 1U);
    EXPECT_EQ(utf8_size(""), 1U);
    EXPECT_EQ(utf8_size("\xc3\xa4z"), 2U);
    EXPECT_EQ(utf8_size("\xe2\x82\xacz"), 3U);
    EXPECT_EQ(utf8_size("\xf0\x9f\x98\x80z"), 4U);
    EXPECT_EQ(utf8_size("\xf4\x8f\xbf\xbf"), 4U);
}

TEST(Utf8, WhatIsCutShortIsNone)
{
    EXPECT_EQ(utf8_size("\xc3"), 0U);
    EXPECT_EQ(utf8_size("\xe2\x82"), 0U);
    EXPECT_EQ(utf8_size("\xf0\x9f\x98z"), 0U);
    EXPECT_EQ(utf8_size("\xa4"), 0U);
}

TEST(Utf8, OverlongFormsSurrogatesAndWhatIsAboveUnicodeAreNone)
{
    EXPECT_EQ(utf8_size("\xc0\x80"), 0U);
    EXPECT_EQ(utf8_size("\xc1\xbf"), 0U);
    EXPECT_EQ(utf8_size("\xe0\x9f\xbf"), 0U);
    EXPECT_EQ(utf8_size("\xed\xa0\x80"), 0U);
    EXPECT_EQ(utf8_size("\xf0\x8f\xbf\xbf"), 0U);
    EXPECT_EQ(utf8_size("\xf4\x90\x80\x80"), 0U);
    EXPECT_EQ(utf8_size("\xff"), 0U);
}

} // namespace
