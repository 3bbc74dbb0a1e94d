// The digest of a set of pairs.
#include "base/digest.h"

#include <gtest/gtest.h>
#include <xxhash.h>

#include <string>
#include <vector>

#include "base/random.h"

namespace
{

digest128 Pair(const std::string &key, const std::string &value)
{
    return digest128_of_pair(tercet_bytes_of(key.data(), key.size()),
                             tercet_bytes_of(value.data(), value.size()));
}

TEST(Digest, TheBorderBetweenKeyAndValueCounts)
{
    EXPECT_TRUE(digest128_equal(Pair("ab", "c"), Pair("ab", "c")));
    EXPECT_FALSE(digest128_equal(Pair("ab", "c"), Pair("a", "bc")));
    EXPECT_FALSE(digest128_equal(Pair("abc", ""), Pair("", "abc")));
    EXPECT_FALSE(digest128_equal(Pair("k", "v"), Pair("k", "w")));
}

TEST(Digest, EmptyBytesMayBeNull)
{
    const tercet_bytes none = tercet_bytes_of(nullptr, 0);
    EXPECT_TRUE(digest128_equal(digest128_of_pair(tercet_bytes_of_text("k"), none), Pair("k", "")));
    EXPECT_TRUE(digest128_equal(digest128_of_pair(none, none), Pair("", "")));
}

TEST(Digest, APairIsNeverZero)
{
    EXPECT_FALSE(digest128_is_zero(Pair("", "")));
    EXPECT_FALSE(digest128_is_zero(Pair("k", "v")));
    EXPECT_TRUE(digest128_is_zero(digest128{0, 0}));
    EXPECT_FALSE(digest128_is_zero(digest128{1, 0}));
}

TEST(Digest, AdditionCarriesAndSubtractionBorrows)
{
    const digest128 low_full = {0, UINT64_MAX};
    const digest128 one = {0, 1};
    EXPECT_TRUE(digest128_equal(digest128_add(low_full, one), digest128{1, 0}));
    EXPECT_TRUE(digest128_equal(digest128_subtract(digest128{1, 0}, one), low_full));
    const digest128 most = {UINT64_MAX, UINT64_MAX};
    EXPECT_TRUE(digest128_is_zero(digest128_add(most, one)));
    EXPECT_TRUE(digest128_equal(digest128_subtract(digest128{0, 0}, one), most));
}

TEST(Digest, SubtractionUndoesAdditionOfAnyNumbers)
{
    struct random rng;
    random_init(&rng, 11);
    for (int i = 0; i < 10000; i++) {
        const digest128 a = {random_u64(&rng), random_u64(&rng)};
        const digest128 b = {random_u64(&rng), random_u64(&rng)};
        ASSERT_TRUE(digest128_equal(digest128_subtract(digest128_add(a, b), b), a));
        ASSERT_TRUE(digest128_equal(digest128_add(a, b), digest128_add(b, a)));
    }
}

TEST(Digest, OnlyTheSetCountsNotItsHistory)
{
    digest128 there = {0, 0};
    digest128 back = {0, 0};
    for (int i = 0; i < 100; i++) {
        there = digest128_add(there, Pair("k" + std::to_string(i), "v"));
        back = digest128_add(back, Pair("k" + std::to_string(99 - i), "v"));
    }
    back = digest128_add(back, Pair("extra", "v"));
    EXPECT_FALSE(digest128_equal(there, back));
    back = digest128_subtract(back, Pair("extra", "v"));
    EXPECT_TRUE(digest128_equal(there, back));
}

TEST(Digest, IsStoredInBigEndian)
{
    uint8_t to[16];
    digest128_store(digest128{0x0102030405060708U, 0x090a0b0c0d0e0f10U}, to);
    for (int i = 0; i < 16; i++) {
        EXPECT_EQ(to[i], i + 1);
    }
    EXPECT_TRUE(
        digest128_equal(digest128_load(to), digest128{0x0102030405060708U, 0x090a0b0c0d0e0f10U}));
}

// A pair of the usual size is hashed in one piece, a larger one in several.
TEST(Digest, APairHasTheSameHashHoweverLargeItIs)
{
    for (size_t size = 0; size < 1100; size++) {
        const std::string key(size < 40 ? 0 : 20, 'k');
        const std::string value(size - key.size(), 'v');
        const std::string all = std::string(7, '\0') + static_cast<char>(key.size()) + key + value;
        const XXH128_hash_t hash = XXH3_128bits(all.data(), all.size());
        EXPECT_TRUE(digest128_equal(Pair(key, value), digest128{hash.high64, hash.low64})) << size;
    }
}

// The stored digest of a journal must mean the same on every machine and in
// every version.  What is hashed is fixed: the key's size (64 bits,
// big-endian), the key, the value.
// The numbers were computed apart, over those bytes in one piece.
TEST(Digest, AKnownPairHasItsKnownDigest)
{
    EXPECT_TRUE(digest128_equal(Pair("k", "v"), digest128{0xc6caccb12e642dea, 0x05c3e9bab76acc69}));
    EXPECT_TRUE(digest128_equal(Pair(std::string(20, 'k'), std::string(100, 'v')),
                                digest128{0x0bb62964c8aae8fd, 0x2a61a7efcd9dd245}));
    EXPECT_TRUE(digest128_equal(Pair(std::string(300, 'k'), std::string(5000, 'v')),
                                digest128{0xfbb8b4fcea129bf5, 0x9cb3c88fc8df83b3}));
}

} // namespace
