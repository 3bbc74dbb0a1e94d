// Each rule of an outcome by itself: an outcome that is all well but for one thing is refused.
#include <deque>
#include <functional>

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

using EndedBranch = Tercet__V1__Record__EndedBranch;

constexpr int64_t kAfterTime = INT64_C(253402300800000); // the year 10000

// The outcome of a transaction of one branch as a message.
class Outcome
{
  public:
    Outcome()
    {
        tercet__v1__record__ended__init(&ended);
        ended.whole = true;
        ended.ended_unix_ms = kNow;
        ended.gid = Keep("gid");
        ended.sequence = 1;
        ended.state = TERCET__V1__TRANSACTION_STATE__TRANSACTION_STATE_CONFIRMED;
        ended.mode = TERCET__V1__RECORD__MODE__MODE_EXECUTE;
        ended.content = KeepBytes(16);
        for (uint32_t i = 0; i < TERCET_BRANCH_COUNT_MAX + 1; i++) {
            tercet__v1__record__ended_branch__init(&branches[i]);
            branches[i].index = i + 1;
            branches[i].state = TERCET__V1__BRANCH_STATE__BRANCH_STATE_CONFIRMED;
            branches[i].digest = KeepBytes(16);
            pointers_[i] = &branches[i];
        }
        ended.branches = pointers_;
        ended.n_branches = 1;
    }
    Outcome(const Outcome &) = delete;
    Outcome &operator=(const Outcome &) = delete;

    char *Keep(const std::string &text)
    {
        texts_.push_back(text);
        return texts_.back().data();
    }
    ProtobufCBinaryData KeepBytes(size_t size)
    {
        return {size, reinterpret_cast<uint8_t *>(Keep(std::string(size, 'b')))};
    }
    std::string Value() const
    {
        buffer value;
        buffer_init(&value);
        record_message_pack(&ended.base, &value);
        const std::string packed = Text(buffer_bytes(&value));
        buffer_deinit(&value);
        return packed;
    }

    Tercet__V1__Record__Ended ended;
    EndedBranch branches[TERCET_BRANCH_COUNT_MAX + 1];

  private:
    EndedBranch *pointers_[TERCET_BRANCH_COUNT_MAX + 1];
    std::deque<std::string> texts_;
};

struct Wrong {
    const char *name;
    std::function<void(Outcome *)> make;
};

class OutcomeRefusal : public ::testing::TestWithParam<Wrong>
{
};

TEST_P(OutcomeRefusal, IsRefusedForThisAlone)
{
    view *got = nullptr;
    Outcome outcome;
    ASSERT_EQ(record_read_outcome(Bytes(outcome.Value()), &got), TERCET_OK);
    view_destroy(got);
    got = nullptr;
    GetParam().make(&outcome);
    EXPECT_EQ(record_read_outcome(Bytes(outcome.Value()), &got), TERCET_DATA_LOSS);
    EXPECT_EQ(got, nullptr);
}

const Wrong kWrongs[] = {
    {"NoGid", [](Outcome *of) { of->ended.gid = of->Keep(""); }},
    {"GidTooLong",
     [](Outcome *of) { of->ended.gid = of->Keep(std::string(TERCET_GID_BYTES_MAX + 1, 'g')); }},
    {"NotEnded",
     [](Outcome *of) {
         of->ended.state = TERCET__V1__TRANSACTION_STATE__TRANSACTION_STATE_CONFIRMING;
     }},
    {"NoMode", [](Outcome *of) { of->ended.mode = TERCET__V1__RECORD__MODE__MODE_UNSPECIFIED; }},
    {"EndedNever", [](Outcome *of) { of->ended.ended_unix_ms = 0; }},
    {"EndedBeforeTime", [](Outcome *of) { of->ended.ended_unix_ms = -1; }},
    {"EndedAfterTime", [](Outcome *of) { of->ended.ended_unix_ms = kAfterTime; }},
    {"MoreBranchesThanThereMayBe",
     [](Outcome *of) { of->ended.n_branches = TERCET_BRANCH_COUNT_MAX + 1; }},
    {"ContentThatIsNoDigest", [](Outcome *of) { of->ended.content = of->KeepBytes(17); }},
    {"BranchWithoutAnIndex", [](Outcome *of) { of->branches[0].index = 0; }},
    {"BranchAboveTheLast",
     [](Outcome *of) { of->branches[0].index = TERCET_BRANCH_COUNT_MAX + 1; }},
    {"BranchNotEnded",
     [](Outcome *of) {
         of->branches[0].state = TERCET__V1__BRANCH_STATE__BRANCH_STATE_CONFIRMING;
     }},
    {"ResultTooLong",
     [](Outcome *of) { of->branches[0].result = of->KeepBytes(TERCET_RESULT_BYTES_MAX + 1); }},
    {"BranchWithoutADigest", [](Outcome *of) { of->branches[0].digest = of->KeepBytes(0); }},
};
INSTANTIATE_TEST_SUITE_P(Record, OutcomeRefusal, ::testing::ValuesIn(kWrongs),
                         [](const auto &one) { return std::string(one.param.name); });

// The day of an outcome is found by this moment alone.
TEST(OutcomePeek, OnlyAMomentThatADayHasIsTaken)
{
    Outcome outcome;
    for (const int64_t moment : {INT64_MIN, INT64_C(-1), INT64_C(0), kAfterTime}) {
        outcome.ended.ended_unix_ms = moment;
        int64_t ended = 7;
        EXPECT_FALSE(record_peek_ended(Bytes(outcome.Value()), &ended)) << moment;
    }
    for (const int64_t moment : {INT64_C(1), kAfterTime - 1}) {
        outcome.ended.ended_unix_ms = moment;
        int64_t ended = 0;
        EXPECT_TRUE(record_peek_ended(Bytes(outcome.Value()), &ended)) << moment;
        EXPECT_EQ(ended, moment);
    }
}

TEST(OutcomePeek, AnotherVersionIsNotTaken)
{
    std::string value = Outcome().Value();
    int64_t ended = 0;
    EXPECT_TRUE(record_peek_ended(Bytes(value), &ended));
    value[0] = 2;
    EXPECT_FALSE(record_peek_ended(Bytes(value), &ended));
}

} // namespace
} // namespace tercet
