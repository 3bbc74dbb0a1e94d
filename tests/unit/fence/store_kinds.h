// store_kinds.h -- the kinds of store that a program's fence suite runs over.  Each program links one
// file that has them: embedded_backends.cc (SQLite, LevelDB, memory) or a server's.
#ifndef TERCET_TESTS_FENCE_STORE_KINDS_H
#define TERCET_TESTS_FENCE_STORE_KINDS_H

#include <memory>
#include <string>
#include <vector>

#include "fence/store.h"
#include "tercet/participant.h"

namespace fence_test
{

// One database of one kind, with a countable effect for each name.
class Backend
{
  public:
    virtual ~Backend() = default;
    virtual tercet_status Open(uint32_t busy_timeout_ms, tercet_store **store,
                               tercet_error *error) = 0;
    // One more under this name, in the local transaction of the request.
    virtual tercet_verdict LeaveEffect(tercet_request *request, void *connection,
                                       const std::string &name) = 0;
    // How many were committed.
    virtual int Effects(tercet_store *store, const std::string &name) = 0;
};

// The database that belongs to the directory.
std::unique_ptr<Backend> MakeBackend(const std::string &kind, const std::string &directory);

std::vector<std::string> AllKinds();
std::vector<std::string> DurableKinds(); // what is committed outlives the process
std::vector<std::string> SharedKinds();  // many connections at once

} // namespace fence_test

#endif
