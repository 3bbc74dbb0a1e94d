// A participant with two instances: each seat has a connection, an acquaintance and a stream of its own,
// and what its database has stored is known of both.
#include <gtest/gtest.h>

#include "unit/edge/edge_work.h"

namespace
{

// One instance of two over the same database, which counts its branches.
class Instance
{
  public:
    explicit Instance(const std::string &address, FakeWork *work = nullptr)
        : participant_(
              address,
              [this](struct rpc_unary *call, const Tercet__V1__BranchRequest *request) {
                  branches++;
                  told_mark =
                      request->context->mark == nullptr ? 0 : request->context->mark->as_of_lsn;
                  Reply(call, [&](Tercet__V1__BranchReply *reply) {
                      reply->mark_incarnation = EdgeWorld::kIncarnation;
                      reply->mark_lsn = acknowledges;
                  });
              },
              [this](struct rpc_unary *call, const Tercet__V1__DescribeRequest *) {
                  Describe(call);
              },
              work == nullptr ? FakeParticipant::WorkHandler()
                              : [work](struct rpc_duplex *duplex) { work->Serve(duplex); })
    {
    }
    std::string Address() const
    {
        return participant_.Address();
    }

    std::atomic<int> branches{0};
    std::atomic<int> probes{0};
    std::atomic<int64_t> told_mark{0};
    std::atomic<int64_t> acknowledges{0};

  private:
    void Describe(struct rpc_unary *call)
    {
        uint8_t id[16] = {7};
        Tercet__V1__Mark mark = TERCET__V1__MARK__INIT;
        mark.as_of_incarnation = EdgeWorld::kIncarnation;
        mark.as_of_lsn = acknowledges;
        Tercet__V1__StoreDescription told = TERCET__V1__STORE_DESCRIPTION__INIT;
        told.store_id = {sizeof id, id};
        told.mark = &mark;
        Tercet__V1__StoreDescription *stores[] = {&told};
        Tercet__V1__DescribeReply reply = TERCET__V1__DESCRIBE_REPLY__INIT;
        reply.n_stores = 1;
        reply.stores = stores;
        probes++;
        rpc_unary_reply(call, &reply.base);
    }

