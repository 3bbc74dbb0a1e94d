// coordinator.cc -- turns, and what comes in; see coordinator.h.
#include "simulation/coordinator.h"

#include <cstdio>
#include <cstring>

extern "C" {
#include "journal/journal_memory.h"
#include "journal/record.h"
}

namespace simulation
{

// ---- Turns --------------------------------------------------------------------------------------

void Coordinator::WakeAt(int64_t at_us)
{
    at_us = at_us < frozen_until_us_ ? frozen_until_us_ : at_us;
    if (at_us < turn_at_us_) {
        turn_at_us_ = at_us;
        scene_.timeline.Add(at_us, What::TURN, 0, life_, 0);
    }
}

void Coordinator::Push(event *made)
{
    list_push_back(&inbox_, &made->link);
    WakeAt(scene_.now_us() + scene_.swarm.turn_us);
}

// What comes together in this turn.
void Coordinator::NoteTurn(clock_now now)
{
    turns_++;
    if (frozen_until_us_ == scene_.now_us() && engine_wake_at_boot_ms(engine_) < now.boot_ms - 5) {
        scene_.Hit(Mark::FROZEN_PAST_A_DEADLINE);
    }
    for (list_node *node = inbox_.next; node != &inbox_; node = node->next) {
        const event *one = container_of(node, struct event, link);
        if (one->kind == EVENT_ANSWER && one->u.answer.branch->txn != nullptr &&
            one->u.answer.phase == TERCET_PHASE_TRY) {
            const txn *of = one->u.answer.branch->txn;
            if (of->state != TXN_TRYING) {
                scene_.Hit(Mark::ANSWER_OF_AN_OLD_PHASE);
            } else if (of->deadline.boot_ms <= now.boot_ms) {
                scene_.Hit(Mark::DEADLINE_WITH_ANSWER);
            }
        }
        uint32_t act = 0;
        if (one->kind != EVENT_REQUEST ||
            !ReadGid(one->u.request.gid, strlen(one->u.request.gid), &act)) {
            continue;
        }
        confirm_turn_.resize(scene_.acts.size());
        cancel_turn_.resize(scene_.acts.size());
        if (one->u.request.kind == REQUEST_CONFIRM) {
            confirm_turn_[act] = turns_;
        } else if (one->u.request.kind == REQUEST_CANCEL) {
            cancel_turn_[act] = turns_;
        }
        if (confirm_turn_[act] == turns_ && cancel_turn_[act] == turns_) {
            scene_.Hit(Mark::CONFIRM_AND_CANCEL_IN_ONE_TURN);
        }
    }
}

// I7: what the limits promise.
void Coordinator::CheckBounds()
{
    engine_stats stats{};
    engine_read_stats(engine_, &stats);
    if (stats.open_transactions > scene_.swarm.open_transactions_max &&
        stats.open_transactions > scene_.swarm.open_transactions_max + scene_.judge.OpenAdopted()) {
        scene_.judge.Fail("I7", "%llu transactions are open",
                          static_cast<unsigned long long>(stats.open_transactions));
    }
    if (stats.waiting_calls > scene_.swarm.waiting_calls_max) {
        scene_.judge.Fail("I7", "%llu calls wait",
                          static_cast<unsigned long long>(stats.waiting_calls));
    }
    if (stats.attention != 0 && !scene_.restored && !scene_.new_life) {
        scene_.judge.Fail("I3", "a participant contradicts, or refuses what it may not");
    }
    if (out_.count() > static_cast<size_t>(scene_.swarm.participants) *
                           (scene_.swarm.window + scene_.swarm.seats)) {
        scene_.judge.Fail("I7", "%zu calls are out", out_.count());
    }
}

void Coordinator::OnTurn(const Happening &what)
{
    if (what.life != life_ || !is_up() || what.at_us != turn_at_us_) {
        return; /* another one came before it */
    }
    turn_at_us_ = INT64_MAX;
    const clock_now now = scene_.Now();
    const bool any = !list_is_empty(&inbox_);
    NoteTurn(now);
    list_node events;
    list_init(&events);
    list_append_all(&events, &inbox_);
    {
        const Moves::Watch watch(moves_);
        loop_turn(loop_, &events, now);
    }
    if (any) {
        (void)Dies(Point::AFTER_ANSWER);
    }
    if (dying_) {
        Die();
        return;
    }
    CheckBounds();
    for (uint32_t i = 0; scene_.swarm.seats > 1 && i < scene_.swarm.participants; i++) {
        dispatch_stats seats{};
        dispatch_read_stats(dispatch_, i, &seats);
        if (seats.seats_open == seats.seats) {
            scene_.Hit(Mark::BOTH_SEATS_GONE);
        }
    }
    const int64_t wake_at = loop_wake_at_boot_ms(loop_, now);
    if (wake_at != INT64_MAX) {
        const int64_t soonest = scene_.now_us() + scene_.swarm.turn_us;
        const int64_t due = wake_at <= now.boot_ms ? soonest : scene_.clocks.MomentOf(wake_at);
        WakeAt(due < soonest ? soonest : due);
    }
}

void Coordinator::Freeze(int64_t until_us)
{
    if (!is_up()) {
        return;
    }
    scene_.Note("coordinator stands still: until_us", until_us);
    scene_.tally.freezes++;
    frozen_until_us_ = until_us;
    turn_at_us_ = INT64_MAX;
    WakeAt(until_us);
}

void Coordinator::Thaw()
{
    frozen_until_us_ = scene_.now_us();
    if (is_up()) {
        WakeAt(scene_.now_us());
    }
}

bool Coordinator::IsQuiet() const
{
    if (!is_up()) {
        return false;
    }
    engine_stats stats{};
    engine_read_stats(engine_, &stats);
    return stats.open_transactions == 0 && stats.waiting_calls == 0 && out_.count() == 0 &&
           loop_is_quiet(loop_) && list_is_empty(&inbox_);
}

// ---- Writer and reader --------------------------------------------------------------------------

void Coordinator::OnSynced(const Happening &what)
{
    if (what.life != life_ || !is_up() || zombie_) {
        return;
    }
    if (Dies(Point::BEFORE_SYNC)) {
        Die();
        return;
    }
    journal_memory_sync(journal_);
    scene_.judge.Durable();
    recovering_ = false;
    event *made = event_create(EVENT_DURABLE);
    made->u.durable.lsn = submitted_lsn_;
    made->u.durable.next_number = submitted_next_number_;
    scene_.Note("batch is durable: lsn", submitted_lsn_);
    submitted_lsn_ = 0;
    list_push_back(&inbox_, &made->link);
    if (Dies(Point::AFTER_SYNC)) {
        Die();
        return;
    }
    WakeAt(scene_.now_us() + scene_.swarm.turn_us);
}

void Coordinator::OnLookedUp(const Happening &what)
{
    const auto found = lookups_.find(what.subject);
    if (what.life != life_ || !is_up() || found == lookups_.end()) {
        return;
    }
    event *made = event_create(EVENT_FOUND);
    memcpy(made->u.found.gid, found->second.c_str(), found->second.size() + 1);
    lookups_.erase(found);
    buffer value;
    buffer_init(&value);
    if (journal_find_outcome(journal_, made->u.found.gid, &value) == TERCET_OK &&
        record_read_outcome(buffer_bytes(&value), &made->u.found.view) != TERCET_OK) {
        scene_.judge.Fail("I6", "the outcome of %s cannot be read", made->u.found.gid);
    }
    buffer_deinit(&value);
    Push(made);
}

void Coordinator::OnFetched(const Happening &what)
{
    if (what.life != life_ || !is_up()) {
        return;
    }
    const Fetching *found = fetches_.Find(what.subject);
    if (found == nullptr) {
        return;
    }
    const Fetching fetching = *found;
    fetches_.Give(what.subject);
    const tercet_bytes key = tercet_bytes_of(fetching.key.data(), fetching.key.size());
    buffer value;
    buffer_init(&value);
    if (zombie_ && journal_find_pair(journal_, key, &value) != TERCET_OK) {
        branch_unref(fetching.of); /* another one has ended it; it waits for ever */
        return;
    }
    buffer_clear(&value);
    event *made = event_create(EVENT_FETCHED);
    made->u.fetched.branch = fetching.of;
    /* None is there when the branch has ended meanwhile, by an operator. */
    const bool there = journal_find_pair(journal_, key, &value) == TERCET_OK;
    if (there ? record_read_payload(key, buffer_bytes(&value), fetching.of->spec.index,
                                    &made->u.fetched.payload) != TERCET_OK
              : !branch_state_is_ended(fetching.of->state)) {
        scene_.judge.Fail("I5", "the payload of an open branch cannot be read");
    }
    scene_.Hit(Mark::PAYLOAD_FETCHED);
    buffer_deinit(&value);
    Push(made);
}

// As the reader's upkeep does it.
void Coordinator::OnUpkeep()
{
    if (!is_up()) {
        return;
    }
    journal_head before{};
    journal_head after{};
    journal_read_head(journal_, &before);
    (void)journal_maintain(journal_, scene_.Now().unix_ms);
    journal_read_head(journal_, &after);
    if (after.upkeep_waits || after.horizon_unix_ms != before.horizon_unix_ms ||
        after.horizon_unix_ms != horizon_unix_ms_) {
        horizon_unix_ms_ = after.horizon_unix_ms;
        scene_.Hit(Mark::OUTCOMES_EXPIRED);
        scene_.judge.Forgets();
        event *made = event_create(EVENT_HORIZON);
        made->u.horizon.unix_ms = after.horizon_unix_ms;
        Push(made);
    }
}

// ---- What comes in ------------------------------------------------------------------------------

void Coordinator::OnCallOver(uint64_t call, uint32_t life, bool unreachable)
{
    AnswerMessage answer;
    answer.call = call;
    answer.life = life;
    answer.kind = unreachable ? ANSWER_UNREACHABLE : ANSWER_UNKNOWN;
    if (life == life_ && is_up() && out_.Find(call) != nullptr) {
        OnAnswer(answer);
    }
}

void Coordinator::OnAnswer(const AnswerMessage &answer)
{
    Out *out = answer.life == life_ && is_up() ? out_.Find(answer.call) : nullptr;
    if (out == nullptr) {
        scene_.Hit(Mark::DUPLICATE_ANSWER_DROPPED);
        return;
    }
    if (Dies(Point::BEFORE_ANSWER)) {
        Die();
        return;
    }
    if (zombie_ && (answer.kind == ANSWER_FENCED || answer.epoch > head_.epoch)) {
        scene_.Hit(Mark::ZOMBIE_FENCED);
        EndZombie();
        return;
    }
    const uint32_t participant = out->participant;
    if (answer.kind == ANSWER_REPLY && answer.mark_incarnation == head_.incarnation &&
        answer.mark_lsn > acknowledged_lsn_[participant]) {
        acknowledged_lsn_[participant] = answer.mark_lsn;
    }
    scene_.Note("answer comes back: p phase kind verdict", participant, out->phase, answer.kind,
                answer.verdict);
    event *made = nullptr;
    if (out->inspects) {
        made = InspectedEvent(participant, answer);
    } else if (out->of == nullptr) {
        made = ProbedEvent(*out, answer);
    } else {
        made = event_create(EVENT_ANSWER);
        struct answer *to = &made->u.answer;
        to->branch = out->of;
        to->phase = out->phase;
        to->kind = answer.kind;
        const bool known = answer.verdict <= TERCET_VERDICT_CONFLICT;
        to->verdict =
            known ? static_cast<tercet_verdict>(answer.verdict) : TERCET_VERDICT_UNSPECIFIED;
        to->how = answer.how;
        to->conflict = answer.conflict;
        to->after_ms = answer.after_ms;
        to->mark = {answer.mark_incarnation, answer.mark_lsn};
        if (answer.result != 0 && to->verdict == TERCET_VERDICT_DONE) {
            void *copy = malloc(sizeof answer.result);
            memcpy(copy, &answer.result, sizeof answer.result);
            to->result = tercet_bytes_of(copy, sizeof answer.result);
        }
        reason_set(&to->reason, answer.code, "");
        uint32_t act = 0;
        if (answer.kind == ANSWER_UNREACHABLE) {
            scene_.Hit(Mark::PARTICIPANT_UNREACHABLE);
            if (out->of->txn != nullptr &&
                ReadGid(out->of->txn->gid, strlen(out->of->txn->gid), &act)) {
                unreached_[KeyOf(act, out->of->spec.index, out->phase)] = out->seat;
            }
        } else if (!known) {
            scene_.Hit(Mark::GARBAGE_ANSWER);
        }
        out->of = nullptr;
    }
    out_.Give(answer.call);
    Push(made);
}

} // namespace simulation
