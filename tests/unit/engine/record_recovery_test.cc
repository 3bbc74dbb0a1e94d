// record_recovery_test.cc -- the engine, what is written of it, and the engine that reads that again.
//
// Every record is encoded when its step is over and is on disk at once; Crash() throws the engine
// away and loads the disk, as the daemon does.
#include <gtest/gtest.h>

#include "support/engine_world.h"

extern "C" {
#include "journal/batch_read.h"
#include "journal/record.h"
}

namespace tercet
{
namespace
{

enum { KIND_BEGIN = 0x10, KIND_ADD_BRANCH = 0x20, KIND_DECIDE = 0x30, KIND_PROGRESS = 0x40 };

std::string TextOf(tercet_bytes bytes)
{
    return {static_cast<const char *>(bytes.data), bytes.size};
}

class JournaledWorld : public EngineWorld
{
  public:
    JournaledWorld()
    {
        on_record = [this](const effect_record &made) { Write(made); };
    }

    void Crash()
    {
        StartOver("boot-1", now, engine_next_number(engine));
        journal_head head{};
        head.incarnation = 1700000000000;
        head.next_number = engine_next_number(engine);
        record_loader *loader = record_loader_create(
            &head, &names,
            [](txn *taken, void *context) {
                engine_adopt_take(static_cast<struct engine *>(context), taken);
            },
            engine);
        for (const auto &pair : disk) {
            tercet_error error{};
            tercet_bytes key = tercet_bytes_of(pair.first.data(), pair.first.size());
            tercet_bytes value = tercet_bytes_of(pair.second.data(), pair.second.size());
            if (pair.first[0] == 't') {
                EXPECT_EQ(TERCET_OK, record_loader_pair(loader, key, value,
                                                        digest128_of_pair(key, value), &error))
                    << error.text;
            }
        }
        tercet_error error{};
        EXPECT_EQ(TERCET_OK, record_loader_finish(loader, &error)) << error.text;
        record_loader_destroy(loader);
        Resume(lsn);
    }

    // How many records of open transactions are of this kind.
    int CountPairs(int kind) const
    {
        int count = 0;
        for (const auto &pair : disk) {
            count += pair.first[0] == 't' && pair.first[10] == kind ? 1 : 0;
        }
        return count;
    }

    const branch *Branch(const std::string &gid, uint32_t index)
    {
        return Find(gid) == nullptr ? nullptr : txn_branch(Find(gid), index);
    }

    // Everything is done, and nothing is left of the transaction but its outcome.
    void ExpectAllEnds(const std::string &gid)
    {
        RunToEnd();
        EXPECT_EQ(1U, disk.count("a/" + gid));
        EXPECT_EQ(1U, disk.size()) << "a record is left";
    }

    std::map<std::string, std::string> disk;

