/* Runtimes come and go, alone and together. */
#include "rpc_fixture.h"

#include <csignal>
#include <dirent.h>
#include <fstream>

namespace
{

/* The threads of this process that would take a SIGTERM, by name. */
std::vector<std::string> OpenThreads(int *blocked_out)
{
    std::vector<std::string> open;
    *blocked_out = 0;
    DIR *directory = opendir("/proc/self/task");
    for (struct dirent *entry = readdir(directory); entry != nullptr; entry = readdir(directory)) {
        if (entry->d_name[0] == '.') {
            continue; /* ".." would be the process itself */
        }
        std::ifstream status(std::string("/proc/self/task/") + entry->d_name + "/status");
        std::string name;
        std::string line;
        while (std::getline(status, line)) {
            if (line.rfind("Name:", 0) == 0) {
                name = line.substr(6);
            }
            if (line.rfind("SigBlk:", 0) == 0) {
                const unsigned long long mask = std::stoull(line.substr(7), nullptr, 16);
                if ((mask & (1ULL << (SIGTERM - 1))) != 0) {
                    (*blocked_out)++;
                } else {
                    open.push_back(name);
                }
            }
        }
    }
    closedir(directory);
    return open;
}

} // namespace

TEST(RpcRuntime, StartsAndEndsManyTimes)
{
    for (int i = 0; i < 5; i++) {
        struct rpc_runtime *runtime = rpc_runtime_create(nullptr);
        rpc_runtime_destroy(runtime);
    }
    rpc_runtime_destroy(nullptr);
}

TEST(RpcRuntime, ExistsSeveralTimesInOneProcess)
{
    struct rpc_runtime_options options = {};
    options.thread_count = 1;
    struct rpc_runtime *first = rpc_runtime_create(&options);
    options.thread_count = 6;
    struct rpc_runtime *second = rpc_runtime_create(&options);
    rpc_runtime_destroy(first);
    struct rpc_runtime *third = rpc_runtime_create(nullptr);
    rpc_runtime_destroy(second);
    rpc_runtime_destroy(third);
}

class RpcRuntimeThreads : public RpcTest
{
};

TEST_F(RpcRuntimeThreads, AreFourOrMoreAndBlockSignalsAllOfThem)
{
    /* Core's helpers come when it first needs them, so everything is used once. */
    health_ = rpc_health_create();
    Serve();
    EXPECT_EQ(CallText(kEcho, "x").status, TERCET_OK);
    struct rpc_channel *const first = channel_;
    Connect("127.0.0.1:1");
    EXPECT_EQ(CallText(kEcho, "x").status, TERCET_UNAVAILABLE);
    rpc_channel_close(first);
    int blocked = 0;
    const std::vector<std::string> open = OpenThreads(&blocked);
    EXPECT_GE(blocked, 4);
    EXPECT_EQ(open.size(), 1u) << testing::PrintToString(open); /* the one of the test */
    EXPECT_FALSE(rpc_runtime_on_poller());
}

TEST(RpcRuntimeDeathTest, IsNotDestroyedUnderAChannel)
{
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    EXPECT_DEATH(
        {
            struct rpc_runtime *runtime = rpc_runtime_create(nullptr);
            struct rpc_channel_options options = {};
            options.runtime = runtime;
            options.target = "127.0.0.1:1";
            struct rpc_channel *channel = nullptr;
            if (rpc_channel_open(&options, &channel, nullptr) == TERCET_OK) {
                rpc_runtime_destroy(runtime);
            }
        },
        "user_count");
}
