// A store that was told whom to trust speaks by TLS with the server that is it, and else with nobody.
#include "server_backend.h"
#include "support/certificate.h"

namespace fence_test
{
namespace
{

class ServerTls : public ServerTest
{
  protected:
    void SetUp() override
    {
        ServerTest::SetUp();
        if (IsSkipped()) {
            return;
        }
        const std::string place = Server().directory() + "/";
        authority = place + "authority.pem";
        other = place + "other.pem";
        namesake = place + "namesake.pem";
        its = place + "its.pem";
        misnamed = place + "misnamed.pem";
        WriteCertificate(authority, "authority");
        WriteCertificate(other, "other");
        WriteCertificate(namesake, "authority");
        WriteCertificate(its, "localhost", authority);
        WriteCertificate(misnamed, "elsewhere", authority);
        harness = std::make_unique<Harness>(Facts().kind, directory.path());
        harness->handler = [this](const group_request &request, tercet_bytes, group_answer &) {
            encrypted.push_back(IsEncrypted(harness->request));
            return harness->LeaveEffect(request);
        };
        Server().Stop();
        StartWithTls(its, authority);
    }

    void TearDown() override
    {
        if (harness != nullptr) {
            harness.reset();
            Server().Stop();
            Server().Start();
        }
    }

    // Also the harness's own, when it opens.
    tercet_status OpenBy(const std::string &trusted)
    {
        tercet_store *store = nullptr;
        error = {};
        const tercet_status status = OpenTrusting(trusted, directory.path(), &store, &error);
        if (status == TERCET_OK) {
            harness->Drive(store);
        }
        return status;
    }

    bool Says(const std::string &words) const
    {
        return std::string(error.text).find(words) != std::string::npos;
    }

    std::string authority, other, namesake, its, misnamed; // files
    std::unique_ptr<Harness> harness;
    std::vector<bool> encrypted; // for each run of the handler
    tercet_error error = {};
};

TEST_F(ServerTls, BranchesRunEncryptedAlsoByAConnectionMadeAnew)
{
    ASSERT_EQ(harness->Run(Try("plain", 1)).how, TERCET_HOW_RAN);
    ASSERT_EQ(OpenBy(authority), TERCET_OK) << error.text;
    EXPECT_EQ(harness->Run(Try("g", 2)).how, TERCET_HOW_RAN);
    EndSession(harness->group.connection);
    EXPECT_EQ(harness->Run(Confirm("g", 2)).how, TERCET_HOW_RAN);
    EXPECT_EQ(encrypted, (std::vector<bool>{false, true, true}));
    EXPECT_EQ(harness->Effects("g", 1, TERCET_PHASE_CONFIRM), 1);
}

TEST_F(ServerTls, AConnectionThatCannotBeMadeAnewEncryptedIsNotMade)
{
    ASSERT_EQ(OpenBy(authority), TERCET_OK) << error.text;
    ASSERT_EQ(harness->Run(Try("before", 1)).how, TERCET_HOW_RAN);
    Server().Stop();
    StartWithoutTls();
    EXPECT_STREQ(harness->Run(Try("g", 2)).code, TERCET_CODE_STORE_UNAVAILABLE);
    Server().Stop();
    StartWithTls(its, authority);
    EXPECT_EQ(harness->Run(Try("g", 2)).how, TERCET_HOW_RAN);
    EXPECT_EQ(encrypted, (std::vector<bool>{true, true}));
}

TEST_F(ServerTls, AServerWithAnotherAuthoritysCertificateIsNotSpokenTo)
{
    for (const std::string &trusted : {other, namesake}) {
        EXPECT_EQ(OpenBy(trusted), TERCET_UNAVAILABLE) << trusted;
        EXPECT_TRUE(Says(Facts().tls.untrusted)) << error.text;
    }
}

TEST_F(ServerTls, AServerThatIsCalledOtherwiseIsNotSpokenTo)
{
    Server().Stop();
    StartWithTls(misnamed, authority);
    EXPECT_EQ(OpenBy(authority), TERCET_UNAVAILABLE);
    EXPECT_TRUE(Says(Facts().tls.misnamed)) << error.text;
}

TEST_F(ServerTls, AServerWithoutTlsIsNotSpokenTo)
{
    Server().Stop();
    StartWithoutTls();
    EXPECT_EQ(OpenBy(authority), TERCET_UNAVAILABLE);
    EXPECT_TRUE(Says(Facts().tls.missing)) << error.text;
}

TEST_F(ServerTls, WhoComesWithoutTlsWhereTheServerWantsItIsTold)
{
    tercet_store *store = nullptr;
    EXPECT_EQ(OpenPlainly(directory.path(), &store, &error), TERCET_UNAVAILABLE);
    EXPECT_TRUE(Says(Facts().tls.wanted)) << error.text;
}

} // namespace
} // namespace fence_test
