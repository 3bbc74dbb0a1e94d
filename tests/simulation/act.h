// act.h -- what initiators want: one business act each, with its branches, and its other content.
//
// What a branch does stands in its payload, so that participants and the judge read it from there,
// wherever it has been meanwhile.
#pragma once

#include <cstdint>
#include <vector>

#include "simulation/swarm.h"

extern "C" {
#include "engine/engine.h"
}

namespace simulation
{

constexpr uint32_t ACT_BRANCHES_MAX = 6;
constexpr uint32_t ACCOUNTS = 4; // at each participant

enum class Kind : uint8_t {
    DEBIT,  // money of this account is reserved, then gone
    CREDIT, // money is announced, then there
    COUPON, // a coupon is reserved, then used; may be optional
    NOTE    // confirm-only: something is noted
};

struct Payload {
    uint32_t act;
    uint16_t amount;
    uint8_t variant;
    uint8_t branch; // from 1
    Kind kind;
    uint8_t account;
    uint8_t participant;
    uint8_t optional;
};
static_assert(sizeof(Payload) == 12, "it goes over the wire as it stands in memory");

struct ActBranch {
    Payload payload;
    uint32_t stage = 0;
    digest16 digest[2]{}; // of both variants
};

struct Act {
    uint32_t id = 0;
    char gid[24]{};
    bool by_steps = false;
    uint32_t branch_count = 0;
    ActBranch branches[ACT_BRANCHES_MAX];
    digest16 content[2]{}; // of Execute, of both variants
    bool digested[2]{};    // are the digests of this variant made?
    uint32_t try_timeout_ms = 0;
};

const char *ActionOf(Kind kind);

// Makes the digests of a variant that has none yet: the other variant is seldom asked for.
void MakeDigests(Act &act, uint32_t variant, const directory &names);

// Draws an act with this number; the first variant's digests are made.
Act DrawAct(Dice &dice, const Swarm &swarm, uint32_t id, const directory &names);

// One with the given number of branches, each at another participant, for the enumeration.
Act PlainAct(uint32_t id, uint32_t branches, bool by_steps, uint32_t try_timeout_ms,
             const directory &names);

// Touches every participant and moves nothing: so that each is told its newest mark.
Act RoundAct(uint32_t id, uint32_t participants, const directory &names);

// The act that a gid names; false: none of ours.
bool ReadGid(const char *gid, size_t size, uint32_t *act);

branch *MakeBranch(const Act &act, uint32_t index, uint32_t variant);

} // namespace simulation