  private:
    void Write(const effect_record &made)
    {
        journal_batch batch;
        journal_batch_init(&batch);
        record_write(&made, &names, &batch);
        batch_reader reader{&batch, 0};
        batch_operation operation;
        while (batch_reader_next(&reader, &operation)) {
            if (operation.kind == BATCH_PUT) {
                disk[TextOf(operation.key)] = TextOf(operation.value);
            } else {
                EXPECT_EQ(1U, disk.erase(TextOf(operation.key))) << "removes what is not there";
            }
        }
        journal_batch_deinit(&batch);
    }
};

const BranchPlan kOptional = {1, "act", "payload", 0, false, true};

// Both wait for one look-up, so both are in one step, and BEGIN is encoded when it is over.
TEST(RecordRecovery, BeginAndTryInOneStepComeBackAsOneTransactionWithOneBranch)
{
    JournaledWorld world;
    world.hold_lookups = true;
    uintptr_t begin = world.Begin("g");
    world.Try("g", 1, {0});
    world.Try("g", 2, {1});
    ASSERT_EQ(1U, world.lookups.size()) << "one question for all of them";
    world.hold_lookups = false;
    world.FindAll();
    ASSERT_EQ(TERCET_OK, world.LastReply(begin).status);
    ASSERT_EQ(1, world.CountPairs(KIND_BEGIN));
    EXPECT_EQ(2, world.CountPairs(KIND_ADD_BRANCH));
    world.Crash();
    ASSERT_NE(nullptr, world.Find("g"));
    EXPECT_EQ(2U, world.Find("g")->branch_count);
    EXPECT_EQ(2, world.CountCalls("g", TERCET_PHASE_TRY));
    world.RunToEnd();
    world.Ask(REQUEST_CONFIRM, "g");
    world.ExpectAllEnds("g");
}

TEST(RecordRecovery, BeginTryAndCancelInOneStepComeBackDecided)
{
    JournaledWorld world;
    world.hold_lookups = true;
    world.Begin("g");
    world.Try("g", 1, {0});
    world.Ask(REQUEST_CANCEL, "g");
    world.hold_lookups = false;
    world.FindAll();
    // Its try had not left, so it has ended already.
    EXPECT_EQ(1U, world.disk.count("a/g"));
    EXPECT_EQ(1U, world.disk.size());
    world.Crash();
    EXPECT_EQ(nullptr, world.Find("g"));
}

TEST(RecordRecovery, AnOptionalRefusalIsOnDiskBeforeItIsToldAndStaysRefused)
{
    JournaledWorld world;
    world.Begin("g");
    uintptr_t attempt = world.Try("g", 1, kOptional);
    world.HandAll();
    world.on_record = [&world, attempt, next = world.on_record](const effect_record &made) {
        EXPECT_EQ(RECORD_PROGRESS, made.kind);
        EXPECT_FALSE(world.HasReply(attempt)) << "the record stands before the answer";
        next(made);
    };
    world.Answer("g", 1, TERCET_PHASE_TRY, TERCET_VERDICT_REFUSED);
    EXPECT_EQ(TERCET_VERDICT_REFUSED, world.LastReply(attempt).verdict);
    EXPECT_EQ(1, world.CountRecords("g", RECORD_PROGRESS));
    EXPECT_EQ(1, world.CountPairs(KIND_PROGRESS));
    world.on_record = nullptr;
    world.Crash();
    ASSERT_NE(nullptr, world.Branch("g", 1));
    EXPECT_EQ(BRANCH_REFUSED, world.Branch("g", 1)->state);
    EXPECT_EQ(0, world.CountCalls("g", TERCET_PHASE_TRY)) << "it would answer DONE now";
    EXPECT_EQ(TERCET_VERDICT_REFUSED, world.LastReply(world.Try("g", 1, kOptional)).verdict);
}

TEST(RecordRecovery, WhatWasRefusedBeforeACrashIsCancelledAfterIt)
{
    JournaledWorld world;
    world.Begin("g");
    world.Try("g", 1, {0});
    world.Try("g", 2, kOptional);
    world.HandAll();
    world.Answer("g", 2, TERCET_PHASE_TRY, TERCET_VERDICT_REFUSED);
    world.Crash();
    world.RunToEnd(); // the first is tried again
    EXPECT_EQ(TXN_CONFIRMING, world.LastReply(world.Ask(REQUEST_CONFIRM, "g")).told->state);
    EXPECT_EQ(1, world.CountCalls("g", TERCET_PHASE_CONFIRM));
    EXPECT_EQ(1, world.CountCalls("g", TERCET_PHASE_CANCEL));
    EXPECT_EQ(0, world.CountPairs(KIND_PROGRESS)) << "the decision says it now";
    EXPECT_EQ(1, world.CountPairs(KIND_DECIDE));
    world.ExpectAllEnds("g");
}

// The reason of a refusal is what the initiator is told; it comes back too.
TEST(RecordRecovery, AnOptionalRefusalThatDecidesInItsStepComesBackDecided)
{
    JournaledWorld world;
    world.Execute("g", {{0}, kOptional});
    world.HandAll();
    world.Answer("g", 1, TERCET_PHASE_TRY, TERCET_VERDICT_DONE, 1, "receipt");
    world.Answer("g", 2, TERCET_PHASE_TRY, TERCET_VERDICT_REFUSED);
    EXPECT_EQ(0, world.CountPairs(KIND_PROGRESS)) << "removed by the decision of the same step";
    world.Crash();
    ASSERT_EQ(TXN_CONFIRMING, world.Find("g")->state);
    EXPECT_EQ(BRANCH_CANCELLING, world.Branch("g", 2)->state);
    ASSERT_NE(nullptr, branch_trouble(world.Branch("g", 2))->reason);
    EXPECT_STREQ("CODE", branch_trouble(world.Branch("g", 2))->reason->code);
    EXPECT_EQ("receipt", TextOf(branch_rare(world.Branch("g", 1))->result));
    world.ExpectAllEnds("g");
}

// A PROGRESS tells of the branches that were there when it was written.
TEST(RecordRecovery, ABranchAddedAfterAProgressComesBack)
{
    JournaledWorld world;
    world.Begin("g");
    world.Try("g", 2, kOptional);
    world.HandAll();
    world.Answer("g", 2, TERCET_PHASE_TRY, TERCET_VERDICT_REFUSED);
    ASSERT_EQ(1, world.CountPairs(KIND_PROGRESS));
    world.Try("g", 1, {0}); // its record stands before that of branch 2, and before PROGRESS
    world.Try("g", 3, {2});
    world.Crash();
    ASSERT_NE(nullptr, world.Find("g"));
    ASSERT_EQ(3U, world.Find("g")->branch_count);
    EXPECT_EQ(BRANCH_REFUSED, world.Branch("g", 2)->state);
    EXPECT_EQ(BRANCH_TRYING, world.Branch("g", 1)->state);
    EXPECT_EQ(BRANCH_TRYING, world.Branch("g", 3)->state);
    world.RunToEnd();
    world.Ask(REQUEST_CONFIRM, "g");
    world.ExpectAllEnds("g");
}

TEST(RecordRecovery, BeforeTheDecisionNothingButAnOptionalRefusalIsProgress)
{
    JournaledWorld world;
    world.Begin("g");
    world.Try("g", 1, {0});
    world.Try("g", 2, kOptional);
    for (int i = 0; i < 20; i++) {
        world.HandAll();
        world.Answer("g", 1, TERCET_PHASE_TRY, TERCET_VERDICT_LATER);
        world.Fail("g", 2, TERCET_PHASE_TRY, ANSWER_UNKNOWN);
    }
    world.HandAll();
    world.Answer("g", 1, TERCET_PHASE_TRY, TERCET_VERDICT_DONE);
    EXPECT_EQ(0, world.CountPairs(KIND_PROGRESS));
    EXPECT_EQ(0, world.CountRecords("g", RECORD_PROGRESS));
    world.Answer("g", 2, TERCET_PHASE_TRY, TERCET_VERDICT_REFUSED);
    EXPECT_EQ(1, world.CountRecords("g", RECORD_PROGRESS));
    world.Crash();
    EXPECT_EQ(BRANCH_TRYING, world.Branch("g", 1)->state) << "asked again, not believed";
}

TEST(RecordRecovery, ABranchWhoseOnlyTryOfThisLifeIsNotServedIsCancelledWithACall)
{
    JournaledWorld world;
    world.Execute("g", {{0}});
    world.HandAll();
    world.Crash();
    world.HandAll();
    world.Fail("g", 1, TERCET_PHASE_TRY, ANSWER_NOT_SERVED);
    EXPECT_EQ(1, world.CountCalls("g", TERCET_PHASE_CANCEL));
    world.ExpectAllEnds("g");
}

TEST(RecordRecovery, AConflictIsStillAttentionAfterACrashAndGoesWhenItEnds)
{
    JournaledWorld world;
    world.Execute("g", {{0}});
    world.HandAll();
    world.Answer("g", 1, TERCET_PHASE_TRY, TERCET_VERDICT_DONE);
    world.HandAll();
    world.Answer("g", 1, TERCET_PHASE_CONFIRM, TERCET_VERDICT_CONFLICT, 0, "", 2);
    world.Crash();
    engine_stats stats{};
    engine_read_stats(world.engine, &stats);
    EXPECT_EQ(1U, stats.attention);
    world.ExpectAllEnds("g");
    engine_read_stats(world.engine, &stats);
    EXPECT_EQ(0U, stats.attention);
}

} // namespace
} // namespace tercet
