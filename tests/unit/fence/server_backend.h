// server_backend.h -- what tests of a store with a server of its own ask of that server.
#ifndef TERCET_TESTS_FENCE_SERVER_BACKEND_H
#define TERCET_TESTS_FENCE_SERVER_BACKEND_H

#include <string>

namespace fence_test
{

// What a directory's tables are in: a schema, a database.
std::string TablesOf(const std::string &directory);

// One value of one statement, on a connection beside the store's; "" when there is none.
std::string AskServer(const std::string &sql);

// How many transactions wait for a lock.
int WaitingInServer();

} // namespace fence_test

#endif
