// random_fence.cc -- see random_fence.h.
#include "unit/engine/random_fence.h"

#include <gtest/gtest.h>

namespace tercet
{
namespace
{

enum { HOW_RAN = 1, HOW_REPEATED = 2, HOW_EMPTY = 3 };
enum { OTHER_TRANSACTION = 1, NOT_TRIED = 2, WAS_CONFIRMED = 3, WAS_CANCELLED = 4, FORGOTTEN = 5 };

} // namespace

bool Fence::IsForgotten(int64_t number) const
{
    return number < low_ && open_.count(number) == 0;
}

void Fence::Apply(const Wire &ask)
{
    if (ask.mark_as_of <= as_of_) {
        return;
    }
    as_of_ = ask.mark_as_of;
    low_ = ask.mark_low;
    open_ = ask.mark_open;
    for (auto row = rows.begin(); row != rows.end();) {
        bool gone = IsForgotten(row->second.number);
        EXPECT_FALSE(gone && row->second.state == Row::TRIED)
            << row->first.first << "/" << row->first.second << " is closed and still reserved";
        row = gone && row->second.state != Row::TRIED ? rows.erase(row) : std::next(row);
    }
}

FenceAnswer Fence::Run(const Wire &ask, Row to, bool refuse)
{
    if (refuse) {
        return {ask.phase == TERCET_PHASE_TRY ? TERCET_VERDICT_REFUSED : TERCET_VERDICT_LATER};
    }
    rows[{ask.gid, ask.index}] = {to, ask.number};
    int count = ++effects[{ask.gid, ask.index}][ask.phase];
    EXPECT_EQ(1, count) << "I3: " << ask.gid << "/" << ask.index << " phase " << ask.phase;
    return {TERCET_VERDICT_DONE, HOW_RAN};
}

FenceAnswer Fence::Ask(const Wire &ask, bool refuse)
{
    Apply(ask);
    auto found = rows.find({ask.gid, ask.index});
    if (found == rows.end()) {
        return OnNone(ask, refuse);
    }
    if (found->second.number != ask.number) {
        return {TERCET_VERDICT_CONFLICT, 0, OTHER_TRANSACTION};
    }
    switch (ask.phase) {
    case TERCET_PHASE_TRY:
        return OnTry(found->second.state);
    case TERCET_PHASE_CONFIRM:
        return OnConfirm(ask, found->second.state, refuse);
    case TERCET_PHASE_CANCEL:
        return OnCancel(ask, found->second.state, refuse);
    }
    return {};
}

FenceAnswer Fence::OnNone(const Wire &ask, bool refuse)
{
    if (IsForgotten(ask.number)) {
        return {ask.phase == TERCET_PHASE_TRY ? TERCET_VERDICT_REFUSED : TERCET_VERDICT_CONFLICT, 0,
                FORGOTTEN};
    }
    if (ask.phase == TERCET_PHASE_TRY) {
        return Run(ask, Row::TRIED, refuse);
    }
    if (ask.phase == TERCET_PHASE_CONFIRM) {
        return ask.confirm_only ? Run(ask, Row::CONFIRMED, refuse)
                                : FenceAnswer{TERCET_VERDICT_CONFLICT, 0, NOT_TRIED};
    }
    rows[{ask.gid, ask.index}] = {Row::SUSPENDED, ask.number};
    return {TERCET_VERDICT_DONE, HOW_EMPTY};
}

FenceAnswer Fence::OnTry(Row state)
{
    bool stands = state == Row::TRIED || state == Row::CONFIRMED;
    return {stands ? TERCET_VERDICT_DONE : TERCET_VERDICT_REFUSED, HOW_REPEATED};
}

FenceAnswer Fence::OnConfirm(const Wire &ask, Row state, bool refuse)
{
    if (state == Row::TRIED) {
        return Run(ask, Row::CONFIRMED, refuse);
    }
    return state == Row::CONFIRMED ? FenceAnswer{TERCET_VERDICT_DONE, HOW_REPEATED}
                                   : FenceAnswer{TERCET_VERDICT_CONFLICT, 0, WAS_CANCELLED};
}

FenceAnswer Fence::OnCancel(const Wire &ask, Row state, bool refuse)
{
    if (state == Row::TRIED) {
        return Run(ask, Row::CANCELLED, refuse);
    }
    if (state == Row::CONFIRMED) {
        return {TERCET_VERDICT_CONFLICT, 0, WAS_CONFIRMED};
    }
    return {TERCET_VERDICT_DONE,
            static_cast<uint32_t>(state == Row::SUSPENDED ? HOW_EMPTY : HOW_REPEATED)};
}

} // namespace tercet