    FakeParticipant participant_;
};

using Targets = std::vector<std::string>;

TEST(EdgeSeat, EachIsMetAloneAndABranchGoesWhereItsOrderSays)
{
    Instance first("127.0.0.1:0");
    Instance second("127.0.0.1:0");
    EdgeWorld world(Targets{first.Address(), second.Address()});
    world.connects_first = false;
    EXPECT_EQ(world.ProbeAndWait().seat, 0U);
    EXPECT_EQ(world.SendAndWait().answer, ANSWER_REPLY);
    world.seat = 1;
    EXPECT_EQ(world.SendAndWait().answer, ANSWER_UNREACHABLE) << "nobody has told who is there";
    const Told told = world.ProbeAndWait();
    EXPECT_TRUE(told.reachable);
    EXPECT_EQ(told.seat, 1U);
    EXPECT_EQ(world.SendAndWait().answer, ANSWER_REPLY);
    EXPECT_EQ(first.branches, 1);
    EXPECT_EQ(second.branches, 1);
    EXPECT_EQ(first.probes, 1);
    EXPECT_EQ(second.probes, 1);
}

TEST(EdgeSeat, AMarkThatIsStoredIsKnownOfAllInstancesForTheyShareTheDatabase)
{
    Instance first("127.0.0.1:0");
    Instance second("127.0.0.1:0");
    EdgeWorld world(Targets{first.Address(), second.Address()});
    world.connects_first = false;
    world.mark.as_of = {EdgeWorld::kIncarnation, 90};
    world.mark.low = {EdgeWorld::kIncarnation, 1};
    for (const uint32_t seat : {0U, 1U}) {
        world.seat = seat;
        EXPECT_TRUE(world.ProbeAndWait().reachable);
    }
    first.acknowledges = 90;
    world.seat = 0;
    world.SendAndWait();
    EXPECT_EQ(first.told_mark, 90);
    second.told_mark = -1;
    world.seat = 1;
    world.SendAndWait();
    EXPECT_EQ(second.told_mark, 0) << "it is acknowledged";
    second.acknowledges = 40; // the database has gone back
    EXPECT_TRUE(world.ProbeAndWait().reachable);
    first.acknowledges = 0;
    world.seat = 0;
    world.SendAndWait();
    EXPECT_EQ(first.told_mark, 90) << "whoever showed it";
}

TEST(EdgeSeat, OneThatIsGoneTakesNoOtherWithItAndTheLogNamesIt)
{
    LogCapture log;
    const std::string address = FreeTcpAddress();
    auto first = std::make_unique<Instance>(address);
    Instance second("127.0.0.1:0");
    EdgeWorld world(Targets{address, second.Address()});
    world.connects_first = false;
    for (const uint32_t seat : {0U, 1U}) {
        world.seat = seat;
        EXPECT_TRUE(world.ProbeAndWait().reachable);
    }
    EXPECT_EQ(log.Text(), "");
    first.reset();
    world.seat = 0;
    while (world.SendAndWait().answer != ANSWER_UNREACHABLE) { // until its end has been heard of
    }
    EXPECT_FALSE(world.ProbeAndWait(100).reachable);
    EXPECT_FALSE(world.ProbeAndWait(100).reachable);
    world.seat = 1;
    EXPECT_EQ(world.SendAndWait().answer, ANSWER_REPLY);
    const std::string told = log.Text();
    EXPECT_NE(told.find("participant.silent participant=account target=" + address),
              std::string::npos)
        << told;
    EXPECT_EQ(told.find("silent", told.find("silent") + 1), std::string::npos) << "once: " << told;
    first = std::make_unique<Instance>(address);
    world.seat = 0;
    while (!world.ProbeAndWait().reachable) {
    }
    EXPECT_NE(log.Text().find("participant.answers participant=account target=" + address),
              std::string::npos)
        << log.Text();
}

TEST(EdgeSeat, RowsAreAskedForBySeatsThatAreMet)
{
    Instance second("127.0.0.1:0");
    EdgeWorld world(Targets{FreeTcpAddress(), second.Address()});
    world.connects_first = false;
    EXPECT_FALSE(world.InspectAndWait().reachable) << "none is met, and nobody is at the first";
    world.seat = 1;
    EXPECT_TRUE(world.ProbeAndWait().reachable);
    for (int i = 0; i < 3; i++) {
        EXPECT_TRUE(world.InspectAndWait().reachable);
    }
}

TEST(EdgeSeat, WhoDoesNotTellItsRowsIsNotAskedTwiceInARow)
{
    LogCapture log;
    Instance first("127.0.0.1:0");
    Instance second("127.0.0.1:0");
    EdgeWorld world(Targets{first.Address(), second.Address()});
    world.connects_first = false;
    for (const uint32_t seat : {0U, 1U}) {
        world.seat = seat;
        EXPECT_TRUE(world.ProbeAndWait().reachable);
    }
    (void)world.InspectAndWait();
    EXPECT_NE(log.Text().find(first.Address()), std::string::npos) << log.Text();
    EXPECT_EQ(log.Text().find(second.Address()), std::string::npos);
    (void)world.InspectAndWait();
    EXPECT_NE(log.Text().find(second.Address()), std::string::npos) << log.Text();
}

TEST(EdgeSeat, AParticipantThatIsHeldHasNoStreamThatGoesOn)
{
    FakeWork first_work(0); // never speaks: its stream goes on opening
    FakeWork second_work(0);
    FakeWork *works[] = {&first_work, &second_work};
    Instance first("127.0.0.1:0", &first_work);
    Instance second("127.0.0.1:0", &second_work);
    EdgeWorld world(Targets{first.Address(), second.Address()});
    world.connects_first = false;
    for (const uint32_t seat : {0U, 1U}) {
        world.seat = seat;
        EXPECT_TRUE(world.ProbeAndWait().reachable);
        EXPECT_EQ(world.SendAndWait().answer, ANSWER_REPLY) << "and a stream begins to open";
        EXPECT_TRUE(works[seat]->AwaitStreams(1));
    }
    edge_hold(world.edge, 0);
    for (FakeWork *work : works) {
        EXPECT_TRUE(work->AwaitGone());
    }
}

} // namespace
