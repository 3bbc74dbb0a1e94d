// The queue between threads.
#include "base/inbox.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

namespace
{

struct item {
    list_node link;
    int producer;
    int number;
};

using std::chrono::steady_clock;

int64_t MsSince(steady_clock::time_point begin)
{
    return std::chrono::duration_cast<std::chrono::milliseconds>(steady_clock::now() - begin)
        .count();
}

/* One by itself. */
bool Push(struct inbox *inbox, list_node *node)
{
    list_node list;
    list_init(&list);
    list_push_back(&list, node);
    inbox_push_all(inbox, &list);
    if (list_is_empty(&list)) {
        return true;
    }
    list_remove(node);
    return false;
}

class Inbox : public ::testing::Test
{
  protected:
    Inbox()
    {
        inbox_init(&inbox_, 3);
        list_init(&taken_);
        for (auto &item : items_) {
            list_init(&item.link);
        }
    }

    ~Inbox() override
    {
        inbox_take_all(&inbox_, 0, &taken_);
        inbox_deinit(&inbox_);
    }

    size_t TakeNow()
    {
        inbox_take_all(&inbox_, 0, &taken_);
        size_t count = 0;
        while (!list_is_empty(&taken_)) {
            (void)list_pop_front(&taken_);
            count++;
        }
        return count;
    }

