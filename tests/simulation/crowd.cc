// crowd.cc -- see crowd.h.
#include "simulation/crowd.h"

namespace simulation
{
namespace
{

enum { ATTEMPTS_MAX = 7 };

} // namespace

Crowd::Crowd(Scene &scene) : scene_(scene) {}

// ---- Who comes ----------------------------------------------------------------------------------

uint32_t Crowd::Add(uint32_t act, Role role, int64_t after_us)
{
    Client client;
    client.act = act;
    client.role = role;
    clients_.push_back(client);
    busy_++;
    const auto number = static_cast<uint32_t>(clients_.size() - 1);
    Later(number, after_us);
    return number;
}

void Crowd::Begin(const Act &act)
{
    const Swarm &swarm = scene_.swarm;
    Dice &dice = scene_.dice;
    const Role role = act.by_steps ? Role::STEPS : Role::EXECUTE;
    const int64_t soon_us = 2 * swarm.try_timeout_ms * 1000LL / 3;
    int64_t after_us = 0;
    if (dice.Chance(swarm.buried)) {
        Add(act.id, Role::CANCEL, 0);
        after_us = dice.Between(0, 20000);
    }
    Add(act.id, role, after_us);
    if (dice.Chance(swarm.repeats)) {
        Add(act.id, role, dice.Between(0, dice.Below(2) == 0 ? 2000 : soon_us));
    }
    if (dice.Chance(swarm.other_content)) {
        const uint32_t other = Add(act.id, Role::EXECUTE, dice.Between(0, soon_us));
        clients_[other].variant = 1;
    }
    if (dice.Chance(swarm.cancels)) {
        Add(act.id, Role::CANCEL, dice.Between(0, dice.Below(2) == 0 ? 5000 : soon_us));
    }
    if (dice.Chance(swarm.asks)) {
        Add(act.id, Role::ASK, dice.Between(0, 2 * soon_us));
    }
}

void Crowd::BeginRound(const Act &act)
{
    clients_[Add(act.id, Role::EXECUTE, 0)].steady = true;
}

void Crowd::BeginPlain(const Act &act, int64_t cancel_after_us)
{
    clients_[Add(act.id, act.by_steps ? Role::STEPS : Role::EXECUTE, 0)].steady = true;
    if (cancel_after_us > 0) {
        clients_[Add(act.id, Role::CANCEL, cancel_after_us)].steady = true;
    }
}

void Crowd::Later(uint32_t number, int64_t after_us)
{
    Client &client = clients_[number];
    client.serial++;
    client.waits = false;
    scene_.timeline.Add(scene_.now_us() + after_us, What::ACT, number, client.serial, 0);
}

void Crowd::Finish(Client &client)
{
    if (!client.done) {
        client.done = true;
        busy_--;
    }
}

// ---- Asking -------------------------------------------------------------------------------------

void Crowd::Send(uint32_t number, request_kind kind, uint32_t branch)
{
    Client &client = clients_[number];
    Dice &dice = scene_.dice;
    RequestMessage message;
    client.serial++;
    client.waits = true;
    client.asked = kind;
    message.client = number;
    message.serial = client.serial;
    message.kind = kind;
    message.act = client.act;
    message.variant = client.variant;
    message.branch = branch;
    message.wait = client.steady ? WAIT_MODE_END : static_cast<wait_mode>(dice.Between(1, 3));
    if (kind == REQUEST_BEGIN || kind == REQUEST_GET) {
        message.wait = WAIT_MODE_BEGIN;
    }
    const int64_t patience_ms = scene_.swarm.patience_us / 1000;
    message.wait_ms = static_cast<uint32_t>(
        dice.Below(8) == 0 && !client.steady ? 0 : dice.Between(1, 2 * patience_ms));
    created_unix_ms_.resize(scene_.acts.size());
    int64_t &created = created_unix_ms_[client.act];
    if (created == 0) {
        /* Where outcomes expire, days pass for everybody; else only the coordinator's clock jumps. */
        created = scene_.swarm.upkeep_every_us > 0 ? scene_.Now().unix_ms
                                                   : Clocks::Elsewhere(scene_.now_us());
    }
    message.created_at_unix_ms = client.steady ? 0 : created;
    const Attempt attempt = kind == REQUEST_BEGIN     ? Attempt::BEGIN
                            : kind != REQUEST_EXECUTE ? Attempt::NONE
                            : client.variant != 0     ? Attempt::EXECUTE_OTHER
                                                      : Attempt::EXECUTE;
    last_sent_us_ = scene_.now_us();
    const Copies copies = scene_.network.Send(Link::ASK, 0, 0, scene_.now_us());
    for (uint32_t i = 0; i < copies.count; i++) {
        scene_.judge.Sends(client.act, attempt);
        scene_.timeline.Add(copies.at_us[i], What::REQUEST_ARRIVES, number, 0,
                            scene_.requests.Take(message));
    }
    scene_.timeline.Add(scene_.now_us() + scene_.swarm.patience_us, What::ACT, number,
                        client.serial, 0);
    if (!client.steady && !scene_.calm && dice.Chance(scene_.swarm.dies)) {
        scene_.tally.initiators_died++;
        if (client.role == Role::STEPS && client.step > 0) {
            scene_.Hit(Mark::INITIATOR_DIED_AFTER_BEGIN);
        }
        Finish(client);
    }
}

void Crowd::Step(uint32_t number)
{
    Client &client = clients_[number];
    const Act &act = scene_.acts[client.act];
    Dice &dice = scene_.dice;
    if (client.attempts++ >= ATTEMPTS_MAX && !client.steady) {
        Finish(client);
        return;
    }
    switch (client.role) {
    case Role::EXECUTE:
        Send(number,
             client.attempts > 1 && !client.steady && dice.Below(3) == 0 ? REQUEST_GET
                                                                         : REQUEST_EXECUTE,
             0);
        break;
    case Role::CANCEL:
        Send(number, REQUEST_CANCEL, 0);
        break;
    case Role::ASK:
        Send(number, dice.Below(3) == 0 ? REQUEST_WATCH : REQUEST_GET, 0);
        break;
    case Role::STEPS:
        if (client.cancels) {
            Send(number, REQUEST_CANCEL, 0);
        } else if (client.step == 0) {
            Send(number, REQUEST_BEGIN, 0);
        } else if (client.step <= act.branch_count) {
            Send(number, REQUEST_TRY, client.step);
        } else if (never_confirms_) {
            Finish(client);
        } else {
            Send(number, REQUEST_CONFIRM, 0);
        }
        break;
    }
}

void Crowd::GoAway(uint32_t number)
{
    RequestMessage message;
    message.client = number;
    message.serial = clients_[number].serial;
    message.goes_away = true;
    const Copies copies = scene_.network.Send(Link::ASK, 0, 0, scene_.now_us());
    if (copies.count > 0) {
        scene_.timeline.Add(copies.at_us[0], What::REQUEST_ARRIVES, number, 0,
                            scene_.requests.Take(message));
    }
}

void Crowd::OnAct(const Happening &what)
{
    Client &client = clients_[what.who];
    if (client.done || client.serial != what.life) {
        return;
    }
    if (client.waits && !client.steady && scene_.dice.Chance(scene_.swarm.goes_away)) {
        GoAway(what.who);
    }
    Step(what.who);
}

// ---- Being told ---------------------------------------------------------------------------------

void Crowd::OnNo(uint32_t number, const ReplyMessage &reply)
{
    Client &client = clients_[number];
    const bool never = reply.status == TERCET_ALREADY_EXISTS ||
                       (reply.status == TERCET_NOT_FOUND && client.role == Role::ASK);
    const bool too_early =
        reply.status == TERCET_FAILED_PRECONDITION && client.asked == REQUEST_CONFIRM;
    if (never || (reply.status == TERCET_FAILED_PRECONDITION && !too_early)) {
        Finish(client);
        return;
    }
    if (too_early && !client.steady && scene_.dice.Below(2) == 0) {
        client.step = 1;
    }
    Later(number, scene_.calm ? 5000 : scene_.dice.Delay(10000));
}

void Crowd::OnStepView(uint32_t number, const ReplyMessage &reply)
{
    Client &client = clients_[number];
    const Act &act = scene_.acts[client.act];
    Dice &dice = scene_.dice;
    if (client.asked == REQUEST_TRY && reply.verdict == TERCET_VERDICT_REFUSED &&
        act.branches[client.step - 1].payload.optional == 0) {
        client.cancels = true;
    } else if (client.asked == REQUEST_BEGIN ||
               (client.asked == REQUEST_TRY && reply.verdict != TERCET_VERDICT_UNSPECIFIED)) {
        client.step++;
        client.attempts = 0;
        if (!client.steady && dice.Below(20) == 0) {
            client.step = static_cast<uint8_t>(act.branch_count + 1); /* too early */
        }
    }
    if (!client.steady && client.step > act.branch_count && dice.Below(10) == 0) {
        client.cancels = true;
    }
    Later(number, client.steady ? 10 : dice.Between(10, 3000));
}

void Crowd::OnView(uint32_t number, const ReplyMessage &reply)
{
    Client &client = clients_[number];
    const bool decided = txn_state_is_decided(reply.state);
    const bool ended = txn_state_is_ended(reply.state);
    if (ended || (decided && !client.steady && scene_.dice.Below(2) == 0) ||
        (client.role == Role::ASK && scene_.dice.Below(2) == 0)) {
        /* Now and then one asks once more, to hear the same. */
        if (client.steady || scene_.dice.Below(6) != 0) {
            Finish(client);
            return;
        }
    }
    if (client.role == Role::STEPS && !decided) {
        OnStepView(number, reply);
    } else {
        Later(number, scene_.calm ? 5000 : scene_.dice.Delay(5000));
    }
}

void Crowd::OnReply(const ReplyMessage &reply)
{
    Client &client = clients_[reply.client];
    if (client.done || client.serial != reply.serial || !reply.last) {
        return;
    }
    if (reply.status != TERCET_OK) {
        OnNo(reply.client, reply);
    } else {
        OnView(reply.client, reply);
    }
}

} // namespace simulation
