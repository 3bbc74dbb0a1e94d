// list_test.cc -- pages of open transactions: each exactly once, and never much work in one step.
#include <gtest/gtest.h>

#include <set>

#include "support/engine_world.h"

namespace tercet
{
namespace
{

enum { MANY = 5500, LOOKED_AT_MAX = 4096 };

std::string Gid(int i)
{
    return (i % 10 == 0 ? "tenth-" : "other-") + std::to_string(i);
}

class List : public ::testing::Test
{
  protected:
    static engine_limits Limits()
    {
        engine_limits limits = EngineWorld::DefaultLimits();
        limits.open_transactions_max = MANY;
        return limits;
    }

    void SetUp() override
    {
        for (int i = 0; i < MANY; i++) {
            world.Begin(Gid(i));
        }
    }

    // All pages, one behind the other; how many there were.
    int Page(uint32_t page_size, const std::string &prefix, std::vector<std::string> *gids)
    {
        int64_t after = 0;
        for (int pages = 1; pages <= 2 * MANY; pages++) {
            const Reply reply = world.LastReply(world.List(after, page_size, prefix));
            EXPECT_EQ(TERCET_OK, reply.status);
            EXPECT_LE(reply.list.size(), page_size);
            for (const auto &one : reply.list) {
                EXPECT_GT(one->sequence, after) << "in order";
                after = one->sequence;
                gids->emplace_back(one->gid);
            }
            if (reply.list_next_sequence == 0) {
                return pages;
            }
            EXPECT_GE(reply.list_next_sequence, after);
            after = reply.list_next_sequence;
        }
        ADD_FAILURE() << "there is always a next page";
        return 0;
    }

    EngineWorld world{4, Limits()};
};

TEST_F(List, PagesThroughAllOfThemExactlyOnce)
{
    for (uint32_t page_size : {1000U, 4096U, 5000U, 5500U, 10000U}) {
        std::vector<std::string> gids;
        Page(page_size, "", &gids);
        EXPECT_EQ(static_cast<size_t>(MANY), gids.size()) << page_size;
        EXPECT_EQ(gids.size(), std::set<std::string>(gids.begin(), gids.end()).size());
    }
}

TEST_F(List, OfThoseThatFitEachIsListedExactlyOnceAcrossShortPages)
{
    std::vector<std::string> gids;
    EXPECT_EQ(2, Page(1000, "tenth-", &gids));
    EXPECT_EQ(static_cast<size_t>(MANY / 10), gids.size());
    EXPECT_EQ(gids.size(), std::set<std::string>(gids.begin(), gids.end()).size());
}

TEST_F(List, OneStepLooksAtABoundedNumberAndSaysWhereToGoOn)
{
    const Reply none = world.LastReply(world.List(0, 10, "nobody-"));
    EXPECT_TRUE(none.list.empty());
    EXPECT_EQ(world.Find(Gid(LOOKED_AT_MAX - 1))->sequence, none.list_next_sequence);
    const Reply full = world.LastReply(world.List(0, 10000));
    EXPECT_EQ(static_cast<size_t>(LOOKED_AT_MAX), full.list.size());
    const Reply rest = world.LastReply(world.List(none.list_next_sequence, 10, "nobody-"));
    EXPECT_EQ(0, rest.list_next_sequence) << "these were the last";
}

TEST_F(List, APageThatEndsWithTheLastOneHasNoNext)
{
    const Reply page = world.LastReply(world.List(world.Find(Gid(MANY - 4))->sequence, 3));
    EXPECT_EQ(3U, page.list.size());
    EXPECT_EQ(0, page.list_next_sequence);
}

TEST_F(List, WhatEndsMeanwhileIsNotListedAndHidesNobody)
{
    std::set<std::string> gids;
    int64_t after = 0;
    int ended = 0;
    do {
        const Reply page = world.LastReply(world.List(after, 100));
        for (const auto &one : page.list) {
            EXPECT_TRUE(gids.insert(one->gid).second) << one->gid;
        }
        after = page.list_next_sequence;
        if (!page.list.empty() && after != 0) {
            world.Ask(REQUEST_CANCEL, page.list.back()->gid); // the one to go on behind
            ended++;
        }
    } while (after != 0);
    EXPECT_EQ(static_cast<size_t>(MANY), gids.size());
    EXPECT_EQ(MANY / 100 - 1, ended);
}

// A page begins where the newest one ended, whoever asked for that.
TEST_F(List, TwoThatPageInTurnMissNobody)
{
    std::vector<int64_t> after = {0, 0};
    std::vector<std::set<std::string>> gids(2);
    for (bool more = true; more;) {
        more = false;
        for (size_t i = 0; i < 2; i++) {
            const Reply page = world.LastReply(world.List(after[i], i == 0 ? 100 : 150));
            for (const auto &one : page.list) {
                EXPECT_TRUE(gids[i].insert(one->gid).second) << one->gid;
            }
            after[i] = page.list_next_sequence != 0 ? page.list_next_sequence : INT64_MAX;
            more = more || page.list_next_sequence != 0;
        }
    }
    EXPECT_EQ(static_cast<size_t>(MANY), gids[0].size());
    EXPECT_EQ(static_cast<size_t>(MANY), gids[1].size());
}

TEST_F(List, TheNextPageFollowsAlsoWhenAllOfTheLastOneHaveEnded)
{
    const Reply page = world.LastReply(world.List(0, 3));
    ASSERT_EQ(3U, page.list.size());
    for (int i = 2; i >= 0; i--) {
        world.Ask(REQUEST_CANCEL, Gid(i));
    }
    const Reply next = world.LastReply(world.List(page.list_next_sequence, 1));
    ASSERT_EQ(1U, next.list.size());
    EXPECT_EQ(Gid(3), next.list[0]->gid);
}

// So many that the way to a place is longer than one step may be.
class LongList : public ::testing::Test
{
  protected:
    enum { OPEN = 40000, PASSED_MAX = 4 * LOOKED_AT_MAX };

