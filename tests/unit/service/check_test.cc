/* Limits of single fields. */
#include <gtest/gtest.h>

#include <string>

extern "C" {
#include "service/check.h"
}

static bool IsUtf8(const std::string &text)
{
    struct refusal refusal = {};
    return check_utf8(&refusal, "f", text.c_str());
}

TEST(Check, TakesAllOfUtf8)
{
    for (const char *text :
         {"", "abc", "\x7f", "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf", "\xee\x80\x80",
          "\xef\xbf\xbf", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf", "a\xc3\xa4z"}) {
        EXPECT_TRUE(IsUtf8(text)) << text;
    }
}

TEST(Check, RefusesWhatOnlyLooksLikeUtf8)
{
    for (const char *text :
         {"\x80", "\xbf", "\xc0\x80", "\xc1\xbf", "\xc2", "\xc2z", "\xe0\x9f\xbf", "\xe1\x80",
          "\xed\xa0\x80", "\xed\xbf\xbf", "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80",
          "\xf5\x80\x80\x80", "\xff", "ab\xc3", "\xf0\x90\x80"}) {
        EXPECT_FALSE(IsUtf8(text));
    }
}

TEST(Check, EveryByteOfAGidIsLookedAt)
{
    for (int byte = 1; byte < 256; byte++) {
        const std::string gid = std::string("a") + static_cast<char>(byte) + "b";
        struct refusal refusal = {};
        EXPECT_EQ(check_gid(&refusal, "gid", gid.c_str()), byte >= 0x21 && byte <= 0x7e) << byte;
    }
}

TEST(Check, EveryByteOfANameIsLookedAt)
{
    for (int byte = 1; byte < 256; byte++) {
        const std::string name = std::string("a") + static_cast<char>(byte);
        const bool fits =
            (byte < 0x80 && isalnum(byte)) || byte == '_' || byte == '.' || byte == '-';
        struct refusal refusal = {};
        EXPECT_EQ(check_name(&refusal, "f", name.c_str()), fits) << byte;
    }
}

TEST(Check, EveryByteOfACodeIsLookedAt)
{
    for (int byte = 1; byte < 256; byte++) {
        const std::string code = std::string("A") + static_cast<char>(byte);
        const bool fits = (byte < 0x80 && (isupper(byte) || isdigit(byte))) || byte == '_';
        struct refusal refusal = {};
        EXPECT_EQ(check_code(&refusal, "f", code.c_str()), fits) << byte;
    }
}

TEST(Check, SaysFieldLimitAndValue)
{
    struct refusal refusal = {};
    EXPECT_FALSE(check_range(&refusal, "stage", 64, 0, 63));
    EXPECT_STREQ(refusal.text, "stage is 64; the limit is at most 63");
    EXPECT_FALSE(check_range(&refusal, "number", 0, 1, 64));
    EXPECT_STREQ(refusal.text, "number is 0; the limit is at least 1");
    EXPECT_FALSE(check_bytes(&refusal, "payload", 65537, 0, 65536));
    EXPECT_STREQ(refusal.text, "payload is 65537 bytes; the limit is at most 65536");
    EXPECT_EQ(refusal.limit, 65536);
    EXPECT_EQ(refusal.value, 65537);
    EXPECT_FALSE(check_bytes(&refusal, "gid", 0, 1, 128));
    EXPECT_STREQ(refusal.text, "gid is required");
}
