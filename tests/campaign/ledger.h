// ledger.h -- a participant that keeps accounts, as a program of its own, and its books for the judge.
//
// One action, "move": the payload is "ACCOUNT AMOUNT".  A negative amount is frozen by try, gone by
// confirm, given back by cancel; a positive one is pending by try and arrives by confirm.  Every phase
// that takes effect is counted, by gid and branch, in the same local transaction.  Books are kept in
// SQLite or, when the database's name ends in ".ldb", in LevelDB.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>

namespace campaign
{

constexpr int ACCOUNTS = 8;
constexpr int64_t OPENING_BALANCE = 1000000;
constexpr const char *ACTION = "move";

struct Effects {
    int tries = 0, confirms = 0, cancels = 0;
    int fence = 0; // the row's state; 0: none (any more), or not looked at
};

struct Books {
    int64_t balance = 0, frozen = 0, pending = 0;           // over all accounts
    std::map<std::pair<std::string, int>, Effects> effects; // by gid and branch
};

// Serves as `name` on `listen` with the books in `database`; until its input closes.  On LevelDB, which
// one process alone may open, each line of input is a gid's beginning and is answered with the books.
int LedgerMain(const char *name, const char *listen, const char *database);

// The books in SQLite, with the effects of gids that begin with `prefix`.  It may still be running.
Books ReadSqlite(const std::string &database, const std::string &prefix);

// The books that a LevelDB ledger has printed.  False: it died before it had told all.
bool ReadPrinted(const std::string &printed, Books *books_out);

} // namespace campaign
