// The database behind a store: always the same one, for as long as its participant runs; and its numbers last.
#include "server_backend.h"

namespace fence_test
{
namespace
{

class ServerIdentity : public ServerTest
{
  protected:
    void SetUp() override
    {
        ServerTest::SetUp();
        if (!IsSkipped()) {
            harness = std::make_unique<Harness>(Facts().kind, directory.path());
            tables = TablesOf(directory.path());
            ASSERT_EQ(harness->Run(Try("g", 1)).how, TERCET_HOW_RAN);
        }
    }

    std::unique_ptr<Harness> harness;
    std::string tables;
};

// Its coordinator has compared databases when it connected, and does not look again.
TEST_F(ServerIdentity, AnotherDatabaseBehindTheNextConnectionIsNotUsed)
{
    const bool postgres = std::string(Facts().kind).rfind("postgres", 0) == 0;
    const std::string was = AskServer("SELECT store_id FROM " + tables + ".tercet_schema");
    AskServer(
        "UPDATE " + tables + ".tercet_schema SET store_id = " +
        (postgres ? "pg_catalog.decode(pg_catalog.md5('other'), 'hex')" : "UNHEX(MD5('other'))"));
    EndSession(harness->group.connection);
    const group_answer answer = harness->Run(Cancel("g", 1));
    EXPECT_EQ(answer.verdict, TERCET_VERDICT_LATER);
    EXPECT_STREQ(answer.code, TERCET_CODE_STORE_UNAVAILABLE);
    EXPECT_NE(std::string(answer.text).find("another database"), std::string::npos) << answer.text;
    EXPECT_EQ(harness->group.connection, nullptr);
}

TEST_F(ServerIdentity, TablesThatHaveGoneAreNotMadeAnewUnderARunningParticipant)
{
    for (const char *name : {"tercet_fence", "tercet_scope", "tercet_schema"}) {
        AskServer("DROP TABLE " + tables + "." + name);
    }
    EndSession(harness->group.connection);
    EXPECT_EQ(harness->Run(Cancel("g", 1)).verdict, TERCET_VERDICT_LATER);
    EXPECT_EQ(AskServer("SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = '" +
                        tables + "' AND table_name = 'tercet_schema'"),
              "0");
}

// A scope has an id of four bytes, and an INSERT that meets its row uses one up all the same.
TEST_F(ServerIdentity, MarksDoNotUseUpTheNumbersOfScopes)
{
    const auto last = [&] {
        return std::stoll(AskServer("SELECT MAX(id) FROM " + tables + ".tercet_scope"));
    };
    const long long before = last();
    for (int i = 1; i <= 100; i++) {
        ASSERT_EQ(harness->Apply(i, {10, 1}), TERCET_OK) << harness->error.text;
    }
    Ask other = Try("h", 2);
    other.origin = 7;
    ASSERT_EQ(harness->Run(other).how, TERCET_HOW_RAN);
    EXPECT_LE(last(), before + 10) << "of a hundred marks none is a new scope";
}

// Whoever hears of a newer coordinator by its mark refuses the older one from then on.
TEST_F(ServerIdentity, AMarkOfANewerEpochRaisesIt)
{
    ASSERT_EQ(harness->Apply(5, {10, 1}, {}, 1, 2), TERCET_OK) << harness->error.text;
    EXPECT_EQ(harness->Describe().mark.as_of_lsn, 5);
    EXPECT_EQ(harness->Run(Try("h", 2)).status, TERCET_FAILED_PRECONDITION);
    EXPECT_EQ(harness->Apply(6, {10, 1}), TERCET_FAILED_PRECONDITION);
    Ask newer = Try("h", 2);
    newer.epoch = 2;
    EXPECT_EQ(harness->Run(newer).how, TERCET_HOW_RAN);
}

} // namespace
} // namespace fence_test
