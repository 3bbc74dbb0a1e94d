/* Which addresses are understood, and which may be plaintext. */
#include "rpc_fixture.h"

extern "C" {
#include "rpc/rpc_address.h"
}

namespace
{

enum tercet_status Parse(const std::string &text, struct rpc_address *address,
                         std::string *sentence = nullptr)
{
    struct tercet_error error = {};
    const enum tercet_status status = rpc_address_parse(text.c_str(), nullptr, address, &error);
    if (sentence != nullptr) {
        *sentence = error.text;
    }
    return status;
}

} // namespace

TEST(RpcAddress, UnderstandsHostsAndSockets)
{
    struct rpc_address address;
    ASSERT_EQ(Parse("127.0.0.1:7400", &address), TERCET_OK);
    EXPECT_STREQ(address.host, "127.0.0.1");
    EXPECT_EQ(address.port, 7400);
    ASSERT_EQ(Parse("[::1]:0", &address), TERCET_OK);
    EXPECT_STREQ(address.host, "::1");
    ASSERT_EQ(Parse("localhost:65535", &address), TERCET_OK);
    EXPECT_EQ(address.port, 65535);
    ASSERT_EQ(Parse("unix:/run/a.sock", &address), TERCET_OK);
    EXPECT_STREQ(address.unix_path, "/run/a.sock");
    ASSERT_EQ(Parse("unix:///run/a.sock", &address), TERCET_OK);
    EXPECT_STREQ(address.unix_path, "/run/a.sock");
}

TEST(RpcAddress, SaysWhatItDoesNotUnderstand)
{
    struct rpc_address address;
    std::string sentence;
    for (const std::string &text : {std::string(""),
                                    std::string("7400"),
                                    std::string(":7400"),
                                    std::string("127.0.0.1"),
                                    std::string("127.0.0.1:"),
                                    std::string("127.0.0.1:65536"),
                                    std::string("127.0.0.1:123456"),
                                    std::string("127.0.0.1:7x"),
                                    std::string("::1:7400"),
                                    std::string("[::1]"),
                                    std::string("[::1"),
                                    std::string("[]:1"),
                                    std::string("[x]:1"),
                                    std::string("unix:"),
                                    std::string("unix:relative"),
                                    std::string("unix:/"),
                                    std::string("unix:/") + std::string(107, 'a'),
                                    std::string("a b:1"),
                                    std::string("dns:///127.0.0.1:1"),
                                    std::string(300, 'a') + ":1"}) {
        EXPECT_EQ(Parse(text, &address, &sentence), TERCET_INVALID_ARGUMENT) << text;
        EXPECT_NE(sentence.find("not understood"), std::string::npos) << text << sentence;
    }
}

TEST(RpcAddress, RefusesPlaintextWhereStrangersReach)
{
    struct rpc_address address;
    std::string sentence;
    for (const char *text : {"0.0.0.0:1", "10.0.0.1:1", "[::]:1", "[fe80::1]:1",
                             "[::ffff:127.0.0.1]:1", "example.org:1", "128.0.0.1:1"}) {
        EXPECT_EQ(Parse(text, &address, &sentence), TERCET_INVALID_ARGUMENT) << text;
        EXPECT_NE(sentence.find("has no TLS"), std::string::npos) << sentence;
    }
    EXPECT_EQ(Parse("127.8.9.1:1", &address), TERCET_OK);
}
