// mariadb_backend.h -- the fence suite over MariaDB: a database for each directory, in one server.
#ifndef TERCET_TESTS_FENCE_MARIADB_BACKEND_H
#define TERCET_TESTS_FENCE_MARIADB_BACKEND_H

#include <mysql.h>

#include <string>

#include "server_backend.h"
#include "tercet/store_mariadb.h"

namespace fence_test
{

// One more effect under this name, in the transaction of the request.
tercet_verdict LeaveEffectOn(MYSQL *connection, const std::string &name);

} // namespace fence_test

#endif
