#include "unit/journal/journal_fixture.h"

namespace tercet
{
namespace
{

struct Memory {
    struct journal *journal = journal_memory_create(kNow, 7 * kDay);
    ~Memory()
    {
        journal_close(journal);
    }
};

TEST(JournalMemory, CrashForgetsWhatIsNotSyncedAndKeepsWhatIs)
{
    Memory memory;
    Batch batch;
    batch.Put("t/one", "1");
    batch.Write(memory.journal);
    journal_memory_hold(memory.journal, true);
    batch.Put("t/two", "2");
    journal_head head = Head(memory.journal);
    batch.get()->lsn = head.lsn + 1;
    batch.get()->next_number = head.next_number;
    journal_write(memory.journal, batch.get());
    EXPECT_EQ(Load(memory.journal).size(), 1U);
    journal_memory_crash(memory.journal);
    journal_memory_sync(memory.journal);
    EXPECT_EQ(Load(memory.journal).size(), 1U);
    EXPECT_EQ(Head(memory.journal).epoch, head.epoch + 1);
}

TEST(JournalMemory, ABackupThatIsPutBackIsAnotherLifeOfWhatItHeld)
{
    Memory memory;
    Batch batch;
    batch.Put("t/one", "1");
    batch.Write(memory.journal);
    journal_memory_back_up(memory.journal);
    const journal_head held = Head(memory.journal);
    batch.Put("t/two", "2");
    batch.Write(memory.journal);
    journal_memory_restore(memory.journal, kNow + kDay);
    EXPECT_EQ(Load(memory.journal).count("t/one"), 1U);
    EXPECT_EQ(Load(memory.journal).count("t/two"), 0U);
    const journal_head head = Head(memory.journal);
    EXPECT_EQ(head.incarnation, kNow + kDay);
    EXPECT_GT(head.horizon_unix_ms, kNow + kDay) << "the lost life may have been asked then";
    EXPECT_EQ(head.lost_incarnation, held.incarnation);
    EXPECT_EQ(head.lost_number, held.next_number);
    EXPECT_EQ(head.epoch, held.epoch + 1);
}

TEST(JournalMemory, AFailedWriteLeavesNothing)
{
    Memory memory;
    Batch batch;
    journal_memory_fail_write(memory.journal, 2);
    batch.Put("t/one", "1");
    batch.Write(memory.journal);
    EXPECT_FALSE(journal_memory_has_failed(memory.journal));
    batch.Put("t/two", "2");
    batch.Write(memory.journal);
    EXPECT_TRUE(journal_memory_has_failed(memory.journal));
    journal_memory_crash(memory.journal);
    EXPECT_FALSE(journal_memory_has_failed(memory.journal));
    EXPECT_EQ(Load(memory.journal).count("t/two"), 0U);
}

TEST(JournalMemory, ADamagedPairIsNotLoaded)
{
    Memory memory;
    Batch batch;
    batch.Put("t/one", "1");
    batch.Write(memory.journal);
    journal_memory_damage(memory.journal, 0);
    Load(memory.journal, TERCET_DATA_LOSS);
}

TEST(JournalMemory, ExpiryRaisesTheHorizonBeforeAnOutcomeGoes)
{
    Memory memory;
    Batch batch;
    PutOutcome(&batch, "old", kNow);
    PutOutcome(&batch, "young", kNow + 7 * kDay);
    batch.Write(memory.journal);
    const int64_t later = kNow + 8 * kDay;
    EXPECT_TRUE(journal_maintain(memory.journal, later));
    EXPECT_EQ(FindOutcome(memory.journal, "old"), "old");
    batch.Write(memory.journal);
    EXPECT_GT(Head(memory.journal).horizon_unix_ms, kNow);
    EXPECT_EQ(FindOutcome(memory.journal, "old"), "old");
    EXPECT_TRUE(journal_maintain(memory.journal, later));
    batch.Write(memory.journal);
    EXPECT_EQ(FindOutcome(memory.journal, "old"), "");
    EXPECT_EQ(FindOutcome(memory.journal, "young"), "young");
    EXPECT_FALSE(journal_maintain(memory.journal, later));
    Load(memory.journal);
}

TEST(JournalMemory, ListingGoesNewestDayFirstAndOnBehindItsCursor)
{
    Memory memory;
    Batch batch;
    PutOutcome(&batch, "b", kNow);
    PutOutcome(&batch, "a", kNow);
    PutOutcome(&batch, "c", kNow + kDay);
    batch.Write(memory.journal);
    const std::vector<std::string> expected = {"c", "a", "b"};
    EXPECT_EQ(ListOutcomes(memory.journal), expected);
    EXPECT_EQ(ListOutcomes(memory.journal, 1), expected);
    EXPECT_EQ(journal_list_outcomes(
                  memory.journal, "nonsense",
                  [](tercet_bytes, const char *, void *) { return true; }, nullptr),
              TERCET_INVALID_ARGUMENT);
}

} // namespace
} // namespace tercet
