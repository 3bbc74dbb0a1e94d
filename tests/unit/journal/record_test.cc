// Outcomes, and the strictness of reading.
#include "unit/journal/record_fixture.h"

extern "C" {
#include "journal/record_message.h"
#define try try_ // a method of the services, which protoc-c makes a member
#include "tercet/v1/record.pb-c.h"
#undef try
}

namespace tercet
{
namespace
{

void ExpectView(const view *got, const view *want)
{
    EXPECT_STREQ(got->gid, want->gid);
    EXPECT_EQ(got->sequence, want->sequence);
    EXPECT_EQ(got->state, want->state);
    EXPECT_EQ(got->mode, want->mode);
    EXPECT_EQ(got->cause, want->cause);
    EXPECT_EQ(got->refused_branch, want->refused_branch);
    EXPECT_STREQ(got->reason_code, want->reason_code);
    EXPECT_STREQ(got->reason_text, want->reason_text);
    EXPECT_STREQ(got->attention, "");
    EXPECT_TRUE(digest16_equal(&got->content, &want->content));
    EXPECT_EQ(got->begun_unix_ms, want->begun_unix_ms);
    EXPECT_EQ(got->decided_unix_ms, want->decided_unix_ms);
    EXPECT_EQ(got->ended_unix_ms, want->ended_unix_ms);
    EXPECT_EQ(got->deadline_unix_ms, want->deadline_unix_ms);
    ASSERT_EQ(got->branch_count, want->branch_count);
    for (uint32_t i = 0; i < want->branch_count; i++) {
        const view_branch &a = got->branches[i];
        const view_branch &b = want->branches[i];
        EXPECT_EQ(a.index, b.index);
        EXPECT_EQ(a.state, b.state);
        EXPECT_STREQ(a.participant, b.participant);
        EXPECT_STREQ(a.action, b.action);
        EXPECT_EQ(a.stage, b.stage);
        EXPECT_EQ(a.confirm_only, b.confirm_only);
        EXPECT_EQ(a.optional, b.optional);
        EXPECT_TRUE(digest16_equal(&a.digest, &b.digest));
        EXPECT_EQ(Text(a.result), Text(b.result));
        EXPECT_STREQ(a.reason_code, b.reason_code);
        EXPECT_STREQ(a.reason_text, b.reason_text);
        EXPECT_EQ(a.attempts, b.attempts);
        EXPECT_EQ(a.next_attempt_unix_ms, 0);
        EXPECT_EQ(a.conflict, b.conflict);
        EXPECT_STREQ(a.resolved, b.resolved);
    }
}

std::string OutcomeOf(struct journal *journal, const char *gid)
{
    buffer value;
    buffer_init(&value);
    EXPECT_EQ(journal_find_outcome(journal, gid, &value), TERCET_OK);
    const std::string found = Text(buffer_bytes(&value));
    buffer_deinit(&value);
    return found;
}

TEST(Record, EveryOutcomeTellsAllThatTheTransactionDid)
{
    Transactions transactions(Seed());
    struct journal *journal = journal_memory_create(kNow, kDay);
    Batch batch;
    for (int64_t sequence = 1; sequence <= 200; sequence++) {
        txn *made = transactions.Begin(sequence, batch.get());
        transactions.Decide(made, batch.get());
        transactions.End(made, batch.get());
        batch.Write(journal);
        view *want = view_of_txn(made, transactions.directory(), clock_now{INT64_MAX, kNow});
        view *got = nullptr;
        const std::string value = OutcomeOf(journal, made->gid);
        ASSERT_EQ(record_read_outcome(Bytes(value), &got), TERCET_OK);
        ExpectView(got, want);
        int64_t ended = 0;
        EXPECT_TRUE(record_peek_ended(Bytes(value), &ended));
        EXPECT_EQ(ended, made->ended_unix_ms);
        view_destroy(got);
        view_destroy(want);
    }
    EXPECT_TRUE(Load(journal).empty());
    EXPECT_EQ(Head(journal).live_count, 200);
    journal_close(journal);
}

TEST(Record, DecideAndEndInOneBatchLeaveOnlyTheOutcome)
{
    Transactions transactions(Seed());
    struct journal *journal = journal_memory_create(kNow, kDay);
    Batch batch;
    txn *made = transactions.Begin(1, batch.get());
    transactions.TryAWhile(made, batch.get());
    transactions.Decide(made, batch.get());
    transactions.Progress(made, batch.get());
    transactions.End(made, batch.get());
    // As the engine may emit it: a PROGRESS of the same step, encoded when all is over.
    transactions.Write(RECORD_PROGRESS, made, nullptr, batch.get());
    batch.Write(journal);
    EXPECT_TRUE(Load(journal).empty());
    EXPECT_EQ(Head(journal).live_count, 1);
    journal_close(journal);
}

// Of the gid "gid".
std::string AnOutcome()
{
    Batch batch;
    PutOutcome(&batch, "gid", kNow);
    struct journal *journal = journal_memory_create(kNow, kDay);
    batch.Write(journal);
    const std::string value = OutcomeOf(journal, "gid");
    journal_close(journal);
    return value;
}

TEST(Record, AnOutcomeThatIsDamagedIsRefused)
{
    const std::string value = AnOutcome();
    view *view = nullptr;
    for (size_t size = 0; size < value.size(); size++) {
        EXPECT_EQ(record_read_outcome(Bytes(value.substr(0, size)), &view), TERCET_DATA_LOSS);
    }
    EXPECT_EQ(record_read_outcome(Bytes(value + std::string("\xa8\x06\x01", 3)), &view),
              TERCET_DATA_LOSS);
    EXPECT_EQ(record_read_outcome(Bytes(value + value.substr(1)), &view), TERCET_DATA_LOSS);
    int64_t ended = 0;
    EXPECT_FALSE(record_peek_ended(Bytes("\x01"), &ended));
    EXPECT_FALSE(record_peek_ended(Bytes("0123456789"), &ended));
}

TEST(Record, AnOutcomeOfAnotherGidIsRefused)
{
    const std::string value = AnOutcome();
    view *view = nullptr;
    for (const char *other : {"", "gi", "gid2", "gie"}) {
        EXPECT_EQ(record_read_outcome_of(Bytes(other), Bytes(value), &view), TERCET_DATA_LOSS);
        EXPECT_EQ(view, nullptr);
    }
    EXPECT_EQ(record_read_outcome_of(Bytes("gid"), Bytes(value.substr(1)), &view),
              TERCET_DATA_LOSS);
    EXPECT_EQ(view, nullptr);
    ASSERT_EQ(record_read_outcome_of(Bytes("gid"), Bytes(value), &view), TERCET_OK);
    EXPECT_STREQ(view->gid, "gid");
    view_destroy(view);
}

template <typename Message> std::string Pack(Message *message)
{
    buffer value;
    buffer_init(&value);
    record_message_pack(&message->base, &value);
    const std::string packed = Text(buffer_bytes(&value));
    buffer_deinit(&value);
    return packed;
}

bool IsTaken(const ProtobufCMessageDescriptor *descriptor, const std::string &value,
             std::string *text)
{
    tercet_error error = {};
    ProtobufCMessage *message = record_message_unpack(descriptor, Bytes(value), "it", &error);
    *text = error.text;
    if (message != nullptr) {
        protobuf_c_message_free_unpacked(message, nullptr);
    }
    return message != nullptr;
}

TEST(Record, AnUnknownEnumValueIsRefusedAtBothDepths)
{
    std::string text;
    Tercet__V1__Record__Decide decide = TERCET__V1__RECORD__DECIDE__INIT;
    decide.whole = true;
    decide.cause = TERCET__V1__CAUSE__CAUSE_TIMEOUT;
    EXPECT_TRUE(IsTaken(decide.base.descriptor, Pack(&decide), &text)) << text;
    decide.cause = static_cast<Tercet__V1__Cause>(99);
    EXPECT_FALSE(IsTaken(decide.base.descriptor, Pack(&decide), &text));
    EXPECT_NE(text.find("does not know"), std::string::npos) << text;
    decide.cause = TERCET__V1__CAUSE__CAUSE_TIMEOUT;
    Tercet__V1__Record__BranchNow now = TERCET__V1__RECORD__BRANCH_NOW__INIT;
    Tercet__V1__Record__BranchNow *branches[] = {&now};
    decide.branches = branches;
    decide.n_branches = 1;
    EXPECT_TRUE(IsTaken(decide.base.descriptor, Pack(&decide), &text)) << text;
    now.state = static_cast<Tercet__V1__BranchState>(77);
    EXPECT_FALSE(IsTaken(decide.base.descriptor, Pack(&decide), &text));
    EXPECT_NE(text.find("does not know"), std::string::npos) << text;
}

TEST(Record, ATextWithAZeroByteIsRefused)
{
    std::string text;
    Tercet__V1__Record__Day day = TERCET__V1__RECORD__DAY__INIT;
    char date[] = "2027-01-14";
    day.date = date;
    day.whole = true;
    std::string value = Pack(&day);
    EXPECT_TRUE(IsTaken(day.base.descriptor, value, &text)) << text;
    value[value.find("-01")] = '\0';
    EXPECT_FALSE(IsTaken(day.base.descriptor, value, &text));
}

TEST(Record, NoMessageNestsDeeperThanTwoAndEachValueEndsWithWhole)
{
    const ProtobufCMessageDescriptor *const values[] = {
        &tercet__v1__record__head__descriptor,   &tercet__v1__record__day__descriptor,
        &tercet__v1__record__begin__descriptor,  &tercet__v1__record__add_branch__descriptor,
        &tercet__v1__record__decide__descriptor, &tercet__v1__record__progress__descriptor,
        &tercet__v1__record__ended__descriptor};
    for (const ProtobufCMessageDescriptor *value : values) {
        EXPECT_STREQ(value->fields[value->n_fields - 1].name, "whole") << value->name;
        for (unsigned i = 0; i < value->n_fields; i++) {
            if (value->fields[i].type != PROTOBUF_C_TYPE_MESSAGE) {
                continue;
            }
            const auto *nested =
                static_cast<const ProtobufCMessageDescriptor *>(value->fields[i].descriptor);
            for (unsigned j = 0; j < nested->n_fields; j++) {
                EXPECT_NE(nested->fields[j].type, PROTOBUF_C_TYPE_MESSAGE) << nested->name;
            }
        }
    }
}

} // namespace
} // namespace tercet
