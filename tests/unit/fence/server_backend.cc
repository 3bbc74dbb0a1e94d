// server_backend.cc -- see server_backend.h: what is alike on every server.
#include "server_backend.h"

#include <cstdlib>
#include <filesystem>

namespace fence_test
{

std::string TablesOf(const std::string &directory)
{
    std::string name = "s";
    for (const char byte : std::filesystem::path(directory).filename().string()) {
        const char digits[] = "0123456789abcdef";
        name += digits[static_cast<unsigned char>(byte) >> 4];
        name += digits[byte & 15];
    }
    return name;
}

void ServerTest::SetUp()
{
    if (!ServerInstalled()) {
        GTEST_SKIP() << Facts().kind << ": the server is not installed";
    }
}

std::vector<group_answer> ServerTest::RunBeside(Harness &harness, const std::function<void()> &deed)
{
    EXPECT_EQ(harness.Run(Cancel("warm", 50)).how, TERCET_HOW_EMPTY);
    harness.handler = [&harness, deed](const group_request &request, tercet_bytes, group_answer &) {
        const tercet_verdict verdict = harness.LeaveEffect(request);
        if (request.number.number == 2) {
            deed();
        }
        return verdict;
    };
    const auto answers = harness.Run({Try("a", 1), Try("b", 2), Try("c", 3)});
    harness.handler = nullptr;
    EXPECT_EQ(answers[0].verdict, TERCET_VERDICT_DONE);
    EXPECT_EQ(answers[2].verdict, TERCET_VERDICT_DONE);
    EXPECT_EQ(harness.Effects("a", 1, TERCET_PHASE_TRY), 1);
    EXPECT_EQ(harness.Effects("c", 1, TERCET_PHASE_TRY), 1);
    return answers;
}

namespace
{

// Before any test: a child of one that started it would take it along when it is killed.
class ServerIsThere : public testing::Environment
{
    void SetUp() override
    {
        if (ServerInstalled()) {
            Server();
        }
    }
};

const testing::Environment *const environment =
    testing::AddGlobalTestEnvironment(new ServerIsThere);

} // namespace

// The other levels' own part is in the races; in a long run, everything.
std::vector<std::string> AllKinds()
{
    return getenv("TERCET_RACES") == nullptr ? DurableKinds() : SharedKinds();
}

std::vector<std::string> DurableKinds()
{
    return ServerInstalled() ? std::vector<std::string>{Facts().kind} : std::vector<std::string>();
}

std::vector<std::string> SharedKinds()
{
    std::vector<std::string> kinds = DurableKinds();
    if (!kinds.empty()) {
        kinds.push_back(kinds[0] + "_repeatable_read");
        kinds.push_back(kinds[0] + "_serializable");
    }
    return kinds;
}

} // namespace fence_test
