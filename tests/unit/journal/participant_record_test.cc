// What the journal keeps of a participant's databases: it comes back as it was written, and each thing
// that nobody writes is refused by itself.  Whatever passed would be what a database is judged by.
#include <array>
#include <deque>

#include "unit/journal/record_fixture.h"

extern "C" {
#include "journal/record_message.h"
#include "journal/record_participant.h"
#define try try_ // a method of the services, which protoc-c makes a member
#include "tercet/v1/record.pb-c.h"
#undef try
}

namespace tercet
{
namespace
{

using KnownStore = Tercet__V1__Record__KnownStore;

// What is known of a participant with one store, as a message that is all well.
class Known
{
  public:
    Known()
    {
        tercet__v1__record__known_participant__init(&message);
        message.whole = true;
        message.participant = Keep("ledger");
        for (size_t i = 0; i < stores.size(); i++) {
            tercet__v1__record__known_store__init(&stores[i]);
            stores[i].store_id = {16, reinterpret_cast<uint8_t *>(Keep(std::string(16, 'i')))};
            pointers_[i] = &stores[i];
        }
        message.stores = pointers_.data();
        message.n_stores = 1;
    }
    Known(const Known &) = delete;
    Known &operator=(const Known &) = delete;

    char *Keep(const std::string &text)
    {
        texts_.push_back(text);
        return texts_.back().data();
    }
    std::string Value() const
    {
        buffer value;
        buffer_init(&value);
        record_message_pack(&message.base, &value);
        const std::string packed = Text(buffer_bytes(&value));
        buffer_deinit(&value);
        return packed;
    }

    Tercet__V1__Record__KnownParticipant message;
    std::array<KnownStore, STORE_COUNT_MAX + 1> stores;
    std::string key = "p/ledger";

