// The hash table, keyed by bytes and by numbers.
#include "base/table.h"

#include <gtest/gtest.h>

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/random.h"

namespace
{

class Table : public ::testing::Test
{
  protected:
    Table()
    {
        table_init(&table_, 7);
    }
    ~Table() override
    {
        table_deinit(&table_);
    }

    size_t CountByIteration() const
    {
        std::set<const table_node *> seen;
        for (table_node *node = table_first(&table_); node != nullptr;
             node = table_next(&table_, node)) {
            EXPECT_TRUE(seen.insert(node).second) << "told twice";
        }
        return seen.size();
    }

    struct table table_;
};

TEST_F(Table, FindsByBytesAndNotByAPrefix)
{
    table_node node;
    table_insert(&table_, &node, "order-1", 7);
    EXPECT_EQ(table_find(&table_, "order-1", 7), &node);
    EXPECT_EQ(table_find(&table_, "order-1", 6), nullptr);
    EXPECT_EQ(table_find(&table_, "order-2", 7), nullptr);
    EXPECT_EQ(table_find(&table_, "", 0), nullptr);
    EXPECT_EQ(table_count(&table_), 1U);
}

TEST_F(Table, KeysMayHoldZeroBytes)
{
    table_node a;
    table_node b;
    table_insert(&table_, &a, "\0a", 2);
    table_insert(&table_, &b, "\0b", 2);
    EXPECT_EQ(table_find(&table_, "\0a", 2), &a);
    EXPECT_EQ(table_find(&table_, "\0b", 2), &b);
}

TEST_F(Table, AnEmptyOneTellsNothing)
{
    EXPECT_EQ(table_first(&table_), nullptr);
    EXPECT_EQ(table_find_u64(&table_, 0), nullptr);
}

TEST_F(Table, NumbersIncludeZeroAndTheLargest)
{
    table_node zero;
    table_node largest;
    table_insert_u64(&table_, &zero, 0);
    table_insert_u64(&table_, &largest, UINT64_MAX);
    EXPECT_EQ(table_find_u64(&table_, 0), &zero);
    EXPECT_EQ(table_find_u64(&table_, UINT64_MAX), &largest);
    EXPECT_EQ(table_find_u64(&table_, 1), nullptr);
}

// Grows far beyond its first width, then everything is removed in another
// order.
TEST_F(Table, KeepsEverythingThroughGrowthAndRemoval)
{
    constexpr size_t kCount = 20000;
    std::vector<std::string> keys(kCount);
    std::vector<table_node> nodes(kCount);
    for (size_t i = 0; i < kCount; i++) {
        keys[i] = "gid-" + std::to_string(i);
        table_insert(&table_, &nodes[i], keys[i].data(), keys[i].size());
    }
    EXPECT_EQ(table_count(&table_), kCount);
    EXPECT_EQ(CountByIteration(), kCount);
    for (size_t i = 0; i < kCount; i += 2) {
        table_remove(&table_, &nodes[i]);
    }
    EXPECT_EQ(CountByIteration(), kCount / 2);
    for (size_t i = 0; i < kCount; i++) {
        ASSERT_EQ(table_find(&table_, keys[i].data(), keys[i].size()),
                  i % 2 == 0 ? nullptr : &nodes[i]);
    }
    for (size_t i = 1; i < kCount; i += 2) {
        table_remove(&table_, &nodes[i]);
    }
    EXPECT_EQ(table_count(&table_), 0U);
    EXPECT_EQ(table_first(&table_), nullptr);
}

TEST_F(Table, AgreesWithASetUnderRandomNumbers)
{
    constexpr uint64_t kRange = 512;
    struct random rng;
    random_init(&rng, 3);
    std::vector<table_node> nodes(kRange);
    std::set<uint64_t> model;
    for (int round = 0; round < 50000; round++) {
        const uint64_t key = random_below(&rng, kRange);
        if (model.erase(key) != 0) {
            table_remove(&table_, &nodes[key]);
        } else {
            table_insert_u64(&table_, &nodes[key], key);
            model.insert(key);
        }
        const uint64_t asked = random_below(&rng, kRange);
        ASSERT_EQ(table_find_u64(&table_, asked),
                  model.count(asked) != 0 ? &nodes[asked] : nullptr);
        ASSERT_EQ(table_count(&table_), model.size());
    }
    EXPECT_EQ(CountByIteration(), model.size());
}

TEST_F(Table, TheNodeJustToldMayBeRemovedOnceTheNextIsTaken)
{
    std::vector<table_node> nodes(300);
    for (uint64_t i = 0; i < nodes.size(); i++) {
        table_insert_u64(&table_, &nodes[i], i);
    }
    size_t told = 0;
    table_node *node = table_first(&table_);
    while (node != nullptr) {
        table_node *next = table_next(&table_, node);
        table_remove(&table_, node);
        told++;
        node = next;
    }
    EXPECT_EQ(told, nodes.size());
    EXPECT_EQ(table_count(&table_), 0U);
}

TEST_F(Table, TheSameSeedTellsTheSameOrder)
{
    const auto order = [](uint64_t seed) {
        struct table one;
        table_init(&one, seed);
        std::vector<table_node> nodes(100);
        for (uint64_t i = 0; i < nodes.size(); i++) {
            table_insert_u64(&one, &nodes[i], i);
        }
        std::vector<uint64_t> told;
        for (table_node *node = table_first(&one); node != nullptr; node = table_next(&one, node)) {
            told.push_back(static_cast<uint64_t>(node - nodes.data()));
        }
        table_deinit(&one);
        return told;
    };
    EXPECT_EQ(order(1), order(1));
    EXPECT_NE(order(1), order(2));
}

using TableDeathTest = Table;

TEST_F(TableDeathTest, TheSameKeyTwiceIsABug)
{
    table_node first;
    table_node second;
    table_insert(&table_, &first, "k", 1);
    EXPECT_DEATH(table_insert(&table_, &second, "k", 1), "assertion failed");
}

} // namespace
