// describe_judge() alone: several stores, and replies that nobody should send.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "unit/edge/edge_world.h"

namespace
{

struct Store {
    std::string id;
    int64_t mark_incarnation;
    int64_t mark_lsn; // 0: none
};

class DescribeTest : public testing::Test
{
  protected:
    enum describe_finding Judge(std::vector<Store> stores, struct branch_number acknowledged = {})
    {
        std::vector<Tercet__V1__StoreDescription> told(stores.size());
        std::vector<Tercet__V1__StoreDescription *> pointers;
        std::vector<Tercet__V1__Mark> marks(stores.size());
        for (size_t i = 0; i < stores.size(); i++) {
            tercet__v1__store_description__init(&told[i]);
            tercet__v1__mark__init(&marks[i]);
            marks[i].as_of_incarnation = stores[i].mark_incarnation;
            marks[i].as_of_lsn = stores[i].mark_lsn;
            told[i].store_id = {stores[i].id.size(), reinterpret_cast<uint8_t *>(&stores[i].id[0])};
            told[i].mark = stores[i].mark_lsn == 0 ? nullptr : &marks[i];
            pointers.push_back(&told[i]);
        }
        Tercet__V1__DescribeReply reply = TERCET__V1__DESCRIBE_REPLY__INIT;
        reply.n_stores = pointers.size();
        reply.stores = pointers.data();
        return describe_judge(&memory_, &reply, &identity_, acknowledged, &error_);
    }

    struct describe_memory memory_ = {};
    struct wire_identity identity_ = {{}, 10, 1};
    struct tercet_error error_ = {};
    const std::string a_ = std::string(16, 'a');
    const std::string b_ = std::string(16, 'b');
};

TEST_F(DescribeTest, MarksThatRiseAndStoresThatComeAreFine)
{
    EXPECT_EQ(Judge({{a_, 10, 5}}), DESCRIBE_FINE);
    EXPECT_EQ(Judge({{a_, 10, 5}, {b_, 10, 1}}), DESCRIBE_FINE);
    EXPECT_EQ(Judge({{b_, 10, 9}, {a_, 11, 1}}), DESCRIBE_FINE);
}

TEST_F(DescribeTest, EveryStoreIsComparedWithItself)
{
    EXPECT_EQ(Judge({{a_, 10, 5}, {b_, 10, 7}}), DESCRIBE_FINE);
    EXPECT_EQ(Judge({{a_, 10, 9}, {b_, 10, 6}}), DESCRIBE_ROLLED_BACK);
    EXPECT_STREQ(error_.text,
                 "its store 62626262626262626262626262626262 had the mark 10/7 and now "
                 "has 10/6: the participant was rolled back or exchanged");
    EXPECT_EQ(Judge({{a_, 10, 9}, {b_, 10, 6}}), DESCRIBE_FINE) << "told once";
    EXPECT_EQ(Judge({{a_, 10, 9}}), DESCRIBE_EXCHANGED);
}

TEST_F(DescribeTest, AReplysAcknowledgementCountsOnlyWhereThereIsOneStore)
{
    EXPECT_EQ(Judge({{a_, 10, 5}, {b_, 10, 7}}, {10, 7}), DESCRIBE_FINE);
    memory_ = {};
    EXPECT_EQ(Judge({{a_, 10, 5}}, {10, 7}), DESCRIBE_ROLLED_BACK);
    memory_ = {};
    EXPECT_EQ(Judge({{a_, 11, 1}}, {10, 7}), DESCRIBE_FINE);
}

TEST_F(DescribeTest, AReplyThatTellsNoStoreForgetsNothing)
{
    EXPECT_EQ(Judge({{a_, 10, 5}}), DESCRIBE_FINE);
    EXPECT_EQ(Judge({}), DESCRIBE_FINE);
    EXPECT_EQ(Judge({{"short", 10, 1}}), DESCRIBE_FINE);
    EXPECT_EQ(Judge({{a_, 10, 4}}), DESCRIBE_ROLLED_BACK);
}

TEST_F(DescribeTest, MoreStoresThanAreKeptDoNoHarm)
{
    std::vector<Store> stores;
    for (int i = 0; i < 100; i++) {
        stores.push_back({std::string(16, static_cast<char>('0' + i)), 10, 5});
    }
    EXPECT_EQ(Judge(stores), DESCRIBE_FINE);
    EXPECT_EQ(Judge(stores), DESCRIBE_FINE);
    EXPECT_EQ(memory_.store_count, uint32_t{DESCRIBE_STORE_COUNT_MAX});
}

TEST_F(DescribeTest, TheLowestMarkIsTheLowestOfAll)
{
    EXPECT_EQ(describe_lowest_mark(&memory_).number, 0);
    Judge({{a_, 10, 5}, {b_, 9, 7}});
    EXPECT_EQ(describe_lowest_mark(&memory_).incarnation, 9);
    EXPECT_EQ(describe_lowest_mark(&memory_).number, 7);
}

} // namespace
