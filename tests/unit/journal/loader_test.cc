// Transactions come back from the journal as they went in.
#include "unit/journal/record_fixture.h"

namespace tercet
{
namespace
{

// A loader behind a memory journal.
struct Recovery {
    std::map<int64_t, txn *> found;
    std::vector<int64_t> order;
    struct directory directory;
    tercet_status status = TERCET_OK;
    tercet_error error = {};
    record_loader *loader;

    // The head of a journal that has given out all numbers below `next_number`.
    explicit Recovery(int64_t next_number = 1 << 20)
    {
        struct journal_head head = {};
        head.incarnation = kNow;
        head.next_number = next_number;
        directory_init(&directory);
        loader = record_loader_create(
            &head, &directory,
            [](txn *taken, void *context) {
                Recovery *self = static_cast<Recovery *>(context);
                self->found[taken->sequence] = taken;
                self->order.push_back(taken->sequence);
            },
            this);
    }
    ~Recovery()
    {
        record_loader_destroy(loader);
        for (const auto &[sequence, taken] : found) {
            txn_destroy(taken);
        }
        directory_deinit(&directory);
    }
    void Run(struct journal *journal)
    {
        status = journal_load(
            journal,
            [](tercet_bytes key, tercet_bytes value, digest128 hash, void *context) {
                Recovery *self = static_cast<Recovery *>(context);
                return record_loader_pair(self->loader, key, value, hash, &self->error);
            },
            this, &error);
        if (status == TERCET_OK) {
            status = record_loader_finish(loader, &error);
        }
    }
    tercet_status Pair(const std::string &key, const std::string &value)
    {
        return record_loader_pair(loader, Bytes(key), Bytes(value),
                                  digest128_of_pair(Bytes(key), Bytes(value)), &error);
    }
};

TEST(Loader, WhatIsKnownOfAParticipantComesBackAndReplacesWhatWasKnown)
{
    struct journal *journal = journal_memory_create(kNow, kDay);
    Transactions transactions(Seed());
    acquaintance known{};
    known.told.store_count = 2;
    memset(known.told.stores[0].id, 'a', sizeof known.told.stores[0].id);
    memset(known.told.stores[1].id, 'b', sizeof known.told.stores[1].id);
    known.told.stores[0].mark = {10, 5};
    known.told.stores[1].reach = {11, 7};
    known.replied = {{10, 4}, {11, 6}};
    Batch batch;
    for (const char *held : {"", "it was rolled back"}) {
        snprintf(known.held, sizeof known.held, "%s", held);
        snprintf(known.released, sizeof known.released, "before");
        effect_record record = {RECORD_PARTICIPANT, nullptr, nullptr, 1, &known};
        record_write(&record, transactions.directory(), batch.get());
        batch.Write(journal);
    }
    EXPECT_EQ(Head(journal).live_count, 1);

    static acquaintance found;
    static std::string name;
    Recovery recovery;
    record_loader_tell_participants(recovery.loader,
                                    [](const char *told, const acquaintance *what, void *) {
                                        name = told;
                                        found = *what;
                                    });
    recovery.Run(journal);
    ASSERT_EQ(TERCET_OK, recovery.status) << recovery.error.text;
    EXPECT_EQ(transactions.directory()->entries[1].name, name);
    EXPECT_EQ(0, memcmp(&known.told.stores[0], &found.told.stores[0], sizeof(store_seen)));
    EXPECT_EQ(0, memcmp(&known.told.stores[1], &found.told.stores[1], sizeof(store_seen)));
    EXPECT_EQ(2U, found.told.store_count);
    EXPECT_EQ(0, branch_number_compare(known.replied.mark, found.replied.mark));
    EXPECT_EQ(0, branch_number_compare(known.replied.branch, found.replied.branch));
    EXPECT_STREQ("it was rolled back", found.held);
    EXPECT_STREQ("before", found.released);
    EXPECT_TRUE(digest128_equal(known.record, found.record));
    journal_close(journal);
}

void ExpectSpec(const branch *got, const branch *want, const std::string &got_participant,
                const std::string &want_participant)
{
    EXPECT_EQ(got->spec.index, want->spec.index);
    EXPECT_EQ(got_participant, want_participant);
    EXPECT_STREQ(got->action, want->action);
    EXPECT_EQ(Text(branch_payload(got)), Text(branch_payload(want)));
    EXPECT_EQ(got->spec.stage, want->spec.stage);
    EXPECT_EQ(branch_rare(got)->call_timeout_ms, branch_rare(want)->call_timeout_ms);
    EXPECT_EQ(got->spec.confirm_only, want->spec.confirm_only);
    EXPECT_EQ(got->spec.optional, want->spec.optional);
    EXPECT_TRUE(digest16_equal(&got->spec.digest, &want->spec.digest));
}

void ExpectBranch(const branch *got, const branch *want, bool decided)
{
    EXPECT_EQ(branch_number_compare(got->number, want->number), 0);
    EXPECT_TRUE(digest128_equal(branch_rare(got)->record, branch_rare(want)->record));
    EXPECT_EQ(got->answered_tried, want->answered_tried);
    EXPECT_EQ(ReasonOf(branch_trouble(got)->reason), ReasonOf(branch_trouble(want)->reason));
    const uint32_t may_have_left = 1U << TERCET_PHASE_TRY;
    if (!decided) {
        EXPECT_EQ(got->state, BRANCH_WAITING);
        EXPECT_EQ(got->handed, got->spec.confirm_only ? 0U : may_have_left);
        EXPECT_EQ(branch_rare(got)->result.size, 0U);
        return;
    }
    EXPECT_EQ(got->state, want->state);
    EXPECT_EQ(got->asked, want->asked);
    EXPECT_EQ(got->attempts, want->attempts);
    EXPECT_EQ(branch_rare(got)->conflict, branch_rare(want)->conflict);
    EXPECT_EQ(Text(branch_rare(got)->result), Text(branch_rare(want)->result));
    EXPECT_STREQ(branch_rare(got)->resolved == nullptr ? "" : branch_rare(got)->resolved,
                 branch_rare(want)->resolved == nullptr ? "" : branch_rare(want)->resolved);
}

void ExpectTxn(const txn *got, const struct directory &got_directory, const txn *want,
               const struct directory &want_directory)
{
    EXPECT_STREQ(got->gid, want->gid);
    EXPECT_EQ(got->sequence, want->sequence);
    EXPECT_EQ(got->state, want->state);
    EXPECT_EQ(got->mode, want->mode);
    EXPECT_EQ(got->cause, want->cause);
    EXPECT_EQ(got->refused_branch, want->refused_branch);
    EXPECT_EQ(ReasonOf(got->reason), ReasonOf(want->reason));
    EXPECT_TRUE(digest16_equal(&got->content, &want->content));
    EXPECT_EQ(got->deadline.boot_ms, want->deadline.boot_ms);
    EXPECT_EQ(got->deadline.unix_ms, want->deadline.unix_ms);
    EXPECT_EQ(got->timeout_ms, want->timeout_ms);
    EXPECT_STREQ(txn_boot_id(got), txn_boot_id(want));
    EXPECT_STREQ(txn_traceparent(got), txn_traceparent(want));
    EXPECT_EQ(got->begun_unix_ms, want->begun_unix_ms);
    EXPECT_EQ(got->decided_unix_ms, want->decided_unix_ms);
    EXPECT_EQ(got->payload_bytes, want->payload_bytes);
    EXPECT_TRUE(digest128_equal(got->record_begin, want->record_begin));
    EXPECT_TRUE(digest128_equal(got->record_decide, want->record_decide));
    EXPECT_TRUE(digest128_equal(got->record_progress, want->record_progress));
    ASSERT_EQ(got->branch_count, want->branch_count);
    for (uint32_t i = 0; i < want->branch_count; i++) {
        ExpectSpec(got->branches[i], want->branches[i],
                   got_directory.entries[got->branches[i]->spec.participant].name,
                   want_directory.entries[want->branches[i]->spec.participant].name);
        ExpectBranch(got->branches[i], want->branches[i], txn_state_is_decided(want->state));
    }
}

TEST(RecordLoader, EveryTransactionComesBackAsItWasWritten)
{
    Transactions transactions(Seed());
    struct journal *journal = journal_memory_create(kNow, kDay);
    std::map<int64_t, txn *> open;
    Batch batch;
    for (int64_t sequence = 1; sequence <= 400; sequence++) {
        txn *made = transactions.Begin(sequence, batch.get());
        const uint64_t stage = transactions.Below(5);
        if (transactions.Maybe()) {
            transactions.TryAWhile(made, batch.get());
        }
        if (stage >= 1) {
            transactions.Decide(made, batch.get());
        }
        if (stage >= 2) {
            transactions.Progress(made, batch.get());
        }
        if (stage >= 3) {
            transactions.Progress(made, batch.get());
        }
        if (stage >= 4) {
            transactions.End(made, batch.get());
        } else {
            open[sequence] = made;
        }
        batch.Write(journal);
    }
    Recovery recovery;
    recovery.Run(journal);
    ASSERT_EQ(recovery.status, TERCET_OK) << recovery.error.text;
    ASSERT_EQ(recovery.found.size(), open.size());
    EXPECT_TRUE(std::is_sorted(recovery.order.begin(), recovery.order.end()));
    for (const auto &[sequence, want] : open) {
        SCOPED_TRACE("transaction " + std::to_string(sequence) +
                     ", TERCET_SEED=" + std::to_string(Seed()));
        ASSERT_EQ(recovery.found.count(sequence), 1U);
        ExpectTxn(recovery.found[sequence], recovery.directory, want, *transactions.directory());
    }
    journal_close(journal);
}

TEST(RecordLoader, WhatCameBackEndsWithoutLeavingAPair)
{
    Transactions transactions(Seed() + 1);
    struct journal *journal = journal_memory_create(kNow, kDay);
    Batch batch;
    for (int64_t sequence = 1; sequence <= 100; sequence++) {
        txn *made = transactions.Begin(sequence, batch.get());
        transactions.Decide(made, batch.get());
        transactions.Progress(made, batch.get());
    }
    batch.Write(journal);
    Recovery recovery;
    recovery.Run(journal);
    ASSERT_EQ(recovery.status, TERCET_OK) << recovery.error.text;
    ASSERT_EQ(recovery.found.size(), 100U);
    for (const auto &[sequence, made] : recovery.found) {
        for (uint32_t i = 0; i < made->branch_count; i++) {
            branch *of = made->branches[i];
            of->state = of->state == BRANCH_CONFIRMING   ? BRANCH_CONFIRMED
                        : of->state == BRANCH_CANCELLING ? BRANCH_CANCELLED
                                                         : of->state;
        }
        txn_move(made, made->state == TXN_CONFIRMING ? TXN_CONFIRMED : TXN_CANCELLED,
                 clock_now{0, kNow});
        effect_record record = {RECORD_END, made, nullptr, 0, nullptr};
        record_write(&record, &recovery.directory, batch.get());
    }
    batch.Write(journal);
    EXPECT_TRUE(Load(journal).empty()); // and the digest adds up
    EXPECT_EQ(Head(journal).live_count, 100);
    journal_close(journal);
}

TEST(RecordLoader, ADecisionOutlivesWhatWasWrittenOfItsTries)
{
    Transactions transactions(Seed() + 2);
    struct journal *journal = journal_memory_create(kNow, kDay);
    Batch batch;
    txn *made = transactions.Begin(1, batch.get());
    transactions.TryAWhile(made, batch.get());
    batch.Write(journal);
    EXPECT_FALSE(digest128_is_zero(made->record_progress));
    transactions.Decide(made, batch.get());
    batch.Write(journal);
    EXPECT_TRUE(digest128_is_zero(made->record_progress));
    Recovery recovery;
    recovery.Run(journal);
    ASSERT_EQ(recovery.status, TERCET_OK) << recovery.error.text;
    EXPECT_EQ(recovery.found[1]->state, made->state);
    journal_close(journal);
}

// All pairs of a few decided transactions.
std::map<std::string, std::string> SomePairs(uint64_t seed)
{
    Transactions transactions(seed);
    struct journal *journal = journal_memory_create(kNow, kDay);
    Batch batch;
    for (int64_t sequence = 1; sequence <= 6; sequence++) {
        txn *made = transactions.Begin(sequence, batch.get());
        transactions.Decide(made, batch.get());
        transactions.Progress(made, batch.get());
    }
    batch.Write(journal);
    std::map<std::string, std::string> pairs = Load(journal);
    journal_close(journal);
    return pairs;
}

// Loads all pairs, the one at `key` with another value; the status it is met with.
tercet_status LoadWith(const std::map<std::string, std::string> &pairs, const std::string &key,
                       const std::string &value, std::string *text)
{
    Recovery recovery;
    for (const auto &[each, original] : pairs) {
        tercet_status status = recovery.Pair(each, each == key ? value : original);
        if (each == key || status != TERCET_OK) {
            *text = recovery.error.text;
            return status;
        }
    }
    return TERCET_OK;
}

TEST(RecordLoader, AnUnknownFieldIsRefused)
{
    const auto pairs = SomePairs(Seed());
    std::string text;
    for (const auto &[key, value] : pairs) {
        EXPECT_EQ(LoadWith(pairs, key, value + std::string("\xa8\x06\x01", 3), &text),
                  TERCET_DATA_LOSS);
        EXPECT_NE(text.find("does not know"), std::string::npos) << text;
    }
}

TEST(RecordLoader, AnotherFormatVersionIsRefused)
{
    const auto pairs = SomePairs(Seed());
    std::string text;
    for (const auto &[key, value] : pairs) {
        std::string newer = value;
        newer[0] = 2;
        EXPECT_EQ(LoadWith(pairs, key, newer, &text), TERCET_DATA_LOSS);
        EXPECT_NE(text.find("format version 2"), std::string::npos) << text;
    }
}

TEST(RecordLoader, AValueCutShortAnywhereIsRefused)
{
    const auto pairs = SomePairs(Seed());
    std::string text;
    for (const auto &[key, value] : pairs) {
        const size_t step = 1 + value.size() / 100;
        for (size_t size = 0; size < value.size(); size += step) {
            EXPECT_EQ(LoadWith(pairs, key, value.substr(0, size), &text), TERCET_DATA_LOSS) << size;
        }
        EXPECT_EQ(LoadWith(pairs, key, value.substr(0, value.size() - 1), &text), TERCET_DATA_LOSS);
    }
}

TEST(RecordLoader, GarbageNeverCrashesAndIsNeverSilentlyTakenForNothing)
{
    const auto pairs = SomePairs(Seed());
    std::mt19937_64 random(Seed());
    std::string text;
    int refused = 0;
    for (int round = 0; round < 40; round++) {
        for (const auto &[key, value] : pairs) {
            std::string damaged = value;
            damaged[random() % damaged.size()] ^= static_cast<char>(1 << random() % 8);
            const tercet_status status = LoadWith(pairs, key, damaged, &text);
            EXPECT_TRUE(status == TERCET_OK || status == TERCET_DATA_LOSS);
            refused += status == TERCET_DATA_LOSS ? 1 : 0;
            if (status == TERCET_DATA_LOSS) {
                EXPECT_NE(text, "");
            }
        }
    }
    EXPECT_GT(refused, 10);
}

TEST(RecordLoader, ARecordWithoutItsBeginIsRefused)
{
    const auto pairs = SomePairs(Seed());
    for (const auto &[key, value] : pairs) {
        if (key[10] == '\x10') {
            continue;
        }
        Recovery recovery;
        EXPECT_EQ(recovery.Pair(key, value), TERCET_DATA_LOSS);
        EXPECT_NE(std::string(recovery.error.text).find("no BEGIN"), std::string::npos)
            << recovery.error.text;
    }
}

// A lost BEGIN must not make its records those of the transaction before it.
TEST(RecordLoader, ARecordBehindTheBeginOfAnotherTransactionIsRefused)
{
    const auto pairs = SomePairs(Seed());
    int tried = 0;
    for (const auto &[key, value] : pairs) {
        for (const auto &[begin_key, begin_value] : pairs) {
            if (key[10] != '\x10' && begin_key[10] == '\x10' &&
                begin_key.substr(0, 10) < key.substr(0, 10)) {
                Recovery recovery;
                ASSERT_EQ(recovery.Pair(begin_key, begin_value), TERCET_OK);
                EXPECT_EQ(recovery.Pair(key, value), TERCET_DATA_LOSS);
                EXPECT_NE(std::string(recovery.error.text).find("no BEGIN"), std::string::npos)
                    << recovery.error.text;
                tried++;
            }
        }
    }
    EXPECT_GT(tried, 0);
}

TEST(RecordLoader, AKeyThatNobodyWritesIsRefused)
{
    const auto pairs = SomePairs(Seed());
    const std::string &value = pairs.begin()->second;
    for (const std::string &key :
         {std::string("t/"), TxnKey(1) + "x", TxnKey(1).substr(0, 10), std::string("a/gid"),
          TxnKey(1).substr(0, 10) + "\x11", TxnKey(1).substr(0, 10) + "\x20"}) {
        Recovery recovery;
        EXPECT_EQ(recovery.Pair(key, value), TERCET_DATA_LOSS);
    }
    Recovery recovery; // its BEGIN under another sequence
    EXPECT_EQ(recovery.Pair(TxnKey(9), value), TERCET_DATA_LOSS);
}

} // namespace
} // namespace tercet