  private:
    std::array<KnownStore *, STORE_COUNT_MAX + 1> pointers_;
    std::deque<std::string> texts_;
};

struct Told {
    std::vector<std::string> names;
    std::vector<acquaintance> all;
};

void Tell(const char *name, const acquaintance *known, void *context)
{
    Told *told = static_cast<Told *>(context);
    told->names.emplace_back(name);
    told->all.push_back(*known);
}

tercet_status Read(const std::string &key, const std::string &value, Told *told, std::string *why)
{
    const record_listener listener = {told == nullptr ? nullptr : Tell, told};
    tercet_error error = {};
    const tercet_status status =
        record_participant_tell(Bytes(key), Bytes(value), {3, 4}, &listener, &error);
    *why = error.text;
    return status;
}

tercet_status Read(const Known &known, Told *told, std::string *why)
{
    return Read(known.key, known.Value(), told, why);
}

void Copy(char *to, const std::string &text)
{
    memcpy(to, text.c_str(), text.size() + 1);
}

TEST(KnownParticipant, ComesBackAsItWasWritten)
{
    acquaintance known = {};
    known.told.store_count = STORE_COUNT_MAX;
    for (uint32_t i = 0; i < STORE_COUNT_MAX; i++) {
        memset(known.told.stores[i].id, static_cast<int>('a' + i), STORE_ID_BYTES);
        if (i % 2 == 0) { // the others have no mark and nothing that it could be in front of
            known.told.stores[i].mark = {kNow, 100 + i};
            known.told.stores[i].reach = {kNow + 1, 200 + i};
        }
    }
    known.replied = {{kNow, 7}, {kNow, 9}};
    Copy(known.held, std::string(TERCET_REASON_TEXT_BYTES_MAX, 'h'));
    Copy(known.released, std::string(TERCET_REASON_TEXT_BYTES_MAX, 'r'));
    known.asked_incarnation = kNow + 2;
    Batch batch;
    record_participant_write("ledger", &known, batch.get());
    struct journal *journal = journal_memory_create(kNow, 0);
    batch.Write(journal);
    buffer value;
    buffer_init(&value);
    ASSERT_EQ(journal_find_pair(journal, Bytes("p/ledger"), &value), TERCET_OK);
    Told told;
    std::string why;
    ASSERT_EQ(Read("p/ledger", Text(buffer_bytes(&value)), &told, &why), TERCET_OK) << why;
    buffer_deinit(&value);
    journal_close(journal);

    ASSERT_EQ(told.names, std::vector<std::string>{"ledger"});
    const acquaintance &got = told.all[0];
    ASSERT_EQ(got.told.store_count, known.told.store_count);
    for (uint32_t i = 0; i < STORE_COUNT_MAX; i++) {
        const store_seen &one = got.told.stores[i];
        const store_seen &wrote = known.told.stores[i];
        EXPECT_EQ(memcmp(one.id, wrote.id, STORE_ID_BYTES), 0) << i;
        EXPECT_EQ(branch_number_compare(one.mark, wrote.mark), 0) << i;
        EXPECT_EQ(branch_number_compare(one.reach, wrote.reach), 0) << i;
    }
    EXPECT_EQ(branch_number_compare(got.replied.mark, known.replied.mark), 0);
    EXPECT_EQ(branch_number_compare(got.replied.branch, known.replied.branch), 0);
    EXPECT_STREQ(got.held, known.held);
    EXPECT_STREQ(got.released, known.released);
    EXPECT_EQ(got.asked_incarnation, known.asked_incarnation);
    EXPECT_TRUE(digest128_equal(got.record, {3, 4})) << "the pair's hash, for who replaces it";
}

TEST(KnownParticipant, IsCheckedEvenWhenNobodyIsTold)
{
    Known known;
    std::string why;
    EXPECT_EQ(Read(known, nullptr, &why), TERCET_OK) << why;
    known.message.asked_incarnation = -1;
    EXPECT_EQ(Read(known, nullptr, &why), TERCET_DATA_LOSS);
}

TEST(KnownParticipant, OnlyAKeyWithANameBehindItsPrefixIsOne)
{
    EXPECT_TRUE(record_participant_is(Bytes("p/a")));
    EXPECT_FALSE(record_participant_is(Bytes("p/")));
    EXPECT_FALSE(record_participant_is(Bytes("t/a")));
    EXPECT_FALSE(record_participant_is(Bytes("pa/")));
}

struct Wrong {
    const char *name;
    std::function<void(Known *)> make;
};

class KnownParticipantRefusal : public ::testing::TestWithParam<Wrong>
{
};

TEST_P(KnownParticipantRefusal, IsRefusedForThisAlone)
{
    Told told;
    std::string why;
    Known well;
    ASSERT_EQ(Read(well, &told, &why), TERCET_OK) << why;
    ASSERT_EQ(told.names.size(), 1U);
    Known known;
    GetParam().make(&known);
    EXPECT_EQ(Read(known, &told, &why), TERCET_DATA_LOSS);
    EXPECT_EQ(why, "what is known of a participant makes no sense");
    EXPECT_EQ(told.names.size(), 1U) << "told of what was refused";
}

const Wrong kWrongs[] = {
    {"KeyThatIsNoName",
     [](Known *of) {
         of->key = "p/led ger";
         of->message.participant = of->Keep("led ger");
     }},
    {"KeyTooLong",
     [](Known *of) {
         const std::string name(TERCET_NAME_BYTES_MAX + 1, 'n');
         of->key = "p/" + name;
         of->message.participant = of->Keep(name);
     }},
    {"NameOfAnother", [](Known *of) { of->message.participant = of->Keep("ledges"); }},
    {"NameLongerThanItsKeys", [](Known *of) { of->message.participant = of->Keep("ledgers"); }},
    {"MoreStoresThanThereMayBe", [](Known *of) { of->message.n_stores = STORE_COUNT_MAX + 1; }},
    {"HeldForAnEssay",
     [](Known *of) {
         of->message.held = of->Keep(std::string(TERCET_REASON_TEXT_BYTES_MAX + 1, 'h'));
     }},
    {"ReleasedForAnEssay",
     [](Known *of) {
         of->message.released = of->Keep(std::string(TERCET_REASON_TEXT_BYTES_MAX + 1, 'r'));
     }},
    {"AskedInNoLife", [](Known *of) { of->message.asked_incarnation = -1; }},
    {"MarkOfNoLife", [](Known *of) { of->message.mark_lsn = 1; }},
    {"MarkWithoutAnAge", [](Known *of) { of->message.mark_incarnation = kNow; }},
    {"MarkOfALifeBeforeTime",
     [](Known *of) {
         of->message.mark_incarnation = -1;
         of->message.mark_lsn = 1;
     }},
    {"BranchWithoutANumber", [](Known *of) { of->message.branch_incarnation = kNow; }},
    {"BranchOfNoLife", [](Known *of) { of->message.branch_number = 1; }},
    {"StoreWithHalfAnId", [](Known *of) { of->stores[0].store_id.len = 8; }},
    {"StoreWithHalfAMark", [](Known *of) { of->stores[0].mark_lsn = 1; }},
    {"StoreWithHalfAReach", [](Known *of) { of->stores[0].reach_incarnation = kNow; }},
};
INSTANTIATE_TEST_SUITE_P(Record, KnownParticipantRefusal, ::testing::ValuesIn(kWrongs),
                         [](const auto &one) { return std::string(one.param.name); });

TEST(KnownParticipant, ThatDoesNotParseIsRefusedAndNobodyIsTold)
{
    Told told;
    std::string why;
    EXPECT_EQ(Read("p/ledger", "\x01\xff", &told, &why), TERCET_DATA_LOSS);
    EXPECT_NE(why.find("does not parse"), std::string::npos) << why;
    EXPECT_TRUE(told.names.empty());
}

} // namespace
} // namespace tercet
