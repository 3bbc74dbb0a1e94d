// What libpq's own words for TLS do to a store, as its header says.
#include <filesystem>

#include "fence/postgres_connection.h"
#include "postgres_backend.h"
#include "support/certificate.h"
#include "support/postgres_server.h"

namespace fence_test
{
namespace
{

class PostgresTls : public ServerTest
{
  protected:
    void SetUp() override
    {
        ServerTest::SetUp();
        if (IsSkipped()) {
            return;
        }
        server = &PostgresServer::Shared();
        authority = server->directory() + "/authority.pem";
        its = server->directory() + "/its.pem";
        WriteCertificate(authority, "authority");
        WriteCertificate(its, "localhost", authority);
        AskServer("CREATE SCHEMA " + TablesOf(directory.path()));
        server->Stop();
    }

    void TearDown() override
    {
        if (server != nullptr) {
            server->Stop();
            server->Start();
        }
    }

    // Opens a store by these words, and asks the server whether its connection is encrypted.
    tercet_status Open(const std::string &words)
    {
        const std::string conninfo = ConninfoOf(directory.path(), words);
        tercet_postgres_options options = {};
        options.size = sizeof options;
        options.conninfo = conninfo.c_str();
        options.create_tables = true;
        tercet_store *store = nullptr;
        void *connection = nullptr;
        error = {};
        tercet_status status = tercet_postgres_open(&options, &store, &error);
        if (status == TERCET_OK) {
            status = store->ops->connect(store->self, &connection, &error);
        }
        if (status == TERCET_OK) {
            PGconn *link = static_cast<postgres_connection *>(connection)->link;
            PGresult *result =
                PQexec(link, "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()");
            encrypted = std::string(PQgetvalue(result, 0, 0)) == "t";
            PQclear(result);
            store->ops->disconnect(connection);
        }
        tercet_store_close(store);
        return status;
    }

    bool Says(const std::string &words) const
    {
        return std::string(error.text).find(words) != std::string::npos;
    }

    PostgresServer *server = nullptr;
    std::string authority, its; // files
    bool encrypted = false;     // the last that was opened
    tercet_error error = {};
};

TEST_F(PostgresTls, ByDefaultItIsUsedWhereItIsOfferedAndNotMissedWhereItIsNot)
{
    server->StartWithTls(its, authority);
    EXPECT_EQ(Open(server->NetworkConninfo()), TERCET_OK) << error.text;
    EXPECT_TRUE(encrypted);
    server->Stop();
    server->StartWithoutTls();
    EXPECT_EQ(Open(server->NetworkConninfo()), TERCET_OK) << error.text;
    EXPECT_FALSE(encrypted);
}

TEST_F(PostgresTls, AUnixSocketHasNoneWhateverIsAskedFor)
{
    server->StartWithTls(its, authority);
    EXPECT_EQ(Open(server->Conninfo() + " sslmode=verify-full sslrootcert=" + authority), TERCET_OK)
        << error.text;
    EXPECT_FALSE(encrypted);
}

TEST_F(PostgresTls, AMissingFileIsNamed)
{
    server->StartWithTls(its, authority);
    EXPECT_EQ(Open(server->NetworkConninfo() + " sslmode=verify-full sslrootcert=/nowhere/ca.pem"),
              TERCET_UNAVAILABLE);
    EXPECT_TRUE(Says("\"/nowhere/ca.pem\" does not exist")) << error.text;
}

TEST_F(PostgresTls, AClientShowsTheCertificateThatTheServerWants)
{
    const std::string file = directory.path() + "/certified.pem";
    WriteCertificate(file, "certified", authority);
    std::filesystem::permissions(file, std::filesystem::perms::owner_read);
    server->StartWithTls(its, authority);
    if (AskServer("SELECT count(*) FROM pg_roles WHERE rolname = 'certified'") == "0") {
        AskServer("CREATE ROLE certified LOGIN SUPERUSER");
    }
    const std::string words =
        server->NetworkConninfo() + " user=certified sslmode=verify-full sslrootcert=" + authority;
    EXPECT_EQ(Open(words), TERCET_UNAVAILABLE);
    EXPECT_TRUE(Says("requires a valid client certificate")) << error.text;
    EXPECT_EQ(Open(words + " sslcert=" + file + " sslkey=" + file), TERCET_OK) << error.text;
    EXPECT_TRUE(encrypted);
    // Over a socket TLS would not help.
    EXPECT_EQ(Open(server->Conninfo() + " user=certified sslmode=disable"), TERCET_UNAVAILABLE);
    EXPECT_TRUE(Says("pg_hba.conf")) << error.text;
    EXPECT_FALSE(Says("sslmode")) << error.text;
}

} // namespace
} // namespace fence_test
