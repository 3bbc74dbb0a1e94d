// reference_fence.cc -- see reference_fence.h.  Sections are those of docs/protocol.md.
#include "support/reference_fence.h"

#include <algorithm>

namespace fence_test
{
namespace
{

constexpr uint64_t HANDLER_TIME_US = 20000; // group.h, invariant 3
constexpr size_t RESULT_MAX = 1024;

Expected Done(tercet_how how)
{
    Expected expected;
    expected.verdict = TERCET_VERDICT_DONE;
    expected.how = how;
    return expected;
}

Expected No(tercet_verdict verdict, const char *code,
            tercet_conflict conflict = TERCET_CONFLICT_NONE)
{
    Expected expected;
    expected.verdict = verdict;
    expected.code = code;
    expected.conflict = conflict;
    return expected;
}

Expected Conflict(tercet_conflict conflict, const char *code)
{
    return No(TERCET_VERDICT_CONFLICT, code, conflict);
}

Expected Unavailable()
{
    return No(TERCET_VERDICT_LATER, "TERCET_STORE_UNAVAILABLE");
}

// Section 5: a row that is there and is this branch's, when nothing is to run.
Expected Repeat(tercet_phase phase, const ReferenceFence::Row &row)
{
    const bool cancelled =
        row.state == TERCET_FENCE_CANCELLED || row.state == TERCET_FENCE_SUSPENDED;
    if (phase == TERCET_PHASE_TRY) {
        if (cancelled) {
            return No(TERCET_VERDICT_REFUSED, "TERCET_TRY_AFTER_CANCEL");
        }
        Expected expected = Done(TERCET_HOW_REPEATED);
        expected.result = row.result;
        return expected;
    }
    if (phase == TERCET_PHASE_CONFIRM) {
        return cancelled ? Conflict(TERCET_CONFLICT_CANCELLED, "TERCET_CONFIRM_AFTER_CANCEL")
                         : Done(TERCET_HOW_REPEATED);
    }
    if (!cancelled) {
        return Conflict(TERCET_CONFLICT_CONFIRMED, "TERCET_CANCEL_AFTER_CONFIRM");
    }
    return Done(row.state == TERCET_FENCE_SUSPENDED ? TERCET_HOW_EMPTY : TERCET_HOW_REPEATED);
}

// Section 3: what comes of a handler that did not say DONE, or said it wrongly.
Expected NotDone(tercet_phase phase, const Said &said)
{
    const bool is_try = phase == TERCET_PHASE_TRY;
    if (said.verdict == TERCET_VERDICT_LATER ||
        (is_try && said.verdict == TERCET_VERDICT_REFUSED)) {
        return No(said.verdict, "");
    }
    const bool says_no =
        said.verdict == TERCET_VERDICT_REFUSED || said.verdict == TERCET_VERDICT_CONFLICT;
    return No(TERCET_VERDICT_LATER,
              !is_try && says_no ? "TERCET_REFUSED_TOO_LATE" : "TERCET_HANDLER_FAILED");
}

} // namespace

Identity IdentityOf(const Ask &ask)
{
    return {ask.gid, ask.branch, ask.origin, Pair(ask.number_incarnation, ask.number), ask.digest};
}

bool ReferenceFence::IsPast(const Ask &ask)
{
    const Scope &scope = scopes[{ask.participant, ask.origin}];
    const Pair number(ask.number_incarnation, ask.number);
    return number < scope.low && scope.open.count(number) == 0;
}

Expected ReferenceFence::RunHandler(const Ask &ask, const Said &said, tercet_fence_state becomes)
{
    const bool is_try = ask.phase == TERCET_PHASE_TRY;
    const auto row = rows.find({ask.gid, ask.branch});
    const std::string tried = row == rows.end() ? "" : row->second.result;
    Expected expected;
    if (said.verdict != TERCET_VERDICT_DONE || (is_try && said.result.size() > RESULT_MAX)) {
        expected = NotDone(ask.phase, said);
    } else {
        expected = Done(TERCET_HOW_RAN);
        expected.result = is_try ? said.result : "";
        effects[IdentityOf(ask)][ask.phase - 1]++;
        rows[{ask.gid, ask.branch}] = {becomes, IdentityOf(ask), ask.participant, ask.action,
                                       is_try ? said.result : tried};
    }
    expected.ran = true;
    expected.tried = tried;
    return expected;
}

// Section 5, the table.
Expected ReferenceFence::Step(const Ask &ask, const Said &said)
{
    const bool is_confirm = ask.phase == TERCET_PHASE_CONFIRM;
    const auto found = rows.find({ask.gid, ask.branch});
    if (found != rows.end()) {
        if (found->second.identity != IdentityOf(ask)) {
            return Conflict(TERCET_CONFLICT_OTHER_TRANSACTION, "TERCET_OTHER_TRANSACTION");
        }
        if (found->second.state == TERCET_FENCE_TRIED && ask.phase != TERCET_PHASE_TRY) {
            return RunHandler(ask, said,
                              is_confirm ? TERCET_FENCE_CONFIRMED : TERCET_FENCE_CANCELLED);
        }
        return Repeat(ask.phase, found->second);
    }
    if (IsPast(ask)) {
        return ask.phase == TERCET_PHASE_TRY
                   ? No(TERCET_VERDICT_REFUSED, "TERCET_FORGOTTEN")
                   : Conflict(TERCET_CONFLICT_FORGOTTEN, "TERCET_FORGOTTEN");
    }
    if (ask.phase == TERCET_PHASE_TRY) {
        return RunHandler(ask, said, TERCET_FENCE_TRIED);
    }
    if (is_confirm) {
        return ask.confirm_only ? RunHandler(ask, said, TERCET_FENCE_CONFIRMED)
                                : Conflict(TERCET_CONFLICT_NOT_TRIED, "TERCET_CONFIRM_WITHOUT_TRY");
    }
    rows[{ask.gid, ask.branch}] = {TERCET_FENCE_SUSPENDED, IdentityOf(ask), ask.participant,
                                   ask.action, ""};
    return Done(TERCET_HOW_EMPTY);
}

// Section 5, the commit's outcome is unknown: what the table says to the rows, if it says anything
// without running or writing.
Expected ReferenceFence::ReadAgain(const Ask &ask)
{
    ReferenceFence probe = *this;
    Expected expected = probe.Step(ask, {});
    if (expected.ran || probe.rows.size() != rows.size()) {
        return Unavailable();
    }
    const auto row = rows.find({ask.gid, ask.branch});
    if (expected.verdict == TERCET_VERDICT_CONFLICT && row != rows.end()) {
        expected.found = row->second.state;
    }
    return expected;
}

std::vector<Expected> ReferenceFence::Run(const std::vector<Ask> &asks,
                                          const std::vector<Said> &says, Ending ending)
{
    const ReferenceFence before = ending == Ending::KEPT ? ReferenceFence() : *this;
    std::vector<Expected> expected(asks.size());
    std::map<Key, size_t> first_of; // in the order of keys; of one branch the first to come
    for (size_t i = 0; i < asks.size(); i++) {
        expected[i].deferred = !first_of.emplace(Key(asks[i].gid, asks[i].branch), i).second;
    }
    uint64_t us = 0;
    for (const auto &[key, i] : first_of) {
        if (us >= HANDLER_TIME_US && i != 0) {
            expected[i].deferred = true;
            continue;
        }
        const Ask &ask = asks[i];
        Scope &scope = scopes[{ask.participant, ask.origin}];
        const Pair epoch(ask.incarnation, ask.epoch);
        const auto row = rows.find(key);
        const tercet_fence_state found = row == rows.end() ? TERCET_FENCE_NONE : row->second.state;
        if (epoch < scope.epoch) {
            expected[i].old_epoch = true;
            continue;
        }
        scope.epoch = epoch;
        expected[i] = Step(ask, says[i]);
        expected[i].found =
            expected[i].verdict == TERCET_VERDICT_CONFLICT ? found : TERCET_FENCE_NONE;
        expected[i].mark_age = scope.age;
        us += expected[i].ran ? says[i].us : 0;
    }
    if (ending != Ending::KEPT) {
        if (ending != Ending::KEPT_UNTOLD) {
            *this = before;
        }
        for (size_t i = 0; i < asks.size(); i++) {
            if (!expected[i].deferred) {
                AnswerAgain(asks[i], ending, expected[i]);
            }
        }
    }
    if (ending == Ending::IMPOSSIBLE) {
        // Each is run alone too, and no epoch that another one has raised was kept.
        for (size_t i = 0; i < asks.size(); i++) {
            ReferenceFence alone = before;
            if (!expected[i].deferred) {
                const Expected ran = alone.Run({asks[i]}, {says[i]}, Ending::KEPT)[0];
                expected[i].ran = expected[i].ran || ran.ran;
                expected[i].tried = ran.ran ? ran.tried : expected[i].tried;
            }
        }
    }
    return expected;
}

// After a transaction of which nothing was heard, or that cannot commit.
void ReferenceFence::AnswerAgain(const Ask &ask, Ending ending, Expected &expected)
{
    const Scope &scope = scopes[{ask.participant, ask.origin}];
    const Expected first = expected;
    expected = Unavailable();
    if (ending != Ending::IMPOSSIBLE && Pair(ask.incarnation, ask.epoch) < scope.epoch) {
        expected = {};
        expected.old_epoch = true;
    } else if (ending != Ending::IMPOSSIBLE) {
        expected = ReadAgain(ask);
        expected.mark_age = scope.age;
    }
    expected.ran = first.ran;
    expected.tried = first.tried;
}

std::map<Pair, Key> ReferenceFence::RowsOf(const ScopeName &name) const
{
    std::map<Pair, Key> found;
    for (const auto &[key, row] : rows) {
        if (ScopeName(row.participant, std::get<2>(row.identity)) == name) {
            found.emplace(std::get<3>(row.identity), key);
        }
    }
    return found;
}

// Sections 6 and 7.
Slice ReferenceFence::Apply(const ScopeName &name, Pair epoch, const Mark &mark, Pair from,
                            uint32_t row_max)
{
    Scope &scope = scopes[name];
    Slice slice;
    slice.old_epoch = epoch < scope.epoch;
    if (slice.old_epoch) {
        return slice;
    }
    scope.epoch = epoch;
    slice.stale = mark.age < scope.age;
    if (slice.stale) {
        return slice;
    }
    scope.age = mark.age;
    scope.low = mark.low;
    scope.open = {mark.open.begin(), mark.open.end()};
    for (const auto &[number, key] : RowsOf(name)) {
        if (number < from || number >= mark.low || slice.looked_at == row_max) {
            continue;
        }
        slice.looked_at++;
        slice.last = number;
        if (scope.open.count(number) != 0) {
            continue;
        }
        if (rows.at(key).state == TERCET_FENCE_TRIED) {
            slice.kept.push_back(key.first);
        } else {
            rows.erase(key);
            slice.removed++;
        }
    }
    return slice;
}

} // namespace fence_test
