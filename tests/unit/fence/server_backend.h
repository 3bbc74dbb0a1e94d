// server_backend.h -- what the tests of a store with a server of its own ask of that server.  Each program
// links one file that answers: postgres_backend.cc or mariadb_backend.cc.
#ifndef TERCET_TESTS_FENCE_SERVER_BACKEND_H
#define TERCET_TESTS_FENCE_SERVER_BACKEND_H

#include <functional>
#include <string>
#include <vector>

#include "store_fixture.h"
#include "support/cutting_relay.h"
#include "support/server_process.h"

namespace fence_test
{

// What a handler may do beside its effect that ends the transaction.
struct Misdeed {
    const char *name;
    std::vector<const char *> sql;
    bool kept; // what it did before was committed, row and all
};

// Of what the store says when it has no connection as it was told to make it.
struct TlsWords {
    const char *untrusted; // the server's certificate is signed by somebody else
    const char *misnamed;  // it belongs to another name
    const char *missing;   // the server has no TLS
    const char *wanted;    // it has, and lets nobody in without
};

// What differs from one server to the next.
struct ServerFacts {
    const char *kind; // of store_kinds.h, at its own default level
    int round_trips;  // of a branch, beside its handler's own
    int empty_round_trips;
    uint32_t lock_timeout_ms;  // the shortest
    const char *lock_timeout;  // the error's code
    const char *unknown_table; // the same
    std::vector<Misdeed> misdeeds;
    std::vector<const char *> spoilers; // make a row unreadable; @ stands for where the tables are
    const char *version,
        *old_version;    // in what it says first: a part of its own, and of one too old
    const char *too_old; // what the store says to that
    // Words by which a relay knows what passes it.
    CuttingRelay::Ended ended;
    const char *commit;
    const char *describe;
    std::vector<const char *> of_a_branch; // up to its handler
    std::vector<const char *> of_a_mark;
    std::vector<const char *> of_connecting;
    TlsWords tls;
};

const ServerFacts &Facts();
bool ServerInstalled();
ServerProcess &Server(); // the program's, started when first asked for
std::string ServerSocket();

// What a directory's tables are in: a schema, a database.
std::string TablesOf(const std::string &directory);

// A store over the directory's tables, behind a relay.
tercet_status OpenBehind(const CuttingRelay &relay, const std::string &directory,
                         tercet_store **store, tercet_error *error);

// Starts the server in a way that OpenTrusting() reaches it: with TLS, by the key and certificate in a file;
// clients' certificates are those that `authority` has signed.  And without.
void StartWithTls(const std::string &certificate, const std::string &authority);
void StartWithoutTls();

// A store over the directory's tables that speaks to nobody but the server called "localhost" whose
// certificate `authority` has signed.  And one without TLS where the server wants it.
tercet_status OpenTrusting(const std::string &authority, const std::string &directory,
                           tercet_store **store, tercet_error *error);
tercet_status OpenPlainly(const std::string &directory, tercet_store **store, tercet_error *error);

// As a handler: what the server says of the request's connection.
bool IsEncrypted(const tercet_request &request);

// One value of one statement, on a connection beside the store's; "" when there is none.
std::string AskServer(const std::string &sql);

// How many transactions wait for a lock.
int WaitingInServer();

// Ends the session behind a store's connection, and returns when its client cannot but notice.
void EndSession(void *connection);

// As a handler: carries out a statement, whatever comes of it; answers that one has failed.
void Execute(const tercet_request &request, const std::string &sql);
tercet_verdict FailBy(tercet_request *request, const std::string &sql);
bool HasConnection(const tercet_request &request);

// A test that needs the server.
class ServerTest : public testing::Test
{
  protected:
    void SetUp() override;

    // Three branches in one transaction, the second of which does this beside its effect.
    static std::vector<group_answer> RunBeside(Harness &harness, const std::function<void()> &deed);

    TemporaryDirectory directory;
};

} // namespace fence_test

#endif
