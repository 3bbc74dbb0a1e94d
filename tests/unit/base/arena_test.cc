// Memory that is freed all at once.
#include "base/arena.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <set>
#include <string>

namespace
{

class Arena : public ::testing::Test
{
  protected:
    Arena()
    {
        arena_init(&arena_, 128);
    }
    ~Arena() override
    {
        arena_deinit(&arena_);
    }

    struct arena arena_;
};

TEST_F(Arena, EveryPieceIsAlignedApartAndKeepsItsContent)
{
    std::set<uint8_t *> pieces;
    for (size_t size = 0; size < 300; size++) {
        auto *piece = static_cast<uint8_t *>(arena_alloc(&arena_, size));
        EXPECT_EQ(reinterpret_cast<uintptr_t>(piece) % alignof(max_align_t), 0U);
        EXPECT_TRUE(pieces.insert(piece).second);
        memset(piece, static_cast<int>(size & 0xff), size);
        if (size > 0) {
            EXPECT_EQ(piece[size - 1], size & 0xff);
        }
    }
    const tercet_bytes first = arena_copy(&arena_, tercet_bytes_of_text("stays"));
    (void)arena_alloc(&arena_, 100000);
    EXPECT_STREQ(static_cast<const char *>(first.data), "stays");
}

TEST_F(Arena, AResetKeepsTheFirstBlock)
{
    void *const before = arena_alloc(&arena_, 16);
    (void)arena_alloc(&arena_, 100000);
    arena_reset(&arena_);
    EXPECT_EQ(arena_alloc(&arena_, 16), before);
    arena_reset(&arena_);
    arena_reset(&arena_);
    EXPECT_EQ(arena_alloc(&arena_, 16), before);
}

TEST_F(Arena, CallocIsZeroAfterAReset)
{
    memset(arena_alloc(&arena_, 64), 0xff, 64);
    arena_reset(&arena_);
    const auto *piece = static_cast<uint8_t *>(arena_calloc(&arena_, 8, 8));
    for (int i = 0; i < 64; i++) {
        EXPECT_EQ(piece[i], 0);
    }
    EXPECT_NE(arena_calloc(&arena_, 0, 8), nullptr);
}

TEST_F(Arena, CopiesEndInAZeroByteThatIsNotCounted)
{
    const tercet_bytes none = arena_copy(&arena_, tercet_bytes_of(nullptr, 0));
    ASSERT_NE(none.data, nullptr);
    EXPECT_EQ(none.size, 0U);
    EXPECT_STREQ(static_cast<const char *>(none.data), "");
    const tercet_bytes some = arena_copy(&arena_, tercet_bytes_of("a\0bX", 3));
    EXPECT_EQ(some.size, 3U);
    EXPECT_EQ(memcmp(some.data, "a\0b\0", 4), 0);
}

using ArenaDeathTest = Arena;

TEST_F(ArenaDeathTest, AnImpossibleSizeIsABug)
{
    EXPECT_DEATH(arena_alloc(&arena_, SIZE_MAX), "assertion failed");
    EXPECT_DEATH(arena_calloc(&arena_, SIZE_MAX, 2), "assertion failed");
}

#ifdef TERCET_ASAN
TEST_F(ArenaDeathTest, AUseAfterTheResetIsFound)
{
    auto *piece = static_cast<volatile uint8_t *>(arena_alloc(&arena_, 16));
    arena_reset(&arena_);
    EXPECT_DEATH(piece[0] = 1, "use-after-poison");
}
#endif

} // namespace
