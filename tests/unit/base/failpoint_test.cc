// Failpoints, each in a child process: they are read from the environment once.
#ifndef TERCET_FAILPOINTS
#define TERCET_FAILPOINTS
#endif
#include "base/failpoint.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>

namespace
{

using ::testing::ExitedWithCode;
using ::testing::KilledBySignal;

// Runs in the child: hits "x" so many times and exits with a digit per hit,
// base 2, highest first.
[[noreturn]] void Hit(const char *specification, int times)
{
    setenv("TERCET_FAILPOINTS", specification, 1);
    int code = 0;
    for (int i = 0; i < times; i++) {
        code = 2 * code + (TERCET_FAILPOINT_FAILS("x") ? 1 : 0);
    }
    _exit(code);
}

TEST(FailpointDeathTest, NothingHappensWithoutAnEntry)
{
    EXPECT_EXIT(Hit("", 3), ExitedWithCode(0), "");
    EXPECT_EXIT(Hit("other=kill", 3), ExitedWithCode(0), "");
    EXPECT_EXIT(Hit("xx=kill;y=kill", 3), ExitedWithCode(0), "");
    EXPECT_EXIT(Hit("x=off", 3), ExitedWithCode(0), "");
}

TEST(FailpointDeathTest, KillIsASignalThatNoOneCanCatch)
{
    EXPECT_EXIT(Hit("x=kill", 1), KilledBySignal(SIGKILL), "");
    EXPECT_EXIT(Hit("a=off;x=kill", 1), KilledBySignal(SIGKILL), "");
}

TEST(FailpointDeathTest, ExitLeavesWithItsCode)
{
    EXPECT_EXIT(Hit("x=exit:74", 1), ExitedWithCode(74), "");
    EXPECT_EXIT(Hit("x=exit:0", 1), ExitedWithCode(0), "");
}

TEST(FailpointDeathTest, FailMakesTheMacroTrue)
{
    EXPECT_EXIT(Hit("x=fail", 3), ExitedWithCode(7), "");
}

TEST(FailpointDeathTest, CountsApplyInOrderAndThenItIsOff)
{
    EXPECT_EXIT(Hit("x=3*off->kill", 3), ExitedWithCode(0), "");
    EXPECT_EXIT(Hit("x=3*off->kill", 4), KilledBySignal(SIGKILL), "");
    EXPECT_EXIT(Hit("x=1*off->2*fail", 5), ExitedWithCode(12), "");
    EXPECT_EXIT(Hit("x=1*fail->1*off->fail", 4), ExitedWithCode(11), "");
}

TEST(FailpointDeathTest, PauseLastsUntilTheFileIsThere)
{
    std::string path = ::testing::TempDir() + "tercet_failpoint_" + std::to_string(getpid());
    (void)unlink(path.c_str());
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
        Hit(("x=pause:" + path).c_str(), 1);
    }
    usleep(50000);
    int status = 0;
    EXPECT_EQ(waitpid(child, &status, WNOHANG), 0) << "it must still be waiting";
    close(open(path.c_str(), O_CREAT | O_WRONLY, 0600));
    EXPECT_EQ(waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    (void)unlink(path.c_str());
}

TEST(FailpointDeathTest, AMalformedSpecificationEndsTheProcessWithALine)
{
    for (const char *specification :
         {"x",       "=kill",      "x=",        "x=explode",  "x=kil",   "x=killed", "x=3*",
          "x=*kill", "x=-1*kill",  "x=a*kill",  "x=2kill",    "x=off->", "x=->kill", "x=exit",
          "x=exit:", "x=exit:abc", "x=exit:1x", "x=exit:256", "x=pause", "x=pause:"}) {
        EXPECT_EXIT(Hit(specification, 1), ExitedWithCode(64), "TERCET_FAILPOINTS: cannot read")
            << specification;
    }
}

std::string ReadFile(const std::string &path)
{
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

TEST(FailpointDeathTest, EveryProcessNotesEachNameOnceAndBeforeItsAction)
{
    const std::string path = ::testing::TempDir() + "tercet_hits_" + std::to_string(getpid());
    (void)unlink(path.c_str());
    setenv("TERCET_FAILPOINT_HITS", path.c_str(), 1);
    EXPECT_EXIT(Hit("", 3), ExitedWithCode(0), "");
    EXPECT_EQ(ReadFile(path), "x\n") << "once, though it was reached three times";
    EXPECT_EXIT(Hit("x=kill", 1), KilledBySignal(SIGKILL), "");
    EXPECT_EQ(ReadFile(path), "x\nx\n") << "a killed process had noted it before";
    EXPECT_EXIT(Hit("y=kill", 0), ExitedWithCode(0), "");
    EXPECT_EQ(ReadFile(path), "x\nx\n") << "what is armed and not reached is not noted";
    (void)unlink(path.c_str());
    setenv("TERCET_FAILPOINT_HITS", "/nowhere/at/all", 1);
    EXPECT_EXIT(Hit("", 1), ExitedWithCode(64), "TERCET_FAILPOINT_HITS: cannot write");
    unsetenv("TERCET_FAILPOINT_HITS");
}

} // namespace
