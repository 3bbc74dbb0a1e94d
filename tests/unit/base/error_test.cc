// Filling a struct tercet_error.
#include "base/error.h"

#include <gtest/gtest.h>

#include <string>

namespace
{

constexpr size_t kTextMax = sizeof(tercet_error::text) - 1;

TEST(Error, FillsStatusAndTextAndReturnsTheStatus)
{
    tercet_error error = {};
    EXPECT_EQ(error_set(&error, TERCET_NOT_FOUND, "no %s here: %d", "gid", 7), TERCET_NOT_FOUND);
    EXPECT_EQ(error.status, TERCET_NOT_FOUND);
    EXPECT_STREQ(error.text, "no gid here: 7");
}

TEST(Error, NullIsAllowed)
{
    EXPECT_EQ(error_set(nullptr, TERCET_INTERNAL, "%s", "unseen"), TERCET_INTERNAL);
}

TEST(Error, NewlinesBecomeSpaces)
{
    tercet_error error = {};
    (void)error_set(&error, TERCET_INTERNAL, "%s", "a\nb\r\nc");
    EXPECT_STREQ(error.text, "a b  c");
}

TEST(Error, WhatCouldSteerATerminalBecomesSpaces)
{
    tercet_error error = {};
    (void)error_set(&error, TERCET_INTERNAL, "%s",
                    "a\x1b[31mb\tc\x7f"
                    "d\x01\xc3\xa4");
    EXPECT_STREQ(error.text, "a [31mb c d \xc3\xa4");
}

TEST(Error, ATextThatJustFitsIsNotCut)
{
    tercet_error error = {};
    (void)error_set(&error, TERCET_INTERNAL, "%s", std::string(kTextMax, 'x').c_str());
    EXPECT_EQ(std::string(error.text), std::string(kTextMax, 'x'));
    (void)error_set(&error, TERCET_INTERNAL, "%s", std::string(kTextMax + 1, 'x').c_str());
    EXPECT_EQ(std::string(error.text), std::string(kTextMax, 'x'));
}

TEST(Error, IsCutBeforeACharacterThatDoesNotFitWhole)
{
    for (const std::string &character :
         {std::string("\xc3\xa9"), std::string("\xe2\x82\xac"), std::string("\xf0\x9f\x98\x80")}) {
        for (size_t missing = 0; missing < character.size(); missing++) {
            const std::string head(kTextMax - missing, 'x');
            tercet_error error = {};
            (void)error_set(&error, TERCET_INTERNAL, "%s%stail", head.c_str(), character.c_str());
            EXPECT_EQ(std::string(error.text), head) << character << " missing " << missing;
        }
        const std::string fits = std::string(kTextMax - character.size(), 'x') + character;
        tercet_error error = {};
        (void)error_set(&error, TERCET_INTERNAL, "%stail", fits.c_str());
        EXPECT_EQ(std::string(error.text), fits);
    }
}

TEST(Error, AHugeTextOfWideCharactersIsCutAtABorder)
{
    std::string text;
    for (int i = 0; i < 1000; i++) {
        text += "\xe2\x82\xac";
    }
    tercet_error error = {};
    (void)error_set(&error, TERCET_INTERNAL, "%s", text.c_str());
    EXPECT_EQ(std::string(error.text), text.substr(0, kTextMax / 3 * 3));
}

TEST(Error, MayBeBuiltFromItsOwnText)
{
    tercet_error error = {};
    (void)error_set(&error, TERCET_UNAVAILABLE, "inner");
    (void)error_set(&error, error.status, "outer: %s", error.text);
    EXPECT_STREQ(error.text, "outer: inner");
}

TEST(Error, TextCutLeavesShortTextsAlone)
{
    EXPECT_EQ(text_cut("abc", 3, 3), 3U);
    EXPECT_EQ(text_cut("abc", 3, 0), 0U);
    EXPECT_EQ(text_cut("\xe2\x82\xac", 3, 2), 0U);
}

} // namespace
