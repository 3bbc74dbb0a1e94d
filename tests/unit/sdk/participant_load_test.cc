/* A served participant under duplicates, full queues and slow handlers. */
#include "unit/sdk/places.h"

namespace
{

class ParticipantLoad : public AtEveryPlace
{
};

INSTANTIATE_TEST_SUITE_P(Places, ParticipantLoad, testing::ValuesIn(kPlaces), PlaceName);

TEST_P(ParticipantLoad, ARequestRacedBySixtyFourThreadsRunsItsHandlerOnce)
{
    Served served(Options());
    for (const tercet_phase phase :
         {TERCET_PHASE_TRY, TERCET_PHASE_CONFIRM, TERCET_PHASE_CONFIRM}) {
        std::vector<std::thread> threads;
        std::vector<Told> answers(64);
        for (size_t i = 0; i < answers.size(); i++) {
            threads.emplace_back([&, i] {
                Ask ask;
                ask.phase = phase;
                ask.payload = "done:the-same";
                answers[i] = served.wire().Send(ask);
            });
        }
        for (std::thread &thread : threads) {
            thread.join();
        }
        for (const Told &told : answers) {
            EXPECT_EQ(told.status, TERCET_OK) << told.text;
            EXPECT_EQ(told.verdict, TERCET_VERDICT_DONE) << told.code << told.reason;
            EXPECT_EQ(told.result, phase == TERCET_PHASE_TRY ? "the-same" : "");
        }
    }
    EXPECT_EQ(served.handlers.Runs("gid-1/1/TRY"), 1);
    EXPECT_EQ(served.handlers.Runs("gid-1/1/CONFIRM"), 1);
    EXPECT_EQ(served.Stats().done, 192u);
    EXPECT_EQ(served.Stats().from_fence, 190u);
}

/* A request whose handler waits at the gate: what comes behind it is queued. */
rpc_call *StartBlocker(Served *served, Ask *ask)
{
    served->handlers.gate.Close();
    ask->gid = "first";
    ask->payload = "gate";
    rpc_call *call = served->wire().Start(*ask);
    served->handlers.gate.AwaitWaiting(1);
    return call;
}

TEST_P(ParticipantLoad, WhatWaitsSharesLocalTransactions)
{
    Served served(Options());
    Ask ask;
    std::vector<rpc_call *> calls = {StartBlocker(&served, &ask)};
    for (int i = 0; i < 60; i++) {
        ask.gid = "gid-" + std::to_string(i);
        ask.number = 100 + i;
        ask.payload = "done";
        calls.push_back(served.wire().Start(ask));
    }
    EXPECT_TRUE(Eventually([&] { return served.Stats().queued == 60; }));
    served.handlers.gate.Open();
    for (rpc_call *call : calls) {
        EXPECT_EQ(served.wire().Finish(call).verdict, TERCET_VERDICT_DONE);
    }
    EXPECT_LE(served.Stats().transactions, 20u);
    EXPECT_GE(served.Stats().transactions, 1u);
}

/* Goal: what one local transaction writes is bounded, however large payloads are. */
TEST_P(ParticipantLoad, ALocalTransactionIsClosedByItsPayloads)
{
    Served served(Options());
    Ask ask;
    std::vector<rpc_call *> calls = {StartBlocker(&served, &ask)};
    ask.payload = std::string("done\0", 5) + std::string(65000, 'x');
    for (int i = 0; i < 20; i++) {
        ask.gid = "gid-" + std::to_string(i);
        ask.number = 100 + i;
        calls.push_back(served.wire().Start(ask));
    }
    EXPECT_TRUE(Eventually([&] { return served.Stats().queued == 20; }));
    served.handlers.gate.Open();
    for (rpc_call *call : calls) {
        EXPECT_EQ(served.wire().Finish(call).verdict, TERCET_VERDICT_DONE);
    }
    EXPECT_EQ(served.Stats().transactions, 3u) << "the first, 17 that fill a mebibyte, and 3";
}

TEST_P(ParticipantLoad, AFullQueueIsAnsweredLaterAtOnceAndKeepsRoomForConfirms)
{
    Served::Options options = Options();
    options.queue_max = 8;
    options.batch_max = 1;
    Served served(options);
    Ask ask;
    ask.gid = "tried";
    EXPECT_EQ(served.wire().Send(ask).verdict, TERCET_VERDICT_DONE);

    served.handlers.gate.Close();
    std::vector<rpc_call *> calls;
    ask.payload = "gate";
    ask.gid = "blocker";
    ask.number = 2;
    calls.push_back(served.wire().Start(ask));
    served.handlers.gate.AwaitWaiting(1);
    for (int i = 0; i < 6; i++) {
        ask.gid = "gid-" + std::to_string(i);
        ask.number = 10 + i;
        calls.push_back(served.wire().Start(ask));
    }
    EXPECT_TRUE(Eventually([&] { return served.Stats().queued == 6; }));
    ask.gid = "gid-7";
    const Told told = served.wire().Send(ask);
    EXPECT_EQ(told.verdict, TERCET_VERDICT_LATER);
    EXPECT_EQ(told.code, "TERCET_QUEUE_FULL");

    Ask confirm;
    confirm.gid = "tried";
    confirm.phase = TERCET_PHASE_CONFIRM;
    rpc_call *confirming = served.wire().Start(confirm);
    EXPECT_TRUE(Eventually([&] { return served.Stats().queued == 7; }));
    served.handlers.gate.Open();
    EXPECT_EQ(served.wire().Finish(confirming).verdict, TERCET_VERDICT_DONE);
    for (rpc_call *call : calls) {
        EXPECT_EQ(served.wire().Finish(call).verdict, TERCET_VERDICT_DONE);
    }
    EXPECT_EQ(served.handlers.Runs("gid-7/1/TRY"), 0);
}

TEST_P(ParticipantLoad, TheTotalOfHeldRequestsIsBounded)
{
    Served::Options options = Options();
    options.in_flight_max = 2;
    Served served(options);
    served.handlers.gate.Close();
    Ask ask;
    ask.action = "out";
    ask.payload = "gate";
    rpc_call *first = served.wire().Start(ask);
    rpc_call *second = served.wire().Start(ask);
    served.handlers.gate.AwaitWaiting(2);
    ask.action = "act";
    EXPECT_EQ(served.wire().Send(ask).code, "TERCET_QUEUE_FULL");
    served.handlers.gate.Open();
    EXPECT_EQ(served.wire().Finish(first).verdict, TERCET_VERDICT_DONE);
    EXPECT_EQ(served.wire().Finish(second).verdict, TERCET_VERDICT_DONE);
    EXPECT_TRUE(Eventually([&] { return served.wire().Send(ask).verdict == TERCET_VERDICT_DONE; }));
}

TEST_P(ParticipantLoad, WhatWaitedLongerThanItsTimeoutIsNotRun)
{
    for (const char *action : {"act", "out"}) {
        Served::Options options = Options();
        options.unfenced_workers = 1;
        Served served(options);
        served.handlers.gate.Close();
        Ask ask;
        ask.action = action;
        ask.gid = "blocker";
        ask.payload = "gate";
        rpc_call *blocker = served.wire().Start(ask);
        served.handlers.gate.AwaitWaiting(1);
        ask.gid = "late";
        ask.number = 2;
        ask.payload = "done";
        ask.timeout_ms = 1;
        rpc_call *late = served.wire().Start(ask);
        EXPECT_TRUE(Eventually([&] { return served.Stats().queued == 1; }));
        std::this_thread::sleep_for(std::chrono::milliseconds(5)); /* the thing under test */
        served.handlers.gate.Open();
        EXPECT_EQ(served.wire().Finish(late).code, "TERCET_WAITED_TOO_LONG");
        EXPECT_EQ(served.wire().Finish(blocker).verdict, TERCET_VERDICT_DONE);
        EXPECT_EQ(served.handlers.Runs("late/1/TRY"), 0);
    }
}

} // namespace
