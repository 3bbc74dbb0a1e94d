// fence_history.cc -- what happens in a history; fence_history_judge.cc has what must come of it.
#include "fence_history.h"

namespace fence_test
{
namespace
{

constexpr int STEPS_MAX = 200;
constexpr int64_t NUMBERS = 24; // three for each key, of them one of a later incarnation

const std::string PARTICIPANTS[] = {"account", "account2"};

Pair NumberAt(int64_t place)
{
    return place < 16 ? Pair(10, 1 + place) : Pair(11, 1 + place - 16);
}

} // namespace

void FenceHistory::Run()
{
    for (int step = 0; step < STEPS_MAX && !dice_.is_used_up(); step++) {
        const uint32_t drawn = dice_.Below(16);
        if (drawn < 7) {
            RunGroup(1, Fault::NONE);
        } else if (drawn < 9) {
            RunGroup(2 + dice_.Below(4), Fault::NONE);
        } else if (drawn < 11) {
            RunGroupWithFault();
        } else if (drawn < 12) {
            MakeMark();
        } else if (drawn < 14) {
            ApplyMark();
            CompareRows();
        } else if (drawn < 15) {
            BeginAnew();
        } else {
            group_disconnect(&harness_.group);
        }
    }
    CompareRows();
    for (const auto &[identity, name] : asked_) {
        CompareEffects(identity);
    }
}

Pair FenceHistory::DrawEpoch(uint8_t origin)
{
    const Pair now = epochs_[origin - 1];
    if (dice_.Below(8) != 7) {
        return now;
    }
    return now.second > 1 ? Pair(now.first, now.second - 1) : Pair(10, 1);
}

Ask FenceHistory::DrawAsk()
{
    Ask ask;
    const uint32_t key = dice_.Below(KEYS);
    const uint32_t variant = dice_.Below(256); // 0: the branch that everybody means by this key
    const uint32_t other_number = variant & 3;
    const bool other_content = (variant & 12) == 12;
    const bool other_participant = (variant & 48) == 48;
    const bool other_origin = (variant & 192) == 192;
    ask.gid = GIDS[key / 2];
    ask.branch = 1 + key % 2;
    ask.phase = static_cast<tercet_phase>(TERCET_PHASE_TRY + dice_.Below(3));
    const Pair number = NumberAt((other_number % 3) * KEYS + key);
    ask.number_incarnation = number.first;
    ask.number = number.second;
    ask.origin = other_origin ? 2 : 1;
    ask.participant = PARTICIPANTS[(key + (other_participant ? 1 : 0)) % 2];
    ask.confirm_only = key == 7 || other_number == 3;
    ask.action = ask.confirm_only ? "notify" : "debit";
    if (ask.confirm_only && ask.phase == TERCET_PHASE_TRY) {
        ask.phase = TERCET_PHASE_CONFIRM; // refused before the fence is asked
    }
    ask.digest = static_cast<uint8_t>(1 + (other_content ? 1 : 0) + (other_participant ? 2 : 0) +
                                      (ask.confirm_only ? 4 : 0));
    const Pair epoch = DrawEpoch(ask.origin);
    ask.incarnation = epoch.first;
    ask.epoch = epoch.second;
    const std::string name = "e" + std::to_string(asked_.size());
    asked_.emplace(IdentityOf(ask), std::pair(name, ask.confirm_only));
    return ask;
}

Said FenceHistory::DrawSaid(const Ask &ask, bool may_be_slow)
{
    const std::string usual = "result of " + EffectName(IdentityOf(ask));
    switch (dice_.Below(12)) {
    case 5:
        return {TERCET_VERDICT_DONE, "", 0};
    case 6:
        return {TERCET_VERDICT_DONE, std::string(TERCET_RESULT_BYTES_MAX, 'r'), 7000};
    case 7:
        return {TERCET_VERDICT_DONE, std::string(TERCET_RESULT_BYTES_MAX + 1, 'r'), 0};
    case 8:
        return {TERCET_VERDICT_REFUSED, usual, 0};
    case 9:
        return {TERCET_VERDICT_LATER, usual, 0};
    case 10:
        return {dice_.Below(2) == 0 ? TERCET_VERDICT_UNSPECIFIED : TERCET_VERDICT_CONFLICT, "", 0};
    case 11:
        return {TERCET_VERDICT_DONE, usual, may_be_slow ? uint64_t{20000} : 0};
    default:
        return {TERCET_VERDICT_DONE, usual, 0};
    }
}

tercet_verdict FenceHistory::Handle(const group_request &request, tercet_bytes tried,
                                    group_answer &answer)
{
    const std::string gid(static_cast<const char *>(request.key.gid.data), request.key.gid.size);
    size_t i = 0;
    while (asks_[i].gid != gid || asks_[i].branch != request.key.branch) {
        i++;
    }
    EXPECT_TRUE(expected_[i].ran) << Describe(asks_[i]) << ": its handler is not to be called";
    EXPECT_EQ(std::string(static_cast<const char *>(tried.data), tried.size), expected_[i].tried)
        << Describe(asks_[i]) << ": what its handler hears of its try";
    const std::string name = EffectName(IdentityOf(asks_[i]));
    group_request effect = request;
    effect.key = {tercet_bytes_of(name.data(), name.size()), 0};
    EXPECT_EQ(harness_.LeaveEffect(effect), TERCET_VERDICT_DONE);
    harness_.clock_us += says_[i].us;
    answer.result_bytes = says_[i].result.size();
    memcpy(answer.result, says_[i].result.data(), says_[i].result.size());
    return says_[i].verdict;
}

void FenceHistory::RunGroup(size_t count, Fault fault)
{
    Ending ending = Ending::KEPT;
    ending = fault == Fault::COMMIT_UNTOLD ? Ending::KEPT_UNTOLD : ending;
    ending = fault == Fault::ROLLBACK_UNTOLD ? Ending::LOST_UNTOLD : ending;
    ending = fault == Fault::COMMIT_FULL || fault == Fault::COMMIT_IMPOSSIBLE ? Ending::IMPOSSIBLE
                                                                              : ending;
    asks_.clear();
    says_.clear();
    for (size_t i = 0; i < count; i++) {
        asks_.push_back(DrawAsk());
        says_.push_back(DrawSaid(asks_.back(), fault == Fault::NONE));
        says_.back().us = fault == Fault::NONE ? says_.back().us : 0;
    }
    expected_ = reference_.Run(asks_, says_, ending);
    faulty_store_arm(
        fault, fault == Fault::CLAIM_ABORTED || fault == Fault::CHECK_LOST ? dice_.Below(4) : 0);
    const std::vector<group_answer> answers = harness_.Run(asks_);
    faulty_store_arm(Fault::NONE, 0);
    for (size_t i = 0; i < count; i++) {
        CompareAnswer(asks_[i], expected_[i], answers[i]);
        CompareEffects(IdentityOf(asks_[i]));
        CompareRow({asks_[i].gid, asks_[i].branch});
        CompareScope({asks_[i].participant, asks_[i].origin});
    }
}

void FenceHistory::RunGroupWithFault()
{
    static const Fault faults[] = {
        Fault::CLAIM_ABORTED,   Fault::CHECK_LOST,  Fault::COMMIT_ABORTED,   Fault::COMMIT_UNTOLD,
        Fault::ROLLBACK_UNTOLD, Fault::COMMIT_FULL, Fault::COMMIT_IMPOSSIBLE};
    const Fault fault = faults[dice_.Below(7)];
    RunGroup(1 + dice_.Below(4), fault);
}

ScopeName FenceHistory::DrawScope()
{
    const uint32_t drawn = dice_.Below(8); // from 4 on: the one that is asked most
    return {PARTICIPANTS[drawn < 4 ? drawn % 2 : 0],
            static_cast<uint8_t>(drawn < 4 ? 1 + drawn / 2 : 1)};
}

// Some numbers end, `low` rises, and the coordinator would tell so.
void FenceHistory::MakeMark()
{
    const ScopeName name = DrawScope();
    Line &line = lines_[name];
    line.low = std::min<int64_t>(line.low + dice_.Below(8), NUMBERS);
    const uint32_t closings = dice_.Below(8); // 7: all below
    for (uint32_t i = 0; i < closings && closings < 7; i++) {
        line.closed.insert(dice_.Below(NUMBERS));
    }
    Mark mark;
    const int64_t incarnation = epochs_[name.second - 1].first; // whose LSNs begin anew
    mark.age = line.marks.empty() || line.marks.back().age.first != incarnation
                   ? Pair(incarnation, 1)
                   : Pair(incarnation, line.marks.back().age.second + 1);
    mark.low = NumberAt(line.low);
    for (int64_t place = 0; place < line.low; place++) {
        if (closings == 7) {
            line.closed.insert(place);
        }
        if (line.closed.count(place) == 0) {
            mark.open.push_back(NumberAt(place));
        }
    }
    line.marks.push_back(mark);
}

// The newest mark or one before it, whole or not.
void FenceHistory::ApplyMark()
{
    const ScopeName name = DrawScope();
    const std::vector<Mark> &marks = lines_[name].marks;
    const uint32_t back = dice_.Below(8); // 0 to 4: the newest
    if (marks.empty()) {
        return;
    }
    const Mark &mark =
        marks[marks.size() - 1 - std::min<size_t>(back < 5 ? 0 : back - 4, marks.size() - 1)];
    const Pair epoch = DrawEpoch(name.second);
    const uint32_t row_max = dice_.Below(4);
    const uint32_t slices = dice_.Below(4); // 0: all
    tercet_sweep sweep = {};
    sweep.row_count_max = row_max == 0 ? 1000 : row_max;
    for (uint32_t i = 0; i < (slices == 0 ? NUMBERS : slices); i++) {
        if (!ApplySlice(name, epoch, mark, &sweep)) {
            return;
        }
    }
    EXPECT_NE(slices, 0U) << "a sweep does not end";
}

bool TakeGid(const tercet_fence_key *key, const tercet_fence_row *, void *context)
{
    static_cast<std::vector<std::string> *>(context)->emplace_back(
        static_cast<const char *>(key->gid.data), key->gid.size);
    return true;
}

tercet_status FenceHistory::Apply(const ScopeName &name, Pair epoch, const Mark &mark,
                                  tercet_sweep *sweep)
{
    tercet_fence_caller caller = {};
    caller.participant = name.first.c_str();
    memset(caller.origin, name.second, sizeof caller.origin);
    caller.epoch = {epoch.first, epoch.second};
    tercet_mark told = {};
    told.as_of_incarnation = mark.age.first;
    told.as_of_lsn = mark.age.second;
    told.low = {mark.low.first, mark.low.second};
    for (const Pair &number : mark.open) {
        told.open[told.open_count++] = {number.first, number.second};
    }
    return group_apply_mark(&harness_.group, &caller, &told, sweep, &harness_.error);
}

// One slice; is there another?
bool FenceHistory::ApplySlice(const ScopeName &name, Pair epoch, const Mark &mark,
                              tercet_sweep *sweep)
{
    const Pair from(sweep->from.incarnation, sweep->from.number);
    const Slice slice = reference_.Apply(name, epoch, mark, from, sweep->row_count_max);
    std::vector<std::string> kept;
    sweep->kept_fn = TakeGid;
    sweep->context = &kept;
    const tercet_status status = Apply(name, epoch, mark, sweep);
    EXPECT_EQ(status, slice.old_epoch ? TERCET_FAILED_PRECONDITION : TERCET_OK)
        << Describe(name, mark);
    if (slice.old_epoch) {
        return false;
    }
    EXPECT_EQ(sweep->stale, slice.stale) << Describe(name, mark);
    EXPECT_EQ(sweep->removed, slice.removed) << Describe(name, mark);
    EXPECT_EQ(sweep->kept, slice.kept.size()) << Describe(name, mark);
    EXPECT_EQ(kept, slice.kept) << Describe(name, mark);
    if (slice.stale || slice.looked_at < sweep->row_count_max) {
        EXPECT_TRUE(sweep->finished) << Describe(name, mark);
        return false;
    }
    const Pair next(sweep->from.incarnation, sweep->from.number);
    const auto numbers = reference_.RowsOf(name);
    const auto left = numbers.upper_bound(slice.last);
    if (left != numbers.end() && left->first < mark.low) {
        EXPECT_FALSE(sweep->finished) << Describe(name, mark);
        EXPECT_LE(next, left->first) << "a row is skipped: " << Describe(name, mark);
    }
    EXPECT_TRUE(sweep->finished || next > slice.last)
        << "a row is looked at once more: " << Describe(name, mark);
    return !sweep->finished;
}

// A coordinator is started again, now and then as another incarnation of its journal.
void FenceHistory::BeginAnew()
{
    const uint32_t drawn = dice_.Below(8);
    Pair &epoch = epochs_[drawn % 2];
    epoch = drawn < 6 ? Pair(epoch.first, epoch.second + 1) : Pair(epoch.first + 1, 1);
}

} // namespace fence_test
