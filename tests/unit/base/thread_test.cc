// A thread of ours, as the process and an operator see it.
#include <gtest/gtest.h>

#include <pthread.h>
#include <signal.h>

#include <string>

#include "base/thread.h"

namespace
{

struct Seen {
    char name[16];
    sigset_t blocked;
    bool ours;
};

void *Look(void *argument)
{
    auto *seen = static_cast<Seen *>(argument);
    // Its name is given by whoever started it, perhaps a moment later.
    do {
        EXPECT_EQ(pthread_getname_np(pthread_self(), seen->name, sizeof seen->name), 0);
    } while (std::string(seen->name) != "a-name-of-15-by");
    EXPECT_EQ(pthread_sigmask(SIG_SETMASK, nullptr, &seen->blocked), 0);
    seen->ours = thread_is_ours();
    return nullptr;
}

TEST(Thread, HasItsNameAndRunsNoHandlerOfTheCallers)
{
    Seen seen = {};
    sigset_t before;
    sigset_t after;
    pthread_t thread;
    ASSERT_EQ(pthread_sigmask(SIG_SETMASK, nullptr, &before), 0);
    thread_start(&thread, "a-name-of-15-by", Look, &seen);
    ASSERT_EQ(pthread_join(thread, nullptr), 0);
    for (const int signal : {SIGTERM, SIGINT, SIGCHLD, SIGUSR1}) {
        EXPECT_EQ(sigismember(&seen.blocked, signal), 1) << signal;
    }
    EXPECT_TRUE(seen.ours);
    EXPECT_FALSE(thread_is_ours());
    ASSERT_EQ(pthread_sigmask(SIG_SETMASK, nullptr, &after), 0);
    EXPECT_EQ(sigismember(&before, SIGTERM), sigismember(&after, SIGTERM)) << "the caller's stay";
}

} // namespace
