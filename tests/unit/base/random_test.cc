// Repeatable numbers, and the delays made from them.
#include "base/random.h"

#include <gtest/gtest.h>

#include <cstring>
#include <map>

#include "base/backoff.h"

namespace
{

TEST(Random, TheSameSeedGivesTheSameNumbers)
{
    struct random a;
    struct random b;
    struct random c;
    random_init(&a, 5);
    random_init(&b, 5);
    random_init(&c, 6);
    bool differs = false;
    for (int i = 0; i < 100; i++) {
        const uint64_t value = random_u64(&a);
        ASSERT_EQ(value, random_u64(&b));
        differs = differs || value != random_u64(&c);
    }
    EXPECT_TRUE(differs);
}

// The first outputs that splitmix64 and xoshiro256** are published with for the
// state 1, 2, 3, 4.
TEST(Random, IsXoshiro256StarStar)
{
    struct random rng = {{1, 2, 3, 4}};
    EXPECT_EQ(random_u64(&rng), 11520U);
    EXPECT_EQ(random_u64(&rng), 0U);
    EXPECT_EQ(random_u64(&rng), 1509978240U);
    EXPECT_EQ(random_u64(&rng), 1215971899390074240U);
    random_init(&rng, 1234567);
    EXPECT_EQ(rng.state[0], 6457827717110365317U);
    EXPECT_EQ(rng.state[1], 3203168211198807973U);
}

TEST(Random, ASeedOfZeroIsAsGoodAsAny)
{
    struct random rng;
    random_init(&rng, 0);
    EXPECT_NE(random_u64(&rng) | random_u64(&rng), 0U);
}

TEST(Random, BelowStaysBelowAndMeetsEveryNumber)
{
    struct random rng;
    random_init(&rng, 1);
    std::map<uint64_t, int> met;
    for (int i = 0; i < 60000; i++) {
        met[random_below(&rng, 6)]++;
    }
    ASSERT_EQ(met.size(), 6U);
    for (const auto &[value, count] : met) {
        EXPECT_LT(value, 6U);
        EXPECT_NEAR(count, 10000, 500) << value;
    }
    for (int i = 0; i < 100; i++) {
        EXPECT_EQ(random_below(&rng, 1), 0U);
        EXPECT_LT(random_below(&rng, UINT64_MAX), UINT64_MAX);
    }
}

// With this bound the plain remainder would give the lower half twice as often
// as the upper one.
TEST(Random, BelowHasNoBias)
{
    struct random rng;
    random_init(&rng, 2);
    const uint64_t bound = (UINT64_C(1) << 63) + (UINT64_C(1) << 62);
    int lower = 0;
    for (int i = 0; i < 30000; i++) {
        lower += random_below(&rng, bound) < bound / 3 ? 1 : 0;
    }
    EXPECT_NEAR(lower, 10000, 500);
}

TEST(Random, EntropyIsNotRepeated)
{
    uint8_t a[32] = {};
    uint8_t b[32] = {};
    random_entropy(a, sizeof a);
    random_entropy(b, sizeof b);
    EXPECT_NE(memcmp(a, b, sizeof a), 0);
    random_entropy(a, 0);
}

TEST(Backoff, IsBetweenOneAndTheDoubledBase)
{
    struct random rng;
    random_init(&rng, 9);
    uint64_t most = 100;
    for (uint32_t attempt = 1; attempt <= 12; attempt++) {
        uint32_t seen = 0;
        for (int i = 0; i < 2000; i++) {
            const uint32_t delay = backoff_delay_ms(attempt, 100, 60000, &rng);
            ASSERT_GE(delay, 1U);
            ASSERT_LE(delay, most);
            seen = delay > seen ? delay : seen;
        }
        EXPECT_GT(seen, most * 9 / 10) << "attempt " << attempt;
        most = most * 2 < 60000 ? most * 2 : 60000;
    }
}

TEST(Backoff, NeverOverflows)
{
    struct random rng;
    random_init(&rng, 10);
    for (const uint32_t attempt : {32U, 33U, 64U, 65U, UINT32_MAX}) {
        for (int i = 0; i < 1000; i++) {
            const uint32_t delay = backoff_delay_ms(attempt, 100, 60000, &rng);
            ASSERT_GE(delay, 1U);
            ASSERT_LE(delay, 60000U);
            ASSERT_GE(backoff_delay_ms(attempt, UINT32_MAX, UINT32_MAX, &rng), 1U);
        }
    }
}

TEST(Backoff, IsNeverZero)
{
    struct random rng;
    random_init(&rng, 11);
    for (int i = 0; i < 1000; i++) {
        ASSERT_EQ(backoff_delay_ms(1, 1, 60000, &rng), 1U);
    }
}

} // namespace
