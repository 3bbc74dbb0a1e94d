// The fence over bytes: what is there and cannot be read, and a backend that fails, are never taken
// for "nothing is there".
#include <functional>

#include "fence/kv_fence.h"
#include "store_fixture.h"

namespace fence_test
{
namespace
{

// Fails the call of any slot that stands at `fails_at`, counted from 1; 0: none.
struct Fault {
    int calls = 0;
    int fails_at = 0;
} fault;
const kv_backend *real;

tercet_status Planned(tercet_error *error)
{
    if (++fault.calls != fault.fails_at) {
        return TERCET_OK;
    }
    if (error != nullptr) {
        snprintf(error->text, sizeof error->text, "planned");
    }
    return TERCET_UNAVAILABLE;
}

tercet_status Get(void *self, tercet_bytes key, tercet_bytes *value, tercet_error *error)
{
    const tercet_status status = Planned(error);
    return status != TERCET_OK ? status : real->get(self, key, value, error);
}

tercet_status Scan(void *self, tercet_bytes from, tercet_bytes end, kv_scan_fn fn, void *context,
                   tercet_error *error)
{
    const tercet_status status = Planned(error);
    return status != TERCET_OK ? status : real->scan(self, from, end, fn, context, error);
}

tercet_status Apply(void *self, const byte_map *changes, tercet_error *error)
{
    const tercet_status status = Planned(error);
    return status != TERCET_OK ? status : real->apply(self, changes, error);
}

tercet_status Usable(void *self, tercet_error *error)
{
    const tercet_status status = Planned(error);
    return status != TERCET_OK ? status : real->usable(self, error);
}

constexpr kv_backend faulty = {Get, Scan, Apply, Usable};

bool Count(const tercet_fence_key *, const tercet_fence_row *, void *context)
{
    ++*static_cast<int *>(context);
    return true;
}

// A store in memory with one confirmed row ("g"), seen by the bytes that it is made of.
class KvFence : public testing::Test
{
  protected:
    KvFence() : harness("memory", "")
    {
        memset(caller.origin, 1, sizeof caller.origin);
        caller.participant = "account";
        caller.epoch = {10, 1};
        EXPECT_EQ(harness.Run(Try("g", 1)).verdict, TERCET_VERDICT_DONE);
        EXPECT_EQ(harness.Run(Confirm("g", 1)).verdict, TERCET_VERDICT_DONE);
        fence = static_cast<kv_fence *>(harness.group.connection);
        fault = Fault();
        real = fence->backend;
        fence->backend = &faulty;
    }

    ~KvFence() override
    {
        fence->backend = real;
    }

    // NULL: takes the key away.
    void Put(const row_key &key, const std::string *value)
    {
        const tercet_bytes bytes = value == nullptr ? tercet_bytes_of("", 0)
                                                    : tercet_bytes_of(value->data(), value->size());
        overlay_put(&fence->overlay, row_key_bytes(&key), value == nullptr ? nullptr : &bytes);
        ASSERT_EQ(kv_fence_commit(fence, &error), TERCET_OK);
        fence->scope.known = false; // as for whoever opens it next
    }

    row_key RowKey(const char *gid = "g")
    {
        const tercet_fence_key key = {tercet_bytes_of_text(gid), 1};
        row_key name = {};
        row_key_row(&name, &key);
        return name;
    }

    row_key ScopeKey()
    {
        row_key name = {};
        row_key_scope(&name, caller.participant, caller.origin);
        return name;
    }

    row_key NumberKey(int64_t number)
    {
        row_key name = {};
        row_key_number(&name, caller.participant, caller.origin, {10, number});
        return name;
    }

    row_key MetaKey()
    {
        row_key name = {};
        row_key_meta(&name);
        return name;
    }

    tercet_status Find()
    {
        const tercet_fence_key key = {tercet_bytes_of_text("g"), 1};
        tercet_fence_row row = {};
        return kv_fence_find(fence, &key, &row, &error);
    }

    tercet_status Claim()
    {
        const tercet_fence_key key = {tercet_bytes_of_text("new"), 1};
        tercet_fence_row wanted = {};
        wanted.state = TERCET_FENCE_TRIED;
        memset(wanted.identity.origin, 1, sizeof wanted.identity.origin);
        wanted.identity.number = {10, 50};
        snprintf(wanted.participant, sizeof wanted.participant, "account");
        snprintf(wanted.action, sizeof wanted.action, "debit");
        tercet_fence_claim claim = {};
        const tercet_status status = kv_fence_claim(fence, &key, &wanted, &claim, &error);
        kv_fence_rollback(fence);
        return status;
    }

    tercet_status Describe(tercet_store_description *description)
    {
        return kv_fence_describe(fence, caller.participant, caller.origin, description, &error);
    }

    tercet_status List(int *told)
    {
        tercet_fence_range range = {};
        range.participant = caller.participant;
        memcpy(range.origin, caller.origin, sizeof range.origin);
        range.row_count_max = 10;
        return kv_fence_list(fence, &range, Count, told, &error);
    }

