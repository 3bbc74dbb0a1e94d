/* Addresses: what a server binds, refuses and leaves behind. */
#include "rpc_fixture.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

namespace
{

/* A listening unix socket that is not ours; -1: failed. */
int ListenUnix(const std::string &path)
{
    const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    struct sockaddr_un name = {};
    name.sun_family = AF_UNIX;
    memcpy(name.sun_path, path.c_str(), path.size() + 1);
    if (bind(fd, reinterpret_cast<struct sockaddr *>(&name), sizeof name) != 0 ||
        listen(fd, 4) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

bool Exists(const std::string &path)
{
    struct stat found;
    return lstat(path.c_str(), &found) == 0;
}

} // namespace

class RpcServer : public RpcTest
{
  protected:
    /* Creates a second server from the same addresses. */
    enum tercet_status Second(std::string *sentence)
    {
        struct rpc_server_options options = Options();
        struct rpc_server *second = nullptr;
        struct tercet_error error = {};
        const enum tercet_status status = rpc_server_create(&options, &second, &error);
        if (status == TERCET_OK) {
            rpc_server_destroy(second);
        }
        *sentence = error.text;
        return status;
    }
};

TEST_F(RpcServer, RefusesAPortThatIsInUse)
{
    Serve();
    addresses_ = {Target()};
    std::string sentence;
    EXPECT_EQ(Second(&sentence), TERCET_UNAVAILABLE);
    EXPECT_NE(sentence.find("in use"), std::string::npos) << sentence;
    EXPECT_NE(sentence.find(addresses_[0]), std::string::npos) << sentence;
    EXPECT_EQ(CallText(kEcho, "the first").reply_text, "the first");
}

TEST_F(RpcServer, BindsAllAddressesOrNone)
{
    SocketDirectory directory;
    const std::string path = directory.Socket("a.sock");
    Serve();
    addresses_ = {"unix:" + path, Target()};
    std::string sentence;
    EXPECT_EQ(Second(&sentence), TERCET_UNAVAILABLE);
    EXPECT_FALSE(Exists(path));
}

TEST_F(RpcServer, AnswersOnAllItsAddresses)
{
    SocketDirectory directory;
    addresses_ = {"127.0.0.1:0", "unix:" + directory.Socket("a.sock"), "127.0.0.1:0"};
    Serve();
    EXPECT_EQ(rpc_server_port(server_, 1), 0);
    EXPECT_NE(rpc_server_port(server_, 0), rpc_server_port(server_, 2));
    for (const std::string &target :
         {addresses_[1], "127.0.0.1:" + std::to_string(rpc_server_port(server_, 2))}) {
        rpc_channel_close(channel_);
        Connect(target);
        EXPECT_EQ(CallText(kEcho, target).reply_text, target);
    }
}

TEST_F(RpcServer, RefusesPlaintextOnAnAddressOfTheNetwork)
{
    std::string sentence;
    addresses_ = {"127.0.0.1:0", "0.0.0.0:0"};
    EXPECT_EQ(Second(&sentence), TERCET_INVALID_ARGUMENT);
    EXPECT_NE(sentence.find("has no TLS"), std::string::npos) << sentence;
    addresses_ = {};
    EXPECT_EQ(Second(&sentence), TERCET_INVALID_ARGUMENT);
}

TEST_F(RpcServer, ReplacesAStaleSocketFile)
{
    SocketDirectory directory;
    const std::string path = directory.Socket("a.sock");
    const int fd = ListenUnix(path);
    ASSERT_GE(fd, 0);
    close(fd); /* the file stays, nobody accepts */
    ASSERT_TRUE(Exists(path));
    addresses_ = {"unix:" + path};
    Serve();
    EXPECT_EQ(CallText(kEcho, "x").status, TERCET_OK);
}

TEST_F(RpcServer, DoesNotStealALiveSocketOfAStranger)
{
    SocketDirectory directory;
    const std::string path = directory.Socket("a.sock");
    const int fd = ListenUnix(path);
    ASSERT_GE(fd, 0);
    struct stat before;
    struct stat after;
    ASSERT_EQ(lstat(path.c_str(), &before), 0);
    addresses_ = {"unix:" + path};
    std::string sentence;
    EXPECT_EQ(Second(&sentence), TERCET_UNAVAILABLE);
    EXPECT_NE(sentence.find("in use"), std::string::npos) << sentence;
    ASSERT_EQ(lstat(path.c_str(), &after), 0);
    EXPECT_EQ(before.st_ino, after.st_ino);
    close(fd);
}

TEST_F(RpcServer, DoesNotStealALiveSocketOfItsOwnKind)
{
    SocketDirectory directory;
    addresses_ = {"unix:" + directory.Socket("a.sock")};
    Serve();
    std::string sentence;
    EXPECT_EQ(Second(&sentence), TERCET_UNAVAILABLE);
    EXPECT_NE(sentence.find("in use"), std::string::npos) << sentence;
    EXPECT_EQ(CallText(kEcho, "x").status, TERCET_OK);
}

TEST_F(RpcServer, LeavesAFileAloneThatIsNoSocket)
{
    SocketDirectory directory;
    const std::string path = directory.Socket("a.sock");
    fclose(fopen(path.c_str(), "w"));
    addresses_ = {"unix:" + path};
    std::string sentence;
    EXPECT_EQ(Second(&sentence), TERCET_UNAVAILABLE);
    EXPECT_NE(sentence.find("not a socket"), std::string::npos) << sentence;
    EXPECT_TRUE(Exists(path));
}

TEST_F(RpcServer, RemovesItsSocketFile)
{
    SocketDirectory directory;
    const std::string path = directory.Socket("a.sock");
    addresses_ = {"unix:" + path};
    Serve();
    EXPECT_TRUE(Exists(path));
    rpc_server_destroy(server_);
    server_ = nullptr;
    EXPECT_FALSE(Exists(path));
}

TEST_F(RpcServer, MayBeDestroyedWithoutEverBeingStarted)
{
    struct rpc_server_options options = Options();
    struct rpc_server *never = nullptr;
    ASSERT_EQ(rpc_server_create(&options, &never, nullptr), TERCET_OK);
    EXPECT_NE(rpc_server_port(never, 0), 0);
    rpc_server_destroy(never);
}
