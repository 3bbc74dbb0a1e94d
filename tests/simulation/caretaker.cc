// caretaker.cc -- the operator who does what docs/operations.md says; see operators.h.
#include "simulation/operators.h"

namespace simulation
{

void Operators::Say(resolution what, uint32_t act, uint32_t branch, uint32_t participant)
{
    auto ask = std::make_shared<OperatorAsk>();
    RequestMessage message;
    message.client = FIRST_CLIENT - 1; /* he comes again, and sees what has come of it */
    message.kind = REQUEST_RESOLVE;
    message.wait = WAIT_MODE_BEGIN;
    message.act = act;
    message.branch = branch;
    ask->what = what;
    ask->participant = participant;
    message.ask = ask;
    Send(message);
}

// Nobody but the participants' books knows an outcome that is unknown.
resolution Operators::WhatItWas(uint32_t act) const
{
    return scene_.judge.BooksSay(act) == TXN_OUTCOME_CONFIRMED ? RESOLUTION_WAS_CONFIRMED
                                                               : RESOLUTION_WAS_CANCELLED;
}

// The log says who is held; List says what needs attention.
void Operators::Care()
{
    if (scene_.calm && scene_.judge.OpenActs() == 0 && !scene_.judge.IsAnySilent()) {
        return;
    }
    for (uint32_t i = 0; i < scene_.swarm.participants; i++) {
        if (scene_.judge.IsSilent(i) && !scene_.new_life) {
            Say(RESOLUTION_ASK, 0, 0, i); /* its books are compared: go on */
        }
    }
    calm_visits_ += scene_.calm ? 1 : 0;
    Walk walk;
    walk.cares = true;
    walk.next.attention_only = true;
    walk.next.page_size = 3 + scene_.dice.Below(60);
    walks_.push_back(walk);
    Ask(static_cast<uint32_t>(walks_.size() - 1));
}

void Operators::CareFor(const Listed &one)
{
    switch (one.trouble) {
    case Trouble::CONFLICT:
        scene_.Hit(Mark::CONFLICT_LISTED);
        Say(RESOLUTION_SETTLE, one.act, one.branch, NOBODY);
        break;
    case Trouble::PAYLOAD_LOST:
        scene_.Hit(Mark::LOST_PAYLOAD_LISTED);
        /* Its initiator may come yet; but he does not wait for him for ever. */
        if (scene_.dice.Below(scene_.calm ? 4 : 20) == 0 || calm_visits_ > PATIENT_VISITS) {
            Say(RESOLUTION_SETTLE, one.act, one.branch, NOBODY);
        }
        break;
    case Trouble::OUTCOME_UNKNOWN:
        scene_.Hit(Mark::UNKNOWN_OUTCOME_LISTED);
        Say(WhatItWas(one.act), one.act, 1, NOBODY);
        break;
    case Trouble::HELD:  /* the log has told him */
    case Trouble::OTHER: /* it is asked until it answers */
    case Trouble::NONE:
        break;
    }
}

} // namespace simulation