    struct inbox inbox_;
    list_node taken_;
    item items_[8];
};

TEST_F(Inbox, RefusesAtItsBoundAndTakesAgainOnceItWasEmptied)
{
    for (int i = 0; i < 3; i++) {
        EXPECT_TRUE(Push(&inbox_, &items_[i].link));
    }
    EXPECT_FALSE(Push(&inbox_, &items_[3].link));
    EXPECT_FALSE(list_is_linked(&items_[3].link)) << "a refused node stays the caller's";
    EXPECT_EQ(TakeNow(), 3U);
    EXPECT_TRUE(Push(&inbox_, &items_[3].link));
}

TEST_F(Inbox, WhatMustNotBeLostIsNeitherRefusedNorCounted)
{
    for (int i = 0; i < 4; i++) {
        EXPECT_TRUE(inbox_push_always(&inbox_, &items_[i].link));
    }
    for (int i = 4; i < 7; i++) {
        EXPECT_TRUE(Push(&inbox_, &items_[i].link));
    }
    EXPECT_FALSE(Push(&inbox_, &items_[7].link));
    EXPECT_TRUE(inbox_push_always(&inbox_, &items_[7].link));
    EXPECT_EQ(TakeNow(), 8U);
}

TEST_F(Inbox, AWholeListIsTakenInAtOnceUnlessItIsClosed)
{
    list_node list;
    list_init(&list);
    EXPECT_TRUE(inbox_push_all_always(&inbox_, &list)) << "nothing is a list too";
    list_push_back(&list, &items_[0].link);
    list_push_back(&list, &items_[1].link);
    EXPECT_TRUE(inbox_push_all_always(&inbox_, &list));
    EXPECT_TRUE(list_is_empty(&list));
    inbox_take_all(&inbox_, -1, &taken_);
    EXPECT_EQ(list_pop_front(&taken_), &items_[0].link);
    EXPECT_EQ(list_pop_front(&taken_), &items_[1].link);
    EXPECT_TRUE(list_is_empty(&taken_));
    list_push_back(&list, &items_[2].link);
    inbox_close(&inbox_);
    EXPECT_FALSE(inbox_push_all_always(&inbox_, &list));
    EXPECT_EQ(list_pop_front(&list), &items_[2].link);
}

TEST_F(Inbox, OfAListItTakesWhatItHasRoomForFromTheFront)
{
    list_node list;
    list_init(&list);
    inbox_push_all(&inbox_, &list);
    EXPECT_TRUE(Push(&inbox_, &items_[0].link));
    for (int i = 1; i < 5; i++) {
        list_push_back(&list, &items_[i].link);
    }
    inbox_push_all(&inbox_, &list);
    EXPECT_EQ(TakeNow(), 3U);
    EXPECT_EQ(list_pop_front(&list), &items_[3].link) << "what is refused stays, in its order";
    EXPECT_EQ(list_pop_front(&list), &items_[4].link);
    EXPECT_TRUE(list_is_empty(&list));
    list_push_back(&list, &items_[5].link);
    inbox_close(&inbox_);
    inbox_push_all(&inbox_, &list);
    EXPECT_EQ(list_pop_front(&list), &items_[5].link);
    EXPECT_EQ(TakeNow(), 0U);
}

TEST_F(Inbox, ABoundOfZeroLeavesOnlyWhatMustNotBeLost)
{
    struct inbox narrow;
    inbox_init(&narrow, 0);
    EXPECT_FALSE(Push(&narrow, &items_[0].link));
    EXPECT_TRUE(inbox_push_always(&narrow, &items_[0].link));
    inbox_take_all(&narrow, 0, &taken_);
    EXPECT_EQ(list_pop_front(&taken_), &items_[0].link);
    inbox_deinit(&narrow);
}

TEST_F(Inbox, TakesInTheOrderOfPushesBehindWhatIsThere)
{
    list_push_back(&taken_, &items_[0].link);
    EXPECT_TRUE(Push(&inbox_, &items_[1].link));
    EXPECT_TRUE(inbox_push_always(&inbox_, &items_[2].link));
    inbox_take_all(&inbox_, 0, &taken_);
    for (int i = 0; i < 3; i++) {
        EXPECT_EQ(list_pop_front(&taken_), &items_[i].link);
    }
}

TEST_F(Inbox, WaitsAsLongAsItWasToldWhenNothingComes)
{
    const auto begin = steady_clock::now();
    inbox_take_all(&inbox_, 60, &taken_);
    EXPECT_GE(MsSince(begin), 59);
    EXPECT_TRUE(list_is_empty(&taken_));
}

TEST_F(Inbox, DoesNotWaitWhenThereIsSomething)
{
    EXPECT_TRUE(Push(&inbox_, &items_[0].link));
    const auto begin = steady_clock::now();
    inbox_take_all(&inbox_, 60000, &taken_);
    EXPECT_LT(MsSince(begin), 30000);
    EXPECT_FALSE(list_is_empty(&taken_));
}

// Also with waits so long that their end is beyond any clock, and without an
// end.
TEST_F(Inbox, APushWakesASleeper)
{
    for (const int64_t timeout_ms : {INT64_C(-1), INT64_C(60000), INT64_MAX}) {
        std::thread pusher([this] {
            std::this_thread::sleep_for(std::chrono::milliseconds(20));
            EXPECT_TRUE(Push(&inbox_, &items_[0].link));
        });
        const auto begin = steady_clock::now();
        inbox_take_all(&inbox_, timeout_ms, &taken_);
        EXPECT_LT(MsSince(begin), 30000);
        pusher.join();
        ASSERT_FALSE(list_is_empty(&taken_)) << timeout_ms;
        (void)list_pop_front(&taken_);
    }
}

TEST_F(Inbox, ClosingWakesASleeperAndRefusesFromThenOn)
{
    EXPECT_FALSE(inbox_is_closed(&inbox_));
    std::thread closer([this] {
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
        inbox_close(&inbox_);
    });
    inbox_take_all(&inbox_, -1, &taken_);
    closer.join();
    EXPECT_TRUE(inbox_is_closed(&inbox_));
    EXPECT_FALSE(Push(&inbox_, &items_[0].link));
    EXPECT_FALSE(inbox_push_always(&inbox_, &items_[0].link));
    EXPECT_FALSE(list_is_linked(&items_[0].link));
}

TEST_F(Inbox, WhatWasThereWhenItClosedIsStillTaken)
{
    EXPECT_TRUE(Push(&inbox_, &items_[0].link));
    inbox_close(&inbox_);
    inbox_close(&inbox_);
    inbox_take_all(&inbox_, -1, &taken_);
    ASSERT_FALSE(list_is_empty(&taken_));
    EXPECT_EQ(list_pop_front(&taken_), &items_[0].link);
}

// Nothing is lost, doubled or reordered within one producer; the consumer is
// never left asleep.
TEST_F(Inbox, EightProducersLoseNothing)
{
    constexpr int kProducers = 8;
    constexpr int kEach = 20000;
    struct inbox inbox;
    inbox_init(&inbox, 64);
    std::vector<std::vector<item>> items(kProducers, std::vector<item>(kEach));
    std::vector<std::thread> producers;
    std::atomic<int64_t> refused{0};
    for (int p = 0; p < kProducers; p++) {
        producers.emplace_back([&, p] {
            for (int i = 0; i < kEach; i++) {
                item *one = &items[p][i];
                list_init(&one->link);
                one->producer = p;
                one->number = i;
                if (i % 4 == 0) {
                    EXPECT_TRUE(inbox_push_always(&inbox, &one->link));
                    continue;
                }
                while (!Push(&inbox, &one->link)) {
                    refused++;
                    std::this_thread::yield();
                }
            }
        });
    }
    std::vector<int> next(kProducers, 0);
    int64_t taken = 0;
    while (taken < int64_t{kProducers} * kEach) {
        list_node list;
        list_init(&list);
        inbox_take_all(&inbox, -1, &list);
        while (!list_is_empty(&list)) {
            const item *one = container_of(list_pop_front(&list), item, link);
            ASSERT_EQ(one->number, next[one->producer]);
            next[one->producer]++;
            taken++;
        }
    }
    for (auto &producer : producers) {
        producer.join();
    }
    inbox_deinit(&inbox);
    RecordProperty("refused", static_cast<int>(refused));
}

using InboxDeathTest = Inbox;

TEST_F(InboxDeathTest, EndingWithSomethingInsideIsABug)
{
    EXPECT_TRUE(Push(&inbox_, &items_[0].link));
    EXPECT_DEATH(inbox_deinit(&inbox_), "assertion failed");
}

} // namespace
