// Marks as numbers, and as stores keep them.
#include "fence/mark.h"
#include "fence/mark_codec.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "fence/row_codec.h"

namespace
{

tercet_mark Mark(int64_t lsn, tercet_branch_number low,
                 std::initializer_list<tercet_branch_number> open = {})
{
    tercet_mark mark = {};
    mark.as_of_incarnation = 10;
    mark.as_of_lsn = lsn;
    mark.low = low;
    for (auto number : open) {
        mark.open[mark.open_count++] = number;
    }
    return mark;
}

TEST(Mark, RelationComparesIncarnationFirstAndKnowsTheOpenOnes)
{
    const tercet_mark mark = Mark(1, {10, 50}, {{9, 700}, {10, 3}, {10, 40}});
    EXPECT_EQ(tercet_mark_relation_of(nullptr, {1, 1}), TERCET_MARK_ABOVE);
    const tercet_mark none = {};
    EXPECT_EQ(tercet_mark_relation_of(&none, {1, 1}), TERCET_MARK_ABOVE);
    EXPECT_EQ(tercet_mark_relation_of(&mark, {10, 50}), TERCET_MARK_ABOVE);
    EXPECT_EQ(tercet_mark_relation_of(&mark, {10, 49}), TERCET_MARK_BELOW);
    EXPECT_EQ(tercet_mark_relation_of(&mark, {9, 1000000}), TERCET_MARK_BELOW);
    EXPECT_EQ(tercet_mark_relation_of(&mark, {11, 1}), TERCET_MARK_ABOVE);
    EXPECT_EQ(tercet_mark_relation_of(&mark, {9, 700}), TERCET_MARK_OPEN);
    EXPECT_EQ(tercet_mark_relation_of(&mark, {10, 700}), TERCET_MARK_ABOVE);
    EXPECT_EQ(tercet_mark_relation_of(&mark, {10, 3}), TERCET_MARK_OPEN);
    EXPECT_EQ(tercet_mark_relation_of(&mark, {10, 40}), TERCET_MARK_OPEN);
    EXPECT_EQ(tercet_mark_relation_of(&mark, {10, 41}), TERCET_MARK_BELOW);
}

TEST(Mark, AgeComparesIncarnationFirst)
{
    tercet_mark a = Mark(5, {1, 1});
    tercet_mark b = Mark(6, {1, 1});
    EXPECT_LT(tercet_mark_compare_age(&a, &b), 0);
    EXPECT_GT(tercet_mark_compare_age(&b, &a), 0);
    EXPECT_EQ(tercet_mark_compare_age(&a, &a), 0);
    a.as_of_incarnation = 11;
    EXPECT_GT(tercet_mark_compare_age(&a, &b), 0);
}

TEST(Mark, CheckRefusesWhatCannotBeAndNamesTheField)
{
    tercet_error error = {};
    tercet_mark mark = Mark(1, {10, 50}, {{10, 3}, {10, 40}});
    EXPECT_EQ(tercet_mark_check(nullptr, &error), TERCET_INVALID_ARGUMENT);
    EXPECT_EQ(tercet_mark_check(&mark, &error), TERCET_OK);
    auto refused = [&](const tercet_mark &bad, const char *word) {
        EXPECT_EQ(tercet_mark_check(&bad, &error), TERCET_INVALID_ARGUMENT);
        EXPECT_NE(std::string(error.text).find(word), std::string::npos) << error.text;
    };
    mark.as_of_lsn = 0;
    refused(mark, "as_of_lsn");
    mark = Mark(1, {0, 50});
    refused(mark, "low");
    mark = Mark(1, {10, int64_t{1} << 53});
    refused(mark, "low");
    mark = Mark(1, {10, 50}, {{10, 40}, {10, 3}});
    refused(mark, "open[1]");
    mark = Mark(1, {10, 50}, {{10, 3}, {10, 3}});
    refused(mark, "open[1]");
    mark = Mark(1, {10, 50}, {{10, -3}});
    refused(mark, "open");
    mark.open_count = TERCET_MARK_OPEN_MAX + 1;
    refused(mark, "257");
}

TEST(Mark, AMarkWithoutAnAgeIsRefusedByItsName)
{
    tercet_error error = {};
    tercet_mark mark = Mark(1, {10, 50});
    mark.as_of_incarnation = 0;
    EXPECT_EQ(tercet_mark_check(&mark, &error), TERCET_INVALID_ARGUMENT);
    EXPECT_NE(std::string(error.text).find("as_of_incarnation"), std::string::npos) << error.text;
}

TEST(Mark, OpenListSurvivesEncodingAtItsLongest)
{
    tercet_mark mark = Mark(1, {10, 5000});
    for (int i = 0; i < TERCET_MARK_OPEN_MAX; i++) {
        mark.open[i] = {9, 1000 + 3 * i};
    }
    mark.open_count = TERCET_MARK_OPEN_MAX;
    uint8_t bytes[MARK_OPEN_BYTES_MAX];
    const size_t size = mark_open_encode(&mark, bytes);
    EXPECT_EQ(size, sizeof bytes);
    tercet_mark read = {};
    ASSERT_TRUE(mark_open_decode(tercet_bytes_of(bytes, size), &read));
    ASSERT_EQ(read.open_count, mark.open_count);
    EXPECT_EQ(memcmp(read.open, mark.open, sizeof read.open), 0);
    EXPECT_FALSE(mark_open_decode(tercet_bytes_of(bytes, size - 1), &read));
    bytes[0] = 1; // no longer rising
    EXPECT_FALSE(mark_open_decode(tercet_bytes_of(bytes, size), &read));
}

tercet_fence_row Row()
{
    tercet_fence_row row = {};
    row.state = TERCET_FENCE_TRIED;
    row.identity.number = {123456789, 42};
    memset(row.identity.origin, 0x81, sizeof row.identity.origin);
    memset(row.identity.digest, 0xfe, sizeof row.identity.digest);
    memset(row.participant, 'p', TERCET_NAME_BYTES_MAX);
    memset(row.action, 'a', TERCET_NAME_BYTES_MAX);
    row.result_bytes = TERCET_RESULT_BYTES_MAX;
    memset(row.result, 0x7, TERCET_RESULT_BYTES_MAX);
    return row;
}

TEST(RowCodec, LongestRowSurvivesAndEveryCutOfItIsRefused)
{
    const tercet_fence_row row = Row();
    uint8_t bytes[ROW_CODEC_ROW_BYTES_MAX];
    const size_t size = row_encode(&row, bytes);
    tercet_fence_row read;
    ASSERT_TRUE(row_decode(tercet_bytes_of(bytes, size), &read));
    EXPECT_EQ(read.state, row.state);
    EXPECT_TRUE(tercet_fence_identity_equal(&read.identity, &row.identity));
    EXPECT_STREQ(read.participant, row.participant);
    EXPECT_STREQ(read.action, row.action);
    EXPECT_EQ(read.result_bytes, row.result_bytes);
    EXPECT_EQ(memcmp(read.result, row.result, sizeof read.result), 0);
    for (size_t cut = 0; cut < size; cut++) {
        EXPECT_FALSE(row_decode(tercet_bytes_of(bytes, cut), &read)) << cut;
    }
    bytes[0] = 2;
    EXPECT_FALSE(row_decode(tercet_bytes_of(bytes, size), &read)) << "newer version";
    bytes[0] = 1;
    bytes[1] = 5;
    EXPECT_FALSE(row_decode(tercet_bytes_of(bytes, size), &read)) << "unknown state";
}

TEST(RowCodec, NumberKeysSortAsNumbersCountAndComeApartAgain)
{
    tercet_fence_row row = Row();
    tercet_fence_key key = {tercet_bytes_of_text("gid-7"), 64};
    const tercet_branch_number rising[] = {{1, 255}, {1, 256}, {2, 1}, {255, 9}, {256, 1}};
    row_key before = {};
    for (auto number : rising) {
        row.identity.number = number;
        row_key name;
        row_key_number_of(&name, &row, &key);
        if (before.size != 0) {
            EXPECT_LT(memcmp(before.bytes, name.bytes, before.size), 0);
        }
        before = name;
        tercet_branch_number read = {};
        tercet_fence_key read_key = {};
        ASSERT_TRUE(row_key_number_parse(row_key_bytes(&name), &read, &read_key));
        EXPECT_EQ(tercet_branch_number_compare(read, number), 0);
        EXPECT_EQ(tercet_fence_key_compare(&read_key, &key), 0);
        for (size_t cut = 0; cut < name.size; cut++) {
            EXPECT_FALSE(row_key_number_parse(tercet_bytes_of(name.bytes, cut), &read, &read_key));
        }
    }
}

TEST(RowCodec, NoRowKeyIsThePrefixOfAnother)
{
    row_key short_key, long_key;
    const tercet_fence_key x1 = {tercet_bytes_of_text("x-1"), 1};
    const tercet_fence_key x10 = {tercet_bytes_of_text("x-10"), 1};
    row_key_row(&short_key, &x1);
    row_key_row(&long_key, &x10);
    EXPECT_NE(memcmp(short_key.bytes, long_key.bytes, short_key.size), 0);
}

TEST(Mark, AListLongerThanTheLongestIsNotTaken)
{
    std::string bytes;
    for (int i = 0; i <= TERCET_MARK_OPEN_MAX; i++) {
        bytes += std::string(13, '\0') + std::string({'\1', char(i >> 8), char(i & 0xff)});
    }
    auto mark = std::make_unique<tercet_mark>();
    EXPECT_TRUE(mark_open_decode(tercet_bytes_of(bytes.data(), bytes.size() - 16), mark.get()));
    EXPECT_EQ(mark->open_count, static_cast<uint32_t>(TERCET_MARK_OPEN_MAX));
    EXPECT_FALSE(mark_open_decode(tercet_bytes_of(bytes.data(), bytes.size()), mark.get()));
}

TEST(FenceKey, AGidIsBehindItsOwnBeginningAndBeforeItsOwnContinuation)
{
    const tercet_fence_key none = {tercet_bytes_of("", 0), 1};
    const tercet_fence_key a = {tercet_bytes_of_text("a"), 1};
    const tercet_fence_key ab = {tercet_bytes_of_text("ab"), 1};
    EXPECT_LT(tercet_fence_key_compare(&none, &a), 0);
    EXPECT_LT(tercet_fence_key_compare(&a, &ab), 0);
    EXPECT_GT(tercet_fence_key_compare(&ab, &a), 0);
    EXPECT_EQ(tercet_fence_key_compare(&none, &none), 0);
}

// Where a row's parts stand: version, state, origin, two numbers, digest, participant, action, result.
TEST(RowCodec, ARowWithALengthThatCannotBeIsRefused)
{
    const tercet_fence_row row = Row();
    uint8_t bytes[ROW_CODEC_ROW_BYTES_MAX + 1] = {};
    tercet_fence_row read;
    const size_t size = row_encode(&row, bytes);
    const size_t participant = 2 + TERCET_ORIGIN_BYTES + 16 + TERCET_DIGEST_BYTES;
    const size_t action = participant + 1 + TERCET_NAME_BYTES_MAX;
    const size_t result = action + 1 + TERCET_NAME_BYTES_MAX;
    ASSERT_EQ(size, result + 2 + TERCET_RESULT_BYTES_MAX);
    for (const size_t name : {participant, action}) {
        for (const int length : {0, TERCET_NAME_BYTES_MAX + 1}) {
            bytes[name] = static_cast<uint8_t>(length);
            EXPECT_FALSE(row_decode(tercet_bytes_of(bytes, size), &read)) << name << " " << length;
        }
        bytes[name] = TERCET_NAME_BYTES_MAX;
    }
    ASSERT_TRUE(row_decode(tercet_bytes_of(bytes, size), &read));
    EXPECT_FALSE(row_decode(tercet_bytes_of(bytes, size + 1), &read)) << "a byte too many";
    bytes[result] = static_cast<uint8_t>((TERCET_RESULT_BYTES_MAX + 1) >> 8);
    bytes[result + 1] = static_cast<uint8_t>((TERCET_RESULT_BYTES_MAX + 1) & 0xff);
    EXPECT_FALSE(row_decode(tercet_bytes_of(bytes, size + 1), &read)) << "a result too long";
    bytes[0] = ROW_CODEC_VERSION;
    bytes[1] = 0;
    EXPECT_FALSE(row_decode(tercet_bytes_of(bytes, size), &read)) << "no state";
}

TEST(RowCodec, ANumberKeyWithAGidThatCannotBeIsRefused)
{
    tercet_fence_row row = Row();
    const std::string longest(TERCET_GID_BYTES_MAX, 'g');
    const tercet_fence_key key = {tercet_bytes_of(longest.data(), longest.size()), 64};
    row_key name;
    row_key_number_of(&name, &row, &key);
    std::string bytes(reinterpret_cast<const char *>(name.bytes), name.size);
    const size_t length = bytes.size() - 4 - longest.size() - 2;
    const auto parses = [](const std::string &text) {
        tercet_branch_number number;
        tercet_fence_key read;
        return row_key_number_parse(tercet_bytes_of(text.data(), text.size()), &number, &read);
    };
    const auto with = [&](size_t size) {
        std::string text = bytes.substr(0, length) + std::string(2 + size + 4, 'g');
        text[length] = static_cast<char>(size >> 8);
        text[length + 1] = static_cast<char>(size & 0xff);
        return text;
    };
    EXPECT_TRUE(parses(bytes));
    EXPECT_TRUE(parses(with(1)));
    EXPECT_FALSE(parses(with(0) + "g"));
    EXPECT_FALSE(parses(with(TERCET_GID_BYTES_MAX + 1)));
    EXPECT_FALSE(parses(bytes + "g"));
}

TEST(RowCodec, AScopeThatIsCutOrNewerIsRefused)
{
    row_scope scope = {};
    scope.epoch = {3, 4};
    scope.mark = Mark(5, {10, 50}, {{10, 3}});
    uint8_t bytes[ROW_CODEC_SCOPE_BYTES_MAX];
    const size_t size = row_scope_encode(&scope, bytes);
    row_scope read = {};
    ASSERT_TRUE(row_scope_decode(tercet_bytes_of(bytes, size), &read));
    EXPECT_EQ(tercet_epoch_compare(read.epoch, scope.epoch), 0);
    EXPECT_EQ(read.mark.open_count, 1U);
    for (const size_t cut : {size_t{0}, size_t{48}, size - 1}) {
        EXPECT_FALSE(row_scope_decode(tercet_bytes_of(bytes, cut), &read)) << cut;
    }
    bytes[0] = ROW_CODEC_VERSION + 1;
    EXPECT_FALSE(row_scope_decode(tercet_bytes_of(bytes, size), &read)) << "newer version";
}

} // namespace
