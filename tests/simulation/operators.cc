// operators.cc -- see operators.h.
#include "simulation/operators.h"

namespace simulation
{
namespace
{

enum { ATTEMPTS_MAX = 6, OUTCOMES_MORE = 60 };
enum : uint32_t { CARETAKER = UINT32_MAX - 1, CURIOUS = UINT32_MAX };

} // namespace

void Operators::Operate()
{
    const int64_t every_us = scene_.swarm.operate_every_us;
    if (every_us > 0) {
        scene_.timeline.Add(scene_.now_us() + scene_.dice.Between(0, 2 * every_us), What::OPERATE,
                            CURIOUS, 0, 0);
    }
}

void Operators::Begin()
{
    Operate();
    if (scene_.swarm.restores_open || scene_.swarm.loses_journal) {
        scene_.timeline.Add(0, What::OPERATE, CARETAKER, 0, 0);
    }
}

bool Operators::IsQuiet() const
{
    for (const Walk &walk : walks_) {
        if (!walk.done && !walk.cares) {
            return false;
        }
    }
    return true;
}

void Operators::Send(const RequestMessage &message)
{
    const Copies copies = scene_.network.Send(Link::ASK, 0, 0, scene_.now_us());
    for (uint32_t i = 0; i < copies.count; i++) {
        scene_.timeline.Add(copies.at_us[i], What::REQUEST_ARRIVES, message.client, 0,
                            scene_.requests.Take(message));
    }
}

// ---- Resolve --------------------------------------------------------------------------------------

// One that is open, if there is any; now and then one that has ended or is still to come.
uint32_t Operators::DrawAct()
{
    const auto count = static_cast<uint32_t>(scene_.acts.size());
    const bool any = scene_.dice.Below(4) == 0;
    uint32_t act = scene_.dice.Below(count);
    for (uint32_t i = 0; i < count && !any; i++) {
        const uint32_t next = (act + i) % count;
        if (scene_.judge.IsBegun(next) && !scene_.judge.IsEnded(next)) {
            return next;
        }
    }
    return act;
}

void Operators::ResolveSomething()
{
    static const resolution all[] = {RESOLUTION_ASK, RESOLUTION_ASK, RESOLUTION_SETTLE,
                                     RESOLUTION_WAS_CONFIRMED, RESOLUTION_WAS_CANCELLED};
    auto ask = std::make_shared<OperatorAsk>();
    RequestMessage message;
    message.client = FIRST_CLIENT - 1; /* he does not wait for the answer */
    message.kind = REQUEST_RESOLVE;
    message.wait = WAIT_MODE_BEGIN;
    /* What an outcome was is nothing to try out where it may be unknown: the caretaker says that, who has
     * looked.  A word on its way for long would arrive when it is no longer true. */
    ask->what = all[scene_.dice.Below(scene_.swarm.loses_journal ? 3 : 5)];
    /* Where participants are asked what they have seen, nobody has a reason to leave one out. */
    if (scene_.dice.Below(8) == 0 && !scene_.swarm.loses_journal) {
        ask->what = RESOLUTION_ASK;
        ask->participant = scene_.dice.Below(scene_.swarm.participants);
    } else {
        message.act = DrawAct();
        message.branch = 1 + scene_.dice.Below(scene_.acts[message.act].branch_count + 1);
    }
    message.ask = ask;
    Send(message);
}

// ---- List -----------------------------------------------------------------------------------------

void Operators::BeginWalk()
{
    Dice &dice = scene_.dice;
    Walk walk;
    OperatorAsk &next = walk.next;
    next.page_size = dice.Below(3) == 0 ? 100 : 1 + dice.Below(12);
    if (dice.Below(3) == 0) {
        next.state_mask = 2 * (1 + dice.Below((1U << (TXN_STATE_COUNT - 1)) - 1));
    }
    if (dice.Below(4) == 0) {
        next.gid_prefix = "g" + std::to_string(dice.Below(10));
    }
    next.attention_only = dice.Below(5) == 0;
    /* As the service does it: where none of the open states is asked for, the ended ones come at once. */
    const uint32_t open = 1U << TXN_TRYING | 1U << TXN_CONFIRMING | 1U << TXN_CANCELLING;
    next.in_outcomes = next.state_mask != 0 && (next.state_mask & open) == 0;
    walk.whole = next.state_mask == 0 && next.gid_prefix.empty() && !next.attention_only;
    walk.began_at = scene_.judge.moment();
    walk.life = scene_.coordinator_life;
    walks_.push_back(walk);
    Ask(static_cast<uint32_t>(walks_.size() - 1));
}

void Operators::Finish(Walk &walk)
{
    walk.done = true;
    walk.listed = {};
}

void Operators::Ask(uint32_t number)
{
    Walk &walk = walks_[number];
    if (walk.attempts++ == ATTEMPTS_MAX) {
        Finish(walk);
        return;
    }
    RequestMessage message;
    walk.serial++;
    message.client = FIRST_CLIENT + number;
    message.serial = walk.serial;
    message.kind = REQUEST_LIST;
    message.wait = WAIT_MODE_BEGIN;
    message.ask = std::make_shared<const OperatorAsk>(walk.next);
    Send(message);
    scene_.timeline.Add(scene_.now_us() + scene_.swarm.patience_us, What::OPERATE, number,
                        walk.serial, 0);
}

void Operators::OnTime(const Happening &what)
{
    if (what.who == CARETAKER) {
        Care();
        scene_.timeline.Add(scene_.now_us() + scene_.dice.Between(20000, 400000), What::OPERATE,
                            CARETAKER, 0, 0);
        return;
    }
    if (what.who != CURIOUS) {
        Walk &walk = walks_[what.who];
        if (!walk.done && walk.serial == what.life) {
            Ask(what.who);
        }
        return;
    }
    if (scene_.calm) {
        return;
    }
    if (scene_.dice.Below(5) == 0) {
        BeginWalk();
    } else {
        ResolveSomething();
    }
    Operate();
}

void Operators::OnReply(const ReplyMessage &reply)
{
    if (reply.client < FIRST_CLIENT) {
        return;
    }
    const uint32_t number = reply.client - FIRST_CLIENT;
    Walk &walk = walks_[number];
    if (walk.done || walk.serial != reply.serial || reply.page == nullptr) {
        return;
    }
    walk.attempts = 0;
    walk.pages++;
    TurnPage(number, *reply.page);
}

void Operators::TurnPage(uint32_t number, const Page &page)
{
    Walk &walk = walks_[number];
    walk.listed.resize(scene_.acts.size());
    for (const Listed &one : page.listed) {
        scene_.tally.listed++;
        if (walk.listed[one.act]) {
            scene_.Hit(Mark::LISTED_OPEN_AND_ENDED);
        }
        walk.listed[one.act] = true;
        if (one.trouble != Trouble::NONE) {
            scene_.Hit(Mark::LISTED_WITH_ATTENTION);
        }
        if (walk.cares) {
            CareFor(one);
        }
    }
    if (walk.next.in_outcomes && page.next_cursor.empty()) {
        if (walk.whole) {
            scene_.judge.Walked(walk.began_at, walk.listed);
            scene_.Hit(walk.life == scene_.coordinator_life ? Mark::LISTED_ALL
                                                            : Mark::LISTED_ALL_ACROSS_A_CRASH);
        }
        Finish(walk);
        return;
    }
    if (page.next_sequence == 0 && !walk.next.in_outcomes) {
        walk.next.in_outcomes = true;
        walk.next.page_size += OUTCOMES_MORE; /* each page of those sorts all that there are */
    }
    walk.next.after_sequence = page.next_sequence;
    walk.next.cursor = page.next_cursor;
    Ask(number);
}

} // namespace simulation
