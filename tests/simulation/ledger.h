// ledger.h -- a participant's business: accounts, and one line for each branch.
//
// Both are changed in the local transaction that holds the fence's row.  Accounts are what must add
// up; lines say how often each phase of a branch has taken effect, and are kept for ever, longer than
// the fence's rows.
#pragma once

#include <cstdint>

#include "simulation/act.h"
#include "simulation/disk.h"

namespace simulation
{

struct Account {
    int32_t free;
    int32_t reserved;  // of debits tried
    int32_t out;       // of debits confirmed
    int32_t announced; // of credits tried
    int32_t in;        // of credits confirmed
    int32_t coupons;
    int32_t coupons_reserved;
    int32_t coupons_used;
    int32_t notes;
};

constexpr int32_t MONEY_AT_FIRST = 600;
constexpr int32_t COUPONS_AT_FIRST = 40;

struct Line {
    Payload payload;
    uint8_t tries;
    uint8_t confirms;
    uint8_t cancels;
    uint8_t unused;
};

struct AccountKey {
    uint8_t bytes[2];
};
struct LineKey {
    uint8_t bytes[6];
};

AccountKey KeyOfAccount(uint32_t account);
LineKey KeyOfLine(uint32_t act, uint32_t branch);
// False: the key is not one.
bool ReadAccountKey(tercet_bytes key, uint32_t *account);
bool ReadLineKey(tercet_bytes key, uint32_t *act, uint32_t *branch);

Account AccountAtFirst();

// Has the account enough for this try?
bool Affords(const Account &account, const Payload &payload);
// What a phase of a branch does to its account.
void Apply(Account &account, const Payload &payload, tercet_phase phase);
// Nothing came from nowhere, nothing is gone, nothing is below zero.
bool AddsUp(const Account &account);
bool IsAtRest(const Account &account); // nothing is reserved

// In the handler's transaction: reads both, changes both.  False: not affordable, nothing changed.
bool ChangeLedger(kv_fence *fence, const Payload &payload, tercet_phase phase);

} // namespace simulation
