// accounts.h -- accounts in a server's database, as a stranger's participant has them.  Each program links
// one file that has them: accounts_postgres.cc or accounts_mariadb.cc.
#pragma once

#include <string>

#include "support/server_process.h"
#include "tercet/participant.h"

struct Accounts {
    static bool Installed();
    static ServerProcess &Server(); // the program's
    // One value of one statement; "" when there is none.
    static std::string Value(const std::string &sql);
    static std::string Schema(); // what stands before a table's name in Value()
    // Makes accounts 1 to 8, each with 1000.
    static void Make();
    static tercet_status Open(tercet_store **store, tercet_error *error);
    // `change` more on the account; false: answered as failed, with the verdict.
    static bool Move(tercet_request *request, int account, int change, tercet_verdict *verdict);
    // A statement that the server refuses, answered as failed.
    static tercet_verdict Fail(tercet_request *request);
    static const char *FailedWords();
    // Ends the sessions that the store has now.
    static void EndSessions();
};
