// coordinator_asks.cc -- what a coordinator asks a participant as a whole: Describe and Inspect, as the edge
// asks and hears them; see coordinator.h.
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "simulation/coordinator.h"

namespace simulation
{

// ---- Describe -----------------------------------------------------------------------------------

namespace
{

void TellDescription(event *made, const description &told)
{
    static const Kind kinds[] = {Kind::DEBIT, Kind::CREDIT, Kind::COUPON, Kind::NOTE};
    made->u.probed.description = static_cast<description *>(malloc(sizeof told));
    *made->u.probed.description = told;
    made->u.probed.actions = static_cast<action_kind *>(calloc(4, sizeof(action_kind)));
    for (const Kind kind : kinds) {
        action_kind *action = &made->u.probed.actions[made->u.probed.action_count++];
        snprintf(action->name, sizeof action->name, "%s", ActionOf(kind));
        action->confirm_only = kind == Kind::NOTE;
    }
}

// As describe_read_closed(), of one store.
void TellClosed(event *made, const tercet_mark &mark)
{
    closed_numbers &closed = made->u.probed.closed;
    if (mark.as_of_incarnation == 0) {
        return;
    }
    closed.below = {mark.low.incarnation, mark.low.number};
    closed.open = static_cast<branch_number *>(calloc(mark.open_count + 1, sizeof(branch_number)));
    for (uint32_t i = 0; i < mark.open_count; i++) {
        closed.open[closed.open_count++] = {mark.open[i].incarnation, mark.open[i].number};
    }
}

} // namespace

event *Coordinator::ProbedEvent(const Out &out, const AnswerMessage &answer)
{
    const uint32_t participant = out.participant;
    const uint32_t seat = participant * SEATS_MAX + out.seat;
    event *made = event_create(EVENT_PROBED);
    made->u.probed.participant = participant;
    made->u.probed.seat = out.seat;
    made->u.probed.reachable = answer.kind == ANSWER_REPLY;
    if (made->u.probed.reachable && answer.told != nullptr) {
        const store_seen &store = answer.told->stores[0];
        TellDescription(made, *answer.told);
        TellClosed(made, *answer.mark);
        connected_[participant][out.seat] = answer.connection;
        /* As the edge: one that has lost its mark is told it again. */
        acknowledged_lsn_[participant] =
            store.mark.incarnation == head_.incarnation ? store.mark.number : 0;
        if (!described_.insert(participant).second) {
            scene_.Hit(Mark::DESCRIBED_AGAIN);
        }
    }
    if (made->u.probed.reachable && told_off_[seat]) {
        scene_.Hit(Mark::PROBE_BROUGHT_BACK);
    }
    told_off_[seat] = !made->u.probed.reachable;
    return made;
}

// ---- Inspect ------------------------------------------------------------------------------------

// As seat_to_inspect() of the edge.
uint32_t Coordinator::SeatToInspect(uint32_t participant)
{
    const uint32_t seats = scene_.swarm.seats;
    uint32_t chosen = inspected_by_[participant];
    for (uint32_t i = 0; i < seats; i++) {
        const uint32_t seat = (inspected_by_[participant] + i) % seats;
        if (IsMet(participant, seat)) {
            chosen = seat;
            break;
        }
    }
    inspected_by_[participant] = (chosen + 1) % seats;
    return chosen;
}

void Coordinator::Inspect(void *context, const effect_inspect *asked)
{
    auto *self = static_cast<Coordinator *>(context);
    Scene &scene = self->scene_;
    if (self->Dies(Point::BEFORE_SEND)) {
        return;
    }
    CallMessage message;
    message.life = self->life_;
    message.seat = self->SeatToInspect(asked->participant);
    message.connection = scene.ConnectionTo(asked->participant, message.seat);
    message.incarnation = self->head_.incarnation;
    message.epoch = self->head_.epoch;
    message.inspect = std::make_shared<const effect_inspect>(*asked);
    Out out;
    out.participant = asked->participant;
    out.seat = message.seat;
    out.inspects = true;
    message.call = self->out_.Take(out);
    scene.Note("asks for rows: p from.incarnation from.number", asked->participant,
               asked->from.incarnation, asked->from.number);
    if (asked->token[0] != '\0') {
        scene.Hit(Mark::INSPECT_GOES_ON);
    }
    const Copies copies =
        scene.network.Send(Link::CALL, asked->participant, message.seat, scene.now_us());
    for (uint32_t i = 0; i < copies.count; i++) {
        scene.timeline.Add(copies.at_us[i], What::CALL_ARRIVES, asked->participant, self->life_,
                           scene.calls.Take(message));
    }
    scene.timeline.Add(scene.now_us() + 1000LL * scene.swarm.call_timeout_ms, What::CALL_TIMES_OUT,
                       asked->participant, self->life_, message.call);
    (void)self->Dies(Point::AFTER_SEND);
}

event *Coordinator::InspectedEvent(uint32_t participant, const AnswerMessage &answer)
{
    event *made = event_create(EVENT_INSPECTED);
    made->u.inspected.participant = participant;
    made->u.inspected.answered = answer.rows != nullptr;
    if (answer.rows == nullptr) {
        scene_.Hit(Mark::INSPECT_REPEATED);
        return made;
    }
    const Rows &told = *answer.rows;
    made->u.inspected.rows =
        static_cast<inspected_row *>(calloc(told.rows.size() + 1, sizeof(inspected_row)));
    for (const inspected_row &row : told.rows) {
        made->u.inspected.rows[made->u.inspected.row_count++] = row;
    }
    snprintf(made->u.inspected.token, sizeof made->u.inspected.token, "%s", told.token.c_str());
    return made;
}

} // namespace simulation
