// recovery_drive.cc -- see recovery_drive.h.
#include "recovery_drive.h"

#include <gtest/gtest.h>

extern "C" {
#include "journal/record.h"
#include "journal/record_key.h"
#include "judge.h"
}

namespace recovery
{
namespace
{

constexpr int ROUNDS_MAX = 200;

tercet_bytes BytesOf(const std::string &text)
{
    return tercet_bytes_of(text.data(), text.size());
}

} // namespace

// ---- Start --------------------------------------------------------------------------------------

void Coordinator::Adopt(txn *taken)
{
    EXPECT_TRUE(open_.emplace(taken->sequence, taken->gid).second);
    branch_counts_[taken->sequence] = taken->branch_count;
    const bool known = decided_.count(taken->gid) != 0;
    EXPECT_TRUE(!known || txn_state_outcome(taken->state) == decided_[taken->gid])
        << taken->gid << " has another outcome than before";
    if (txn_state_is_decided(taken->state)) {
        decided_[taken->gid] = txn_state_outcome(taken->state);
    }
    engine_adopt_take(world_.engine, taken);
}

bool Coordinator::Open()
{
    open_.clear();
    world_.StartOver("boot-2", world_.now, journal_.next_number);
    journal_head head{};
    head.incarnation = tercet::EngineWorld::INCARNATION;
    head.next_number = journal_.next_number;
    record_loader *loader = record_loader_create(
        &head, &world_.names,
        [](txn *taken, void *context) { static_cast<Coordinator *>(context)->Adopt(taken); }, this);
    record_loader_tell_participants(
        loader, [](const char *name, const acquaintance *known, void *context) {
            auto &world = static_cast<Coordinator *>(context)->world_;
            const uint32_t participant = directory_find(&world.names, name, strlen(name));
            if (participant != UINT32_MAX) {
                engine_adopt_acquaintance(world.engine, participant, known);
            }
        });
    tercet_error error{};
    tercet_status status = TERCET_OK;
    for (auto pair = journal_.pairs.begin(); status == TERCET_OK && pair != journal_.pairs.end();
         ++pair) {
        const tercet_bytes key = BytesOf(pair->first);
        const tercet_bytes value = BytesOf(pair->second);
        if (pair->first[0] != 'a') {
            status = record_loader_pair(loader, key, value, digest128_of_pair(key, value), &error);
        }
    }
    status = status == TERCET_OK ? record_loader_finish(loader, &error) : status;
    record_loader_destroy(loader);
    if (status != TERCET_OK) {
        EXPECT_EQ(status, TERCET_DATA_LOSS);
        EXPECT_EQ(error.status, status);
        EXPECT_TRUE(error.text[0] != '\0' && judge_is_line(error.text));
        return false;
    }
    CompareWithKeys();
    durable_lsn_ = world_.lsn;
    world_.Resume(durable_lsn_);
    return true;
}

// Every BEGIN has become a transaction, every DECIDE an outcome, every ADD_BRANCH a branch.
void Coordinator::CompareWithKeys()
{
    size_t begun = 0;
    for (const auto &[bytes, value] : journal_.pairs) {
        record_key key{};
        if (bytes[0] != 't' || !record_key_parse(BytesOf(bytes), &key)) {
            continue;
        }
        begun += key.kind == RECORD_KEY_BEGIN ? 1 : 0;
        ASSERT_EQ(1U, open_.count(key.sequence));
        const txn *recovered = world_.Find(open_[key.sequence]);
        ASSERT_NE(nullptr, recovered);
        EXPECT_TRUE(key.kind != RECORD_KEY_ADD_BRANCH ||
                    txn_branch(recovered, key.index) != nullptr);
        EXPECT_TRUE(key.kind != RECORD_KEY_DECIDE || txn_state_is_decided(recovered->state));
    }
    EXPECT_EQ(begun, open_.size());
}

void Coordinator::Reopen()
{
    journal_.next_number = engine_next_number(world_.engine);
    EXPECT_TRUE(Open()) << "what a coordinator has written is refused";
}

// ---- What is written ----------------------------------------------------------------------------

void Coordinator::TakeRecord(const effect_record &made)
{
    if (made.kind == RECORD_DECIDE) {
        EXPECT_TRUE(decided_.emplace(made.txn->gid, txn_state_outcome(made.txn->state)).second)
            << made.txn->gid << " is decided twice";
    }
    Write(made, world_.names, journal_);
    if (made.kind == RECORD_END) {
        CheckEnd(*made.txn);
    }
}

// It ends as it was decided, all of its branches on that side, and leaves its outcome and no more.
void Coordinator::CheckEnd(const txn &ended)
{
    const txn_outcome outcome = txn_state_outcome(ended.state);
    ASSERT_EQ(1U, decided_.count(ended.gid));
    EXPECT_EQ(decided_[ended.gid], outcome);
    EXPECT_EQ(branch_counts_[ended.sequence], ended.branch_count);
    for (uint32_t i = 0; i < ended.branch_count; i++) {
        const branch *of = ended.branches[i];
        EXPECT_TRUE(branch_state_is_ended(of->state));
        EXPECT_TRUE(of->spec.optional ||
                    (of->state == BRANCH_CONFIRMED) == (outcome == TXN_OUTCOME_CONFIRMED));
    }
    for (const auto &[bytes, value] : journal_.pairs) {
        record_key key{};
        EXPECT_FALSE(bytes[0] == 't' && record_key_parse(BytesOf(bytes), &key) &&
                     key.sequence == ended.sequence)
            << "a record of a transaction that has ended";
    }
    view *told = nullptr;
    const auto found = journal_.pairs.find(std::string("a/") + ended.gid);
    ASSERT_NE(journal_.pairs.end(), found);
    ASSERT_EQ(TERCET_OK, record_read_outcome(BytesOf(found->second), &told));
    EXPECT_STREQ(told->gid, ended.gid);
    EXPECT_EQ(told->state, ended.state);
    view_destroy(told);
}

// ---- To the end ---------------------------------------------------------------------------------

void Coordinator::HandAndAnswer()
{
    std::vector<std::pair<branch *, tercet_phase>> asked;
    for (const effect_call &call : world_.calls) {
        if (call.branch->txn != nullptr && call.branch->asked == call.phase) {
            const std::string gid = call.branch->txn->gid;
            const bool decided = decided_.count(gid) != 0;
            EXPECT_EQ(decided, call.phase != TERCET_PHASE_TRY) << gid;
            EXPECT_TRUE(!decided || call.branch->spec.optional ||
                        (decided_[gid] == TXN_OUTCOME_CONFIRMED) ==
                            (call.phase == TERCET_PHASE_CONFIRM));
            asked.emplace_back(branch_ref(call.branch), call.phase);
        }
    }
    world_.HandAll();
    for (const auto &[of, phase] : asked) {
        if (of->txn != nullptr && of->asked == phase) {
            const bool refuses = phase == TERCET_PHASE_TRY && dice_.Below(4) == 3;
            world_.Answer(of->txn->gid, of->spec.index, phase,
                          refuses ? TERCET_VERDICT_REFUSED : TERCET_VERDICT_DONE, 1);
        }
        branch_unref(of);
    }
}

// Nothing comes of itself any more: somebody says what is missing.
void Coordinator::Urge()
{
    for (uint32_t i = 0; i < world_.names.count; i++) {
        if (engine_is_held(world_.engine, i)) {
            world_.ResolveParticipant(i);
        }
        if (engine_has_parked(world_.engine, i)) {
            world_.ResumeMore(i, 1 + dice_.Below(4)); // as resume.c does, a few at a time
        }
    }
    const std::map<int64_t, std::string> open = open_;
    for (const auto &[sequence, gid] : open) {
        const txn *of = world_.Find(gid);
        if (of == nullptr || txn_state_is_ended(of->state)) {
            open_.erase(sequence);
        } else if (of->in_doubt) {
            world_.Resolve(
                gid, 0, dice_.Below(2) == 0 ? RESOLUTION_WAS_CANCELLED : RESOLUTION_WAS_CONFIRMED);
        } else if (!txn_state_is_decided(of->state)) {
            world_.Ask(of->mode == TXN_MODE_STEPS && dice_.Below(2) == 0 ? REQUEST_CONFIRM
                                                                         : REQUEST_CANCEL,
                       gid);
        } else {
            for (uint32_t index = 1; index <= TERCET_BRANCH_COUNT_MAX; index++) {
                const branch *branch = txn_branch(of, index);
                if (branch != nullptr && branch_state_is_phase_two(branch->state)) {
                    world_.Resolve(gid, index,
                                   branch->payload_lost ? RESOLUTION_SETTLE : RESOLUTION_ASK);
                }
                of = world_.Find(gid);
                if (of == nullptr || txn_state_is_ended(of->state)) {
                    break;
                }
            }
        }
    }
}

std::string Coordinator::DescribeOpen()
{
    std::string text;
    for (const auto &[sequence, gid] : open_) {
        const txn *of = world_.Find(gid);
        text += "\n" + gid + ": " + (of == nullptr ? "gone" : txn_state_name(of->state));
        for (uint32_t i = 0; of != nullptr && i < of->branch_count; i++) {
            const branch *at = of->branches[i];
            text += "; " + std::to_string(at->spec.index) + " at " +
                    std::to_string(at->spec.participant) + " " + branch_state_name(at->state) +
                    (at->parked ? " parked" : "") + (at->held ? " held" : "") +
                    (at->payload_lost ? " payload lost" : "");
        }
    }
    return text;
}

bool Coordinator::IsAllEnded()
{
    engine_stats stats{};
    engine_read_stats(world_.engine, &stats);
    return stats.open_transactions == 0;
}

void Coordinator::RunToEnd()
{
    for (int round = 0; round < ROUNDS_MAX && !IsAllEnded(); round++) {
        HandAndAnswer();
        world_.Advance(1);
        if (dice_.Below(8) == 7) {
            Reopen();
        }
        if (world_.calls.empty()) {
            Urge();
        }
        if (world_.lsn - 1 > durable_lsn_) {
            durable_lsn_ = world_.lsn - 1;
            world_.Sync();
        }
        for (uint32_t i = 0; i < world_.names.count; i++) {
            (void)engine_mark(world_.engine, i);
        }
    }
    EXPECT_TRUE(IsAllEnded()) << "something never ends:" << DescribeOpen();
    Reopen();
    EXPECT_TRUE(open_.empty()) << "what has ended is open again";
}

} // namespace recovery
