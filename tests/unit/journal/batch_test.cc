#include "unit/journal/journal_fixture.h"

extern "C" {
#include "journal/batch_read.h"
}

namespace tercet
{
namespace
{

TEST(JournalBatch, PutAddsTheHashOfThePair)
{
    Batch batch;
    digest128 hash = batch.Put("key", "value");
    EXPECT_TRUE(digest128_equal(hash, digest128_of_pair(Bytes("key"), Bytes("value"))));
    EXPECT_TRUE(digest128_equal(batch.get()->digest_delta, hash));
    EXPECT_EQ(batch.get()->live_delta, 1);
    EXPECT_EQ(batch.get()->operation_count, 1U);
}

TEST(JournalBatch, PutOverAPairLeavesOnlyTheNewOneInTheDigest)
{
    Batch batch;
    digest128 first = batch.Put("key", "one");
    digest128 second = batch.Put("key", "two", first);
    EXPECT_TRUE(digest128_equal(batch.get()->digest_delta, second));
    EXPECT_EQ(batch.get()->live_delta, 1);
    EXPECT_FALSE(digest128_equal(first, second));
}

TEST(JournalBatch, DeleteAfterPutLeavesNothingInTheDigest)
{
    Batch batch;
    digest128 hash = batch.Put("key", "value");
    journal_batch_delete(batch.get(), Bytes("key"), &hash);
    EXPECT_TRUE(digest128_is_zero(batch.get()->digest_delta));
    EXPECT_TRUE(digest128_is_zero(hash));
    EXPECT_EQ(batch.get()->live_delta, 0);
}

TEST(JournalBatch, DeleteWithoutAHashDoesNothing)
{
    Batch batch;
    batch.Delete("key", {0, 0});
    EXPECT_EQ(batch.get()->operation_count, 0U);
    EXPECT_EQ(batch.get()->operations.size, 0U);
}

TEST(JournalBatch, DigestOfASetDoesNotDependOnTheOrder)
{
    Batch forward;
    Batch backward;
    for (int i = 0; i < 100; i++) {
        forward.Put("key" + std::to_string(i), "value");
        backward.Put("key" + std::to_string(99 - i), "value");
    }
    EXPECT_TRUE(digest128_equal(forward.get()->digest_delta, backward.get()->digest_delta));
}

TEST(JournalBatch, OperationsComeBackAsTheyWentIn)
{
    Batch batch;
    digest128 hash = batch.Put(std::string("a\0b", 3), "");
    batch.Put("", std::string(70000, 'x'));
    batch.Delete(std::string("a\0b", 3), hash);
    batch_reader reader = {batch.get(), 0};
    batch_operation operation;
    ASSERT_TRUE(batch_reader_next(&reader, &operation));
    EXPECT_EQ(operation.kind, BATCH_PUT);
    EXPECT_EQ(Text(operation.key), std::string("a\0b", 3));
    EXPECT_EQ(operation.value.size, 0U);
    ASSERT_TRUE(batch_reader_next(&reader, &operation));
    EXPECT_EQ(operation.key.size, 0U);
    EXPECT_EQ(operation.value.size, 70000U);
    ASSERT_TRUE(batch_reader_next(&reader, &operation));
    EXPECT_EQ(operation.kind, BATCH_DELETE);
    EXPECT_EQ(Text(operation.key), std::string("a\0b", 3));
    EXPECT_FALSE(batch_reader_next(&reader, &operation));
}

TEST(JournalBatch, WhatIsWrittenWhereItWillStandIsLikeAnyOther)
{
    Batch copied;
    Batch written;
    digest128 hash = copied.Put("key", "value");
    const digest128 again = copied.Put("key", "", hash);
    journal_batch_put_for_good(copied.get(), Bytes("a/gid"), Bytes("outcome"));

    digest128 old = {0, 0};
    memcpy(journal_batch_begin_put(written.get(), Bytes("key"), 100), "value", 5);
    journal_batch_end_put(written.get(), 5, &old);
    EXPECT_TRUE(digest128_equal(old, hash));
    (void)journal_batch_begin_put(written.get(), Bytes("key"), 1);
    journal_batch_end_put(written.get(), 0, &old);
    EXPECT_TRUE(digest128_equal(old, again));
    memcpy(journal_batch_begin_put(written.get(), Bytes("a/gid"), 7), "outcome", 7);
    journal_batch_end_put_for_good(written.get(), 7);

    EXPECT_EQ(Text(buffer_bytes(&written.get()->operations)),
              Text(buffer_bytes(&copied.get()->operations)));
    EXPECT_TRUE(digest128_equal(written.get()->digest_delta, copied.get()->digest_delta));
    EXPECT_EQ(written.get()->live_delta, 2);
    EXPECT_EQ(written.get()->operation_count, 3U);
    EXPECT_STREQ(written.get()->greatest_ended_gid, "gid");
}

TEST(JournalBatchDeathTest, AValueThatIsLargerThanItsRoomIsOurBug)
{
    Batch batch;
    digest128 hash = {0, 0};
    (void)journal_batch_begin_put(batch.get(), Bytes("key"), 3);
    EXPECT_DEATH(journal_batch_end_put(batch.get(), 4, &hash), "put_bytes_max");
}

TEST(JournalBatchDeathTest, NothingIsPutBesideAValueThatIsBeingWritten)
{
    Batch batch;
    (void)journal_batch_begin_put(batch.get(), Bytes("key"), 3);
    EXPECT_DEATH(batch.Put("other", "value"), "put_bytes_max");
}

TEST(JournalBatch, ClearLeavesAnEmptyOne)
{
    Batch batch;
    batch.Put("key", "value");
    journal_batch_clear(batch.get());
    EXPECT_EQ(batch.get()->operation_count, 0U);
    EXPECT_EQ(batch.get()->live_delta, 0);
    EXPECT_TRUE(digest128_is_zero(batch.get()->digest_delta));
    EXPECT_EQ(batch.get()->operations.size, 0U);
}

} // namespace
} // namespace tercet
