// random_judge.cc -- what must hold in random_world.h: of each record, step and answer, and at the end.
#include "unit/engine/random_world.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace tercet
{

// Before the decision a PROGRESS tells one thing only: an optional branch has refused.
void RandomWorld::CheckRecord(const effect_record &made) const
{
    if (made.kind != RECORD_PROGRESS || txn_state_is_decided(made.txn->state)) {
        return;
    }
    bool refused = false;
    for (uint32_t i = 0; i < made.txn->branch_count; i++) {
        const branch *one = made.txn->branches[i];
        refused = refused || (one->spec.optional && one->state == BRANCH_REFUSED);
    }
    EXPECT_TRUE(refused) << made.txn->gid << " has a PROGRESS and is undecided";
}

// I7, and nobody who watches is told the same thing twice.  A share is taken by admission alone; a
// crash may bring back branches whose end was not on disk, so it may be exceeded, but never rises.
void RandomWorld::CheckStep(bool many_requests)
{
    for (uint32_t i = 0; i < PARTICIPANTS; i++) {
        uint32_t open = engine_open_branches_of(engine_, i);
        EXPECT_LE(open, std::max(SHARE, shares_[i])) << "I7: p" << i;
        shares_[i] = open;
    }
    std::set<const void *> told;
    for (size_t i = 0; i < effects_.count && !many_requests; i++) {
        const effect &made = effects_.items[i];
        if (made.kind == EFFECT_REPLY) {
            EXPECT_TRUE(told.insert(made.u.reply.token).second) << "told twice by one step";
        }
    }
}

void RandomWorld::TakeReply(effect_reply &reply)
{
    auto token = reinterpret_cast<uintptr_t>(reply.token);
    auto found = asked_.find(token);
    ASSERT_NE(asked_.end(), found) << "answered after its last answer";
    EXPECT_TRUE(reply.last || reply.to == REQUEST_WATCH);
    if (reply.last) {
        asked_.erase(found);
    }
    if (reply.view == nullptr || txn_state_outcome(reply.view->state) == TXN_UNDECIDED) {
        return;
    }
    txn_outcome outcome = txn_state_outcome(reply.view->state);
    auto decision = decided_.find(reply.view->gid);
    ASSERT_NE(decided_.end(), decision) << "I6: " << reply.view->gid;
    EXPECT_EQ(decision->second.outcome, outcome) << "I6: " << reply.view->gid;
    EXPECT_LE(decision->second.lsn, durable_lsn_) << "I6: " << reply.view->gid;
    auto before = told_.insert({reply.view->gid, outcome});
    EXPECT_EQ(before.first->second, outcome) << "I2: " << reply.view->gid << " changed its outcome";
}

void RandomWorld::Judge()
{
    engine_stats stats{};
    engine_read_stats(engine_, &stats);
    EXPECT_EQ(0U, stats.open_transactions) << "I8";
    EXPECT_EQ(0U, stats.open_payload_bytes);
    EXPECT_EQ(0U, stats.waiting_calls);
    EXPECT_EQ(0U, stats.attention);
    EXPECT_TRUE(asked_.empty()) << asked_.size() << " calls never got their last answer, the first "
                                << (asked_.empty() ? 0 : asked_.begin()->second);
    for (uint32_t i = 0; i < PARTICIPANTS; i++) {
        EXPECT_EQ(0U, engine_open_branches_of(engine_, i));
    }
    for (const auto &pair : disk_) {
        EXPECT_NE('t', pair.first[0]) << "a record of a transaction that has ended";
    }
    for (const auto &fence : fences_) {
        for (const auto &one : fence.second.effects) {
            const std::string &gid = one.first.first;
            std::map<tercet_phase, int> did = one.second;
            auto decision = decided_.find(gid);
            ASSERT_NE(decided_.end(), decision) << "I5: " << gid;
            int confirmed = did[TERCET_PHASE_CONFIRM];
            int cancelled = did[TERCET_PHASE_CANCEL];
            bool optional = Plan(gid, one.first.second).optional;
            EXPECT_EQ(1, confirmed + cancelled) << "I3, I5: " << gid << "/" << one.first.second;
            if (decision->second.outcome == TXN_OUTCOME_CANCELLED) {
                EXPECT_EQ(0, confirmed) << "I1: " << gid;
            } else if (!optional) {
                EXPECT_EQ(0, cancelled) << "I1: " << gid;
            }
        }
    }
    for (const auto &one : decided_) {
        auto outcome = disk_.find("a/" + one.first);
        EXPECT_NE(disk_.end(), outcome) << "no outcome of " << one.first;
    }
}

} // namespace tercet
