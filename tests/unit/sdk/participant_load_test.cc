/* A served participant under duplicates, full queues, slow handlers and its own end; and marks. */
#include <csignal>
#include <unistd.h>

#include <chrono>
#include <thread>

#include "tercet/store_memory.h"
#include "unit/sdk/support.h"

namespace
{

/* Waits until `check` holds; the time is a bound, not a delay. */
bool Eventually(const std::function<bool()> &check)
{
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (std::chrono::steady_clock::now() < end) {
        if (check()) {
            return true;
        }
        std::this_thread::yield();
    }
    return check();
}

struct Place {
    const char *name;
    StoreKind store;
    const char *listen;
};

class ParticipantLoad : public testing::TestWithParam<Place>
{
  protected:
    Served::Options Options() const
    {
        Served::Options options;
        options.store = GetParam().store;
        options.listen = GetParam().listen;
        return options;
    }
};

INSTANTIATE_TEST_SUITE_P(Places, ParticipantLoad,
                         testing::Values(Place{"MemoryLoopback", StoreKind::kMemory, "127.0.0.1:0"},
                                         Place{"MemoryUnix", StoreKind::kMemory, "unix"},
                                         Place{"SqliteUnix", StoreKind::kSqlite, "unix"}),
                         [](const auto &place) { return std::string(place.param.name); });

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

TEST_P(ParticipantLoad, WhatWaitsSharesLocalTransactions)
{
    Served served(Options());
    served.handlers.gate.Close();
    std::vector<rpc_call *> calls;
    Ask ask;
    ask.gid = "first";
    ask.payload = "gate";
    calls.push_back(served.wire().Start(ask));
    served.handlers.gate.AwaitWaiting(1);
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

/* ---- Stop ------------------------------------------------------------------------------------ */

TEST_P(ParticipantLoad, StoppingFinishesWhatRunsAndPutsTheRestOff)
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

TEST_P(ParticipantLoad, AHandlerThatOutlastsTheGraceIsCutOffAndItsWorkStands)
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

/* ---- Marks ----------------------------------------------------------------------------------- */

TEST_P(ParticipantLoad, AMarkDeletesWhatHasEndedKeepsWhatIsTriedAndRefusesWhatIsPast)
{
    Served served(Options());
    Ask ask;
    for (int i = 1; i <= 5; i++) {
        ask.gid = "gid-" + std::to_string(i);
        ask.number = i;
        ask.phase = TERCET_PHASE_TRY;
        EXPECT_EQ(served.wire().Send(ask).verdict, TERCET_VERDICT_DONE);
        if (i != 3) {
            ask.phase = TERCET_PHASE_CONFIRM;
            EXPECT_EQ(served.wire().Send(ask).verdict, TERCET_VERDICT_DONE);
        }
    }
    /* 1, 2, 5 have ended; 3 is still tried, which the coordinator does not know; 4 is open. */
    ask.gid = "gid-9";
    ask.number = 9;
    ask.phase = TERCET_PHASE_TRY;
    ask.mark_lsn = 50;
    ask.mark_low = 6;
    ask.mark_open = {4};
    EXPECT_EQ(served.wire().Send(ask).verdict, TERCET_VERDICT_DONE);
    EXPECT_TRUE(Eventually([&] { return served.Stats().rows_forgotten == 3; }));
    EXPECT_EQ(served.Stats().rows_kept, 1u);
    EXPECT_EQ(served.Stats().marks, 1u);
    EXPECT_TRUE(Eventually([&] { return served.log.Has("event=tried_below_mark"); }));
    EXPECT_TRUE(served.log.Has("gid=gid-3 branch=1"));

    ask.mark_lsn = 0;
    ask.gid = "gid-1";
    ask.number = 1;
    Told told = served.wire().Send(ask);
    EXPECT_EQ(told.verdict, TERCET_VERDICT_REFUSED);
    EXPECT_EQ(told.code, "TERCET_FORGOTTEN");
    EXPECT_EQ(told.mark_lsn, 50);
    ask.phase = TERCET_PHASE_CONFIRM;
    EXPECT_EQ(served.wire().Send(ask).conflict, TERCET_CONFLICT_FORGOTTEN);
    ask.gid = "gid-4";
    ask.number = 4;
    EXPECT_EQ(served.wire().Send(ask).how, TERCET_HOW_REPEATED);
    ask.gid = "gid-3";
    ask.number = 3;
    EXPECT_EQ(served.wire().Send(ask).how, TERCET_HOW_RAN);
    EXPECT_EQ(served.handlers.Runs("gid-1/1/TRY"), 1);
}

TEST_P(ParticipantLoad, TheSameMarkIsAppliedOnceAndAnOlderOneNever)
{
    Served served(Options());
    Ask ask;
    ask.number = 100;
    ask.mark_lsn = 50;
    ask.mark_low = 6;
    EXPECT_EQ(served.wire().Send(ask).verdict, TERCET_VERDICT_DONE);
    EXPECT_TRUE(Eventually([&] { return served.Stats().marks == 1; }));
    for (int i = 0; i < 20; i++) {
        EXPECT_EQ(served.wire().Send(ask).verdict, TERCET_VERDICT_DONE);
    }
    ask.mark_lsn = 49;
    ask.mark_low = 90;
    EXPECT_EQ(served.wire().Send(ask).verdict, TERCET_VERDICT_DONE);
    ask.mark_lsn = 51;
    ask.mark_low = 7;
    EXPECT_EQ(served.wire().Send(ask).verdict, TERCET_VERDICT_DONE);
    EXPECT_TRUE(Eventually([&] { return served.Stats().marks == 2; }));
    ask.gid = "gid-50";
    ask.number = 50;
    ask.mark_lsn = 0;
    EXPECT_EQ(served.wire().Send(ask).verdict, TERCET_VERDICT_DONE);
    ask.gid = "gid-6";
    ask.number = 6;
    EXPECT_EQ(served.wire().Send(ask).code, "TERCET_FORGOTTEN");
}

TEST_P(ParticipantLoad, ALongSweepGoesInSlicesWhileRequestsAreServed)
{
    Served served(Options());
    Ask ask;
    constexpr int kRows = 1200;
    std::vector<rpc_call *> calls;
    for (int i = 1; i <= kRows; i++) {
        ask.gid = "gid-" + std::to_string(i);
        ask.number = i;
        ask.phase = TERCET_PHASE_CANCEL;
        calls.push_back(served.wire().Start(ask));
    }
    for (rpc_call *call : calls) {
        EXPECT_EQ(served.wire().Finish(call).how, TERCET_HOW_EMPTY);
    }
    ask.gid = "last";
    ask.number = 5000;
    ask.phase = TERCET_PHASE_TRY;
    ask.mark_lsn = 9;
    ask.mark_low = kRows + 1;
    EXPECT_EQ(served.wire().Send(ask).verdict, TERCET_VERDICT_DONE);
    EXPECT_TRUE(Eventually([&] { return served.Stats().rows_forgotten == kRows; }));
    EXPECT_EQ(served.Stats().marks, 1u);
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

/* ---- Making one ------------------------------------------------------------------------------ */

tercet_verdict Nothing(tercet_request *)
{
    return TERCET_VERDICT_DONE;
}

class ParticipantMaking : public testing::Test
{
  protected:
    void SetUp() override
    {
        options.size = sizeof options;
        options.name = "account";
        options.listen = "127.0.0.1:0";
        tercet_memory_options memory = {};
        memory.size = sizeof memory;
        ASSERT_EQ(tercet_memory_open(&memory, &store, &error), TERCET_OK);
        action.name = "act";
        action.on_try = Nothing;
        action.on_confirm = Nothing;
        action.on_cancel = Nothing;
    }
    void TearDown() override
    {
        tercet_participant_destroy(participant);
        tercet_store_close(store);
    }
    tercet_participant_options options = {};
    tercet_participant *participant = nullptr;
    tercet_store *store = nullptr;
    tercet_action action = {};
    tercet_error error = {};
};

TEST_F(ParticipantMaking, BadOptionsAreRefusedByName)
{
    EXPECT_EQ(tercet_participant_create(nullptr, &participant, &error), TERCET_INVALID_ARGUMENT);
    options.size = 0;
    EXPECT_EQ(tercet_participant_create(&options, &participant, &error), TERCET_INVALID_ARGUMENT);
    options.size = sizeof options;
    options.name = "a b";
    EXPECT_EQ(tercet_participant_create(&options, &participant, &error), TERCET_INVALID_ARGUMENT);
    EXPECT_NE(std::string(error.text).find("participant_options.name"), std::string::npos);
    options.name = "account";
    options.listen = nullptr;
    EXPECT_EQ(tercet_participant_create(&options, &participant, &error), TERCET_INVALID_ARGUMENT);
    options.listen = "127.0.0.1:0";
    options.unfenced_workers = 257;
    EXPECT_EQ(tercet_participant_create(&options, &participant, &error), TERCET_INVALID_ARGUMENT);
    options.unfenced_workers = 0;
    tercet_tls tls = {};
    options.tls = &tls;
    EXPECT_EQ(tercet_participant_create(&options, &participant, &error), TERCET_UNIMPLEMENTED);
    EXPECT_EQ(participant, nullptr);
}

TEST_F(ParticipantMaking, ANewerCallersUnknownOptionIsNotIgnored)
{
    struct {
        tercet_participant_options known;
        uint64_t unknown;
    } newer = {options, 0};
    newer.known.size = sizeof newer;
    EXPECT_EQ(tercet_participant_create(&newer.known, &participant, &error), TERCET_OK);
    tercet_participant_destroy(participant);
    participant = nullptr;
    newer.unknown = 1;
    EXPECT_EQ(tercet_participant_create(&newer.known, &participant, &error),
              TERCET_INVALID_ARGUMENT);
}

TEST_F(ParticipantMaking, BadActionsAreRefusedAndNoneOfTheTableIsRegistered)
{
    ASSERT_EQ(tercet_participant_create(&options, &participant, &error), TERCET_OK);
    EXPECT_EQ(tercet_participant_start(participant, &error), TERCET_FAILED_PRECONDITION);
    tercet_action two[2] = {action, action};
    EXPECT_EQ(tercet_participant_register(participant, store, two, 2, &error),
              TERCET_ALREADY_EXISTS);
    two[1].name = "bad name";
    EXPECT_EQ(tercet_participant_register(participant, store, two, 2, &error),
              TERCET_INVALID_ARGUMENT);
    two[1].name = "half";
    two[1].on_cancel = nullptr;
    EXPECT_EQ(tercet_participant_register(participant, store, two, 2, &error),
              TERCET_INVALID_ARGUMENT);
    two[1].on_try = nullptr;
    two[1].on_confirm = nullptr;
    EXPECT_EQ(tercet_participant_register(participant, store, two, 2, &error),
              TERCET_INVALID_ARGUMENT);
    two[1].on_confirm = Nothing;
    two[1].reserved[2] = &error;
    EXPECT_EQ(tercet_participant_register(participant, store, two, 2, &error),
              TERCET_INVALID_ARGUMENT);
    EXPECT_EQ(tercet_participant_register(participant, nullptr, &action, 1, &error),
              TERCET_INVALID_ARGUMENT);
    EXPECT_EQ(tercet_participant_register(participant, store, &action, 1, &error), TERCET_OK);
    EXPECT_EQ(tercet_participant_register_unfenced(participant, &action, 1, &error),
              TERCET_ALREADY_EXISTS);
}

TEST_F(ParticipantMaking, OneStoreServesOneParticipantAtATime)
{
    ASSERT_EQ(tercet_participant_create(&options, &participant, &error), TERCET_OK);
    ASSERT_EQ(tercet_participant_register(participant, store, &action, 1, &error), TERCET_OK);
    tercet_participant *other = nullptr;
    ASSERT_EQ(tercet_participant_create(&options, &other, &error), TERCET_OK);
    EXPECT_EQ(tercet_participant_register(other, store, &action, 1, &error),
              TERCET_FAILED_PRECONDITION);
    tercet_participant_destroy(participant);
    participant = nullptr;
    EXPECT_EQ(tercet_participant_register(other, store, &action, 1, &error), TERCET_OK);
    tercet_participant_destroy(other);
}

TEST_F(ParticipantMaking, AnAddressInUseIsUnavailableAndTheParticipantCanBeDestroyed)
{
    ASSERT_EQ(tercet_participant_create(&options, &participant, &error), TERCET_OK);
    ASSERT_EQ(tercet_participant_register(participant, store, &action, 1, &error), TERCET_OK);
    EXPECT_STREQ(tercet_participant_address(participant), "");
    ASSERT_EQ(tercet_participant_start(participant, &error), TERCET_OK) << error.text;
    const std::string address = tercet_participant_address(participant);
    EXPECT_EQ(address.rfind("127.0.0.1:", 0), 0u);
    EXPECT_NE(address, "127.0.0.1:0");
    EXPECT_EQ(tercet_participant_start(participant, &error), TERCET_FAILED_PRECONDITION);
    action.name = "late";
    EXPECT_EQ(tercet_participant_register(participant, store, &action, 1, &error),
              TERCET_FAILED_PRECONDITION);

    tercet_participant *other = nullptr;
    options.listen = address.c_str();
    ASSERT_EQ(tercet_participant_create(&options, &other, &error), TERCET_OK);
    ASSERT_EQ(tercet_participant_register_unfenced(other, &action, 1, &error), TERCET_OK);
    EXPECT_EQ(tercet_participant_start(other, &error), TERCET_UNAVAILABLE) << error.text;
    tercet_participant_destroy(other);
}

TEST_F(ParticipantMaking, APlaintextAddressThatStrangersReachIsRefused)
{
    options.listen = "0.0.0.0:0";
    ASSERT_EQ(tercet_participant_create(&options, &participant, &error), TERCET_OK);
    ASSERT_EQ(tercet_participant_register(participant, store, &action, 1, &error), TERCET_OK);
    EXPECT_EQ(tercet_participant_start(participant, &error), TERCET_INVALID_ARGUMENT);
}

} // namespace
