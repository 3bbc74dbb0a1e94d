// participant_work.cc -- groups, handlers and sweeps; see participant.h.
#include <cstdio>
#include <cstring>

#include "simulation/participant.h"

namespace simulation
{

// ---- What a group needs of the world ------------------------------------------------------------

uint64_t Participant::NowUs(void *context)
{
    return static_cast<Participant *>(context)->handler_us_;
}

void Participant::Pause(unsigned, void *context)
{
    auto *self = static_cast<Participant *>(context);
    self->scene_.Hit(Mark::GROUP_RUN_ALONE);
}

Commit Participant::DrawFate()
{
    if (!gate_ || scene_.calm || !scene_.dice.Chance(scene_.swarm.store_fails)) {
        return Commit::OK;
    }
    scene_.tally.store_faults++;
    switch (scene_.dice.Below(4)) {
    case 0:
        return Commit::FELL;
    case 1:
        return Commit::FULL;
    case 2:
        scene_.Hit(Mark::COMMIT_UNKNOWN_KEPT);
        return Commit::UNKNOWN_KEPT;
    default:
        scene_.Hit(Mark::COMMIT_UNKNOWN_LOST);
        return Commit::UNKNOWN_LOST;
    }
}

tercet_verdict Participant::Handler(const group_request *request, void *, tercet_bytes,
                                    group_answer *answer, void *context)
{
    return static_cast<Participant *>(context)->Handle(request, answer);
}

// The business, and everything that a handler may do wrong.
tercet_verdict Participant::Handle(const group_request *request, group_answer *answer)
{
    const auto *call = static_cast<const CallMessage *>(request->user);
    const Swarm &swarm = scene_.swarm;
    Dice &dice = scene_.dice;
    const bool tries = request->phase == TERCET_PHASE_TRY;
    tercet_verdict verdict = TERCET_VERDICT_DONE;
    if (!scene_.calm) {
        handler_us_ +=
            swarm.handler_us > 0 ? static_cast<uint64_t>(dice.Delay(swarm.handler_us)) : 0;
        if (dice.Chance(swarm.later)) {
            verdict = TERCET_VERDICT_LATER;
            answer->after_ms = dice.Below(100);
        } else if (dice.Chance(swarm.handler_fails)) {
            static const tercet_verdict wrong[] = {TERCET_VERDICT_UNSPECIFIED,
                                                   TERCET_VERDICT_CONFLICT, TERCET_VERDICT_REFUSED};
            verdict = wrong[dice.Below(tries ? 2 : 3)];
            scene_.tally.handler_faults++;
        } else if (tries && dice.Chance(swarm.refuse)) {
            verdict = TERCET_VERDICT_REFUSED;
        }
    }
    verdict = stalls_ && !tries ? TERCET_VERDICT_LATER : verdict;
    if (tries && call->payload.act == 0 && call->index == refuses_) {
        verdict = TERCET_VERDICT_REFUSED;
    }
    const bool dirty = verdict != TERCET_VERDICT_DONE && !scene_.calm && dice.Chance(swarm.dirty);
    if (dirty) {
        scene_.Hit(Mark::HANDLER_CHANGED_AND_REFUSED);
    }
    if (verdict == TERCET_VERDICT_DONE || dirty) {
        const bool done = ChangeLedger(&fence_, call->payload, request->phase);
        verdict = done ? verdict : TERCET_VERDICT_REFUSED;
    }
    if (verdict == TERCET_VERDICT_REFUSED) {
        snprintf(answer->code, sizeof answer->code, "NOT_ENOUGH");
    }
    if (tries && verdict == TERCET_VERDICT_DONE) {
        const uint32_t result = call->payload.act + 1;
        answer->result_bytes = sizeof result;
        memcpy(answer->result, &result, sizeof result);
    }
    return verdict;
}

// ---- Groups -------------------------------------------------------------------------------------

void Participant::NoteAnswer(const CallMessage &call, const group_answer &said)
{
    const bool repeated = said.how == TERCET_HOW_REPEATED;
    const bool done = said.verdict == TERCET_VERDICT_DONE;
    Past &past = past_[call.payload.act * 8 + call.index];
    if (past.calls[call.phase] == call.call) {
        scene_.Hit(Mark::DUPLICATE_CALL_SERVED);
    }
    past.calls[call.phase] = call.call;
    switch (call.phase) {
    case TERCET_PHASE_TRY:
        if (done && repeated) {
            scene_.Hit(Mark::TRY_REPEATED);
        } else if (said.verdict == TERCET_VERDICT_REFUSED && said.from_fence) {
            const bool forgotten = strcmp(said.code, TERCET_CODE_FORGOTTEN) == 0;
            scene_.Hit(forgotten ? Mark::TRY_FORGOTTEN : Mark::TRY_AFTER_CANCEL_REFUSED);
        } else if (said.verdict == TERCET_VERDICT_REFUSED) {
            past.refused = true;
        }
        break;
    case TERCET_PHASE_CONFIRM:
        if (done && repeated) {
            scene_.Hit(Mark::CONFIRM_REPEATED);
        }
        break;
    case TERCET_PHASE_CANCEL:
        if (done && said.how == TERCET_HOW_EMPTY) {
            scene_.Hit(past.empty ? Mark::CANCEL_BEFORE_TRY_REPEATED : Mark::CANCEL_BEFORE_TRY);
            past.empty = true;
        } else if (done && past.refused && said.how == TERCET_HOW_RAN) {
            scene_.Hit(Mark::CANCEL_OF_REFUSED_RAN);
        } else if (done && repeated) {
            scene_.Hit(Mark::CANCEL_REPEATED);
        }
        break;
    }
    if (said.verdict == TERCET_VERDICT_CONFLICT && said.conflict == TERCET_CONFLICT_FORGOTTEN) {
        scene_.Hit(Mark::FORGOTTEN_ANSWERED);
    }
}

void Participant::Answer(const CallMessage &call, const group_answer &said)
{
    AnswerMessage answer(call);
    scene_.Note("answers: p act phase verdict", number_, call.payload.act, call.phase,
                said.verdict);
    if (said.status != TERCET_OK) {
        answer.kind = ANSWER_FENCED;
        scene_.Hit(Mark::OLD_EPOCH_REFUSED);
        if (call.incarnation < incarnation_) {
            scene_.Hit(Mark::OLD_LIFE_REFUSED);
        }
        if (call.life == scene_.zombie_life) {
            scene_.Hit(Mark::ZOMBIE_REFUSED);
        }
        answers_.push_back(answer);
        return;
    }
    if (said.verdict != TERCET_VERDICT_LATER) { /* perhaps the fence could not even be asked */
        scene_.judge.Serves(number_, {call.incarnation, call.epoch});
    }
    if (call.life == scene_.zombie_life) {
        scene_.Hit(Mark::ZOMBIE_SERVED);
    }
    NoteAnswer(call, said);
    answer.verdict = said.verdict;
    answer.how = said.how;
    answer.conflict = said.conflict;
    answer.after_ms = said.after_ms;
    answer.mark_incarnation = said.mark_incarnation;
    answer.mark_lsn = said.mark_lsn;
    memcpy(&answer.result, said.result,
           said.result_bytes == sizeof answer.result ? sizeof answer.result : 0);
    memcpy(answer.code, said.code, strnlen(said.code, sizeof answer.code - 1));
    if (!scene_.calm && scene_.dice.Chance(scene_.swarm.garbage)) {
        scene_.tally.garbage++;
        answer.verdict = scene_.dice.Below(2) == 0 ? 0 : 77;
    }
    answers_.push_back(answer);
}

void Participant::RunGroup()
{
    enum { MOST = 64 };
    static thread_local CallMessage calls[MOST]; /* large, as are the next two */
    static thread_local group_request requests[MOST];
    static thread_local group_answer said[MOST];
    static thread_local tercet_fence_caller callers[MOST];
    size_t count = 0;
    while (count < scene_.swarm.group_max && !queue_.empty() && !IsSurvey(queue_.front())) {
        calls[count] = std::move(queue_.front());
        queue_.pop_front();
        const CallMessage &call = calls[count];
        callers[count] = {};
        callers[count].participant = name_;
        callers[count].epoch = {call.incarnation, call.epoch};
        group_request &request = requests[count];
        request = {};
        request.key = {tercet_bytes_of_text(call.gid), call.index};
        request.phase = call.phase;
        request.caller = &callers[count];
        request.number = {call.number.incarnation, call.number.number};
        memcpy(request.digest, call.digest.bytes, sizeof request.digest);
        request.action = ActionOf(call.payload.kind);
        request.confirm_only = call.payload.kind == Kind::NOTE;
        request.user = &calls[count];
        count++;
    }
    gate_ = true;
    group_run(&group_, requests, said, count);
    gate_ = false;
    if (count > 1) {
        scene_.Hit(Mark::GROUP_SHARED);
    }
    for (size_t i = count; i > 0; i--) {
        if (said[i - 1].deferred) {
            scene_.Hit(Mark::GROUP_DEFERRED);
            queue_.push_front(calls[i - 1]);
        }
    }
    for (size_t i = 0; i < count; i++) {
        if (!said[i].deferred) {
            Answer(calls[i], said[i]);
        }
    }
}

// ---- Marks --------------------------------------------------------------------------------------

// As mark_slice.c: one slice of the newest mark that is due.
bool Participant::SweepSlice()
{
    const int64_t now_ms = scene_.now_us() / 1000;
    int64_t next_ms = INT64_MAX;
    marks_entry *entry = marks_take(&marks_, now_ms, &next_ms);
    if (entry == nullptr) {
        return false;
    }
    const tercet_fence_caller caller = entry->caller;
    const tercet_mark told = entry->mark;
    tercet_sweep sweep{};
    tercet_error error{};
    sweep.row_count_max = scene_.swarm.slice_rows;
    sweep.from = entry->from;
    gate_ = true;
    const tercet_status status = group_apply_mark(&group_, &caller, &told, &sweep, &error);
    gate_ = false;
    const bool finished = status != TERCET_OK || sweep.stale || sweep.finished;
    if (status == TERCET_FAILED_PRECONDITION) {
        scene_.Hit(Mark::MARK_OF_OLD_EPOCH_REFUSED);
    } else if (status == TERCET_OK) {
        if (sweep.stale) {
            scene_.Hit(Mark::MARK_REFUSED_AS_OLDER);
        }
        if (sweep.removed > 0) {
            scene_.Hit(Mark::ROWS_SWEPT);
        }
        if (!finished) {
            scene_.Hit(Mark::SWEEP_IN_SLICES);
        }
        if (sweep.kept > 0 && scene_.database[number_] == 0 &&
            scene_.judge.LeftBehind(number_) == 0) {
            scene_.judge.Fail("I5", "%u rows of p%u are reserved below the mark", sweep.kept,
                              number_);
        }
    }
    slice_ms_ = now_ms;
    scene_.Note("sweeps: p below rows finished", number_, told.low.number, sweep.removed, finished);
    marks_give_back(entry, sweep.from, finished, now_ms);
    return true;
}

} // namespace simulation
