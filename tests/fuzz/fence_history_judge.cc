// fence_history_judge.cc -- what must come of a history; see fence_history.h.
#include "fence_history.h"

namespace fence_test
{

const std::string FenceHistory::GIDS[] = {"g", "g/1", std::string("g\0", 2), std::string(128, 'x')};

std::string FenceHistory::EffectName(const Identity &identity)
{
    return asked_.at(identity).first;
}

std::string FenceHistory::Describe(const Ask &ask)
{
    std::string text = std::string(tercet_phase_name(ask.phase)) + " " +
                       testing::PrintToString(ask.gid) + "/" + std::to_string(ask.branch);
    text += " of " + ask.participant + ", origin " + std::to_string(ask.origin);
    text += ", number " + std::to_string(ask.number_incarnation) + ":" + std::to_string(ask.number);
    text += ", digest " + std::to_string(ask.digest) + (ask.confirm_only ? ", confirm-only" : "");
    return text + ", epoch " + std::to_string(ask.incarnation) + ":" + std::to_string(ask.epoch);
}

std::string FenceHistory::Describe(const ScopeName &name, const Mark &mark)
{
    return "mark of " + name.first + ", origin " + std::to_string(name.second) + ", age " +
           testing::PrintToString(mark.age) + ", low " + testing::PrintToString(mark.low);
}

void FenceHistory::CompareAnswer(const Ask &ask, const Expected &expected,
                                 const group_answer &answer)
{
    const std::string result(reinterpret_cast<const char *>(answer.result), answer.result_bytes);
    ASSERT_EQ(answer.deferred, expected.deferred) << Describe(ask);
    ASSERT_EQ(answer.status, expected.old_epoch ? TERCET_FAILED_PRECONDITION : TERCET_OK)
        << Describe(ask) << ": " << answer.text;
    if (expected.deferred || expected.old_epoch) {
        return;
    }
    EXPECT_EQ(answer.verdict, expected.verdict) << Describe(ask) << ": " << answer.text;
    EXPECT_EQ(answer.how, expected.how) << Describe(ask);
    EXPECT_EQ(answer.conflict, expected.conflict) << Describe(ask);
    EXPECT_EQ(answer.found, expected.found) << Describe(ask);
    EXPECT_EQ(answer.code, expected.code) << Describe(ask);
    EXPECT_EQ(result, expected.result) << Describe(ask);
    EXPECT_EQ(Pair(answer.mark_incarnation, answer.mark_lsn), expected.mark_age) << Describe(ask);
}

void FenceHistory::CompareEffects(const Identity &identity)
{
    const auto &[name, confirm_only] = asked_.at(identity);
    const auto found = reference_.effects.find(identity);
    const std::array<int, 3> none = {};
    const std::array<int, 3> kept = {harness_.Effects(name, 0, TERCET_PHASE_TRY),
                                     harness_.Effects(name, 0, TERCET_PHASE_CONFIRM),
                                     harness_.Effects(name, 0, TERCET_PHASE_CANCEL)};
    EXPECT_EQ(kept, found == reference_.effects.end() ? none : found->second)
        << name << ": effects of try, confirm, cancel";
    EXPECT_LE(kept[0], 1) << name << " was tried twice";
    EXPECT_LE(kept[1] + kept[2], 1) << name << " was ended twice";
    EXPECT_TRUE(confirm_only || kept[1] + kept[2] <= kept[0]) << name << " was ended untried";
}

void FenceHistory::CompareRow(const Key &key)
{
    const tercet_fence_row row = harness_.Row(key.first, key.second);
    const auto found = reference_.rows.find(key);
    if (found == reference_.rows.end()) {
        EXPECT_EQ(row.state, TERCET_FENCE_NONE) << testing::PrintToString(key);
        return;
    }
    const Identity identity = {key.first, key.second, row.identity.origin[0],
                               Pair(row.identity.number.incarnation, row.identity.number.number),
                               row.identity.digest[0]};
    const std::string result(reinterpret_cast<const char *>(row.result), row.result_bytes);
    EXPECT_EQ(row.state, found->second.state) << testing::PrintToString(key);
    EXPECT_EQ(identity, found->second.identity) << testing::PrintToString(key);
    EXPECT_EQ(row.participant, found->second.participant) << testing::PrintToString(key);
    EXPECT_EQ(row.action, found->second.action) << testing::PrintToString(key);
    EXPECT_EQ(result, found->second.result) << testing::PrintToString(key);
}

// Also what nobody has asked for.
void FenceHistory::CompareRows()
{
    for (uint32_t i = 0; i < KEYS; i++) {
        CompareRow({GIDS[i / 2], 1 + i % 2});
    }
    for (const auto &[name, scope] : reference_.scopes) {
        CompareScope(name);
    }
}

void FenceHistory::CompareScope(const ScopeName &name)
{
    const ReferenceFence::Scope &scope = reference_.scopes[name]; // of a deferred request: none
    const tercet_store_description told = harness_.Describe(name.second, name.first);
    const auto rows = reference_.RowsOf(name);
    EXPECT_EQ(Pair(told.epoch.incarnation, told.epoch.epoch), scope.epoch) << name.first;
    EXPECT_EQ(Pair(told.mark.as_of_incarnation, told.mark.as_of_lsn), scope.age) << name.first;
    EXPECT_EQ(Pair(told.mark.low.incarnation, told.mark.low.number), scope.low) << name.first;
    std::set<Pair> open;
    for (uint32_t i = 0; i < told.mark.open_count; i++) {
        open.emplace(told.mark.open[i].incarnation, told.mark.open[i].number);
    }
    EXPECT_EQ(open, scope.open) << name.first;
    EXPECT_EQ(told.rows, static_cast<int64_t>(rows.size())) << name.first;
    EXPECT_EQ(Pair(told.highest.incarnation, told.highest.number),
              rows.empty() ? Pair() : rows.rbegin()->first)
        << name.first;
}

} // namespace fence_test
