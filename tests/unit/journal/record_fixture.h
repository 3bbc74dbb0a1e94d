// record_fixture.h -- random transactions, and what must be left of them.
#pragma once

#include <random>

#include "unit/journal/journal_fixture.h"

namespace tercet
{

inline uint64_t Seed()
{
    const char *text = getenv("TERCET_SEED");
    return text == nullptr ? 20261121 : strtoull(text, nullptr, 0);
}

// Transactions in every state that the engine can bring them to.
class Transactions
{
  public:
    explicit Transactions(uint64_t seed) : random_(seed)
    {
        directory_init(&directory_);
        for (int i = 0; i < 6; i++) {
            directory_entry entry = {};
            snprintf(entry.name, sizeof entry.name, "participant-%d", i);
            EXPECT_EQ(directory_add(&directory_, &entry), TERCET_OK);
        }
    }
    ~Transactions()
    {
        for (txn *made : made_) {
            txn_destroy(made);
        }
        directory_deinit(&directory_);
    }

    uint64_t Below(uint64_t bound)
    {
        return random_() % bound;
    }
    bool Maybe()
    {
        return Below(2) == 0;
    }
    std::string Noise(size_t max)
    {
        std::string bytes(Below(max + 1), '\0');
        for (char &c : bytes) {
            c = static_cast<char>(random_());
        }
        return bytes;
    }
    std::string Words(size_t max)
    {
        std::string words(Below(max + 1), '\0');
        for (char &c : words) {
            c = static_cast<char>('a' + Below(26));
        }
        return words;
    }

    // Undecided, with its BEGIN (and ADD_BRANCH) written to `batch`.
    txn *Begin(int64_t sequence, journal_batch *batch)
    {
        txn *made = txn_create(("gid-" + std::to_string(sequence) + Words(100)).c_str(),
                               Words(36).c_str(), Words(64).c_str());
        made_.push_back(made);
        made->sequence = sequence;
        made->mode = Maybe() ? TXN_MODE_EXECUTE : TXN_MODE_STEPS;
        FillDigest(&made->content);
        made->begun_unix_ms = kNow + static_cast<int64_t>(Below(1000000));
        made->deadline.boot_ms = static_cast<int64_t>(Below(100000000));
        made->deadline.unix_ms = made->begun_unix_ms + 30000;
        made->timeout_ms = 30000;
        txn_move(made, TXN_TRYING, clock_now{0, made->begun_unix_ms});
        const uint32_t count = static_cast<uint32_t>(1 + Below(Maybe() ? 4 : 64));
        if (made->mode == TXN_MODE_STEPS) {
            Write(RECORD_BEGIN, made, nullptr, batch);
        }
        for (uint32_t index = 1; index <= count; index++) {
            branch *added = AddBranch(made, index);
            if (made->mode == TXN_MODE_STEPS) {
                Write(RECORD_ADD_BRANCH, made, added, batch);
            }
        }
        if (made->mode == TXN_MODE_EXECUTE) {
            Write(RECORD_BEGIN, made, nullptr, batch);
        }
        return made;
    }

    // Attempts and reasons while it is undecided.
    void TryAWhile(txn *made, journal_batch *batch)
    {
        for (uint32_t i = 0; i < made->branch_count; i++) {
            branch *of = made->branches[i];
            if (!of->spec.confirm_only) {
                branch_move(of, BRANCH_TRYING);
                of->attempts = static_cast<uint32_t>(Below(1000));
                branch_set_reason(of, Words(63).c_str(), Words(255).c_str());
            }
        }
        Write(RECORD_PROGRESS, made, nullptr, batch);
    }

    void Decide(txn *made, journal_batch *batch)
    {
        const bool confirm = Maybe();
        txn_move(made, confirm ? TXN_CONFIRMING : TXN_CANCELLING, clock_now{0, kNow + 5});
        if (!confirm) {
            made->cause = static_cast<txn_cause>(1 + Below(4));
            made->refused_branch =
                static_cast<uint32_t>(Below(std::min<uint32_t>(made->branch_count, 2U) + 1));
            txn_set_reason(made, "CODE", Words(255).c_str());
        }
        for (uint32_t i = 0; i < made->branch_count; i++) {
            branch *of = made->branches[i];
            SetState(of, RandomState(of, confirm));
            branch_set_result(of, Bytes(Noise(TERCET_RESULT_BYTES_MAX)));
            of->answered_tried = Maybe();
        }
        Write(RECORD_DECIDE, made, nullptr, batch);
    }

