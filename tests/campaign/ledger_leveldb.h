// ledger_leveldb.h -- the ledger's books in LevelDB (ledger.h).
#pragma once

#include "tercet/participant.h"

namespace campaign
{

bool OpenLeveldb(const char *database, tercet_store **store_out, tercet_error *error_out);
tercet_verdict MoveInLeveldb(tercet_request *request);

// Prints the books with the effects of gids that begin with `prefix`; the last line is "end".
void PrintLeveldb(tercet_store *store, const char *prefix);

} // namespace campaign
