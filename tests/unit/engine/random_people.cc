// random_people.cc -- who deals with the coordinator of random_world.h: participants and initiators.
#include "unit/engine/random_world.h"

#include <gtest/gtest.h>

namespace tercet
{

// ---- Participants -------------------------------------------------------------------------------

void RandomWorld::Answer(branch *out, tercet_phase phase, answer_kind kind, const FenceAnswer &told)
{
    out_.erase({out, phase});
    bool open = out->txn != nullptr && out->asked == phase;
    EXPECT_FALSE(open && told.conflict != 0)
        << out->txn->gid << "/" << uint32_t{out->spec.index} << " conflict " << told.conflict;
    event *made = event_create(EVENT_ANSWER);
    answer *given = &made->u.answer;
    given->branch = out;
    given->phase = phase;
    given->kind = kind;
    given->verdict = kind == ANSWER_REPLY ? told.verdict : TERCET_VERDICT_UNSPECIFIED;
    given->how = told.how;
    given->conflict = told.conflict;
    given->after_ms = told.verdict == TERCET_VERDICT_LATER ? Below(500) : 0;
    if (told.verdict == TERCET_VERDICT_DONE && phase == TERCET_PHASE_TRY) {
        given->result = tercet_bytes_of(calloc(1, 3), 3);
    }
    reason_set(&given->reason, "WHY", "because");
    Step(made);
}

// One call of those on the wire arrives, or is lost, or is given up and arrives later.
void RandomWorld::Deliver()
{
    if (flights_.empty()) {
        return;
    }
    size_t at = Below(static_cast<uint32_t>(flights_.size()));
    Flight flight = flights_[at];
    flights_[at] = flights_.back();
    flights_.pop_back();
    tercet_phase phase = flight.ask.phase;
    bool alive = flight.out != nullptr;
    if (alive && Chance(15)) { // no answer in time: it may arrive later, or never
        if (Below(3) > 0) {
            flights_.push_back({nullptr, flight.ask});
        }
        Answer(flight.out, phase, Below(2) == 0 ? ANSWER_UNKNOWN : ANSWER_UNREACHABLE, {});
        return;
    }
    if (alive && Chance(4)) { // an instance that does not know the action
        Answer(flight.out, phase, ANSWER_NOT_SERVED, {});
        return;
    }
    if (Chance(10)) { // doubled
        flights_.push_back({nullptr, flight.ask});
    }
    FenceAnswer told;
    bool busy = faults_ && flight.ask.participant == busy_;
    if (!busy && !Chance(5)) { // else it says that it is busy, or nothing that can be understood
        told = fences_[flight.ask.participant].Ask(flight.ask, Chance(12));
    } else if (phase != TERCET_PHASE_TRY && Below(3) == 0) {
        told.verdict = TERCET_VERDICT_REFUSED; // which it may not
    } else if (Below(2) == 0) {
        told.verdict = TERCET_VERDICT_LATER;
    }
    if (alive) {
        Answer(flight.out, phase, Chance(10) ? ANSWER_UNKNOWN : ANSWER_REPLY, told);
    }
}

// ---- Initiators ---------------------------------------------------------------------------------

event *RandomWorld::Make(request_kind kind, const std::string &gid)
{
    event *made = event_create(EVENT_REQUEST);
    request *ask = &made->u.request;
    ask->kind = kind;
    snprintf(ask->gid, sizeof ask->gid, "%s", gid.c_str());
    ask->wait = static_cast<wait_mode>(1 + Below(3));
    ask->wait_ms = Below(3) == 0 ? 0 : Below(30000);
    ask->page_size = 1 + Below(5);
    ask->branch_index = 1 + Below(6);
    reason_set(&ask->reason, "ASKED", "the initiator wants it");
    return made;
}

void RandomWorld::Send(event *made)
{
    uintptr_t token = next_token_++;
    made->u.request.token = reinterpret_cast<void *>(token);
    asked_[token] = made->u.request.kind;
    Step(made);
}

BranchPlan RandomWorld::Plan(const std::string &gid, uint32_t index) const
{
    size_t hash = std::hash<std::string>{}(gid + "/" + std::to_string(index));
    BranchPlan plan;
    plan.participant = static_cast<uint32_t>(hash % PARTICIPANTS);
    plan.stage = static_cast<uint32_t>(hash / 7 % 3 == 0 ? 1 : 0);
    plan.confirm_only = hash / 31 % 6 == 0;
    plan.optional = !plan.confirm_only && hash / 191 % 5 == 0;
    return plan;
}

void RandomWorld::Execute(const std::string &gid, int variant)
{
    event *made = Make(REQUEST_EXECUTE, gid);
    request *ask = &made->u.request;
    ask->branch_count = 1 + static_cast<uint32_t>(std::hash<std::string>{}(gid) % 4);
    ask->branches = static_cast<branch **>(calloc(ask->branch_count, sizeof(branch *)));
    std::vector<digest16> digests;
    for (uint32_t i = 0; i < ask->branch_count; i++) {
        BranchPlan plan = Plan(gid, i + 1);
        plan.payload = variant == 0 ? "same" : "other";
        ask->branches[i] = MakeBranch(i + 1, plan, names_);
        digests.push_back(ask->branches[i]->spec.digest);
    }
    ask->content = digest_of_content(gid.c_str(), digests.data(), digests.size());
    Send(made);
}

void RandomWorld::Forget()
{
    if (!asked_.empty()) {
        auto one = std::next(asked_.begin(), Below(static_cast<uint32_t>(asked_.size())));
        event *made = event_create(EVENT_FORGET);
        made->u.forget.token = reinterpret_cast<void *>(one->first);
        Step(made);
    }
}

// Every initiator is confused: each request of the protocol, at any moment, for a young gid.
void RandomWorld::Initiator()
{
    begun_ += Below(3) == 0 ? 1 : 0;
    uint32_t age =
        std::min<uint32_t>(Below(Below(3) == 0 ? 90 : 12), static_cast<uint32_t>(begun_));
    int which = begun_ - static_cast<int>(age);
    bool steps = which % 3 == 0;
    std::string gid = (steps ? "s" : "x") + std::to_string(which);
    switch (Below(30)) {
    case 0:
        Send(Make(REQUEST_CANCEL, gid));
        return;
    case 1:
        Send(Make(REQUEST_GET, gid));
        return;
    case 2:
        Send(Make(REQUEST_WATCH, gid));
        return;
    case 3:
        Send(Make(REQUEST_LIST, gid));
        return;
    case 4:
        Forget();
        return;
    case 5:
        Send(Make(REQUEST_RESOLVE, gid)); // nothing is ever in conflict, so it changes nothing
        return;
    default:
        break;
    }
    if (!steps) {
        Execute(gid, Below(10) == 0 ? 1 : 0);
        return;
    }
    uint32_t what = Below(8);
    if (what < 3) {
        event *made = Make(REQUEST_BEGIN, gid);
        made->u.request.content = digest_of_content(gid.c_str(), nullptr, 0);
        Send(made);
    } else if (what < 7) {
        event *made = Make(REQUEST_TRY, gid);
        request *ask = &made->u.request;
        ask->branch_count = 1;
        ask->branches = static_cast<branch **>(calloc(1, sizeof(branch *)));
        ask->branches[0] = MakeBranch(ask->branch_index, Plan(gid, ask->branch_index), names_);
        Send(made);
    } else {
        Send(Make(REQUEST_CONFIRM, gid));
    }
}

} // namespace tercet
