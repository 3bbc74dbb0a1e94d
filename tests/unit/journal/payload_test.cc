// The payload of one branch, read back while its transaction is open.
#include "unit/journal/record_fixture.h"

extern "C" {
#include "journal/journal_memory.h"
}

namespace tercet
{
namespace
{

std::string KeyOf(const branch *of)
{
    buffer key;
    buffer_init(&key);
    record_payload_key(of, &key);
    const std::string text = Text(buffer_bytes(&key));
    buffer_deinit(&key);
    return text;
}

tercet_status Read(const std::string &key, const std::string &value, uint32_t index,
                   std::string *payload_out)
{
    tercet_bytes payload{};
    const tercet_status status = record_read_payload(Bytes(key), Bytes(value), index, &payload);
    *payload_out = Text(payload);
    free(const_cast<void *>(payload.data));
    return status;
}

void EveryPayloadIsThere(struct journal *journal)
{
    Transactions made(Seed());
    Batch batch;
    std::vector<const txn *> open;
    for (int64_t sequence = 1; sequence <= 40; sequence++) {
        open.push_back(made.Begin(sequence, batch.get()));
    }
    batch.Write(journal);
    for (const txn *of : open) {
        for (uint32_t i = 0; i < of->branch_count; i++) {
            const branch *one = of->branches[i];
            const std::string key = KeyOf(one);
            std::string payload;
            buffer value;
            buffer_init(&value);
            ASSERT_EQ(journal_find_pair(journal, Bytes(key), &value), TERCET_OK);
            const tercet_status status =
                Read(key, Text(buffer_bytes(&value)), one->spec.index, &payload);
            EXPECT_EQ(status, one->payload_size == 0 ? TERCET_DATA_LOSS : TERCET_OK);
            EXPECT_EQ(payload, Text(branch_payload(one)));
            buffer_deinit(&value);
        }
    }
}

TEST(Payload, IsReadBackFromMemory)
{
    struct journal *journal = journal_memory_create(kNow, 0);
    EveryPayloadIsThere(journal);
    journal_close(journal);
}

TEST(Payload, IsReadBackFromLevelDb)
{
    TempDirectory directory;
    ASSERT_EQ(Init(directory / "j"), TERCET_OK);
    Opened opened = Open(directory / "j");
    ASSERT_EQ(opened.status, TERCET_OK) << opened.text;
    EveryPayloadIsThere(opened.journal);
    journal_close(opened.journal);
}

TEST(Payload, OfAPairThatIsNotThereIsNotFound)
{
    struct journal *journal = journal_memory_create(kNow, 0);
    buffer value;
    buffer_init(&value);
    EXPECT_EQ(journal_find_pair(journal, Bytes("t/12345678x"), &value), TERCET_NOT_FOUND);
    EXPECT_EQ(value.size, 0U);
    buffer_deinit(&value);
    journal_close(journal);
}

TEST(Payload, ThatMakesNoSenseIsRefused)
{
    Transactions made(Seed());
    struct journal *journal = journal_memory_create(kNow, 0);
    Batch batch;
    const branch *one = made.Begin(1, batch.get())->branches[0];
    batch.Write(journal);
    const std::string key = KeyOf(one);
    buffer value;
    buffer_init(&value);
    ASSERT_EQ(journal_find_pair(journal, Bytes(key), &value), TERCET_OK);
    const std::string whole = Text(buffer_bytes(&value));
    std::string payload;
    EXPECT_EQ(Read("no key", whole, one->spec.index, &payload), TERCET_DATA_LOSS);
    EXPECT_EQ(Read(key, whole.substr(0, whole.size() / 2), one->spec.index, &payload),
              TERCET_DATA_LOSS);
    EXPECT_EQ(Read(key, whole, 65, &payload), TERCET_DATA_LOSS) << "it has no such branch";
    EXPECT_EQ(payload, "");
    buffer_deinit(&value);
    journal_close(journal);
}

} // namespace
} // namespace tercet
