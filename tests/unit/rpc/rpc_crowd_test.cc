/* Who polls, and when. */
#include "rpc_fixture.h"

#include "crowd_events.h"

extern "C" {
#include "base/thread_meter.h"
}

namespace
{

class RpcCrowd : public ::testing::Test
{
  protected:
    void SetUp() override
    {
        events_ = crowd_events_create();
        crowd_ = rpc_crowd_create(crowd_events_queue(events_), 4);
    }
    void TearDown() override
    {
        crowd_events_shutdown(events_);
        rpc_crowd_destroy(crowd_);
        crowd_events_destroy(events_);
    }
    bool Becomes(bool called)
    {
        const Clock::time_point start = Clock::now();
        while (rpc_crowd_is_called(crowd_) != called) {
            if (MsSince(start) > 10000) {
                return false;
            }
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
        }
        return true;
    }

    struct crowd_events *events_ = nullptr;
    struct rpc_crowd *crowd_ = nullptr;
};

/* An event that is over at once, or when `until` opens. */
struct Told {
    Gate run;
    Gate over;
    Gate *until;
    bool on_poller = false;

    explicit Told(struct crowd_events *events, Gate *gate = nullptr) : until(gate)
    {
        crowd_events_make(events, Run, this);
    }
    static void Run(void *context)
    {
        Told *told = static_cast<Told *>(context);
        told->on_poller = rpc_crowd_is_poller();
        told->run.Open();
        if (told->until != nullptr) {
            (void)told->until->Wait();
        }
        told->over.Open();
    }
};

/* Each event makes the next: one poller is busy all the time, and never for long at one of them. */
struct Endless {
    struct crowd_events *events = nullptr;
    std::atomic<bool> enough{false};
    Gate over;

    static void Run(void *context)
    {
        Endless *endless = static_cast<Endless *>(context);
        const Clock::time_point start = Clock::now();
        while (MsSince(start) < 2) {
        }
        if (endless->enough) {
            endless->over.Open();
        } else {
            crowd_events_make(endless->events, Run, endless);
        }
    }
};

} // namespace

TEST_F(RpcCrowd, OneIsEnoughForEventsNowAndThen)
{
    EXPECT_FALSE(rpc_crowd_is_poller());
    for (int i = 0; i < 100; i++) {
        Told told(events_);
        ASSERT_TRUE(told.over.Wait());
        EXPECT_TRUE(told.on_poller);
    }
    EXPECT_FALSE(rpc_crowd_is_called(crowd_));
}

TEST_F(RpcCrowd, OthersComeWhenOneDoesNotComeBackAndGoAgain)
{
    Gate gate;
    Told stays(events_, &gate);
    ASSERT_TRUE(stays.run.Wait());
    Told told(events_);
    EXPECT_TRUE(told.over.Wait()) << "somebody else polls";
    EXPECT_TRUE(Becomes(true));
    gate.Open();
    EXPECT_TRUE(stays.over.Wait());
    EXPECT_TRUE(Becomes(false));
}

TEST_F(RpcCrowd, OthersComeWhenOneIsBusyAllTheTime)
{
    Endless endless;
    endless.events = events_;
    crowd_events_make(events_, Endless::Run, &endless);
    EXPECT_TRUE(Becomes(true));
    endless.enough = true;
    EXPECT_TRUE(endless.over.Wait());
}

TEST_F(RpcCrowd, AWardenThatSleepsIsWokenByAnEvent)
{
    std::this_thread::sleep_for(std::chrono::milliseconds(1500)); /* longer than it stays awake */
    Gate gate;
    Told stays(events_, &gate);
    ASSERT_TRUE(stays.run.Wait());
    EXPECT_TRUE(Becomes(true));
    gate.Open();
    EXPECT_TRUE(stays.over.Wait());
}

TEST(ThreadMeter, CountsWhatAThreadWantsAndNotWhatItSleeps)
{
    struct thread_meter meter;
    thread_meter_open(&meter);
    const int64_t before = thread_meter_ns(&meter);
    ASSERT_GE(before, 0) << "this kernel does not tell";
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    const int64_t slept = thread_meter_ns(&meter);
    const Clock::time_point start = Clock::now();
    while (MsSince(start) < 100) {
    }
    const int64_t ran = thread_meter_ns(&meter);
    EXPECT_LT(slept - before, 40 * 1000 * 1000);
    EXPECT_GT(ran - slept, 60 * 1000 * 1000);
    thread_meter_close(&meter);
    EXPECT_EQ(thread_meter_ns(&meter), -1);
    thread_meter_close(&meter);
}
