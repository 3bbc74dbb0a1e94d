// Reasons of strangers.
#include <gtest/gtest.h>

#include <string>

#include "unit/edge/edge_world.h"

namespace
{

std::string Code(const char *text)
{
    char code[TERCET_REASON_CODE_BYTES_MAX + 1];
    words_copy_code(code, text);
    return code;
}

std::string Text(const char *prefix, const std::string &text)
{
    char out[TERCET_REASON_TEXT_BYTES_MAX + 1];
    words_copy_text(out, prefix, text.c_str());
    return out;
}

TEST(EdgeWords, ACodeIsMadeOfItsLettersAndCut)
{
    EXPECT_EQ(Code(nullptr), "");
    EXPECT_EQ(Code(""), "");
    EXPECT_EQ(Code("BALANCE_TOO_LOW_2"), "BALANCE_TOO_LOW_2");
    EXPECT_EQ(Code("balance too-low\n\xff"), "BALANCE_TOO_LOW__");
    EXPECT_EQ(Code(std::string(200, 'A').c_str()), std::string(63, 'A'));
}

TEST(EdgeWords, ATextIsCutAtACharactersBorder)
{
    EXPECT_EQ(Text(nullptr, std::string(255, 'x')), std::string(255, 'x'));
    EXPECT_EQ(Text(nullptr, std::string(256, 'x')), std::string(255, 'x'));
    EXPECT_EQ(Text(nullptr, std::string(254, 'x') + "\xc3\xa9"), std::string(254, 'x'));
    EXPECT_EQ(Text(nullptr, std::string(253, 'x') + "\xc3\xa9"),
              std::string(253, 'x') + "\xc3\xa9");
    EXPECT_EQ(Text(nullptr, std::string(252, 'x') + "\xf0\x9f\x98\x80"), std::string(252, 'x'));
}

TEST(EdgeWords, APrefixStandsBeforeWhatThereIs)
{
    EXPECT_EQ(Text("ABORTED", "no"), "ABORTED: no");
    EXPECT_EQ(Text("ABORTED", ""), "ABORTED");
    EXPECT_EQ(Text("ABORTED", std::string(500, 'x')).size(), 255U);
    char out[TERCET_REASON_TEXT_BYTES_MAX + 1];
    words_copy_text(out, nullptr, nullptr);
    EXPECT_STREQ(out, "");
    words_copy_text(out, "ABORTED", nullptr);
    EXPECT_STREQ(out, "ABORTED");
}

TEST(EdgeWords, WhatIsNoUtf8OrCannotBePrintedIsReplaced)
{
    EXPECT_EQ(Text(nullptr, "a\nb\tc\x7f"), "a b c ");
    EXPECT_EQ(Text(nullptr, "\x80"), "?");
    EXPECT_EQ(Text(nullptr, "\xc3"), "?");
    EXPECT_EQ(Text(nullptr, "\xc0\x80"), "??") << "overlong";
    EXPECT_EQ(Text(nullptr, "\xe0\x80\x80"), "???") << "overlong";
    EXPECT_EQ(Text(nullptr, "\xed\xa0\x80"), "???") << "a surrogate";
    EXPECT_EQ(Text(nullptr, "\xf4\x90\x80\x80"), "????") << "above U+10FFFF";
    EXPECT_EQ(Text(nullptr, "\xf0\x9f\x98"), "???") << "cut short";
    EXPECT_EQ(Text(nullptr, "\xe4\xb8\xad\xed\x9f\xbf\xf4\x8f\xbf\xbf"),
              "\xe4\xb8\xad\xed\x9f\xbf\xf4\x8f\xbf\xbf");
}

} // namespace
