// The clocks.
#include "base/clock.h"

#include <gtest/gtest.h>

#include <ctime>
#include <string>

namespace
{

TEST(Clock, BootTimeDoesNotGoBack)
{
    int64_t before = clock_boot_us();
    for (int i = 0; i < 1000; i++) {
        const int64_t after = clock_boot_us();
        EXPECT_GE(after, before);
        before = after;
    }
}

TEST(Clock, BothReadingsAreOfNow)
{
    const int64_t boot_us = clock_boot_us();
    const int64_t unix_s = static_cast<int64_t>(time(nullptr));
    const clock_now now = clock_read();
    EXPECT_GE(now.boot_ms, boot_us / 1000);
    EXPECT_LT(now.boot_ms, boot_us / 1000 + 60000);
    EXPECT_NEAR(static_cast<double>(now.unix_ms / 1000), static_cast<double>(unix_s), 60.0);
}

TEST(Clock, TheBootIdIsAUuidAndStays)
{
    char first[CLOCK_BOOT_ID_SIZE];
    char second[CLOCK_BOOT_ID_SIZE];
    clock_boot_id(first);
    clock_boot_id(second);
    EXPECT_STREQ(first, second);
    const std::string id = first;
    ASSERT_EQ(id.size(), 36U);
    EXPECT_EQ(id.find_first_not_of("0123456789abcdef-"), std::string::npos);
    EXPECT_EQ(id[8], '-');
}

} // namespace
