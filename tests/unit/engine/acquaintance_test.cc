// acquaintance_judge() alone: what a database may tell, and what gives it away.
#include <gtest/gtest.h>

#include <string>
#include <vector>

extern "C" {
#include "base/error.h"
#include "engine/acquaintance.h"
}

namespace tercet
{
namespace
{

struct Told {
    char id;
    int64_t mark_lsn;
    int64_t reach;
};

class Acquaintance : public testing::Test
{
  protected:
    // Judges, and remembers what is the same, as the engine does.
    enum finding Judge(const std::vector<Told> &stores)
    {
        const description told = Make(stores);
        const finding found = Compare(told);
        if (found == FINDING_SAME && told.store_count > 0) {
            acquaintance_note(&known_, &told);
        }
        return found;
    }

    static description Make(const std::vector<Told> &stores)
    {
        description told{};
        told.store_count = static_cast<uint32_t>(stores.size());
        for (size_t i = 0; i < stores.size(); i++) {
            memset(told.stores[i].id, stores[i].id, sizeof told.stores[i].id);
            told.stores[i].mark = {10, stores[i].mark_lsn};
            told.stores[i].reach = {10, stores[i].reach};
        }
        return told;
    }

    // With what is known when it is asked.
    enum finding Compare(const description &told)
    {
        const known_before before = {known_.told, replied_};
        return acquaintance_judge(&known_, &before, &told, &error_);
    }

    acquaintance known_{};
    replied replied_{};
    tercet_error error_{};
};

// What the lost one had decided is open again, so the new one passes less.
TEST_F(Acquaintance, AMarkOfALaterLifeMayPassLessThanTheOneBefore)
{
    description told{};
    told.store_count = 1;
    told.stores[0].mark = {10, 5};
    told.stores[0].reach = {10, 80};
    known_.told = told;
    replied_.branch = {10, 79};
    told.stores[0].reach = {10, 64};
    EXPECT_EQ(FINDING_ROLLED_BACK, Compare(told));
    told.stores[0].mark = {11, 3};
    EXPECT_EQ(FINDING_SAME, Compare(told));
}

TEST_F(Acquaintance, WhatRisesAndStoresThatComeAreTheSame)
{
    EXPECT_EQ(FINDING_SAME, Judge({{'a', 5, 8}}));
    EXPECT_EQ(FINDING_SAME, Judge({{'a', 5, 8}}));
    EXPECT_EQ(FINDING_SAME, Judge({{'a', 6, 8}, {'b', 1, 1}}));
    EXPECT_EQ(FINDING_SAME, Judge({{'b', 9, 2}, {'a', 7, 9}}));
}

TEST_F(Acquaintance, AStoreThatIsGoneIsExchanged)
{
    Judge({{'a', 5, 8}});
    EXPECT_EQ(FINDING_EXCHANGED, Judge({{'b', 9, 90}}));
    EXPECT_STREQ("its store 61616161616161616161616161616161 is gone: the participant was rolled "
                 "back or exchanged",
                 error_.text);
    EXPECT_EQ(FINDING_SAME, Judge({{'a', 5, 8}}));
}

TEST_F(Acquaintance, EveryStoreIsComparedWithItself)
{
    Judge({{'a', 5, 8}, {'b', 7, 20}});
    EXPECT_EQ(FINDING_ROLLED_BACK, Judge({{'a', 9, 9}, {'b', 6, 20}}));
    EXPECT_STREQ("its store 62626262626262626262626262626262 had the mark 10/7 and now has 10/6: "
                 "the participant was rolled back or exchanged",
                 error_.text);
    EXPECT_EQ(FINDING_ROLLED_BACK, Judge({{'a', 5, 7}, {'b', 7, 20}})) << "its reach";
}

TEST_F(Acquaintance, AMarkThatAReplyAcknowledgedCountsWhereThereIsOneStore)
{
    replied_.mark = {10, 7};
    EXPECT_EQ(FINDING_ROLLED_BACK, Judge({{'a', 6, 8}}));
    EXPECT_EQ(FINDING_SAME, Judge({{'a', 5, 8}, {'b', 6, 8}}));
}

TEST_F(Acquaintance, ABranchThatHasAnsweredDoneIsWithinTheReachOfSomeStore)
{
    replied_.branch = {10, 7};
    EXPECT_EQ(FINDING_SAME, Judge({{'a', 1, 8}}));
    known_ = {};
    EXPECT_EQ(FINDING_SAME, Judge({{'a', 1, 2}, {'b', 1, 8}}));
    known_ = {};
    EXPECT_EQ(FINDING_ROLLED_BACK, Judge({{'a', 1, 7}})) << "the backup is as old as the mark";
    EXPECT_EQ(FINDING_ROLLED_BACK, Judge({{'a', 1, 2}, {'b', 1, 7}}));
}

// Two instances were asked at a time, and what the first one saw is heard last.
TEST_F(Acquaintance, WhatWasReadBeforeIsComparedWithWhatWasKnownWhenItWasAsked)
{
    Judge({{'a', 5, 8}});
    const known_before before = {known_.told, replied_};
    EXPECT_EQ(FINDING_SAME, Judge({{'a', 6, 12}}));
    replied_.branch = {10, 11};
    const description late = Make({{'a', 5, 9}});
    EXPECT_EQ(FINDING_SAME, acquaintance_judge(&known_, &before, &late, &error_));
    acquaintance_note(&known_, &late);
    EXPECT_EQ(6, known_.told.stores[0].mark.number) << "what is known does not go back";
    EXPECT_EQ(12, known_.told.stores[0].reach.number);
    EXPECT_EQ(FINDING_ROLLED_BACK, Judge({{'a', 5, 9}})) << "asked now it would have to know more";
}

TEST_F(Acquaintance, OfEachStoreTheNewerIsKept)
{
    Judge({{'a', 5, 8}, {'b', 5, 8}, {'c', 5, 8}});
    const description late = Make({{'a', 4, 9}, {'b', 5, 7}, {'c', 5, 9}, {'d', 1, 1}});
    acquaintance_note(&known_, &late);
    ASSERT_EQ(4U, known_.told.store_count);
    EXPECT_EQ(8, known_.told.stores[0].reach.number) << "by its mark";
    EXPECT_EQ(8, known_.told.stores[1].reach.number) << "by its reach";
    EXPECT_EQ(9, known_.told.stores[2].reach.number);
    EXPECT_EQ(1, known_.told.stores[3].reach.number);
}

// Neither knew of the other when they were asked.
TEST_F(Acquaintance, TwoInstancesOverDifferentDatabasesAreNotTheSame)
{
    const known_before before = {};
    EXPECT_EQ(FINDING_SAME, Judge({{'a', 5, 8}}));
    const description other = Make({{'b', 9, 90}});
    EXPECT_EQ(FINDING_EXCHANGED, acquaintance_judge(&known_, &before, &other, &error_));
}

TEST_F(Acquaintance, OneThatTellsNoStoreForgetsNothing)
{
    Judge({{'a', 5, 8}});
    replied_.branch = {10, 9};
    EXPECT_EQ(FINDING_SAME, Judge({}));
    EXPECT_EQ(FINDING_ROLLED_BACK, Judge({{'a', 4, 10}}));
}

} // namespace
} // namespace tercet
