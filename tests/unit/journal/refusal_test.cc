// Each rule of a record by itself: a transaction's records are all well but for one thing, and are
// refused for it, by name.  Whatever passed here would be adopted as the truth.
#include "unit/journal/record_messages.h"

namespace tercet
{
namespace
{

constexpr int64_t kAfterTime = INT64_C(253402300800000); // the year 10000
constexpr auto kUndecided = TERCET__V1__OUTCOME__OUTCOME_UNSPECIFIED;
constexpr auto kCancel = TERCET__V1__OUTCOME__OUTCOME_CANCELLED;
constexpr auto kConfirming = TERCET__V1__BRANCH_STATE__BRANCH_STATE_CONFIRMING;
constexpr auto kConfirmed = TERCET__V1__BRANCH_STATE__BRANCH_STATE_CONFIRMED;
constexpr auto kCancelling = TERCET__V1__BRANCH_STATE__BRANCH_STATE_CANCELLING;
constexpr auto kCancelled = TERCET__V1__BRANCH_STATE__BRANCH_STATE_CANCELLED;
constexpr auto kSkipped = TERCET__V1__BRANCH_STATE__BRANCH_STATE_SKIPPED;
constexpr auto kTried = TERCET__V1__BRANCH_STATE__BRANCH_STATE_TRIED;
constexpr auto kRefused = TERCET__V1__BRANCH_STATE__BRANCH_STATE_REFUSED;

struct Wrong {
    const char *name;
    std::function<void(Records *)> make;
};

std::string NameOf(const ::testing::TestParamInfo<Wrong> &one)
{
    return one.param.name;
}

void ExpectRefused(const Wrong &wrong, bool by_steps, const std::string &which)
{
    std::string why;
    Records well(by_steps);
    ASSERT_EQ(well.Load(&why), TERCET_OK) << why;
    Records records(by_steps);
    wrong.make(&records);
    EXPECT_EQ(records.Load(&why), TERCET_DATA_LOSS);
    EXPECT_EQ(why.rfind(which, 0), 0U) << why;
    EXPECT_NE(why.find("makes no sense"), std::string::npos) << why;
}

// ---- BEGIN -----------------------------------------------------------------------------------------

class BeginRefusal : public ::testing::TestWithParam<Wrong>
{
};

TEST_P(BeginRefusal, IsRefusedForThisAlone)
{
    ExpectRefused(GetParam(), false, "BEGIN of transaction");
}

const Wrong kBegins[] = {
    {"NoGid", [](Records *of) { of->begin.gid = of->Keep(""); }},
    {"GidTooLong",
     [](Records *of) { of->begin.gid = of->Keep(std::string(TERCET_GID_BYTES_MAX + 1, 'g')); }},
    {"GidWithASpace", [](Records *of) { of->begin.gid = of->Keep("a b"); }},
    {"GidWithADelete", [](Records *of) { of->begin.gid = of->Keep("a\x7f"); }},
    {"SequenceOfAnotherKey", [](Records *of) { of->begin.sequence++; }},
    {"SequenceZero", [](Records *of) { of->begin.sequence = of->sequence_in_key = 0; }},
    {"ModeOfATombstone",
     [](Records *of) { of->begin.mode = TERCET__V1__RECORD__MODE__MODE_TOMBSTONE; }},
    {"MoreBranchesThanThereMayBe",
     [](Records *of) { of->begin.n_branches = TERCET_BRANCH_COUNT_MAX + 1; }},
    {"BootIdTooLong", [](Records *of) { of->begin.boot_id = of->Keep(std::string(37, 'i')); }},
    {"TraceTooLong", [](Records *of) { of->begin.traceparent = of->Keep(std::string(65, 't')); }},
    {"ContentThatIsNoDigest", [](Records *of) { of->begin.content = of->KeepBytes(15); }},
    {"BranchWithoutAnIndex", [](Records *of) { of->begun[1].index = 0; }},
    {"BranchAboveTheLast", [](Records *of) { of->begun[1].index = TERCET_BRANCH_COUNT_MAX + 1; }},
    {"BranchTwice", [](Records *of) { of->begun[1].index = 1; }},
    {"ParticipantThatIsNoName", [](Records *of) { of->begun[1].participant = of->Keep("a b"); }},
    {"ActionThatIsNoName", [](Records *of) { of->begun[1].action = of->Keep(""); }},
    {"PayloadTooLong",
     [](Records *of) { of->begun[1].payload = of->KeepBytes(TERCET_PAYLOAD_BYTES_MAX + 1); }},
    {"PayloadsTogetherTooLong",
     [](Records *of) {
         of->begin.n_branches = TERCET_BRANCH_COUNT_MAX;
         for (Begun &begun : of->begun) {
             begun.payload = of->KeepBytes(TERCET_PAYLOAD_BYTES_MAX);
         }
     }},
    {"StageTooHigh", [](Records *of) { of->begun[1].stage = TERCET_STAGE_MAX + 1; }},
    {"ConfirmOnlyAndOptional",
     [](Records *of) { of->begun[1].confirm_only = of->begun[1].optional = true; }},
    {"BranchWithoutADigest", [](Records *of) { of->begun[1].digest = of->KeepBytes(0); }},
};
INSTANTIATE_TEST_SUITE_P(Record, BeginRefusal, ::testing::ValuesIn(kBegins), NameOf);

// ---- ADD_BRANCH ------------------------------------------------------------------------------------

class AddBranchRefusal : public ::testing::TestWithParam<Wrong>
{
};

TEST_P(AddBranchRefusal, IsRefusedForThisAlone)
{
    ExpectRefused(GetParam(), true, "ADD_BRANCH of transaction");
}

const Wrong kAdds[] = {
    {"OfNothing", [](Records *of) { of->add[1].n_branches = 0; }},
    {"OfTwo", [](Records *of) { of->add[0].n_branches = 2; }},
    {"IndexOfAnotherKey", [](Records *of) { of->second_add_index = 3; }},
    {"ToAnExecute", [](Records *of) { of->begin.mode = TERCET__V1__RECORD__MODE__MODE_EXECUTE; }},
    {"OutOfRange", [](Records *of) { of->begun[1].stage = TERCET_STAGE_MAX + 1; }},
    {"AfterTheDecision",
     [](Records *of) {
         of->adds_after_decision = true;
         of->begin.n_branches = 2;
     }},
};
INSTANTIATE_TEST_SUITE_P(Record, AddBranchRefusal, ::testing::ValuesIn(kAdds), NameOf);

// ---- DECIDE ----------------------------------------------------------------------------------------

class DecideRefusal : public ::testing::TestWithParam<Wrong>
{
};

TEST_P(DecideRefusal, IsRefusedForThisAlone)
{
    ExpectRefused(GetParam(), false, "DECIDE of transaction");
}

const Wrong kDecides[] = {
    {"Nothing", [](Records *of) { of->decide.outcome = kUndecided; }},
    {"Twice", [](Records *of) { of->decides_twice = true; }},
    {"AfterTime", [](Records *of) { of->decide.decided_unix_ms = kAfterTime; }},
    {"CodeTooLong",
     [](Records *of) {
         of->decide.reason_code = of->Keep(std::string(TERCET_REASON_CODE_BYTES_MAX + 1, 'C'));
     }},
    {"TextTooLong",
     [](Records *of) {
         of->decide.reason_text = of->Keep(std::string(TERCET_REASON_TEXT_BYTES_MAX + 1, 't'));
     }},
    {"WithoutOneBranch", [](Records *of) { of->decide.n_branches = 1; }},
    {"WithABranchThatIsNotThere", [](Records *of) { of->decided[1].index = 9; }},
    {"WithOneBranchTwice", [](Records *of) { of->decided[1].index = 1; }},
    {"ConfirmsAndCancels", [](Records *of) { of->decided[1].state = kCancelled; }},
    {"ConfirmsAndSkips", [](Records *of) { of->decided[1].state = kSkipped; }},
    {"ConfirmsWhatIsOptionalAndOnlyTried",
     [](Records *of) {
         of->begun[1].optional = true;
         of->decided[1].state = kTried;
     }},
    {"CancelsAndConfirms",
     [](Records *of) {
         of->decide.outcome = kCancel;
         of->SetStates(kCancelled);
         of->decided[1].state = kConfirming;
     }},
    {"CancelsWhatIsConfirmOnly",
     [](Records *of) {
         of->begun[1].confirm_only = true;
         of->decide.outcome = kCancel;
         of->SetStates(kSkipped);
         of->decided[1].state = kCancelling;
     }},
    {"ResultTooLong",
     [](Records *of) { of->decided[1].result = of->KeepBytes(TERCET_RESULT_BYTES_MAX + 1); }},
    {"AskedBeforeTime", [](Records *of) { of->decided[0].asked_since_unix_ms = INT64_MIN; }},
    {"AskedAfterTime", [](Records *of) { of->decided[0].asked_since_unix_ms = INT64_MAX; }},
    {"BranchReasonTooLong",
     [](Records *of) {
         of->decided[1].reason_code = of->Keep(std::string(TERCET_REASON_CODE_BYTES_MAX + 1, 'C'));
     }},
};
INSTANTIATE_TEST_SUITE_P(Record, DecideRefusal, ::testing::ValuesIn(kDecides), NameOf);

// ---- PROGRESS --------------------------------------------------------------------------------------

class ProgressRefusal : public ::testing::TestWithParam<Wrong>
{
};

TEST_P(ProgressRefusal, IsRefusedForThisAlone)
{
    ExpectRefused(GetParam(), false, "PROGRESS of transaction");
}

const Wrong kProgresses[] = {
    {"WithoutOneBranchOfADecision", [](Records *of) { of->progress.n_branches = 1; }},
    {"AgainstTheDecision", [](Records *of) { of->later[0].state = kCancelled; }},
    {"WithABranchThatIsNotThere",
     [](Records *of) {
         of->is_decided = false;
         of->later[1].index = 9;
     }},
    {"AskedAfterTime", [](Records *of) { of->later[0].asked_since_unix_ms = kAfterTime; }},
};
INSTANTIATE_TEST_SUITE_P(Record, ProgressRefusal, ::testing::ValuesIn(kProgresses), NameOf);

// ---- What is well ----------------------------------------------------------------------------------

TEST(RecordLoaderState, AnOptionalBranchMayBeOnTheOtherSideOfAConfirmation)
{
    for (const auto state : {kCancelling, kCancelled, kSkipped, kConfirming, kConfirmed}) {
        Records records(false);
        records.begun[1].optional = true;
        records.decided[1].state = records.later[1].state = state;
        std::string why;
        EXPECT_EQ(records.Load(&why,
                               [state](const txn *got) {
                                   EXPECT_EQ(got->branches[1]->state, (branch_state)state);
                               }),
                  TERCET_OK)
            << why;
    }
}

// A refusal of an optional branch may have been told; that of another is asked for again.
TEST(RecordLoaderState, OnlyARefusalOfAnOptionalBranchOutlivesACrashBeforeTheDecision)
{
    Records records(true);
    records.is_decided = false;
    records.begun[0].optional = true;
    records.SetStates(kRefused);
    std::string why;
    EXPECT_EQ(records.Load(&why,
                           [](const txn *got) {
                               EXPECT_EQ(got->branches[0]->state, BRANCH_REFUSED);
                               EXPECT_EQ(got->branches[1]->state, BRANCH_WAITING);
                           }),
              TERCET_OK)
        << why;
    records.later[0].state = kTried;
    EXPECT_EQ(records.Load(
                  &why, [](const txn *got) { EXPECT_EQ(got->branches[0]->state, BRANCH_WAITING); }),
              TERCET_OK)
        << why;
}

TEST(RecordLoaderState, AReasonOfOneHalfComesBack)
{
    Records records(false);
    records.decide.outcome = kCancel;
    records.SetStates(kCancelled);
    records.decide.reason_text = records.Keep("only words");
    std::string why;
    EXPECT_EQ(records.Load(&why,
                           [](const txn *got) {
                               ASSERT_NE(got->reason, nullptr);
                               EXPECT_STREQ(said_text(got->reason), "only words");
                           }),
              TERCET_OK)
        << why;
}

// ---- Keys and what is no message -------------------------------------------------------------------

tercet_status LoadPair(const std::string &key, const std::string &value, bool behind_begin,
                       std::string *why)
{
    struct journal_head head = {};
    head.incarnation = kNow;
    head.next_number = 1000;
    struct directory directory;
    directory_init(&directory);
    record_loader *loader = record_loader_create(
        &head, &directory, [](txn *taken, void *) { txn_destroy(taken); }, nullptr);
    tercet_error error = {};
    tercet_status status = TERCET_OK;
    if (behind_begin) {
        Records records(true);
        status = record_loader_pair(loader, Bytes(TxnKey(kSequence)), Bytes(records.BeginValue()),
                                    {1, 1}, &error);
        EXPECT_EQ(status, TERCET_OK) << error.text;
    }
    status = record_loader_pair(loader, Bytes(key), Bytes(value), {1, 1}, &error);
    record_loader_destroy(loader);
    directory_deinit(&directory);
    *why = error.text;
    return status;
}

TEST(RecordLoaderKey, AKeyOfTheRightSizeOutsideOfTheTransactionsIsRefused)
{
    Records records(true);
    const std::string rest = TxnKey(kSequence).substr(2);
    std::string why;
    EXPECT_EQ(LoadPair("t/" + rest, records.BeginValue(), false, &why), TERCET_OK) << why;
    for (const char *prefix : {"a/", "t:"}) {
        EXPECT_EQ(LoadPair(prefix + rest, records.BeginValue(), false, &why), TERCET_DATA_LOSS);
        EXPECT_NE(why.find("key makes no sense"), std::string::npos) << why;
    }
}

TEST(RecordLoaderKey, WhatDoesNotParseIsRefusedInEveryPlace)
{
    const std::string stem = TxnKey(kSequence).substr(0, 10);
    for (const std::string kind : {"\x20\x01", "\x30", "\x40"}) {
        std::string why;
        EXPECT_EQ(LoadPair(stem + kind, "\x01\xff", true, &why), TERCET_DATA_LOSS);
        EXPECT_NE(why.find("does not parse"), std::string::npos) << why;
    }
}

TEST(RecordLoaderKey, NoLoaderIsEasilyDestroyed)
{
    record_loader_destroy(nullptr);
    record_census_destroy(nullptr);
}

} // namespace
} // namespace tercet
