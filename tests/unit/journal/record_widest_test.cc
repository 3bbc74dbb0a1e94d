// Records are encoded into room that is reckoned, not counted: none may need more than that.
//
// Numbers are made as wide as they can be written, ten bytes, whether an engine could bring them there
// or not; and there are as many branches as can be, so that what is reckoned for one of them cannot
// hide behind what the others leave over.
#include "unit/journal/record_fixture.h"

extern "C" {
#include "journal/batch_read.h"
}

namespace tercet
{
namespace
{

constexpr int64_t kWidest = -1;

struct Widest {
    Widest()
    {
        directory_init(&directory);
        directory_entry entry = {};
        snprintf(entry.name, sizeof entry.name, "%s", std::string(64, 'p').c_str());
        EXPECT_EQ(directory_add(&directory, &entry), TERCET_OK);
    }
    ~Widest()
    {
        txn_destroy(made);
        directory_deinit(&directory);
    }

    void Begin(txn_mode mode)
    {
        made = txn_create(std::string(TERCET_GID_BYTES_MAX, 'g').c_str(),
                          std::string(BOOT_ID_BYTES_MAX, 'b').c_str(),
                          std::string(TRACEPARENT_BYTES_MAX, 't').c_str());
        made->sequence = INT64_MAX;
        made->mode = mode;
        memset(made->content.bytes, 0xff, sizeof made->content.bytes);
        made->begun_unix_ms = kWidest;
        made->deadline = {kWidest, kWidest};
        made->timeout_ms = UINT32_MAX;
        txn_move(made, TXN_TRYING, clock_now{0, kNow});
        if (mode == TXN_MODE_STEPS) {
            Write(RECORD_BEGIN, nullptr);
        }
        for (uint32_t index = 1; index <= TERCET_BRANCH_COUNT_MAX; index++) {
            branch *added = AddBranch(index);
            if (mode == TXN_MODE_STEPS) {
                Write(RECORD_ADD_BRANCH, added);
            }
        }
        if (mode == TXN_MODE_EXECUTE) {
            Write(RECORD_BEGIN, nullptr);
        }
    }

    branch *AddBranch(uint32_t index)
    {
        const std::string action(64, 'a');
        const std::string payload(300, 'x');
        branch_spec spec = {};
        spec.index = index;
        spec.action = action.c_str();
        spec.payload = Bytes(payload);
        spec.stage = TERCET_BRANCH_COUNT_MAX - 1;
        spec.call_timeout_ms = UINT32_MAX;
        spec.optional = true;
        memset(spec.digest.bytes, 0xff, sizeof spec.digest.bytes);
        branch *added = branch_create(&spec);
        added->spec.confirm_only = true;
        added->payload_lost = true;
        added->number = branch_number{kWidest, kWidest};
        branch_move(added, BRANCH_WAITING);
        txn_add_branch_take(made, added);
        return added;
    }

    // All branches in `state`, with all that may be known of one.
    void SetBranches(branch_state state)
    {
        for (uint32_t i = 0; i < made->branch_count; i++) {
            branch *of = made->branches[i];
            of->state = state;
            of->asked = branch_state_asks(state);
            of->attempts = UINT32_MAX;
            of->answered_tried = true;
            branch_set_result(of, Bytes(std::string(TERCET_RESULT_BYTES_MAX, 'r')));
            branch_set_conflict(of, UINT32_MAX);
            branch_set_reason(of, std::string(63, 'C').c_str(), std::string(255, 'w').c_str());
            branch_set_resolved(of, std::string(255, 'o').c_str());
        }
    }

    void Decide()
    {
        txn_move(made, TXN_CANCELLING, clock_now{0, kNow});
        made->cause = TXN_CAUSE_OPERATOR;
        made->refused_branch = UINT8_MAX;
        made->decided_unix_ms = kWidest;
        txn_set_reason(made, std::string(63, 'C').c_str(), std::string(255, 'w').c_str());
        SetBranches(BRANCH_CANCELLING);
        Write(RECORD_DECIDE, nullptr);
        Write(RECORD_PROGRESS, nullptr);
    }

    void End()
    {
        SetBranches(BRANCH_CANCELLED);
        txn_move(made, TXN_CANCELLED, clock_now{0, kNow});
        made->ended_unix_ms = kWidest;
        Write(RECORD_END, nullptr);
    }

    void Write(record_kind kind, branch *of)
    {
        effect_record record = {kind, made, of, 0, nullptr};
        record_write(&record, &directory, batch.get());
    }

    struct directory directory;
    txn *made = nullptr;
    Batch batch;
};

size_t CountPuts(const journal_batch *batch)
{
    size_t count = 0;
    batch_reader reader = {batch, 0};
    batch_operation operation;
    while (batch_reader_next(&reader, &operation)) {
        count += operation.kind == BATCH_PUT ? 1 : 0;
    }
    return count;
}

TEST(RecordWidest, AllOfAnExecuteFit)
{
    Widest widest;
    widest.Begin(TXN_MODE_EXECUTE);
    widest.Decide();
    widest.End();
    EXPECT_EQ(CountPuts(widest.batch.get()), 4U); // BEGIN, DECIDE, PROGRESS, the outcome
}

TEST(RecordWidest, AllOfAStepsFit)
{
    Widest widest;
    widest.Begin(TXN_MODE_STEPS);
    widest.Decide();
    widest.End();
    EXPECT_EQ(CountPuts(widest.batch.get()), 4U + TERCET_BRANCH_COUNT_MAX);
}

} // namespace
} // namespace tercet