    static engine_limits Limits()
    {
        engine_limits limits = EngineWorld::DefaultLimits();
        limits.open_transactions_max = OPEN;
        return limits;
    }

    void SetUp() override
    {
        for (int i = 0; i < OPEN; i++) {
            world.Begin(Gid(i));
        }
    }

    EngineWorld world{4, Limits()};
};

// A step went through all before a token that it did not remember: a million, on the loop's thread.
TEST_F(LongList, TheWayToAPlaceThatNobodyRemembersIsBoundedAndGoesOn)
{
    const int64_t after = world.Find(Gid(OPEN - 6))->sequence;
    for (int call = 0; call < (OPEN - 6) / PASSED_MAX; call++) {
        const Reply way = world.LastReply(world.List(after, 10));
        EXPECT_TRUE(way.list.empty());
        EXPECT_EQ(after, way.list_next_sequence);
    }
    const Reply page = world.LastReply(world.List(after, 10));
    ASSERT_EQ(5U, page.list.size());
    EXPECT_EQ(Gid(OPEN - 5), page.list[0]->gid);
    EXPECT_EQ(0, page.list_next_sequence);
}

TEST_F(LongList, ManyWhoPageAtATimeEachGoOnWhereTheyWere)
{
    enum { LISTERS = 15 };
    std::vector<int64_t> after(LISTERS, 0);
    std::vector<size_t> count(LISTERS, 0);
    // One after the other sets out; the first pages of somebody else come between.
    for (int turn = 0; count[LISTERS - 1] < OPEN; turn++) {
        ASSERT_LT(turn, OPEN / 1000 + LISTERS);
        for (int i = 0; i < LISTERS && i <= turn; i++) {
            if (count[i] < OPEN) {
                const Reply page = world.LastReply(world.List(after[i], 1000));
                EXPECT_EQ(1000U, page.list.size()) << i;
                count[i] += page.list.size();
                after[i] = page.list_next_sequence;
            }
        }
        EXPECT_EQ(3U, world.LastReply(world.List(0, 3)).list.size());
    }
}

class ListChoice : public ::testing::Test
{
  protected:
    std::vector<std::string> Ask(uint32_t state_mask, bool attention_only)
    {
        event *made = world.MakeRequest(REQUEST_LIST, "");
        made->u.request.page_size = 10;
        made->u.request.state_mask = state_mask;
        made->u.request.attention_only = attention_only;
        std::vector<std::string> gids;
        for (const auto &one : world.LastReply(world.Send(made)).list) {
            gids.emplace_back(one->gid);
        }
        return gids;
    }

    EngineWorld world;
};

using Gids = std::vector<std::string>;

TEST_F(ListChoice, ByState)
{
    world.Begin("trying");
    world.Execute("confirming", {{0}});
    world.HandAll();
    world.Answer("confirming", 1, TERCET_PHASE_TRY, TERCET_VERDICT_DONE);
    EXPECT_EQ((Gids{"trying", "confirming"}), Ask(0, false));
    EXPECT_EQ((Gids{"trying"}), Ask(1U << TXN_TRYING, false));
    EXPECT_EQ((Gids{"confirming"}), Ask(1U << TXN_CONFIRMING, false));
    EXPECT_EQ((Gids{"trying", "confirming"}),
              Ask((1U << TXN_TRYING) | (1U << TXN_CONFIRMING), false));
    EXPECT_EQ(Gids{}, Ask(1U << TXN_CANCELLING, false));
}

TEST_F(ListChoice, OnlyWhatNeedsAttention)
{
    world.Execute("fine", {{0}});
    world.Execute("stuck", {{0}, {1}});
    world.HandAll();
    for (uint32_t index : {1U, 2U}) {
        world.Answer("stuck", index, TERCET_PHASE_TRY, TERCET_VERDICT_DONE);
    }
    EXPECT_EQ(Gids{}, Ask(0, true));
    world.HandAll();
    world.Answer("stuck", 2, TERCET_PHASE_CONFIRM, TERCET_VERDICT_REFUSED);
    EXPECT_EQ((Gids{"stuck"}), Ask(0, true));
    EXPECT_EQ(Gids{}, Ask(1U << TXN_TRYING, true));
}

} // namespace
} // namespace tercet
