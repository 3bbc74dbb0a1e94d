// Reasons as they are kept: of their own length, and once where many are told the same.
#include <gtest/gtest.h>
#include <malloc.h>

#include <cstdio>

#include "support/engine_world.h"

extern "C" {
#include "engine/reason.h"
#include "engine/txn.h"
}

namespace tercet
{
namespace
{

constexpr uint32_t kBranches = 4;
const std::string kWords = "failed to connect to all addresses; connection refused"; // 54 bytes

TEST(Reason, IsCutWhereItIsTooLong)
{
    said *made = said_create(std::string(100, 'C').c_str(), std::string(1000, 't').c_str());
    EXPECT_EQ(std::string(TERCET_REASON_CODE_BYTES_MAX, 'C'), said_code(made));
    EXPECT_EQ(std::string(TERCET_REASON_TEXT_BYTES_MAX, 't'), said_text(made));
    said_unref(made);
}

TEST(Reason, NoneSaysNothing)
{
    EXPECT_EQ(nullptr, said_create("", ""));
    EXPECT_STREQ("", said_code(nullptr));
    EXPECT_STREQ("", said_text(nullptr));
    said_unref(nullptr);
}

TEST(Reason, IsSharedOnlyWithOneThatSaysTheSame)
{
    said *newest = nullptr;
    said *none = nullptr;
    said *said[] = {said_create("CODE", "text"), said_create("CODE", "text"),
                    said_create("CODE", "other"), said_create("OTHER", "other")};
    said_share(&none, &newest);
    EXPECT_EQ(nullptr, newest);
    for (auto &one : said) {
        said_share(&one, &newest);
        EXPECT_EQ(one, newest);
    }
    EXPECT_EQ(said[0], said[1]);
    EXPECT_EQ(2U, said[0]->refs) << "the newest is another by now";
    EXPECT_STREQ("other", said_text(said[2]));
    EXPECT_STREQ("CODE", said_code(said[2]));
    EXPECT_STREQ("OTHER", said_code(said[3]));
    said_share(&said[3], &newest); // with itself
    EXPECT_EQ(2U, said[3]->refs);
    for (auto *one : said) {
        said_unref(one);
    }
    said_unref(newest);
}

// With what the allocator adds; what others share counts for all of them.
size_t Allocated(void *allocation, size_t shared_by = 1)
{
    return allocation == nullptr
               ? 0
               : (malloc_usable_size(allocation) + sizeof(size_t) + shared_by - 1) / shared_by;
}

size_t BytesOf(const txn *of)
{
    size_t bytes = Allocated(const_cast<txn *>(of)) + Allocated(of->branches);
    bytes += of->reason == nullptr ? 0 : Allocated(of->reason, of->reason->refs);
    for (uint32_t i = 0; i < of->branch_count; i++) {
        branch *branch = of->branches[i];
        bytes += Allocated(branch) + Allocated(branch->payload) + Allocated(branch->trouble);
        if (branch->trouble != nullptr) {
            said *reason = branch->trouble->reason;
            bytes += Allocated(branch->trouble->rare);
            bytes += reason == nullptr ? 0 : Allocated(reason, reason->refs);
        }
    }
    return bytes;
}

std::string Gid(int i)
{
    char gid[40];
    snprintf(gid, sizeof gid, "7f3c2d1e-0000-4000-8000-%012d", i);
    return gid;
}

// Four branches, tried; no participant answers to the second phase any more.
void MeetOutage(EngineWorld *world, const std::string &gid, const std::string &words)
{
    std::vector<BranchPlan> plans(kBranches);
    for (uint32_t i = 0; i < kBranches; i++) {
        plans[i].participant = i;
        plans[i].action = "debit";
    }
    world->Execute(gid, plans);
    world->HandAll();
    for (uint32_t i = 1; i <= kBranches; i++) {
        world->Answer(gid, i, TERCET_PHASE_TRY, TERCET_VERDICT_DONE);
    }
    world->Sync();
    world->HandAll();
    for (uint32_t i = 1; i <= kBranches; i++) {
        world->Fail(gid, i, TERCET_PHASE_CONFIRM, ANSWER_UNKNOWN, words);
    }
}

TEST(Reason, InAnOutageAnOpenTransactionStaysBelowAKibibyte)
{
    EngineWorld world(kBranches);
    const int count = 100;
    size_t bytes = 0;
    for (int i = 0; i < count; i++) {
        MeetOutage(&world, Gid(i), kWords);
    }
    for (int i = 0; i < count; i++) {
        const txn *open = world.Find(Gid(i));
        ASSERT_NE(nullptr, open);
        ASSERT_EQ(TXN_CONFIRMING, open->state);
        for (uint32_t at = 0; at < kBranches; at++) {
            ASSERT_NE(nullptr, open->branches[at]->trouble);
            ASSERT_EQ(kWords, said_text(open->branches[at]->trouble->reason));
            ASSERT_NE(0, open->branches[at]->trouble->next_attempt_boot_ms);
        }
        bytes += BytesOf(open);
    }
    printf("%zu bytes for each of %d transactions\n", bytes / count, count);
    EXPECT_LE(bytes / count, 1024U);
}

// What a participant says of each is its own: one allocation more, of its length.
TEST(Reason, WordsOfItsOwnCostTheirOwnLength)
{
    EngineWorld world(kBranches);
    MeetOutage(&world, Gid(1), kWords);
    const size_t before = BytesOf(world.Find(Gid(1)));
    MeetOutage(&world, Gid(2), kWords + "1");
    MeetOutage(&world, Gid(3), kWords + "2");
    const size_t own = 5 + sizeof "TRANSPORT" + kWords.size() + 2;
    EXPECT_LE(BytesOf(world.Find(Gid(2))), before + kBranches * (own + 2 * sizeof(void *) + 8));
    EXPECT_EQ(kWords + "1", said_text(world.FindBranch(Gid(2), 1)->trouble->reason));
    EXPECT_EQ(kWords, said_text(world.FindBranch(Gid(1), 1)->trouble->reason));
}

} // namespace
} // namespace tercet
