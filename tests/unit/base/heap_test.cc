// The heap, against an ordered set that does the same.
#include "base/heap.h"

#include <gtest/gtest.h>

#include <set>
#include <tuple>
#include <vector>

#include "base/random.h"

namespace
{

class Heap : public ::testing::Test
{
  protected:
    Heap()
    {
        heap_init(&heap_);
    }
    ~Heap() override
    {
        heap_deinit(&heap_);
    }

    struct heap heap_;
};

TEST_F(Heap, AnEmptyOneHasNoFirst)
{
    EXPECT_EQ(heap_peek(&heap_), nullptr);
    EXPECT_EQ(heap_count(&heap_), 0U);
}

TEST_F(Heap, EqualKeysComeOutInTheOrderOfInsertion)
{
    std::vector<heap_node> nodes(100);
    for (auto &node : nodes) {
        heap_node_init(&node);
        heap_insert(&heap_, &node, 5);
    }
    for (auto &node : nodes) {
        ASSERT_EQ(heap_peek(&heap_), &node);
        heap_remove(&heap_, &node);
        EXPECT_FALSE(heap_node_is_linked(&node));
    }
}

TEST_F(Heap, KeysMayBeAnyNumber)
{
    heap_node nodes[3];
    const int64_t keys[3] = {INT64_MAX, 0, INT64_MIN};
    for (int i = 0; i < 3; i++) {
        heap_node_init(&nodes[i]);
        heap_insert(&heap_, &nodes[i], keys[i]);
    }
    for (int i = 2; i >= 0; i--) {
        EXPECT_EQ(heap_peek(&heap_), &nodes[i]);
        heap_remove(&heap_, &nodes[i]);
    }
}

TEST_F(Heap, AnUpdateMovesUpAndDownAndCountsAsAnInsertion)
{
    heap_node nodes[3];
    for (int i = 0; i < 3; i++) {
        heap_node_init(&nodes[i]);
        heap_insert(&heap_, &nodes[i], 10 * (i + 1));
    }
    heap_update(&heap_, &nodes[2], 1);
    EXPECT_EQ(heap_peek(&heap_), &nodes[2]);
    heap_update(&heap_, &nodes[2], 99);
    EXPECT_EQ(heap_peek(&heap_), &nodes[0]);
    heap_update(&heap_, &nodes[0], 20);
    EXPECT_EQ(heap_peek(&heap_), &nodes[1]) << "an update goes behind its equals";
    EXPECT_EQ(heap_count(&heap_), 3U);
}

// Random insertions, removals anywhere and updates; after each the first is
// that of the model.
TEST_F(Heap, AgreesWithAnOrderedSet)
{
    constexpr size_t kNodes = 500;
    using entry = std::tuple<int64_t, uint64_t, size_t>;
    struct random rng;
    random_init(&rng, 42);
    std::vector<heap_node> nodes(kNodes);
    std::vector<entry> entries(kNodes);
    std::set<entry> model;
    uint64_t order = 0;
    for (auto &node : nodes) {
        heap_node_init(&node);
    }
    for (int round = 0; round < 50000; round++) {
        const size_t i = random_below(&rng, kNodes);
        const int64_t key = static_cast<int64_t>(random_below(&rng, 64)) - 32;
        if (!heap_node_is_linked(&nodes[i])) {
            heap_insert(&heap_, &nodes[i], key);
            entries[i] = entry(key, order++, i);
            model.insert(entries[i]);
        } else if (random_below(&rng, 2) == 0) {
            heap_remove(&heap_, &nodes[i]);
            model.erase(entries[i]);
        } else {
            heap_update(&heap_, &nodes[i], key);
            model.erase(entries[i]);
            entries[i] = entry(key, order++, i);
            model.insert(entries[i]);
        }
        ASSERT_EQ(heap_count(&heap_), model.size());
        if (!model.empty()) {
            ASSERT_EQ(heap_peek(&heap_), &nodes[std::get<2>(*model.begin())]) << "round " << round;
        }
    }
    while (!model.empty()) {
        heap_node *first = heap_peek(&heap_);
        ASSERT_EQ(first, &nodes[std::get<2>(*model.begin())]);
        heap_remove(&heap_, first);
        model.erase(model.begin());
    }
    EXPECT_EQ(heap_peek(&heap_), nullptr);
}

using HeapDeathTest = Heap;

TEST_F(HeapDeathTest, InsertingTwiceAndRemovingAStrangerAreBugs)
{
    heap_node node;
    heap_node stranger;
    heap_node_init(&node);
    heap_node_init(&stranger);
    heap_insert(&heap_, &node, 1);
    EXPECT_DEATH(heap_insert(&heap_, &node, 2), "assertion failed");
    EXPECT_DEATH(heap_remove(&heap_, &stranger), "assertion failed");
}

} // namespace
