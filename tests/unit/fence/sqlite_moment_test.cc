// A description is of one moment, whatever other processes do to the file while it is made.
#include <sqlite3.h>

#include <cstring>

#include "store_fixture.h"

extern "C" {
#include "fence/sqlite_connection.h"
}

namespace fence_test
{
namespace
{

struct Meddler {
    Harness *other;
    bool done = false;
};

// Called before each statement of the one that describes.
int Meddle(unsigned, void *context, void *statement, void *)
{
    auto *meddler = static_cast<Meddler *>(context);
    const char *sql = sqlite3_sql(static_cast<sqlite3_stmt *>(statement));
    if (!meddler->done && strstr(sql, "count(*)") != nullptr) {
        meddler->done = true;
        EXPECT_EQ(meddler->other->Apply(9, {10, 8}), TERCET_OK);
        EXPECT_EQ(meddler->other->State("highest"), TERCET_FENCE_NONE) << "swept";
    }
    return 0;
}

TEST(SqliteMoment, AMarkThatAnotherProcessAppliesMeanwhileIsInADescriptionWholeOrNotAtAll)
{
    TemporaryDirectory directory;
    Harness first("sqlite", directory.path());
    Harness second("sqlite", directory.path());
    EXPECT_EQ(first.Run(Cancel("lower", 3)).verdict, TERCET_VERDICT_DONE);
    EXPECT_EQ(first.Run(Cancel("highest", 7)).verdict, TERCET_VERDICT_DONE);
    Meddler meddler = {&second};
    auto *connection = static_cast<sqlite_connection *>(first.group.connection);
    sqlite3_trace_v2(connection->database, SQLITE_TRACE_STMT, Meddle, &meddler);

    const tercet_store_description during = first.Describe();
    EXPECT_TRUE(meddler.done);
    EXPECT_EQ(during.mark.as_of_lsn, 0);
    EXPECT_EQ(during.rows, 2);
    EXPECT_EQ(during.highest.number, 7) << "else it would look like a database that went back";

    const tercet_store_description after = first.Describe();
    EXPECT_EQ(after.mark.as_of_lsn, 9);
    EXPECT_EQ(after.rows, 0);
}

} // namespace
} // namespace fence_test
