// The intrusive list.
#include "base/list.h"

#include <gtest/gtest.h>

#include <vector>

namespace
{

struct item {
    int value;
    list_node link;
};

class List : public ::testing::Test
{
  protected:
    List()
    {
        list_init(&list_);
        list_init(&other_);
        for (int i = 0; i < 5; i++) {
            items_[i].value = i;
            list_init(&items_[i].link);
        }
    }

    static std::vector<int> Values(const list_node &list)
    {
        std::vector<int> forward;
        std::vector<int> backward;
        for (const list_node *at = list.next; at != &list; at = at->next) {
            forward.push_back(container_of(at, item, link)->value);
        }
        for (const list_node *at = list.prev; at != &list; at = at->prev) {
            backward.insert(backward.begin(), container_of(at, item, link)->value);
        }
        EXPECT_EQ(forward, backward);
        return forward;
    }

    list_node list_;
    list_node other_;
    item items_[5];
};

TEST_F(List, KeepsTheOrderOfPushes)
{
    EXPECT_TRUE(list_is_empty(&list_));
    list_push_back(&list_, &items_[1].link);
    list_push_back(&list_, &items_[2].link);
    list_push_front(&list_, &items_[0].link);
    list_insert_after(&items_[2].link, &items_[3].link);
    EXPECT_EQ(Values(list_), (std::vector<int>{0, 1, 2, 3}));
    EXPECT_FALSE(list_is_empty(&list_));
}

TEST_F(List, PopsFromTheFront)
{
    list_push_back(&list_, &items_[0].link);
    list_push_back(&list_, &items_[1].link);
    EXPECT_EQ(list_pop_front(&list_), &items_[0].link);
    EXPECT_FALSE(list_is_linked(&items_[0].link));
    EXPECT_EQ(list_pop_front(&list_), &items_[1].link);
    EXPECT_TRUE(list_is_empty(&list_));
}

TEST_F(List, ANodeMayBeRemovedTwice)
{
    list_push_back(&list_, &items_[0].link);
    list_push_back(&list_, &items_[1].link);
    EXPECT_TRUE(list_is_linked(&items_[0].link));
    list_remove(&items_[0].link);
    list_remove(&items_[0].link);
    EXPECT_FALSE(list_is_linked(&items_[0].link));
    EXPECT_EQ(Values(list_), (std::vector<int>{1}));
}

TEST_F(List, AppendAllMovesEverythingBehind)
{
    list_append_all(&list_, &other_);
    EXPECT_TRUE(list_is_empty(&list_));
    list_push_back(&other_, &items_[2].link);
    list_push_back(&other_, &items_[3].link);
    list_append_all(&list_, &other_);
    EXPECT_EQ(Values(list_), (std::vector<int>{2, 3}));
    EXPECT_TRUE(list_is_empty(&other_));
    list_push_back(&other_, &items_[4].link);
    list_append_all(&list_, &other_);
    EXPECT_EQ(Values(list_), (std::vector<int>{2, 3, 4}));
    EXPECT_EQ(Values(other_), (std::vector<int>{}));
}

using ListDeathTest = List;

TEST_F(ListDeathTest, PoppingFromAnEmptyListIsABug)
{
    EXPECT_DEATH(list_pop_front(&list_), "assertion failed");
}

} // namespace
