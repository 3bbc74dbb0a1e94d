/* A participant's own end: what runs is finished, the rest is put off, what was done is known later. */
#include <unistd.h>

#include <csignal>
#include <thread>

#include "unit/sdk/places.h"

namespace
{

class ParticipantStop : public AtEveryPlace
{
};

INSTANTIATE_TEST_SUITE_P(Places, ParticipantStop, testing::ValuesIn(kPlaces), PlaceName);

TEST_P(ParticipantStop, StoppingFinishesWhatRunsAndPutsTheRestOff)
{
    Served::Options options = Options();
    options.batch_max = 1;
    Served served(options);
    served.handlers.gate.Close();
    Ask ask;
    ask.gid = "running";
    ask.payload = "gate";
    rpc_call *running = served.wire().Start(ask);
    served.handlers.gate.AwaitWaiting(1);
    ask.gid = "queued";
    ask.number = 2;
    ask.payload = "done";
    rpc_call *queued = served.wire().Start(ask);
    EXPECT_TRUE(Eventually([&] { return served.Stats().queued == 1; }));

    tercet_status stopped = TERCET_UNKNOWN;
    std::thread stopper([&] { stopped = tercet_participant_stop(served.participant(), 20000); });
    ask.gid = "new";
    ask.number = 3;
    ask.call_timeout_ms = 100; /* one that comes before the stop waits in the queue */
    EXPECT_TRUE(Eventually([&] { return served.wire().Send(ask).code == "TERCET_STOPPING"; }));
    served.handlers.gate.Open();
    EXPECT_EQ(served.wire().Finish(running).verdict, TERCET_VERDICT_DONE);
    const Told put_off = served.wire().Finish(queued);
    EXPECT_EQ(put_off.verdict, TERCET_VERDICT_LATER);
    EXPECT_EQ(put_off.code, "TERCET_STOPPING");
    stopper.join();
    EXPECT_EQ(stopped, TERCET_OK);
    EXPECT_EQ(tercet_participant_stop(served.participant(), 0), TERCET_OK);
    EXPECT_EQ(served.handlers.Runs("queued/1/TRY"), 0);
}

TEST_P(ParticipantStop, AHandlerThatOutlastsTheGraceIsCutOffAndItsWorkStands)
{
    Served served(Options());
    served.handlers.gate.Close();
    Ask ask;
    ask.payload = "gate";
    rpc_call *running = served.wire().Start(ask);
    served.handlers.gate.AwaitWaiting(1);
    EXPECT_EQ(tercet_participant_stop(served.participant(), 50), TERCET_DEADLINE_EXCEEDED);
    const Told told = served.wire().Finish(running);
    EXPECT_NE(told.status, TERCET_OK);
    EXPECT_NE(told.verdict, TERCET_VERDICT_DONE);
    served.Stop();
    EXPECT_EQ(served.handlers.Runs("gid-1/1/TRY"), 1);
}

TEST_P(ParticipantStop, OfTwoAtOnceTheShorterGraceCounts)
{
    Served served(Options());
    served.handlers.gate.Close();
    Ask ask;
    ask.payload = "gate";
    rpc_call *running = served.wire().Start(ask);
    served.handlers.gate.AwaitWaiting(1);
    tercet_status patient = TERCET_UNKNOWN;
    std::thread stopper([&] { patient = tercet_participant_stop(served.participant(), 20000); });
    ask.gid = "new";
    ask.number = 2;
    ask.call_timeout_ms = 100;
    EXPECT_TRUE(Eventually([&] { return served.wire().Send(ask).code == "TERCET_STOPPING"; }));
    EXPECT_EQ(tercet_participant_stop(served.participant(), 0), TERCET_DEADLINE_EXCEEDED);
    stopper.join(); // though the handler runs
    EXPECT_EQ(patient, TERCET_DEADLINE_EXCEEDED);
    EXPECT_NE(served.wire().Finish(running).status, TERCET_OK);
    served.handlers.gate.Open();
    EXPECT_EQ(tercet_participant_stop(served.participant(), 0), TERCET_OK);
}

TEST(ParticipantRestart, WhatWasDoneBeforeIsKnownAfterwards)
{
    TemporaryDirectory directory;
    Served::Options options;
    options.store = StoreKind::kSqlite;
    options.sqlite_path = directory.Path("kept.db");
    Ask ask;
    ask.payload = "done:kept";
    {
        Served served(options);
        EXPECT_EQ(served.wire().Send(ask).how, TERCET_HOW_RAN);
    }
    Served served(options);
    const Told told = served.wire().Send(ask);
    EXPECT_EQ(told.how, TERCET_HOW_REPEATED);
    EXPECT_EQ(told.result, "kept");
    EXPECT_EQ(served.handlers.AllRuns(), 0);
    ask.phase = TERCET_PHASE_CONFIRM;
    EXPECT_EQ(served.wire().Send(ask).how, TERCET_HOW_RAN);
}

/* ---- Serve ----------------------------------------------------------------------------------- */

class Serving : public testing::Test
{
  protected:
    void SetUp() override
    {
        sigemptyset(&wanted);
        sigaddset(&wanted, SIGTERM);
        sigaddset(&wanted, SIGINT);
        pthread_sigmask(SIG_BLOCK, &wanted, &before);
        const std::string listen = "unix:" + directory.Path("socket");
        tercet_participant_options options = {};
        options.size = sizeof options;
        options.name = "account";
        options.listen = listen.c_str();
        options.stop_grace_ms = 60000;
        tercet_action action = {};
        action.name = "act";
        action.on_try = Handlers::Handle;
        action.on_confirm = Handlers::Handle;
        action.on_cancel = Handlers::Handle;
        action.context = &handlers;
        tercet_error error = {};
        ASSERT_EQ(tercet_participant_create(&options, &participant, &error), TERCET_OK);
        ASSERT_EQ(tercet_participant_register_unfenced(participant, &action, 1, &error), TERCET_OK);
        server = std::thread([this] { served = tercet_participant_serve(participant, nullptr); });
        wire = std::make_unique<Wire>(listen);
    }
    void TearDown() override
    {
        handlers.gate.Open();
        tercet_participant_destroy(participant);
        pthread_sigmask(SIG_SETMASK, &before, nullptr);
    }
    sigset_t wanted;
    sigset_t before;
    TemporaryDirectory directory;
    Handlers handlers;
    tercet_participant *participant = nullptr;
    std::unique_ptr<Wire> wire;
    std::thread server;
    tercet_status served = TERCET_UNKNOWN;
};

TEST_F(Serving, ASignalEndsItWhenRunningWorkIsAnswered)
{
    Ask ask;
    EXPECT_EQ(wire->Send(ask).verdict, TERCET_VERDICT_DONE);
    handlers.gate.Close();
    ask.payload = "gate";
    rpc_call *running = wire->Start(ask);
    handlers.gate.AwaitWaiting(1);
    kill(getpid(), SIGTERM);
    ask.payload = "done";
    EXPECT_TRUE(Eventually([&] { return wire->Send(ask).code == "TERCET_STOPPING"; }));
    handlers.gate.Open();
    EXPECT_EQ(wire->Finish(running).verdict, TERCET_VERDICT_DONE);
    server.join();
    EXPECT_EQ(served, TERCET_OK);
}

TEST_F(Serving, ASecondSignalEndsTheWaitForRunningWork)
{
    Ask ask;
    ask.payload = "gate";
    handlers.gate.Close();
    rpc_call *running = wire->Start(ask);
    handlers.gate.AwaitWaiting(1);
    kill(getpid(), SIGTERM);
    ask.payload = "done";
    EXPECT_TRUE(Eventually([&] { return wire->Send(ask).code == "TERCET_STOPPING"; }));
    kill(getpid(), SIGINT);
    server.join();
    EXPECT_EQ(served, TERCET_DEADLINE_EXCEEDED);
    EXPECT_NE(wire->Finish(running).status, TERCET_OK);
}

} // namespace