    tercet_status ApplyMark(int64_t low)
    {
        tercet_mark mark = {};
        mark.as_of_incarnation = 10;
        mark.as_of_lsn = 5;
        mark.low = {10, low};
        tercet_sweep sweep = {};
        sweep.row_count_max = 100;
        return kv_fence_apply_mark(fence, &caller, &mark, &sweep, &error);
    }

    Harness harness;
    kv_fence *fence = nullptr;
    tercet_fence_caller caller = {};
    tercet_error error = {};
};

TEST_F(KvFence, ARowThatCannotBeReadIsDataLossAndNotAbsent)
{
    const std::string garbage = "\x01 no row";
    Put(RowKey(), &garbage);
    EXPECT_EQ(Find(), TERCET_DATA_LOSS);
    EXPECT_NE(std::string(error.text).find("g/1 cannot be read"), std::string::npos) << error.text;
    const group_answer answer = harness.Run(Confirm("g", 1));
    EXPECT_EQ(answer.verdict, TERCET_VERDICT_LATER);
    EXPECT_EQ(answer.log, TERCET_LOG_ERROR);
    int told = 0;
    EXPECT_EQ(List(&told), TERCET_DATA_LOSS);
    EXPECT_EQ(told, 0);
    EXPECT_EQ(ApplyMark(10), TERCET_DATA_LOSS);
    tercet_store_description description = {};
    EXPECT_EQ(Describe(&description), TERCET_OK);
    EXPECT_EQ(description.mark.as_of_lsn, 0) << "a mark that could not be carried out is not kept";
}

TEST_F(KvFence, AMarkThatCannotBeReadIsDataLossAndRefusesEverything)
{
    const std::string garbage = "\x01 no scope";
    Put(ScopeKey(), &garbage);
    tercet_store_description description = {};
    EXPECT_EQ(Describe(&description), TERCET_DATA_LOSS);
    EXPECT_NE(std::string(error.text).find("kept for account"), std::string::npos) << error.text;
    EXPECT_EQ(ApplyMark(10), TERCET_DATA_LOSS);
    EXPECT_EQ(kv_fence_raise_epoch(fence, &caller, &error), TERCET_DATA_LOSS);
    EXPECT_EQ(harness.Run(Try("new", 2)).verdict, TERCET_VERDICT_LATER);
    EXPECT_EQ(harness.State("new"), TERCET_FENCE_NONE);
}

TEST_F(KvFence, AnEntryOfTheIndexThatIsNoneIsDataLoss)
{
    const std::string nothing;
    Put(NumberKey(2), &nothing); // without a branch
    int told = 0;
    tercet_store_description description = {};
    EXPECT_EQ(List(&told), TERCET_DATA_LOSS);
    EXPECT_EQ(told, 0);
    EXPECT_EQ(Describe(&description), TERCET_DATA_LOSS);
    EXPECT_EQ(ApplyMark(10), TERCET_DATA_LOSS);
    EXPECT_EQ(harness.State("g"), TERCET_FENCE_CONFIRMED);
}

// What is told of a row that is not there would be whatever stood in memory.
TEST_F(KvFence, AnEntryOfTheIndexWithoutItsRowIsDataLossAndNobodyIsToldOfIt)
{
    Put(RowKey(), nullptr);
    int told = 0;
    EXPECT_EQ(List(&told), TERCET_DATA_LOSS);
    EXPECT_EQ(told, 0);
    EXPECT_NE(std::string(error.text).find("names g/1, which has no row"), std::string::npos)
        << error.text;
    EXPECT_EQ(ApplyMark(10), TERCET_DATA_LOSS);
}

TEST_F(KvFence, AFenceWhoseVersionCannotBeReadIsNeitherOpenedNorDescribed)
{
    const std::string newer(ROW_CODEC_META_BYTES, '\x02');
    const std::string older(ROW_CODEC_META_BYTES, '\0');
    const std::string cut(ROW_CODEC_META_BYTES - 1, '\x01');
    const std::string empty;
    const struct {
        const std::string *value;
        tercet_status status;
    } cases[] = {{&newer, TERCET_FAILED_PRECONDITION},
                 {&older, TERCET_DATA_LOSS},
                 {&cut, TERCET_DATA_LOSS},
                 {&empty, TERCET_DATA_LOSS}};
    for (const auto &one : cases) {
        Put(MetaKey(), one.value);
        kv_fence second = {};
        tercet_store_description description = {};
        EXPECT_EQ(kv_fence_open(&second, real, fence->self, &error), one.status);
        EXPECT_EQ(Describe(&description), one.status);
    }
    Put(MetaKey(), nullptr);
    tercet_store_description description = {};
    EXPECT_EQ(Describe(&description), TERCET_DATA_LOSS) << "it was there when the store was opened";
}

TEST_F(KvFence, AFenceThatMayHaveBeenMadeIsUnavailable)
{
    kv_backend unsure = *real;
    unsure.apply = [](void *, const byte_map *, tercet_error *told) {
        told->status = TERCET_UNKNOWN;
        return TERCET_UNKNOWN;
    };
    Put(MetaKey(), nullptr);
    kv_fence second = {};
    EXPECT_EQ(kv_fence_open(&second, &unsure, fence->self, &error), TERCET_UNAVAILABLE);
    EXPECT_EQ(error.status, TERCET_UNAVAILABLE);
}

// Goal: whichever call of the backend fails, its status comes out, nothing is told and nothing kept.
TEST_F(KvFence, ABackendThatFailsIsNotTakenForAnEmptyOne)
{
    int told = 0;
    tercet_store_description before = {};
    ASSERT_EQ(Describe(&before), TERCET_OK);
    const std::pair<const char *, std::function<tercet_status()>> all[] = {
        {"find", [&] { return Find(); }},
        {"claim", [&] { return Claim(); }},
        {"get",
         [&] {
             tercet_bytes value = {};
             const tercet_status status =
                 kv_fence_get(fence, tercet_bytes_of_text("effect/g/1/1"), &value, &error);
             EXPECT_TRUE(status != TERCET_OK || value.size == 1);
             return status;
         }},
        {"begin", [&] { return kv_fence_begin(fence, &error); }},
        {"check", [&] { return kv_fence_check(fence, &error); }},
        {"raise_epoch", [&] { return kv_fence_raise_epoch(fence, &caller, &error); }},
        {"describe",
         [&] {
             tercet_store_description found = {};
             return Describe(&found);
         }},
        {"list", [&] { return List(&told); }},
        {"open",
         [&] {
             kv_fence second = {};
             const tercet_status status = kv_fence_open(&second, &faulty, fence->self, &error);
             kv_fence_close(&second);
             return status;
         }},
        {"apply_mark", [&] { return ApplyMark(2); }}, // the last: it takes the row
    };
    for (const auto &one : all) {
        SCOPED_TRACE(one.first);
        tercet_status status = TERCET_UNAVAILABLE;
        for (int at = 1; status != TERCET_OK; at++) {
            ASSERT_LT(at, 20);
            told = 0;
            fault = {0, at};
            fence->scope.known = false; // the mark is read too
            status = one.second();
            if (fault.calls < at) {
                EXPECT_EQ(status, TERCET_OK);
                break;
            }
            EXPECT_EQ(status, TERCET_UNAVAILABLE) << at;
            EXPECT_EQ(told, 0);
            fault = Fault();
            tercet_store_description after = {};
            ASSERT_EQ(Describe(&after), TERCET_OK);
            EXPECT_EQ(after.rows, before.rows);
            EXPECT_EQ(after.mark.as_of_lsn, 0);
        }
        fault = Fault();
    }
    EXPECT_EQ(harness.State("g"), TERCET_FENCE_NONE) << "the mark was carried out in the end";
}

TEST_F(KvFence, AStoreThatCannotMakeItsVersionIsNotOpen)
{
    Put(MetaKey(), nullptr);
    for (int at = 1; at <= 2; at++) { // the reading and the writing
        kv_fence second = {};
        fault = {0, at};
        EXPECT_EQ(kv_fence_open(&second, &faulty, fence->self, &error), TERCET_UNAVAILABLE);
        EXPECT_EQ(second.backend, nullptr);
    }
    fault = Fault();
    kv_fence second = {};
    EXPECT_EQ(kv_fence_open(&second, &faulty, fence->self, &error), TERCET_OK);
    kv_fence_close(&second);
    tercet_store_description description = {};
    EXPECT_EQ(Describe(&description), TERCET_OK);
}

TEST_F(KvFence, ValuesAreLentUntilTheNextSavepointHoweverManyThereAre)
{
    std::vector<tercet_bytes> lent(40);
    ASSERT_EQ(kv_fence_begin(fence, &error), TERCET_OK);
    ASSERT_EQ(kv_fence_savepoint(fence, &error), TERCET_OK);
    for (size_t i = 0; i < lent.size(); i++) {
        const std::string key = "k" + std::to_string(i), value = "v" + std::to_string(i);
        const tercet_bytes bytes = tercet_bytes_of(value.data(), value.size());
        overlay_put(&fence->overlay, tercet_bytes_of(key.data(), key.size()), &bytes);
        ASSERT_EQ(kv_fence_get(fence, tercet_bytes_of(key.data(), key.size()), &lent[i], &error),
                  TERCET_OK);
    }
    for (size_t i = 0; i < lent.size(); i++) {
        EXPECT_EQ(std::string(static_cast<const char *>(lent[i].data), lent[i].size),
                  "v" + std::to_string(i));
    }
    ASSERT_EQ(kv_fence_rewind(fence, &error), TERCET_OK);
    tercet_bytes value = {};
    EXPECT_EQ(kv_fence_get(fence, tercet_bytes_of_text("k39"), &value, &error), TERCET_NOT_FOUND);
    kv_fence_rollback(fence);
}

} // namespace
} // namespace fence_test
