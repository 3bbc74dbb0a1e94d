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

// The log says who is held; List says what needs attention.
void Operators::Care()
{
    if (scene_.calm && scene_.judge.OpenActs() == 0 && !scene_.judge.IsAnySilent()) {
        return;
    }
    for (uint32_t i = 0; i < scene_.swarm.participants; i++) {
        if (scene_.judge.IsSilent(i)) {
            Say(RESOLUTION_ASK, 0, 0, i); /* its books are compared: go on */
        }
    }
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
    case Trouble::HELD: /* the log has told him */
    case Trouble::PAYLOAD_LOST:
    case Trouble::OUTCOME_UNKNOWN:
    case Trouble::OTHER: /* it is asked until it answers */
    case Trouble::NONE:
        break;
    }
}

} // namespace simulation
