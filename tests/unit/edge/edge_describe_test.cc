// What a Describe reply is read as, and what nobody should send.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "unit/edge/edge_world.h"

namespace
{

struct Store {
    std::string id = std::string(16, 'a');
    int64_t mark_incarnation = 10;
    int64_t mark_lsn = 0; // 0: none
    int64_t low = 1;
    int64_t highest = 0; // 0: none
};

class DescribeTest : public testing::Test
{
  protected:
    description Read(std::vector<Store> stores)
    {
        const size_t count = stores.size();
        std::vector<Tercet__V1__StoreDescription> told(count);
        std::vector<Tercet__V1__StoreDescription *> pointers;
        std::vector<Tercet__V1__Mark> marks(count);
        std::vector<Tercet__V1__BranchNumber> numbers(2 * count);
        for (size_t i = 0; i < count; i++) {
            const Store &store = stores[i];
            tercet__v1__store_description__init(&told[i]);
            tercet__v1__mark__init(&marks[i]);
            tercet__v1__branch_number__init(&numbers[2 * i]);
            tercet__v1__branch_number__init(&numbers[2 * i + 1]);
            numbers[2 * i].incarnation = numbers[2 * i + 1].incarnation = 10;
            numbers[2 * i].number = store.low;
            numbers[2 * i + 1].number = store.highest;
            marks[i].as_of_incarnation = store.mark_incarnation;
            marks[i].as_of_lsn = store.mark_lsn;
            marks[i].low = &numbers[2 * i];
            told[i].store_id = {store.id.size(), reinterpret_cast<uint8_t *>(&stores[i].id[0])};
            told[i].mark = store.mark_lsn == 0 ? nullptr : &marks[i];
            told[i].highest = store.highest == 0 ? nullptr : &numbers[2 * i + 1];
            pointers.push_back(&told[i]);
        }
        Tercet__V1__DescribeReply reply = TERCET__V1__DESCRIBE_REPLY__INIT;
        reply.n_stores = count;
        reply.stores = pointers.data();
        description read{};
        describe_read(&reply, &read);
        closed_numbers closed{};
        describe_read_closed(&reply, &closed);
        closed_below = closed.below.number;
        free(closed.open);
        return read;
    }
    int64_t closed_below = 0; // of the newest that was read
};

TEST_F(DescribeTest, WhatHasEndedIsWhatAllItsStoresSay)
{
    const std::string a(16, 'a');
    const std::string b(16, 'b');
    Read({{a, 10, 5, 7, 0}});
    EXPECT_EQ(closed_below, 7);
    Read({{a, 10, 5, 7, 0}, {b, 10, 4, 6, 0}});
    EXPECT_EQ(closed_below, 6);
    Read({{a, 10, 5, 7, 0}, {b, 10, 0, 6, 9}});
    EXPECT_EQ(closed_below, 0) << "the other has no mark yet";
    Read({});
    EXPECT_EQ(closed_below, 0);
}

TEST_F(DescribeTest, ItsReachIsBehindItsHighestRowOrItsMarksLow)
{
    EXPECT_EQ(Read({{}}).stores[0].reach.number, 0);
    EXPECT_EQ(Read({{std::string(16, 'a'), 10, 5, 7, 0}}).stores[0].reach.number, 7);
    EXPECT_EQ(Read({{std::string(16, 'a'), 10, 5, 7, 6}}).stores[0].reach.number, 7);
    EXPECT_EQ(Read({{std::string(16, 'a'), 10, 5, 7, 7}}).stores[0].reach.number, 8);
    EXPECT_EQ(Read({{std::string(16, 'a'), 10, 0, 7, 9}}).stores[0].reach.number, 10);
}

TEST_F(DescribeTest, NumbersThatMakeNoSenseAreNone)
{
    const description read = Read({{std::string(16, 'a'), -1, 5, -7, INT64_MAX}});
    EXPECT_EQ(read.stores[0].mark.number, 0);
    EXPECT_EQ(read.stores[0].reach.number, 0);
    EXPECT_EQ(read.stores[0].reach.incarnation, 0);
}

TEST_F(DescribeTest, StoresWithoutAnIdOfSixteenBytesAreNotRead)
{
    EXPECT_EQ(Read({}).store_count, 0U);
    EXPECT_EQ(Read({{"short", 10, 1, 1, 1}}).store_count, 0U);
}

TEST_F(DescribeTest, MoreStoresThanAreKeptDoNoHarm)
{
    std::vector<Store> stores(100);
    EXPECT_EQ(Read(stores).store_count, uint32_t{STORE_COUNT_MAX});
}

TEST_F(DescribeTest, TheLowestMarkIsTheLowestOfAll)
{
    const description none = Read({});
    EXPECT_EQ(describe_lowest_mark(&none).number, 0);
    const description two =
        Read({{std::string(16, 'a'), 10, 5, 1, 0}, {std::string(16, 'b'), 9, 7, 1, 0}});
    EXPECT_EQ(describe_lowest_mark(&two).incarnation, 9);
    EXPECT_EQ(describe_lowest_mark(&two).number, 7);
}

TEST_F(DescribeTest, TheMarksLowIsWhereRowsMayBeGone)
{
    EXPECT_EQ(Read({{std::string(16, 'a'), 10, 5, 7, 9}}).stores[0].low.number, 7);
    EXPECT_EQ(Read({{std::string(16, 'a'), 10, 0, 7, 9}}).stores[0].low.number, 0);
}

// One row as it should be, changed by the test, and the event that is made of it.
struct event *RowsOf(const std::function<void(Tercet__V1__FenceRow *)> &change,
                     const std::string &token = "")
{
    std::string gid = "pay-1";
    std::string action = "debit";
    std::string digest(16, 'd');
    std::string next = token;
    Tercet__V1__BranchNumber number = TERCET__V1__BRANCH_NUMBER__INIT;
    number.incarnation = 10;
    number.number = 7;
    Tercet__V1__FenceRow row = TERCET__V1__FENCE_ROW__INIT;
    row.gid = &gid[0];
    row.action = &action[0];
    row.branch = 2;
    row.state = TERCET__V1__FENCE_STATE__FENCE_STATE_TRIED;
    row.number = &number;
    row.digest = {digest.size(), reinterpret_cast<uint8_t *>(&digest[0])};
    change(&row);
    Tercet__V1__FenceRow *rows[] = {&row};
    Tercet__V1__InspectReply reply = TERCET__V1__INSPECT_REPLY__INIT;
    reply.n_rows = 1;
    reply.rows = rows;
    reply.next_page_token = &next[0];
    struct event *made = event_create(EVENT_INSPECTED);
    describe_read_rows(&reply, made);
    return made;
}

TEST(DescribeRows, ARowArrivesAsItIs)
{
    struct event *made = RowsOf([](Tercet__V1__FenceRow *) {}, "10.7");
    EXPECT_TRUE(made->u.inspected.answered);
    ASSERT_EQ(made->u.inspected.row_count, 1U);
    const struct inspected_row &row = made->u.inspected.rows[0];
    EXPECT_STREQ(row.gid, "pay-1");
    EXPECT_STREQ(row.action, "debit");
    EXPECT_EQ(row.branch, 2U);
    EXPECT_EQ(row.state, 1U);
    EXPECT_EQ(row.number.number, 7);
    EXPECT_EQ(row.digest.bytes[15], 'd');
    EXPECT_STREQ(made->u.inspected.token, "10.7");
    event_destroy(made);
}

TEST(DescribeRows, RowsThatMakeNoSenseAreLeftOut)
{
    static std::string empty;
    static std::string long_gid(TERCET_GID_BYTES_MAX + 1, 'g');
    const std::vector<std::function<void(Tercet__V1__FenceRow *)>> changes = {
        [](Tercet__V1__FenceRow *row) { row->gid = &empty[0]; },
        [](Tercet__V1__FenceRow *row) { row->gid = &long_gid[0]; },
        [](Tercet__V1__FenceRow *row) { row->action = &empty[0]; },
        [](Tercet__V1__FenceRow *row) { row->branch = 0; },
        [](Tercet__V1__FenceRow *row) { row->branch = 65; },
        [](Tercet__V1__FenceRow *row) { row->number->number = 0; },
        [](Tercet__V1__FenceRow *row) { row->number = nullptr; },
        [](Tercet__V1__FenceRow *row) { row->digest.len = 15; },
        [](Tercet__V1__FenceRow *row) { row->state = TERCET__V1__FENCE_STATE__FENCE_STATE_NONE; },
    };
    for (const auto &change : changes) {
        struct event *made = RowsOf(change);
        EXPECT_TRUE(made->u.inspected.answered);
        EXPECT_EQ(made->u.inspected.row_count, 0U);
        event_destroy(made);
    }
}

TEST(DescribeRows, ATokenThatCannotBeKeptIsNoAnswer)
{
    struct event *made =
        RowsOf([](Tercet__V1__FenceRow *) {}, std::string(INSPECT_TOKEN_BYTES_MAX + 1, 't'));
    EXPECT_FALSE(made->u.inspected.answered);
    event_destroy(made);
}

} // namespace
