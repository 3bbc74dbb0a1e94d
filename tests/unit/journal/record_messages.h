// record_messages.h -- the records of one transaction as messages, all of them well, for a test to make
// one thing of them wrong.
#pragma once

#include <deque>
#include <functional>
#include <utility>

#include "unit/journal/record_fixture.h"

extern "C" {
#include "journal/record_census.h"
#include "journal/record_message.h"
#define try try_ // a method of the services, which protoc-c makes a member
#include "tercet/v1/record.pb-c.h"
#undef try
}

namespace tercet
{

using Begun = Tercet__V1__Record__BeginBranch;
using Now = Tercet__V1__Record__BranchNow;

constexpr int64_t kSequence = 5;

// The records of one transaction of two branches as messages, all of them well.
class Records
{
  public:
    explicit Records(bool by_steps) : by_steps_(by_steps)
    {
        tercet__v1__record__begin__init(&begin);
        begin.whole = true;
        begin.gid = Keep("gid");
        begin.sequence = kSequence;
        begin.mode = by_steps ? TERCET__V1__RECORD__MODE__MODE_STEPS
                              : TERCET__V1__RECORD__MODE__MODE_EXECUTE;
        begin.content = KeepBytes(16);
        begin.begun_unix_ms = kNow;
        begin.deadline_unix_ms = kNow + 30000;
        for (uint32_t i = 0; i < TERCET_BRANCH_COUNT_MAX + 1; i++) {
            FillBegun(i);
            FillNow(&decided[i], &decided_pointers[i], i);
            FillNow(&later[i], &later_pointers[i], i);
        }
        begin.branches = begun_pointers;
        begin.n_branches = by_steps ? 0 : 2;
        for (size_t i = 0; i < 3; i++) {
            tercet__v1__record__add_branch__init(&add[i]);
            add[i].whole = true;
            add[i].branches = &begun_pointers[i];
            add[i].n_branches = 1;
        }
        tercet__v1__record__decide__init(&decide);
        decide.whole = true;
        decide.outcome = TERCET__V1__OUTCOME__OUTCOME_CONFIRMED;
        decide.decided_unix_ms = kNow;
        decide.branches = decided_pointers;
        decide.n_branches = 2;
        tercet__v1__record__progress__init(&progress);
        progress.whole = true;
        progress.branches = later_pointers;
        progress.n_branches = 2;
    }
    Records(const Records &) = delete;
    Records &operator=(const Records &) = delete;

    char *Keep(const std::string &text)
    {
        texts_.push_back(text);
        return texts_.back().data();
    }
    ProtobufCBinaryData KeepBytes(size_t size)
    {
        return {size, reinterpret_cast<uint8_t *>(Keep(std::string(size, 'b')))};
    }
    std::string BeginValue() const
    {
        return Pack(begin);
    }
    void SetStates(Tercet__V1__BranchState state)
    {
        for (size_t i = 0; i < 2; i++) {
            decided[i].state = later[i].state = state;
        }
    }

    // Loads them; what is said of them.  The transaction is seen as it came back.
    tercet_status Load(std::string *why, const std::function<void(const txn *)> &see = nullptr)
    {
        struct journal_head head = {};
        head.incarnation = kNow;
        head.next_number = 1000;
        struct directory directory;
        directory_init(&directory);
        see_ = see;
        record_loader *loader = record_loader_create(&head, &directory, TakeAndSee, this);
        tercet_error error = {};
        tercet_status status = TERCET_OK;
        for (const auto &[key, value] : Pairs()) {
            status = record_loader_pair(loader, Bytes(key), Bytes(value),
                                        digest128_of_pair(Bytes(key), Bytes(value)), &error);
            if (status != TERCET_OK) {
                break;
            }
        }
        if (status == TERCET_OK) {
            status = record_loader_finish(loader, &error);
        }
        record_loader_destroy(loader);
        directory_deinit(&directory);
        *why = error.text;
        return status;
    }

    int64_t sequence_in_key = kSequence;
    char second_add_index = 2;
    bool is_decided = true;
    bool decides_twice = false;
    bool adds_after_decision = false;
    Tercet__V1__Record__Begin begin;
    Begun begun[TERCET_BRANCH_COUNT_MAX + 1];
    Tercet__V1__Record__AddBranch add[3];
    Tercet__V1__Record__Decide decide;
    Now decided[TERCET_BRANCH_COUNT_MAX + 1];
    Tercet__V1__Record__Progress progress;
    Now later[TERCET_BRANCH_COUNT_MAX + 1];

  private:
    void FillBegun(uint32_t i)
    {
        tercet__v1__record__begin_branch__init(&begun[i]);
        begun[i].index = i + 1;
        begun[i].participant = Keep("participant");
        begun[i].action = Keep("action");
        begun[i].digest = KeepBytes(16);
        begun[i].incarnation = kNow;
        begun[i].number = kSequence + 1 + i;
        begun_pointers[i] = &begun[i];
    }
    static void FillNow(Now *now, Now **pointer, uint32_t i)
    {
        tercet__v1__record__branch_now__init(now);
        now->index = i + 1;
        now->state = TERCET__V1__BRANCH_STATE__BRANCH_STATE_CONFIRMING;
        *pointer = now;
    }
    static void TakeAndSee(txn *taken, void *context)
    {
        const Records *self = static_cast<Records *>(context);
        if (self->see_) {
            self->see_(taken);
        }
        txn_destroy(taken);
    }
    template <typename Message> static std::string Pack(const Message &message)
    {
        buffer value;
        buffer_init(&value);
        record_message_pack(&message.base, &value);
        const std::string packed = Text(buffer_bytes(&value));
        buffer_deinit(&value);
        return packed;
    }
    std::vector<std::pair<std::string, std::string>> Pairs() const
    {
        const std::string key = TxnKey(static_cast<uint64_t>(sequence_in_key));
        const std::string stem = key.substr(0, 10);
        std::vector<std::pair<std::string, std::string>> pairs = {{key, Pack(begin)}};
        if (by_steps_ && !adds_after_decision) {
            pairs.emplace_back(stem + "\x20\x01", Pack(add[0]));
            pairs.emplace_back(stem + "\x20" + second_add_index, Pack(add[1]));
        }
        if (is_decided) {
            pairs.emplace_back(stem + "\x30", Pack(decide));
        }
        if (decides_twice) {
            pairs.emplace_back(stem + "\x30", Pack(decide));
        }
        if (adds_after_decision) {
            pairs.emplace_back(stem + "\x20\x03", Pack(add[2]));
        }
        pairs.emplace_back(stem + "\x40", Pack(progress));
        return pairs;
    }

    bool by_steps_;
    std::deque<std::string> texts_;
    std::function<void(const txn *)> see_;
    Begun *begun_pointers[TERCET_BRANCH_COUNT_MAX + 1];
    Now *decided_pointers[TERCET_BRANCH_COUNT_MAX + 1];
    Now *later_pointers[TERCET_BRANCH_COUNT_MAX + 1];
};

} // namespace tercet
