// Connections that break, participants that come back, and the end.
#include <gtest/gtest.h>

#include <chrono>
#include <set>
#include <thread>

#include "unit/edge/edge_world.h"

namespace
{

using Clock = std::chrono::steady_clock;

int64_t MsSince(Clock::time_point start)
{
    return std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - start).count();
}

// Calls that a participant has taken and does not answer.
class Held
{
  public:
    void Add(struct rpc_unary *call)
    {
        std::lock_guard<std::mutex> lock(mutex_);
        calls_.push_back(call);
        changed_.notify_all();
    }
    bool WaitFor(size_t count)
    {
        std::unique_lock<std::mutex> lock(mutex_);
        return changed_.wait_for(lock, std::chrono::seconds(10),
                                 [&] { return calls_.size() >= count; });
    }
    void FailAll()
    {
        std::lock_guard<std::mutex> lock(mutex_);
        for (struct rpc_unary *call : calls_) {
            rpc_unary_fail(call, TERCET_ABORTED, "the test is over", nullptr);
        }
        calls_.clear();
    }

  private:
    std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<struct rpc_unary *> calls_;
};

TEST(EdgeLife, StopEndsEveryCallInFlightAndEachIsTold)
{
    Held held;
    FakeParticipant participant(
        "127.0.0.1:0",
        [&](struct rpc_unary *call, const Tercet__V1__BranchRequest *) { held.Add(call); });
    EdgeWorld world(participant.Address());
    for (int i = 0; i < 50; i++) {
        world.Send(world.Branch(TERCET_PHASE_CONFIRM), TERCET_PHASE_CONFIRM, 60000);
    }
    ASSERT_TRUE(held.WaitFor(50));
    const auto start = Clock::now();
    edge_stop(world.edge);
    EXPECT_LE(MsSince(start), 3000);
    std::set<struct branch *> told;
    for (const Told &event : world.Take(0)) {
        EXPECT_EQ(event.answer, ANSWER_UNKNOWN);
        EXPECT_TRUE(told.insert(event.branch).second);
    }
    EXPECT_EQ(told.size(), 50U);
    held.FailAll();
}

TEST(EdgeLife, CallsThatEndAfterTheInboxWasClosedLoseNothing)
{
    Held held;
    FakeParticipant participant(
        "127.0.0.1:0",
        [&](struct rpc_unary *call, const Tercet__V1__BranchRequest *) { held.Add(call); });
    EdgeWorld world(participant.Address());
    struct branch *branch = world.Branch(TERCET_PHASE_CANCEL);
    for (int i = 0; i < 20; i++) {
        world.Send(branch, TERCET_PHASE_CANCEL, 60000);
    }
    ASSERT_TRUE(held.WaitFor(20));
    inbox_close(&world.inbox);
    edge_stop(world.edge);
    EXPECT_EQ(branch->refs, 21U) << "only the loop's thread drops references";
    edge_destroy(world.edge);
    world.edge = nullptr;
    EXPECT_EQ(branch->refs, 1U);
    held.FailAll();
}

TEST(EdgeLife, CallsUnderWayWhenTheParticipantDiesMayHaveHappened)
{
    Held held;
    FakeParticipant participant(
        "127.0.0.1:0",
        [&](struct rpc_unary *call, const Tercet__V1__BranchRequest *) { held.Add(call); });
    EdgeWorld world(participant.Address());
    for (int i = 0; i < 10; i++) {
        world.Send(world.Branch(TERCET_PHASE_TRY), TERCET_PHASE_TRY, 60000);
    }
    ASSERT_TRUE(held.WaitFor(10));
    participant.Stop();
    for (int i = 0; i < 10; i++) {
        EXPECT_EQ(world.Next().answer, ANSWER_UNKNOWN);
    }
    held.FailAll();
}

TEST(EdgeLife, ATargetThatMakesNoSenseNamesItsParticipant)
{
    struct directory directory;
    directory_init(&directory);
    struct directory_entry entry = {};
    char target[] = "192.0.2.1:7000"; // plaintext beyond loopback
    snprintf(entry.name, sizeof entry.name, "points");
    entry.targets[0] = target;
    entry.target_count = 1;
    ASSERT_EQ(directory_add(&directory, &entry), TERCET_OK);
    struct rpc_runtime *runtime = rpc_runtime_create(nullptr);
    struct edge_options options = {};
    options.runtime = runtime;
    options.directory = &directory;
    struct edge *edge = nullptr;
    struct tercet_error error = {};
    EXPECT_EQ(edge_create(&options, &edge, &error), TERCET_INVALID_ARGUMENT);
    EXPECT_EQ(edge, nullptr);
    EXPECT_EQ(std::string(error.text).rfind("participant points: ", 0), 0U) << error.text;
    rpc_runtime_destroy(runtime);
    directory_deinit(&directory);
}

