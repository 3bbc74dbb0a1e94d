// Runs of bytes, numbers, hexadecimal, the buffer.
#include "base/bytes.h"

#include <gtest/gtest.h>

#include <cstring>
#include <string>

namespace
{

tercet_bytes Of(const char *text)
{
    return tercet_bytes_of_text(text);
}

TEST(Bytes, CompareLikeMemcmpAndThenTheShorterFirst)
{
    EXPECT_EQ(bytes_compare(Of("abc"), Of("abc")), 0);
    EXPECT_LT(bytes_compare(Of("ab"), Of("abc")), 0);
    EXPECT_GT(bytes_compare(Of("b"), Of("abc")), 0);
    EXPECT_GT(bytes_compare(Of("\xff"), Of("a")), 0) << "bytes have no sign";
    EXPECT_LT(bytes_compare(Of(""), Of("a")), 0);
}

TEST(Bytes, EqualNeedsSizeAndContent)
{
    EXPECT_TRUE(bytes_equal(Of("abc"), Of("abc")));
    EXPECT_FALSE(bytes_equal(Of("abc"), Of("abd")));
    EXPECT_FALSE(bytes_equal(Of("abc"), Of("ab")));
    EXPECT_TRUE(bytes_equal(tercet_bytes_of(nullptr, 0), Of("")));
    EXPECT_FALSE(bytes_equal(tercet_bytes_of("a\0b", 3), tercet_bytes_of("a\0c", 3)));
}

TEST(Bytes, BigEndianNumbersReadBackAndSortLikeNumbers)
{
    uint8_t to[8];
    store_be32(to, 0x01020304U);
    EXPECT_EQ(memcmp(to, "\x01\x02\x03\x04", 4), 0);
    for (const uint32_t value : {0U, 1U, 0x80000000U, UINT32_MAX}) {
        store_be32(to, value);
        EXPECT_EQ(load_be32(to), value);
    }
    store_be64(to, 0x0102030405060708U);
    EXPECT_EQ(memcmp(to, "\x01\x02\x03\x04\x05\x06\x07\x08", 8), 0);
    for (const uint64_t value : {UINT64_C(0), UINT64_C(1) << 63, UINT64_MAX}) {
        store_be64(to, value);
        EXPECT_EQ(load_be64(to), value);
    }
}

TEST(Bytes, HexReadsBackWhatItWrote)
{
    uint8_t all[256];
    uint8_t back[256] = {};
    char text[513];
    for (int i = 0; i < 256; i++) {
        all[i] = static_cast<uint8_t>(i);
    }
    hex_encode(all, sizeof all, text);
    EXPECT_EQ(std::string(text).substr(0, 8), "00010203");
    ASSERT_TRUE(hex_decode(text, back, sizeof back));
    EXPECT_EQ(memcmp(all, back, sizeof all), 0);
    hex_encode(all, 0, text);
    EXPECT_STREQ(text, "");
}

TEST(Bytes, HexTakesBothCases)
{
    uint8_t back[2];
    ASSERT_TRUE(hex_decode("aBFf", back, 2));
    EXPECT_EQ(back[0], 0xab);
    EXPECT_EQ(back[1], 0xff);
}

TEST(Bytes, MalformedHexIsRefusedAndNothingIsWritten)
{
    for (const char *text : {"", "0", "0011g2", "00112", "0011223", "00 122", "0x1122", "-01122",
                             "00112\xc3", "00112233"}) {
        uint8_t back[3] = {9, 9, 9};
        EXPECT_FALSE(hex_decode(text, back, 3)) << text;
        EXPECT_EQ(back[0], 9);
        EXPECT_EQ(back[2], 9);
    }
}

TEST(Buffer, GrowsAndKeepsWhatItHolds)
{
    struct buffer buffer;
    buffer_init(&buffer);
    std::string expected;
    for (int i = 0; i < 3000; i++) {
        const std::string part = std::to_string(i);
        buffer_append(&buffer, part.data(), part.size());
        expected += part;
    }
    const tercet_bytes bytes = buffer_bytes(&buffer);
    EXPECT_EQ(std::string(static_cast<const char *>(bytes.data), bytes.size), expected);
    const size_t capacity = buffer.capacity;
    buffer_clear(&buffer);
    EXPECT_EQ(buffer_bytes(&buffer).size, 0U);
    EXPECT_EQ(buffer.capacity, capacity);
    buffer_deinit(&buffer);
    EXPECT_EQ(buffer.data, nullptr);
}

TEST(Buffer, AppendsNumbersInBigEndian)
{
    struct buffer buffer;
    buffer_init(&buffer);
    buffer_append_u8(&buffer, 0xff);
    buffer_append_be32(&buffer, 1);
    buffer_append_be64(&buffer, 2);
    const tercet_bytes bytes = buffer_bytes(&buffer);
    ASSERT_EQ(bytes.size, 13U);
    EXPECT_EQ(memcmp(bytes.data, "\xff\0\0\0\1\0\0\0\0\0\0\0\2", 13), 0);
    buffer_deinit(&buffer);
}

TEST(Buffer, AnEmptyOneHandsOutAPointerAndTakesNothing)
{
    struct buffer buffer;
    buffer_init(&buffer);
    buffer_append(&buffer, nullptr, 0);
    EXPECT_NE(buffer_bytes(&buffer).data, nullptr);
    EXPECT_EQ(buffer_bytes(&buffer).size, 0U);
    buffer_deinit(&buffer);
}

TEST(Buffer, ExtendsByMoreThanDouble)
{
    struct buffer buffer;
    buffer_init(&buffer);
    buffer_append(&buffer, "ab", 2);
    memset(buffer_extend(&buffer, 100000), 'x', 100000);
    const tercet_bytes bytes = buffer_bytes(&buffer);
    EXPECT_EQ(bytes.size, 100002U);
    EXPECT_EQ(memcmp(bytes.data, "abxx", 4), 0);
    buffer_deinit(&buffer);
}

} // namespace
