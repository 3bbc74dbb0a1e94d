// coordinator_hands.cc -- what a turn does to the world; see coordinator.h.
#include "simulation/coordinator.h"

#include <algorithm>
#include <cinttypes>
#include <cstring>

extern "C" {
#include "journal/journal_memory.h"
#include "journal/record.h"
}

namespace simulation
{

void Coordinator::Submit(void *context, const journal_batch *batch)
{
    auto *self = static_cast<Coordinator *>(context);
    Scene &scene = self->scene_;
    if (self->Dies(Point::BEFORE_APPEND)) {
        return;
    }
    scene.Note("append: lsn operations next_number", batch->lsn, batch->operation_count,
               batch->next_number);
    if (self->zombie_) {
        scene.Hit(Mark::ZOMBIE_WOULD_WRITE);
        return; /* its disk does not answer any more */
    }
    journal_write(self->journal_, batch);
    scene.judge.Submitted(batch);
    self->submitted_lsn_ = batch->lsn;
    self->submitted_next_number_ = batch->next_number;
    if (self->Dies(Point::AFTER_APPEND)) {
        return;
    }
    const int64_t sync_us =
        scene.calm ? scene.swarm.sync_us : scene.dice.Delay(scene.swarm.sync_us);
    scene.timeline.Add(scene.now_us() + sync_us, What::SYNCED, 0, self->life_, 0);
}

void Coordinator::LookUp(void *context, const char *gid)
{
    auto *self = static_cast<Coordinator *>(context);
    if (self->dying_) {
        return;
    }
    const uint64_t number = self->next_lookup_++;
    self->lookups_[number] = gid;
    const int64_t delay_us = self->scene_.calm ? 20 : self->scene_.dice.Delay(100);
    self->scene_.timeline.Add(self->scene_.now_us() + delay_us, What::LOOKED_UP, 0, self->life_,
                              number);
}

void Coordinator::Fetch(void *context, branch *branch_take)
{
    auto *self = static_cast<Coordinator *>(context);
    if (self->dying_) {
        branch_unref(branch_take);
        return;
    }
    buffer key;
    buffer_init(&key);
    record_payload_key(branch_take, &key);
    const tercet_bytes bytes = buffer_bytes(&key);
    const auto number = self->fetches_.Take(
        {branch_take, std::string(static_cast<const char *>(bytes.data), bytes.size)});
    buffer_deinit(&key);
    const int64_t delay_us = self->scene_.calm ? 20 : self->scene_.dice.Delay(100);
    self->scene_.timeline.Add(self->scene_.now_us() + delay_us, What::FETCHED, 0, self->life_,
                              number);
}

// ---- Answers to initiators ----------------------------------------------------------------------

namespace
{

void NoteReply(Scene &scene, const effect_reply &reply, bool after_crash)
{
    const char *code = reply.code == nullptr ? "" : reply.code;
    static const struct {
        const char *code;
        Mark mark;
    } known[] = {{"TERCET_OTHER_CONTENT", Mark::OTHER_CONTENT_REFUSED},
                 {"TERCET_NOT_TRIED", Mark::CONFIRM_TOO_EARLY},
                 {"TERCET_STARTING", Mark::CONFIRM_WHILE_STARTING},
                 {"TERCET_DECIDED", Mark::BRANCH_AFTER_DECISION_REFUSED},
                 {"TERCET_PARTICIPANT_UNREACHABLE", Mark::REFUSED_UNREACHABLE},
                 {"TERCET_PARTICIPANT_BUSY", Mark::REFUSED_BUSY},
                 {"TERCET_OPEN_TRANSACTIONS", Mark::REFUSED_BUSY},
                 {"TERCET_WAITING_CALLS", Mark::REFUSED_BUSY},
                 {"TERCET_TOO_OLD", Mark::TOO_OLD_REFUSED},
                 {"TERCET_FORGOTTEN_CALL", Mark::FORGOTTEN_CALL},
                 {"TERCET_PARTICIPANT_HELD", Mark::HELD_NEW_REFUSED},
                 {"TERCET_RECOVERING", Mark::RECOVERING_REFUSED},
                 {"TERCET_UNKNOWN_OUTCOME", Mark::UNKNOWN_OUTCOME_REFUSED}};
    for (const auto &one : known) {
        if (strcmp(code, one.code) == 0) {
            scene.Hit(one.mark);
        }
    }
    if (reply.view == nullptr) {
        return;
    }
    const bool ended = txn_state_is_ended(reply.view->state);
    const bool buried = reply.view->mode == TXN_MODE_TOMBSTONE;
    const bool begins = reply.to == REQUEST_EXECUTE || reply.to == REQUEST_BEGIN;
    if (buried) {
        scene.Hit(begins ? Mark::LATE_EXECUTE_CANCELLED : Mark::CANCEL_OF_UNKNOWN);
    } else if (reply.to == REQUEST_EXECUTE && reply.view->attention[0] == '\0') {
        scene.Hit(ended ? Mark::EXECUTE_REPEATED_AFTER_END : Mark::EXECUTE_JOINED);
    }
    if (ended && after_crash) {
        scene.Hit(Mark::INQUIRY_AFTER_CRASH);
    }
    if (reply.view->cause == TXN_CAUSE_TIMEOUT) {
        scene.Hit(Mark::DEADLINE_CANCELLED);
    }
}

} // namespace

void Coordinator::SendReply(const effect_reply &reply)
{
    const auto token = static_cast<uint64_t>(reinterpret_cast<uintptr_t>(reply.token));
    const auto found = askers_.find(token);
    scene_.judge.Told(reply);
    if (found == askers_.end()) {
        return;
    }
    /* From when it was looked at: three slow syncs, some turns. */
    const Asker &asker = found->second;
    const int64_t slack_us = 45 * scene_.swarm.sync_us + 50 * scene_.swarm.turn_us + 100000;
    const int64_t from_us = std::max(asker.asked_us, frozen_until_us_);
    if (asker.wait_us != INT64_MAX && scene_.now_us() - from_us > asker.wait_us + slack_us) {
        scene_.judge.Fail("I8",
                          "a request of client %u was to wait for %" PRId64
                          " us and has waited since %" PRId64,
                          asker.client, asker.wait_us, from_us);
    }
    if (reply.to == REQUEST_LIST || reply.to == REQUEST_RESOLVE) {
        AnswerOperator(reply, asker);
        askers_.erase(found);
        return;
    }
    NoteReply(scene_, reply, found->second.after_crash);
    ReplyMessage message;
    message.client = found->second.client;
    message.serial = found->second.serial;
    message.status = reply.status;
    message.refused = reply.refused;
    message.last = reply.last;
    message.state = reply.view == nullptr ? TXN_NONE : reply.view->state;
    message.verdict = reply.verdict;
    scene_.Note("told: client status state verdict", message.client, message.status, message.state,
                message.verdict);
    if (reply.last) {
        askers_.erase(found);
    }
    const Copies copies = scene_.network.Send(Link::TOLD, 0, 0, scene_.now_us());
    if (copies.count > 0) {
        scene_.timeline.Add(copies.at_us[0], What::REPLY_ARRIVES, 0, 0,
                            scene_.replies.Take(message));
    }
}

void Coordinator::Reply(void *context, effect_reply *reply)
{
    auto *self = static_cast<Coordinator *>(context);
    if (!self->Dies(Point::BEFORE_REPLY)) {
        self->SendReply(*reply);
        (void)self->Dies(Point::AFTER_REPLY);
    }
    view_destroy(reply->view);
    reply->view = nullptr;
}

// ---- Calls to participants ----------------------------------------------------------------------

// NULL when it is acknowledged or there is none; as the edge does it.
std::shared_ptr<const mark> Coordinator::MarkToTell(uint32_t participant, const mark *told)
{
    if (told->as_of.number == 0 || told->as_of.number <= acknowledged_lsn_[participant]) {
        return nullptr;
    }
    std::shared_ptr<const mark> &last = told_[participant];
    if (last == nullptr || last->as_of.number != told->as_of.number) {
        scene_.judge.MarkTold(participant, *told);
        last = std::make_shared<const mark>(*told);
        if (told->open_count > 0) {
            scene_.Hit(Mark::MARK_WITH_OPEN_LIST);
        }
    }
    return last;
}

bool Coordinator::IsMet(uint32_t participant, uint32_t seat) const
{
    return connected_[participant][seat] == scene_.ConnectionTo(participant, seat) &&
           !scene_.IsGone(participant, seat);
}

// A branch leaves; what dispatch thinks of the seats at this moment.
void Coordinator::NoteSeat(const order &todo, uint32_t act)
{
    dispatch_stats stats{};
    dispatch_read_stats(dispatch_, todo.participant, &stats);
    if (stats.seats_open > 0) {
        scene_.Hit(Mark::ONE_SEAT_GONE);
    }
    const auto failed = unreached_.find(KeyOf(act, todo.branch->spec.index, todo.phase));
    if (failed != unreached_.end()) {
        if (failed->second != todo.seat) {
            scene_.Hit(Mark::FAILED_OVER);
        }
        unreached_.erase(failed);
    }
}

void Coordinator::SendCall(order *todo, const mark *told)
{
    const uint32_t participant = todo->participant;
    if (todo->kind != ORDER_PROBE && !IsMet(participant, todo->seat)) {
        /* As the edge does it: there is no connection, and a probe must make one. */
        const uint64_t call = out_.Take({todo->branch, todo->phase, participant, todo->seat});
        todo->branch = nullptr;
        scene_.timeline.Add(scene_.now_us(), What::CALL_FAILS, participant, life_, call);
        return;
    }
    CallMessage message;
    message.life = life_;
    message.seat = todo->seat;
    message.connection = scene_.ConnectionTo(participant, todo->seat);
    message.probe = todo->kind == ORDER_PROBE;
    message.incarnation = head_.incarnation;
    message.epoch = head_.epoch;
    message.number.incarnation = head_.incarnation;
    message.told = message.probe ? nullptr : MarkToTell(participant, told); /* as the edge */
    if (!message.probe) {
        const branch *of = todo->branch;
        uint32_t act = 0;
        memcpy(message.gid, of->txn->gid, strlen(of->txn->gid) + 1);
        message.index = of->spec.index;
        message.phase = todo->phase;
        memcpy(&message.payload, of->payload, sizeof message.payload);
        message.digest = of->spec.digest;
        message.number = of->number;
        (void)ReadGid(message.gid, strlen(message.gid), &act);
        NoteSeat(*todo, act);
        scene_.judge.Sent(act, message.index, message.phase);
        scene_.tally.calls++;
        if (message.phase != TERCET_PHASE_TRY) {
            asked_two_.resize(scene_.acts.size());
            asked_two_[act] = 1;
        }
    }
    scene_.Note("call leaves: p act branch phase", participant, message.payload.act, message.index,
                message.probe ? 0 : message.phase);
    message.call = out_.Take({todo->branch, todo->phase, participant, todo->seat});
    todo->branch = nullptr; /* the call's now */
    const Copies copies = scene_.network.Send(Link::CALL, participant, todo->seat, scene_.now_us());
    message.doubled = copies.count > 1;
    for (uint32_t i = 0; i < copies.count; i++) {
        scene_.timeline.Add(copies.at_us[i], What::CALL_ARRIVES, participant, life_,
                            scene_.calls.Take(message));
    }
    scene_.timeline.Add(scene_.now_us() + static_cast<int64_t>(todo->timeout_ms) * 1000,
                        What::CALL_TIMES_OUT, participant, life_, message.call);
}

void Coordinator::CarryOut(void *context, order *todo, const mark *told, clock_now)
{
    auto *self = static_cast<Coordinator *>(context);
    if (!self->Dies(Point::BEFORE_SEND)) {
        self->SendCall(todo, told);
        (void)self->Dies(Point::AFTER_SEND);
    }
    branch_unref(todo->branch);
    todo->branch = nullptr;
}

void Coordinator::Held(void *context, const effect_hold *hold)
{
    auto *self = static_cast<Coordinator *>(context);
    Scene &scene = self->scene_;
    scene.Note("held: p held", hold->participant, hold->held);
    const bool asks = engine_is_in_restored_mode(self->engine_);
    const bool asked = !hold->held && scene.new_life; /* everybody has told */
    if (asks || asked) {
        scene.judge.Holds(hold->participant, hold->held);
        return;
    }
    if (scene.database[hold->participant] == 0) {
        scene.judge.Fail("I8", "p%u is held, and nobody has restored it: %s", hold->participant,
                         hold->text);
    }
    if (!hold->held) {
        scene.Hit(Mark::HELD_RELEASED);
    } else {
        scene.Hit(self->recovering_ ? Mark::HELD_OVER_A_CRASH : Mark::PUT_BACK_HELD);
    }
    scene.judge.Holds(hold->participant, hold->held);
}

bool Coordinator::Holds(uint32_t participant) const
{
    return is_up() && engine_is_held(engine_, participant);
}

void Coordinator::Fenced(void *context)
{
    /* There is one coordinator in this world, so this cannot be; and it may not return. */
    auto *self = static_cast<Coordinator *>(context);
    self->scene_.judge.Fail("I2", "the only coordinator was told that there is another");
    fprintf(stderr, "%s\n", self->scene_.judge.fault().c_str());
    abort();
}

} // namespace simulation
