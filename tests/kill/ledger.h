// ledger.h -- a participant that keeps accounts, as a program of its own, and its books for the judge.
//
// One action, "move": the payload is "ACCOUNT AMOUNT".  A negative amount is frozen by try, gone by
// confirm, given back by cancel; a positive one is pending by try and arrives by confirm.  Every phase
// that takes effect leaves a line in `effect`, in the same local transaction.
#pragma once

#include <cstdint>
#include <map>
#include <string>

namespace kill_campaign
{

constexpr int ACCOUNTS = 8;
constexpr int64_t OPENING_BALANCE = 1000000;
constexpr const char *ACTION = "move";
constexpr const char *READY = "ready";

// Serves as `name` on `listen` with the books in `database`; until its input closes.  Exit code.
int LedgerMain(const char *name, const char *listen, const char *database);

struct Effects {
    int tries = 0, confirms = 0, cancels = 0;
};

struct Books {
    int64_t balance = 0, frozen = 0, pending = 0;           // over all accounts
    std::map<std::pair<std::string, int>, Effects> effects; // by gid and branch
};

// What stands in the database of a participant that may still run.
Books ReadBooks(const std::string &database);

} // namespace kill_campaign