    // Some branches end, others are asked again.
    void Progress(txn *made, journal_batch *batch)
    {
        for (uint32_t i = 0; i < made->branch_count; i++) {
            branch *of = made->branches[i];
            if (Maybe()) {
                SetState(of, Ended(of->state));
            } else {
                SetState(of, of->state);
            }
        }
        Write(RECORD_PROGRESS, made, nullptr, batch);
    }

    void End(txn *made, journal_batch *batch)
    {
        for (uint32_t i = 0; i < made->branch_count; i++) {
            SetState(made->branches[i], Ended(made->branches[i]->state));
        }
        txn_move(made, made->state == TXN_CONFIRMING ? TXN_CONFIRMED : TXN_CANCELLED,
                 clock_now{0, kNow + 77});
        Write(RECORD_END, made, nullptr, batch);
    }

    void Write(record_kind kind, txn *made, branch *of, journal_batch *batch)
    {
        effect_record record = {kind, made, of, 0, nullptr};
        record_write(&record, &directory_, batch);
    }

    const struct directory *directory() const
    {
        return &directory_;
    }

  private:
    void FillDigest(digest16 *digest)
    {
        for (uint8_t &byte : digest->bytes) {
            byte = static_cast<uint8_t>(random_());
        }
    }

    branch *AddBranch(txn *made, uint32_t index)
    {
        const std::string action = "action." + Words(50);
        const std::string payload = Noise(Below(20) == 0 ? 3000 : 40);
        branch_spec spec = {};
        spec.index = index;
        spec.participant = static_cast<uint32_t>(Below(6));
        spec.action = action.c_str();
        spec.payload = Bytes(payload);
        spec.stage = static_cast<uint32_t>(Below(64));
        spec.call_timeout_ms = static_cast<uint32_t>(Below(2) * 5000);
        spec.confirm_only = Below(4) == 0;
        spec.optional = !spec.confirm_only && Below(4) == 0;
        FillDigest(&spec.digest);
        branch *added = branch_create(&spec);
        added->number = branch_number{kNow, ++number_};
        branch_move(added, BRANCH_WAITING);
        txn_add_branch_take(made, added);
        return added;
    }

    branch_state RandomState(const branch *of, bool confirm)
    {
        if (confirm && !(of->spec.optional && Maybe())) {
            return Maybe() ? BRANCH_CONFIRMING : BRANCH_CONFIRMED;
        }
        if (of->spec.confirm_only) {
            return BRANCH_SKIPPED;
        }
        const branch_state states[] = {BRANCH_CANCELLING, BRANCH_CANCELLED, BRANCH_SKIPPED};
        return states[Below(3)];
    }

    static branch_state Ended(branch_state state)
    {
        return state == BRANCH_CONFIRMING   ? BRANCH_CONFIRMED
               : state == BRANCH_CANCELLING ? BRANCH_CANCELLED
                                            : state;
    }

    void SetState(branch *of, branch_state state)
    {
        const bool ended = branch_state_is_ended(state);
        of->state = state;
        of->asked = branch_state_asks(state);
        of->attempts = static_cast<uint32_t>(Below(100));
        branch_set_conflict(of, // also unknown ones
                            ended ? 0 : static_cast<uint32_t>(Below(2) * Below(1000)));
        branch_set_reason(of, Words(63).c_str(), Words(255).c_str());
        branch_set_resolved(of, ended && Below(5) == 0 ? "settled by hand" : "");
    }

    std::mt19937_64 random_;
    struct directory directory_;
    std::vector<txn *> made_;
    int64_t number_ = 0;
};

inline std::string ReasonOf(const said *of)
{
    return of == nullptr ? "" : std::string(said_code(of)) + "|" + said_text(of);
}

inline std::string ReasonText(const char *code, const char *text)
{
    return code[0] == '\0' && text[0] == '\0' ? "" : std::string(code) + "|" + text;
}

} // namespace tercet
