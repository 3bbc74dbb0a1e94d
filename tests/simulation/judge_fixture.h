// judge_fixture.h -- an act and what happens to it, for judge_test.cc and judge_told_test.cc.
#pragma once

#include <gtest/gtest.h>

#include <vector>

#include "simulation/judge.h"

namespace simulation
{
constexpr uint32_t ACT = 7; // its number

// A debit at p0 and a credit at p1, both of 5; what happens to them is the test's.
class JudgeTest : public ::testing::Test
{
  protected:
    static Payload PayloadOf(uint32_t index)
    {
        Payload payload{};
        payload.act = ACT;
        payload.amount = 5;
        payload.branch = static_cast<uint8_t>(index);
        payload.kind = index == 1 ? Kind::DEBIT : index == 2 ? Kind::CREDIT : Kind::COUPON;
        payload.participant = static_cast<uint8_t>(index - 1);
        payload.optional = index == 3 ? 1 : 0;
        return payload;
    }
    static Fact FactOf(Fact::Kind kind, txn_outcome outcome = TXN_UNDECIDED)
    {
        Fact fact{};
        fact.kind = kind;
        fact.act = ACT;
        fact.sequence = 1;
        fact.outcome = outcome;
        return fact;
    }
    void Write(const Fact &fact)
    {
        judge.Note(fact);
        judge.NextNumber(100);
        judge.Durable();
    }
    void Begin()
    {
        judge.Sends(ACT, Attempt::EXECUTE);
        Fact fact = FactOf(Fact::BEGIN);
        fact.branch_count = 2;
        fact.branches[0] = {PayloadOf(1), {1, 11}, false};
        fact.branches[1] = {PayloadOf(2), {1, 12}, false};
        Write(fact);
    }
    void Decide(txn_outcome outcome)
    {
        Write(FactOf(Fact::DECIDE, outcome));
    }
    // An operator says that this branch is settled.
    void Settle(uint32_t index)
    {
        auto ask = std::make_shared<OperatorAsk>();
        Fact fact = FactOf(Fact::PROGRESS);
        ask->what = RESOLUTION_SETTLE;
        judge.AskedByOperator(1, REQUEST_RESOLVE, ACT, index, ask);
        fact.settled = 1U << index;
        Write(fact);
    }
    void End(txn_outcome outcome)
    {
        Write(FactOf(Fact::END, outcome));
    }
    // One effect of one phase.
    void Effect(uint32_t index, tercet_phase phase)
    {
        Line &line = lines_[index];
        line.payload = PayloadOf(index);
        line.tries = static_cast<uint8_t>(line.tries + (phase == TERCET_PHASE_TRY ? 1 : 0));
        line.confirms =
            static_cast<uint8_t>(line.confirms + (phase == TERCET_PHASE_CONFIRM ? 1 : 0));
        line.cancels = static_cast<uint8_t>(line.cancels + (phase == TERCET_PHASE_CANCEL ? 1 : 0));
        judge.LineIs(index - 1, ACT, index, line);
    }
    void TryAll()
    {
        Effect(1, TERCET_PHASE_TRY);
        Effect(2, TERCET_PHASE_TRY);
    }
    void FinishAll(tercet_phase phase)
    {
        Effect(1, phase);
        Effect(2, phase);
    }
    void Ask(request_kind kind, Attempt attempt = Attempt::NONE)
    {
        judge.Asked(1, kind, ACT, attempt, 1);
    }
    void Tell(txn_state state, const char *gid = "g7", request_kind to = REQUEST_GET,
              tercet_verdict verdict = TERCET_VERDICT_UNSPECIFIED, bool last = true)
    {
        view told{};
        told.gid = gid;
        told.state = state;
        effect_reply reply{};
        reply.token = reinterpret_cast<void *>(uintptr_t{1});
        reply.to = to;
        reply.last = last;
        reply.view = &told;
        reply.verdict = verdict;
        judge.Told(reply);
    }
    void TellResult(uint32_t result)
    {
        std::vector<char> room(sizeof(view) + sizeof(view_branch));
        auto *told = reinterpret_cast<view *>(room.data());
        told->gid = "g7";
        told->state = TXN_TRYING;
        told->branch_count = 1;
        told->branches[0].index = 1;
        told->branches[0].state = BRANCH_TRIED;
        told->branches[0].result = tercet_bytes_of(&result, sizeof result);
        effect_reply reply{};
        reply.token = reinterpret_cast<void *>(uintptr_t{1});
        reply.last = true;
        reply.view = told;
        judge.Told(reply);
    }
    void TellNo(tercet_status status, const char *code, bool refused)
    {
        effect_reply reply{};
        reply.token = reinterpret_cast<void *>(uintptr_t{1});
        reply.last = true;
        reply.status = status;
        reply.code = code;
        reply.refused = refused;
        judge.Told(reply);
    }
    void Expect(const char *text)
    {
        ASSERT_TRUE(judge.failed()) << "it let this pass";
        EXPECT_NE(std::string::npos, judge.fault().find(text)) << judge.fault();
    }

    Tally tally;
    Judge judge{tally};

  private:
    Line lines_[ACT_BRANCHES_MAX + 1]{};
};

} // namespace simulation
