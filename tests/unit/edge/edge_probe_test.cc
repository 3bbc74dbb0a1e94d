// Probes: who lives, who has seen another coordinator, and whose database is not what it was.
#include <gtest/gtest.h>

#include <chrono>
#include <cstring>

#include "unit/edge/edge_world.h"

namespace
{

void NoBranch(struct rpc_unary *call, const Tercet__V1__BranchRequest *)
{
    ReplyDone(call);
}

struct Store {
    std::string id = std::string(16, 'A');
    int64_t incarnation = EdgeWorld::kIncarnation;
    int64_t epoch = EdgeWorld::kEpoch;
    int64_t mark_lsn = 0;
};

void ReplyStore(struct rpc_unary *call, Store store, const char *name)
{
    Tercet__V1__Mark mark = TERCET__V1__MARK__INIT;
    mark.as_of_incarnation = EdgeWorld::kIncarnation;
    mark.as_of_lsn = store.mark_lsn;
    Tercet__V1__StoreDescription told = TERCET__V1__STORE_DESCRIPTION__INIT;
    told.store_id = {store.id.size(), reinterpret_cast<uint8_t *>(&store.id[0])};
    told.incarnation = store.incarnation;
    told.epoch = store.epoch;
    told.mark = store.mark_lsn == 0 ? nullptr : &mark;
    Tercet__V1__StoreDescription *stores[] = {&told};
    std::string participant = name;
    Tercet__V1__DescribeReply reply = TERCET__V1__DESCRIBE_REPLY__INIT;
    reply.participant = &participant[0];
    reply.n_stores = 1;
    reply.stores = stores;
    rpc_unary_reply(call, &reply.base);
}

class ProbeTest : public testing::Test
{
  protected:
    ProbeTest()
        : participant_(
              "127.0.0.1:0",
              [this](struct rpc_unary *call, const Tercet__V1__BranchRequest *request) {
                  told_mark_ =
                      request->context->mark == nullptr ? 0 : request->context->mark->as_of_lsn;
                  Reply(call, [&](Tercet__V1__BranchReply *reply) {
                      reply->mark_incarnation = EdgeWorld::kIncarnation;
                      reply->mark_lsn = acknowledges_;
                  });
              },
              [this](struct rpc_unary *call, const Tercet__V1__DescribeRequest *request) {
                  EXPECT_STREQ(request->context->participant, "account");
                  EXPECT_EQ(request->context->epoch, EdgeWorld::kEpoch);
                  EXPECT_EQ(request->context->mark, nullptr);
                  std::lock_guard<std::mutex> lock(mutex_);
                  ReplyStore(call, store_, name_);
              }),
          world_(participant_.Address())
    {
    }

    Told Probe(const Store &store)
    {
        {
            std::lock_guard<std::mutex> lock(mutex_);
            store_ = store;
        }
        return world_.ProbeAndWait();
    }

