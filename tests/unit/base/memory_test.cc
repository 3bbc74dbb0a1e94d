// Assertions and memory that does not fail.
#include "base/memory.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "base/assert.h"

namespace
{

TEST(Memory, NothingIsStillAPointer)
{
    void *pointers[] = {xmalloc(0), xcalloc(0, 8), xcalloc(8, 0), xrealloc(nullptr, 0),
                        xmemdup(nullptr, 0)};
    for (void *pointer : pointers) {
        EXPECT_NE(pointer, nullptr);
        free(pointer);
    }
}

TEST(Memory, CopiesAreEqualAndApart)
{
    const char text[] = "caf\xc3\xa9";
    char *copy = xstrdup(text);
    EXPECT_STREQ(copy, text);
    EXPECT_NE(copy, text);
    free(copy);
    void *bytes = xmemdup(text, sizeof text);
    EXPECT_EQ(memcmp(bytes, text, sizeof text), 0);
    free(bytes);
}

TEST(Memory, CallocIsZeroAndReallocKeeps)
{
    auto *bytes = static_cast<unsigned char *>(xcalloc(100, 3));
    for (int i = 0; i < 300; i++) {
        EXPECT_EQ(bytes[i], 0);
        bytes[i] = static_cast<unsigned char>(i);
    }
    bytes = static_cast<unsigned char *>(xrealloc(bytes, 5000));
    for (int i = 0; i < 300; i++) {
        EXPECT_EQ(bytes[i], static_cast<unsigned char>(i));
    }
    free(bytes);
}

#ifndef TERCET_SANITIZED // whose allocators have words of their own
TEST(MemoryDeathTest, ExhaustionEndsTheProcessWithALine)
{
    volatile size_t size = SIZE_MAX / 2;
    EXPECT_DEATH(free(xmalloc(size)), "out of memory: [0-9]+ bytes");
    EXPECT_DEATH(free(xcalloc(size, 16)), "out of memory");
}
#endif

TEST(AssertDeathTest, TellsPlaceFunctionAndCondition)
{
    EXPECT_DEATH(tercet_assert(1 + 1 == 3),
                 "memory_test.cc:[0-9]+: TestBody: assertion failed: 1 \\+ 1 == 3");
    EXPECT_DEATH(tercet_unreachable(), "memory_test.cc:[0-9]+: TestBody: .*unreachable");
}

TEST(Assert, EvaluatesItsConditionOnce)
{
    int count = 0;
    tercet_assert(++count > 0);
    EXPECT_EQ(count, 1);
}

} // namespace
