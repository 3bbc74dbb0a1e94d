// postgres_backend.h -- the fence suite over PostgreSQL: a schema for each directory, in one server.
#ifndef TERCET_TESTS_FENCE_POSTGRES_BACKEND_H
#define TERCET_TESTS_FENCE_POSTGRES_BACKEND_H

#include <libpq-fe.h>

#include <string>

#include "server_backend.h"
#include "tercet/store_postgres.h"

namespace fence_test
{

// To the directory's schema: the server's own words for it, or others to the same server, such as a relay's.
std::string ConninfoOf(const std::string &directory);
std::string ConninfoOf(const std::string &directory, const std::string &server);

tercet_postgres_isolation IsolationOf(const std::string &kind);

// One more effect under this name, in the transaction of the request.
tercet_verdict LeaveEffectOn(PGconn *connection, const std::string &name);

} // namespace fence_test

#endif