TEST(EdgeLife, ManyCallsAtOnceEachEndOnce)
{
    FakeParticipant participant(
        "127.0.0.1:0",
        [](struct rpc_unary *call, const Tercet__V1__BranchRequest *) { ReplyDone(call); });
    EdgeWorld world(participant.Address());
    std::set<struct branch *> told;
    for (int i = 0; i < 3000; i++) {
        world.Send(world.Branch(TERCET_PHASE_TRY), TERCET_PHASE_TRY);
    }
    while (told.size() < 3000) {
        const Told event = world.Next();
        ASSERT_EQ(event.verdict, TERCET_VERDICT_DONE) << event.text;
        ASSERT_TRUE(told.insert(event.branch).second);
    }
    EXPECT_TRUE(world.Take(0).empty());
}

// Dispatch and edge together, as the loop joins them.
class LoopOfTwo
{
  public:
    explicit LoopOfTwo(EdgeWorld *world) : world_(world)
    {
        struct dispatch_options options = {};
        options.directory = &world->directory;
        options.seed = 5;
        dispatch_ = dispatch_create(&options);
    }
    ~LoopOfTwo()
    {
        dispatch_destroy(dispatch_);
    }

    void Call(struct branch *branch)
    {
        dispatch_call(dispatch_, branch_ref(branch), branch->asked, 0, clock_read());
    }

    // Turns until the branch is answered, or so long.
    bool RunUntilDone(struct branch *branch, int64_t most_ms)
    {
        const auto start = Clock::now();
        while (branch->asked != 0 && MsSince(start) < most_ms) {
            Turn();
        }
        return branch->asked == 0;
    }

    enum circuit Circuit() const
    {
        struct dispatch_stats stats;
        dispatch_read_stats(dispatch_, 0, &stats);
        return stats.circuit;
    }

    int calls = 0;

  private:
    void Turn()
    {
        struct orders orders;
        orders_init(&orders);
        dispatch_step(dispatch_, clock_read(), &orders);
        for (size_t i = 0; i < orders.count; i++) {
            struct order *order = &orders.items[i];
            if (order->kind == ORDER_SEND || order->kind == ORDER_PROBE) {
                calls += order->kind == ORDER_SEND ? 1 : 0;
                edge_carry_out(world_->edge, order, &world_->mark, clock_boot_ms());
                order->branch = nullptr;
            }
        }
        orders_deinit(&orders);
        struct list_node events;
        list_init(&events);
        inbox_take_all(&world_->inbox, 10, &events);
        while (!list_is_empty(&events)) {
            struct event *event = container_of(list_pop_front(&events), struct event, link);
            On(event);
            event_destroy(event);
        }
    }

    void On(const struct event *event)
    {
        if (event->kind == EVENT_PROBED) {
            dispatch_probed(dispatch_, 0, event->u.probed.seat,
                            event->u.probed.reachable ? PROBE_DESCRIBED : PROBE_UNANSWERED,
                            clock_read());
            return;
        }
        const struct answer &answer = event->u.answer;
        dispatch_answered(dispatch_, &answer, clock_read());
        if (answer.kind == ANSWER_REPLY) {
            answer.branch->asked = static_cast<enum tercet_phase>(0);
        } else {
            Call(answer.branch);
        }
    }

    EdgeWorld *world_;
    struct dispatch *dispatch_;
};

class RestartTest : public testing::TestWithParam<bool>
{
};

TEST_P(RestartTest, AParticipantThatIsBackIsConfirmedWithinASecond)
{
    const std::string address = GetParam() ? FreeUnixAddress() : FreeTcpAddress();
    const auto done = [](struct rpc_unary *call, const Tercet__V1__BranchRequest *) {
        ReplyDone(call);
    };
    const auto describe = [](struct rpc_unary *call, const Tercet__V1__DescribeRequest *) {
        Tercet__V1__DescribeReply reply = TERCET__V1__DESCRIBE_REPLY__INIT;
        rpc_unary_reply(call, &reply.base);
    };
    auto participant = std::make_unique<FakeParticipant>(address, done, describe);
    EdgeWorld world(address);
    LoopOfTwo loop(&world);
    struct branch *first = world.Branch(TERCET_PHASE_CONFIRM);
    loop.Call(first);
    ASSERT_TRUE(loop.RunUntilDone(first, 5000));

    for (const int64_t down_ms : {50, 700, 2300}) {
        participant.reset();
        struct branch *branch = world.Branch(TERCET_PHASE_CONFIRM);
        const int calls = loop.calls;
        loop.Call(branch);
        EXPECT_FALSE(loop.RunUntilDone(branch, down_ms));
        EXPECT_EQ(loop.Circuit(), CIRCUIT_OPEN);
        EXPECT_LE(loop.calls - calls, 3) << "parked, not hammered";
        participant = std::make_unique<FakeParticipant>(address, done, describe);
        const auto back = Clock::now();
        EXPECT_TRUE(loop.RunUntilDone(branch, 5000));
        EXPECT_LE(MsSince(back), 1000) << "down for " << down_ms << " ms";
    }
}

std::string AddressName(const testing::TestParamInfo<bool> &is_unix)
{
    return is_unix.param ? "UnixSocket" : "Loopback";
}

INSTANTIATE_TEST_SUITE_P(Addresses, RestartTest, testing::Bool(), AddressName);

} // namespace
