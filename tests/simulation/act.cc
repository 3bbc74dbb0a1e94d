// act.cc -- see act.h.
#include "simulation/act.h"

#include <cstdio>
#include <cstring>

namespace simulation
{
namespace
{

Payload Vary(const Payload &plan, uint32_t variant)
{
    Payload payload = plan;
    payload.variant = static_cast<uint8_t>(variant);
    return payload;
}

uint32_t FlagsOf(const Payload &payload)
{
    return static_cast<uint32_t>(payload.kind == Kind::NOTE ? DIGEST_FLAG_CONFIRM_ONLY : 0) |
           static_cast<uint32_t>(payload.optional != 0 ? DIGEST_FLAG_OPTIONAL : 0);
}

void Name(Act &act, uint32_t id)
{
    act.id = id;
    snprintf(act.gid, sizeof act.gid, "g%u", id);
}

ActBranch &AddBranch(Act &act, Kind kind, uint32_t participant, uint32_t account, uint32_t amount)
{
    ActBranch &branch = act.branches[act.branch_count++];
    branch.payload = {};
    branch.payload.act = act.id;
    branch.payload.amount = static_cast<uint16_t>(amount);
    branch.payload.branch = static_cast<uint8_t>(act.branch_count);
    branch.payload.kind = kind;
    branch.payload.account = static_cast<uint8_t>(account);
    branch.payload.participant = static_cast<uint8_t>(participant);
    return branch;
}

} // namespace

const char *ActionOf(Kind kind)
{
    static const char *const names[] = {"debit", "credit", "coupon", "note"};
    return names[static_cast<size_t>(kind)];
}

void MakeDigests(Act &act, uint32_t variant, const directory &names)
{
    digest16 all[ACT_BRANCHES_MAX];
    if (act.digested[variant]) {
        return;
    }
    for (uint32_t i = 0; i < act.branch_count; i++) {
        ActBranch &branch = act.branches[i];
        const Payload payload = Vary(branch.payload, variant);
        digest_branch content{};
        content.participant = names.entries[payload.participant].name;
        content.action = ActionOf(payload.kind);
        content.payload = tercet_bytes_of(&payload, sizeof payload);
        content.stage = branch.stage;
        content.flags = FlagsOf(payload);
        branch.digest[variant] = digest_of_branch(&content);
        all[i] = branch.digest[variant];
    }
    act.content[variant] = digest_of_content(act.gid, all, act.branch_count);
    act.digested[variant] = true;
}

// One debit; credits that add up to it; perhaps coupons and a note.
Act DrawAct(Dice &dice, const Swarm &swarm, uint32_t id, const directory &names)
{
    Act act;
    Name(act, id);
    act.by_steps = dice.Chance(swarm.steps);
    act.try_timeout_ms = dice.Chance(300) ? 0 : swarm.try_timeout_ms;
    const uint32_t credits = dice.Below(8) == 0 ? 0 : 1 + (dice.Below(5) == 0 ? 1 : 0);
    if (credits > 0) {
        const uint32_t each = 1 + dice.Below(30);
        AddBranch(act, Kind::DEBIT, dice.Below(swarm.participants), dice.Below(ACCOUNTS),
                  each * credits);
        for (uint32_t i = 0; i < credits; i++) {
            AddBranch(act, Kind::CREDIT, dice.Below(swarm.participants), dice.Below(ACCOUNTS),
                      each);
        }
    }
    if (credits == 0 || dice.Below(6) == 0) {
        ActBranch &coupon =
            AddBranch(act, Kind::COUPON, dice.Below(swarm.participants), dice.Below(ACCOUNTS), 1);
        coupon.payload.optional = dice.Below(2) == 0 ? 1 : 0;
    }
    if (dice.Below(8) == 0) {
        AddBranch(act, Kind::NOTE, dice.Below(swarm.participants), dice.Below(ACCOUNTS), 1);
    }
    if (dice.Below(5) == 0 && !act.by_steps) {
        for (uint32_t i = 0; i < act.branch_count; i++) {
            act.branches[i].stage = dice.Below(2);
        }
    }
    MakeDigests(act, 0, names);
    return act;
}

Act PlainAct(uint32_t id, uint32_t branches, bool by_steps, uint32_t try_timeout_ms,
             const directory &names)
{
    Act act;
    Name(act, id);
    act.by_steps = by_steps;
    act.try_timeout_ms = try_timeout_ms;
    for (uint32_t i = 0; i < branches; i++) {
        const Kind kind = branches == 1 ? Kind::COUPON : i == 0 ? Kind::DEBIT : Kind::CREDIT;
        AddBranch(act, kind, i, 0, i == 0 ? (branches > 1 ? branches - 1 : 1) : 1);
    }
    MakeDigests(act, 0, names);
    return act;
}

Act RoundAct(uint32_t id, uint32_t participants, const directory &names)
{
    /* A world may draw fewer milliseconds than one instance takes that is found dead only now. */
    enum { TRY_TIMEOUT_MS = 5000 };
    Act act;
    Name(act, id);
    act.try_timeout_ms = TRY_TIMEOUT_MS;
    for (uint32_t i = 0; i < participants; i++) {
        AddBranch(act, Kind::CREDIT, i, 0, 0);
    }
    MakeDigests(act, 0, names);
    return act;
}

bool ReadGid(const char *gid, size_t size, uint32_t *act)
{
    uint32_t number = 0;
    if (size < 2 || size > 10 || gid[0] != 'g') {
        return false;
    }
    for (size_t i = 1; i < size; i++) {
        if (gid[i] < '0' || gid[i] > '9') {
            return false;
        }
        number = number * 10 + static_cast<uint32_t>(gid[i] - '0');
    }
    *act = number;
    return true;
}

branch *MakeBranch(const Act &act, uint32_t index, uint32_t variant)
{
    const ActBranch &plan = act.branches[index - 1];
    const Payload payload = Vary(plan.payload, variant);
    branch_spec spec{};
    spec.index = index;
    spec.participant = payload.participant;
    spec.action = ActionOf(payload.kind);
    spec.payload = tercet_bytes_of(&payload, sizeof payload);
    spec.stage = plan.stage;
    spec.confirm_only = payload.kind == Kind::NOTE;
    spec.optional = payload.optional != 0;
    spec.digest = plan.digest[variant];
    return branch_create(&spec);
}

} // namespace simulation
