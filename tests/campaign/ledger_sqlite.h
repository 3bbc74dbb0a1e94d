// ledger_sqlite.h -- the ledger's books in SQLite (ledger.h).
#pragma once

#include "tercet/participant.h"

namespace campaign
{

bool OpenSqlite(const char *database, tercet_store **store_out, tercet_error *error_out);
tercet_verdict MoveInSqlite(tercet_request *request);

} // namespace campaign
