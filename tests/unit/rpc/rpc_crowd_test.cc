/* Who polls, and when. */
#include "rpc_fixture.h"

#include <set>

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
    bool IsCalled()
    {
        const Clock::time_point start = Clock::now();
        while (!rpc_crowd_is_called(crowd_)) {
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
    std::thread::id thread;

    explicit Told(struct crowd_events *events, Gate *gate = nullptr) : until(gate)
    {
        crowd_events_make(events, Run, this);
    }
    static void Run(void *context)
    {
        Told *told = static_cast<Told *>(context);
        told->on_poller = rpc_crowd_is_poller();
        told->thread = std::this_thread::get_id();
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
    std::set<std::thread::id> threads;
    for (int i = 0; i < 100; i++) {
        Told told(events_);
        ASSERT_TRUE(told.over.Wait());
        EXPECT_TRUE(told.on_poller);
        threads.insert(told.thread);
    }
    if (!rpc_crowd_is_called(crowd_)) { /* a machine with much else to do may keep one waiting */
        EXPECT_EQ(threads.size(), 1U);
    }
}

TEST_F(RpcCrowd, OthersComeWhenOneDoesNotComeBack)
{
    Gate gate;
    Told stays(events_, &gate);
    ASSERT_TRUE(stays.run.Wait());
    Told told(events_);
    EXPECT_TRUE(told.over.Wait()) << "somebody else polls";
    EXPECT_TRUE(IsCalled());
    gate.Open();
    EXPECT_TRUE(stays.over.Wait());
}

TEST_F(RpcCrowd, OthersComeWhenOneIsBusyAllTheTime)
{
    Endless endless;
    endless.events = events_;
    crowd_events_make(events_, Endless::Run, &endless);
    EXPECT_TRUE(IsCalled());
    endless.enough = true;
    EXPECT_TRUE(endless.over.Wait());
}

TEST_F(RpcCrowd, AWardenThatSleepsIsWokenByAnEvent)
{
    std::this_thread::sleep_for(std::chrono::milliseconds(1500)); /* longer than it stays awake */
    Gate gate;
    Told stays(events_, &gate);
    ASSERT_TRUE(stays.run.Wait());
    EXPECT_TRUE(IsCalled());
    gate.Open();
    EXPECT_TRUE(stays.over.Wait());
}

/* The warden's mind, without a clock: `count` looks of this kind; whether the others are called then. */
bool After(struct rpc_crowd_mind *mind, int count, int first_percent, int all_percent,
           bool stuck = false)
{
    for (int i = 0; i < count; i++) {
        const struct rpc_crowd_look look = {first_percent, all_percent, stuck};
        rpc_crowd_judge(mind, &look);
    }
    return mind->called;
}

TEST(RpcCrowdMind, CallsAtOneBusyLookAndLetsGoAfterFiveCalmSeconds)
{
    struct rpc_crowd_mind mind = {};
    EXPECT_FALSE(After(&mind, 1000, 79, 79));
    EXPECT_TRUE(After(&mind, 1, 80, 80));
    EXPECT_TRUE(After(&mind, 249, 10, 40));
    EXPECT_FALSE(After(&mind, 1, 10, 40));
    EXPECT_TRUE(After(&mind, 1, 0, 0, true)) << "stuck";
}

TEST(RpcCrowdMind, KeepsThemWhileAllTogetherWantMoreThanOneShould)
{
    struct rpc_crowd_mind mind = {};
    EXPECT_TRUE(After(&mind, 1, 100, 100));
    EXPECT_TRUE(After(&mind, 10000, 20, 60));
    EXPECT_FALSE(After(&mind, 500, 20, 40));
}

TEST(RpcCrowdMind, KeepsThemThroughWavesAndNotForALookNowAndThen)
{
    struct rpc_crowd_mind mind = {};
    for (int wave = 0; wave < 60; wave++) {
        EXPECT_TRUE(After(&mind, 2, 100, 100));
        EXPECT_TRUE(After(&mind, 48, 1, 1));
    }
    mind = {};
    EXPECT_TRUE(After(&mind, 1, 100, 100));
    EXPECT_TRUE(After(&mind, 5, 100, 100));
    EXPECT_FALSE(After(&mind, 245, 1, 1));
}

TEST(RpcCrowdMind, SleepsWhenNothingIsToBeSeenForASecondAndNobodyIsCalled)
{
    struct rpc_crowd_mind mind = {};
    EXPECT_FALSE(After(&mind, 49, 0, 0));
    EXPECT_FALSE(mind.may_sleep);
    EXPECT_FALSE(After(&mind, 1, 0, 0));
    EXPECT_TRUE(mind.may_sleep);
    EXPECT_FALSE(After(&mind, 1, 1, 1));
    EXPECT_FALSE(mind.may_sleep);
    EXPECT_TRUE(After(&mind, 1, 90, 90));
    EXPECT_TRUE(After(&mind, 100, 0, 0));
    EXPECT_FALSE(mind.may_sleep) << "first they go";
    EXPECT_FALSE(After(&mind, 200, 0, 0));
    EXPECT_TRUE(mind.may_sleep);
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