    std::mutex mutex_;
    Store store_;
    const char *name_ = "account";
    std::atomic<int64_t> acknowledges_{0};
    std::atomic<int64_t> told_mark_{0};
    LogCapture log_;
    FakeParticipant participant_;
    EdgeWorld world_;
};

TEST_F(ProbeTest, AParticipantThatDescribesItselfIsReachable)
{
    const Told told = Probe({});
    EXPECT_EQ(told.kind, EVENT_PROBED);
    EXPECT_TRUE(told.reachable);
    EXPECT_FALSE(told.fenced);
    EXPECT_EQ(log_.Text(), "");
}

TEST_F(ProbeTest, AStoreThatHasSeenAHigherEpochFencesUs)
{
    Store store;
    store.epoch++;
    EXPECT_TRUE(Probe(store).fenced);
    EXPECT_NE(log_.Text().find("participant.fenced participant=account"), std::string::npos);
}

TEST_F(ProbeTest, AStoreThatHasSeenAHigherIncarnationFencesUs)
{
    Store store;
    store.incarnation++;
    store.epoch = 1;
    EXPECT_TRUE(Probe(store).fenced);
}

TEST_F(ProbeTest, AStoreThatHasSeenAnEarlierLifeOfOursDoesNot)
{
    Store store;
    store.incarnation--;
    store.epoch = 1000;
    EXPECT_FALSE(Probe(store).fenced);
}

TEST_F(ProbeTest, WhatItsStoreTellsReachesTheEngine)
{
    Store store;
    store.mark_lsn = 40;
    const Told told = Probe(store);
    ASSERT_EQ(told.description.store_count, 1U);
    EXPECT_EQ(memcmp(told.description.stores[0].id, store.id.data(), 16), 0);
    EXPECT_EQ(told.description.stores[0].mark.number, 40);
}

TEST_F(ProbeTest, AMarkThatIsGoneIsSentAgain)
{
    world_.mark.as_of = {EdgeWorld::kIncarnation, 90};
    world_.mark.low = {EdgeWorld::kIncarnation, 1};
    Store store;
    store.mark_lsn = 90;
    acknowledges_ = 90;
    world_.SendAndWait();
    EXPECT_EQ(told_mark_, 90);
    Probe(store);
    world_.SendAndWait();
    EXPECT_EQ(told_mark_, 0) << "it is acknowledged";
    acknowledges_ = 0;
    store.mark_lsn = 40;
    Probe(store);
    world_.SendAndWait();
    EXPECT_EQ(told_mark_, 90);
    EXPECT_EQ(log_.Text(), "") << "whether that is a roll-back is the engine's to say";
}

TEST_F(ProbeTest, ADescribeTellsNoMarkBecauseItWouldHideWhatARestoredDatabaseHasLost)
{
    world_.mark.as_of = {EdgeWorld::kIncarnation, 90};
    world_.mark.low = {EdgeWorld::kIncarnation, 1};
    Store store;
    store.mark_lsn = 40;
    EXPECT_TRUE(Probe(store).reachable); /* the participant above looks at what it is told */
    world_.SendAndWait();
    EXPECT_EQ(told_mark_, 90) << "a branch tells it";
}

TEST_F(ProbeTest, ANewConnectionIsDescribedBeforeABranchGoesOverIt)
{
    EdgeWorld unconnected(participant_.Address());
    unconnected.connects_first = false;
    EXPECT_EQ(unconnected.SendAndWait().answer, ANSWER_UNREACHABLE);
    EXPECT_TRUE(unconnected.ProbeAndWait().reachable);
    EXPECT_EQ(unconnected.SendAndWait().answer, ANSWER_REPLY);
}

TEST(EdgeProbe, AConnectionThatAnotherCallHasMadeIsDescribedBeforeABranchGoesOverIt)
{
    const std::string address = FreeTcpAddress();
    auto first = std::make_unique<FakeParticipant>(address, NoBranch);
    EdgeWorld world(address);
    EXPECT_EQ(world.SendAndWait().answer, ANSWER_REPLY);
    first.reset();
    while (world.InspectAndWait().reachable) { // until its end has been heard of
    }
    const FakeParticipant second(address, NoBranch);
    while (!world.InspectAndWait().reachable) {
    }
    EXPECT_EQ(world.SendAndWait().answer, ANSWER_UNREACHABLE) << "it may have another database";
    EXPECT_TRUE(world.ProbeAndWait().reachable);
    EXPECT_EQ(world.SendAndWait().answer, ANSWER_REPLY);
}

// Its stores were taken for this one's, which was then held as soon as the address was right.
TEST_F(ProbeTest, AnotherNameAtItsAddressIsToldOnceAndNothingElseThatItTells)
{
    const std::string event = "participant.other_name participant=account";
    name_ = "points";
    for (int i = 0; i < 3; i++) {
        const Told told = Probe({});
        EXPECT_FALSE(told.reachable);
        EXPECT_EQ(told.description.store_count, 0U);
    }
    const std::string log = log_.Text();
    const size_t at = log.find(event);
    ASSERT_NE(at, std::string::npos) << log;
    EXPECT_EQ(log.find(event, at + 1), std::string::npos) << log;
    {
        std::lock_guard<std::mutex> lock(mutex_);
        name_ = "account";
    }
    EXPECT_EQ(Probe({}).description.store_count, 1U);
    EXPECT_EQ(world_.SendAndWait().answer, ANSWER_REPLY);
}

TEST(EdgeProbe, AParticipantThatDoesNotServeDescribeIsReachable)
{
    FakeParticipant participant("127.0.0.1:0", NoBranch);
    EdgeWorld world(participant.Address());
    const Told told = world.ProbeAndWait();
    EXPECT_TRUE(told.reachable);
    EXPECT_TRUE(told.not_served);
}

TEST(EdgeProbe, AnyStatusOfALivingServerIsReachableAndNoOther)
{
    std::atomic<int> status{0};
    FakeParticipant participant(
        "127.0.0.1:0", NoBranch, [&](struct rpc_unary *call, const Tercet__V1__DescribeRequest *) {
            rpc_unary_fail(call, static_cast<enum tercet_status>(status.load()), "no", nullptr);
        });
    EdgeWorld world(participant.Address());
    for (int i = 1; i <= TERCET_UNAUTHENTICATED; i++) {
        status = i;
        const bool dead =
            i == TERCET_UNAVAILABLE || i == TERCET_DEADLINE_EXCEEDED || i == TERCET_CALL_CANCELLED;
        const Told told = world.ProbeAndWait();
        EXPECT_EQ(told.reachable, !dead) << i;
        EXPECT_EQ(told.not_served, i == TERCET_UNIMPLEMENTED) << i;
    }
}

TEST(EdgeProbe, AnOldEpochFencesUs)
{
    FakeParticipant participant(
        "127.0.0.1:0", NoBranch, [&](struct rpc_unary *call, const Tercet__V1__DescribeRequest *) {
            rpc_unary_fail(call, TERCET_FAILED_PRECONDITION, "TERCET_OLD_EPOCH: ...", nullptr);
        });
    EdgeWorld world(participant.Address());
    EXPECT_TRUE(world.ProbeAndWait().fenced);
}

TEST(EdgeProbe, AGarbledDescriptionIsAliveAndFencesNobody)
{
    FakeParticipant participant("127.0.0.1:0", NoBranch,
                                [&](struct rpc_unary *call, const Tercet__V1__DescribeRequest *) {
                                    rpc_unary_reply_bytes(call, tercet_bytes_of("\xff\xff\xff", 3));
                                });
    EdgeWorld world(participant.Address());
    const Told told = world.ProbeAndWait();
    EXPECT_TRUE(told.reachable);
    EXPECT_FALSE(told.fenced);
}

TEST(EdgeProbe, AParticipantThatHangsOrIsNotThereIsNotReachableAfterItsTime)
{
    std::mutex mutex;
    std::vector<struct rpc_unary *> held;
    FakeParticipant participant("127.0.0.1:0", NoBranch,
                                [&](struct rpc_unary *call, const Tercet__V1__DescribeRequest *) {
                                    std::lock_guard<std::mutex> lock(mutex);
                                    held.push_back(call);
                                });
    EdgeWorld hanging(participant.Address());
    EXPECT_FALSE(hanging.ProbeAndWait(150).reachable);
    EdgeWorld absent(FreeTcpAddress());
    EXPECT_FALSE(absent.ProbeAndWait(150).reachable);
    std::lock_guard<std::mutex> lock(mutex);
    for (struct rpc_unary *call : held) {
        rpc_unary_fail(call, TERCET_ABORTED, "too late", nullptr);
    }
}

} // namespace
