/* Participant.Work: the same answers as the unary methods, many at a time, and its bounds. */
#include <gtest/gtest.h>

#include <thread>

#include "base/clock.h"
#include "rpc/rpc_codec.h"
#include "support/widest.h"
#include "unit/sdk/protos.h"

#include "src/work.h"
#include "unit/sdk/served.h"
#include "unit/sdk/work_stream.h"

namespace
{

/* Every way in which a request can be answered without another before it. */
std::vector<Ask> AllKinds()
{
    std::vector<Ask> asks;
    int number = 1;
    for (const char *action : {"act", "note", "out", "unheard"}) {
        for (int phase : {TERCET_PHASE_TRY, TERCET_PHASE_CONFIRM, TERCET_PHASE_CANCEL}) {
            for (const char *payload : {"done", "done:receipt", "refuse", "later", "fail",
                                        "garbage", "nothing", "lie", "long", "conflict"}) {
                asks.push_back(Branch(number++, payload));
                asks.back().action = action;
                asks.back().phase = phase;
            }
        }
    }
    const auto add = [&](const std::function<void(Ask *)> &change) {
        asks.push_back(Branch(number++));
        change(&asks.back());
    };
    add([](Ask *ask) { ask->gid = ""; });
    add([](Ask *ask) { ask->gid = std::string(129, 'g'); });
    add([](Ask *ask) { ask->branch = 65; });
    add([](Ask *ask) { ask->action = "no name"; });
    add([](Ask *ask) { ask->digest = "short"; });
    add([](Ask *ask) { ask->number = 0; });
    add([](Ask *ask) { ask->payload = std::string(70000, 'x'); });
    add([](Ask *ask) { ask->attempt = UINT32_MAX; });
    return asks;
}

/* Goal: what is encoded without being counted has room, whatever is in it. */
TEST(ParticipantWork, AReplyTakesNoMoreThanItsBound)
{
    Tercet__V1__BranchReply reply = TERCET__V1__BRANCH_REPLY__INIT;
    Tercet__V1__Reason reason = TERCET__V1__REASON__INIT;
    Tercet__V1__BranchReply *replies[] = {&reply};
    Tercet__V1__AnswerBatch batch = TERCET__V1__ANSWER_BATCH__INIT;
    batch.n_replies = 1;
    batch.replies = replies;
    EXPECT_LE(rpc_codec_size(&batch.base), work_reply_bytes_max(&reply));

    std::string text(70000, 'x'); /* their sizes take three bytes */
    MakeWidest(&reply.base, 2);
    MakeWidest(&reason.base, 2);
    reply.result = {text.size(), reinterpret_cast<uint8_t *>(text.data())};
    reply.reason = &reason;
    reason.code = text.data();
    reason.text = text.data();
    EXPECT_LE(rpc_codec_size(&batch.base), work_reply_bytes_max(&reply));
}

TEST(ParticipantWork, AnswersEachRequestAsTheUnaryMethodDoes)
{
    Served one;
    Served other;
    WorkStream stream(&other.wire());
    const std::vector<Ask> asks = AllKinds();
    stream.Send(asks, 1);
    for (size_t i = 0; i < asks.size(); i++) {
        SCOPED_TRACE(asks[i].action + " " + asks[i].payload.substr(0, 20) + " " +
                     std::to_string(asks[i].phase) + " " + asks[i].gid.substr(0, 20));
        const Told unary = one.wire().Send(asks[i]);
        const Told told = stream.Await(static_cast<int64_t>(i) + 1);
        EXPECT_EQ(told.status, unary.status);
        EXPECT_EQ(told.text, unary.text);
        EXPECT_EQ(told.verdict, unary.verdict);
        EXPECT_EQ(told.how, unary.how);
        EXPECT_EQ(told.conflict, unary.conflict);
        EXPECT_EQ(told.found, unary.found);
        EXPECT_EQ(told.result, unary.result);
        EXPECT_EQ(told.code, unary.code);
        EXPECT_EQ(told.after_ms, unary.after_ms);
        if (unary.status == TERCET_OK) {
            EXPECT_EQ(told.reason, unary.reason);
        }
    }
    EXPECT_EQ(one.Stats().requests, other.Stats().requests);
    EXPECT_EQ(one.Stats().done, other.Stats().done);
    EXPECT_EQ(one.handlers.AllRuns(), other.handlers.AllRuns());
}

TEST(ParticipantWork, ChecksTheContextForEveryRequest)
{
    Served served;
    WorkStream stream(&served.wire());
    Ask context;
    context.participant = "other";
    stream.Send({Branch(1), Branch(2)}, 1, context);
    for (int64_t call : {1, 2}) {
        EXPECT_EQ(stream.Await(call).code, "TERCET_WRONG_PARTICIPANT");
    }
    context = Ask();
    context.epoch = 0;
    stream.Send({Branch(3)}, 3, context);
    EXPECT_EQ(stream.Await(3).status, TERCET_INVALID_ARGUMENT);
    EXPECT_NE(stream.Await(3).text.find("context.epoch"), std::string::npos);

    context.epoch = 7;
    stream.Send({Branch(4)}, 4, context);
    EXPECT_EQ(stream.Await(4).verdict, TERCET_VERDICT_DONE);
    context.epoch = 6;
    stream.Send({Branch(5)}, 5, context);
    EXPECT_EQ(stream.Await(5).status, TERCET_FAILED_PRECONDITION);
    EXPECT_EQ(stream.Await(5).text.rfind("TERCET_OLD_EPOCH", 0), 0u);
}

TEST(ParticipantWork, RefusesPhasesThatItDoesNotKnowAndContextsInRequests)
{
    Served served;
    WorkStream stream(&served.wire());
    Ask none = Branch(1);
    none.tweak = [](Tercet__V1__BranchRequest *request) {
        request->phase = TERCET__V1__PHASE__PHASE_UNSPECIFIED;
    };
    Ask later = Branch(2);
    later.tweak = [](Tercet__V1__BranchRequest *request) {
        request->phase = static_cast<Tercet__V1__Phase>(4);
    };
    stream.Send({none, later, Branch(3)}, 1);
    EXPECT_EQ(stream.Await(1).status, TERCET_INVALID_ARGUMENT);
    EXPECT_EQ(stream.Await(2).status, TERCET_UNIMPLEMENTED);
    EXPECT_EQ(stream.Await(3).verdict, TERCET_VERDICT_DONE);

    std::string bytes;
    WithRequest(Branch(4), [&](Tercet__V1__BranchRequest *request) {
        Tercet__V1__WorkBatch batch = TERCET__V1__WORK_BATCH__INIT;
        request->call = 4;
        batch.context = request->context;
        batch.n_requests = 1;
        batch.requests = &request;
        bytes.resize(protobuf_c_message_get_packed_size(&batch.base));
        protobuf_c_message_pack(&batch.base, reinterpret_cast<uint8_t *>(bytes.data()));
    });
    stream.SendBytes(bytes);
    EXPECT_EQ(stream.Await(4).status, TERCET_INVALID_ARGUMENT);
    EXPECT_EQ(served.handlers.AllRuns(), 1);
}

TEST(ParticipantWork, TellsItsWindowFirstAndGathersAnswers)
{
    Served::Options options;
    options.batch_max = 64;
    Served served(options);
    WorkStream stream(&served.wire());
    EXPECT_EQ(stream.AwaitWindow(), static_cast<uint32_t>(WORK_WINDOW));
    EXPECT_EQ(stream.AnswerCount(), 0u);
    std::vector<Ask> asks;
    for (int i = 1; i <= 500; i++) {
        asks.push_back(Branch(i));
    }
    stream.Send(asks, 1);
    for (int i = 1; i <= 500; i++) {
        EXPECT_EQ(stream.Await(i).verdict, TERCET_VERDICT_DONE);
    }
    EXPECT_LT(stream.MessageCount(), 251u) << "answers that come together leave together";
    EXPECT_EQ(served.Stats().transactions, 8u) << "what comes in one message is shared out by 64";
}

/* Goal: a slow branch holds nothing up but itself. */
TEST(ParticipantWork, AnswersInAnyOrder)
{
    Served served;
    served.handlers.gate.Close();
    WorkStream stream(&served.wire());
    Ask slow = Branch(1, "gate");
    slow.action = "out";
    stream.Send({slow, Branch(2)}, 1);
    EXPECT_EQ(stream.Await(2).verdict, TERCET_VERDICT_DONE);
    EXPECT_EQ(stream.AnswerCount(), 1u);
    served.handlers.gate.Open();
    EXPECT_EQ(stream.Await(1).verdict, TERCET_VERDICT_DONE);
}

TEST(ParticipantWork, PutsOffWhatWaitsLongerThanItsTimeout)
{
    Served served;
    served.handlers.gate.Close();
    WorkStream stream(&served.wire());
    stream.Send({Branch(1, "gate")}, 1);
    served.handlers.gate.AwaitWaiting(1);
    Ask hasty = Branch(2);
    hasty.timeout_ms = 1;
    stream.Send({hasty}, 2);
    while (served.Stats().requests < 2) {
        std::this_thread::yield(); /* what has not arrived has its time before it */
    }
    const int64_t arrived_ms = clock_read().boot_ms;
    while (clock_read().boot_ms <= arrived_ms + 1) {
        std::this_thread::yield();
    }
    served.handlers.gate.Open();
    EXPECT_EQ(stream.Await(2).code, "TERCET_WAITED_TOO_LONG");
    EXPECT_EQ(stream.Await(1).verdict, TERCET_VERDICT_DONE);
}

TEST(ParticipantWork, AnswersEverythingAfterTheHalfCloseThenEnds)
{
    Served served;
    served.handlers.gate.Close();
    WorkStream stream(&served.wire());
    stream.Send({Branch(1, "gate"), Branch(2)}, 1);
    stream.HalfClose();
    served.handlers.gate.AwaitWaiting(1);
    served.handlers.gate.Open();
    const Told end = stream.AwaitEnd();
    EXPECT_EQ(end.status, TERCET_OK) << end.text;
    EXPECT_EQ(stream.Await(1).verdict, TERCET_VERDICT_DONE);
    EXPECT_EQ(stream.Await(2).verdict, TERCET_VERDICT_DONE);

    WorkStream idle(&served.wire());
    idle.HalfClose();
    EXPECT_EQ(idle.AwaitEnd().status, TERCET_OK);
}

TEST(ParticipantWork, BreaksOffWhoeverExceedsTheWindowOrOneMessage)
{
    Served served;
    served.handlers.gate.Close();
    {
        WorkStream stream(&served.wire());
        int64_t sent = 0;
        while (sent < WORK_WINDOW) {
            std::vector<Ask> asks;
            for (int i = 0; i < 512; i++) {
                asks.push_back(Branch(static_cast<int>(++sent), "gate"));
            }
            stream.Send(asks, sent - 511);
        }
        served.handlers.gate.AwaitWaiting(1);
        EXPECT_EQ(stream.AnswerCount(), 0u);
        stream.Send({Branch(static_cast<int>(sent) + 1)}, sent + 1);
        EXPECT_EQ(stream.AwaitEnd().status, TERCET_RESOURCE_EXHAUSTED);
    }
    served.handlers.gate.Open();
    WorkStream stream(&served.wire());
    stream.Send(std::vector<Ask>(WORK_REQUEST_COUNT_MAX + 1, Branch(1)), 1);
    EXPECT_EQ(stream.AwaitEnd().status, TERCET_RESOURCE_EXHAUSTED);
}

/* Goal: a client that never reads costs a window of answers and then its stream. */
TEST(ParticipantWork, BreaksOffWhoeverNeverReads)
{
    Served served;
    WorkStream stream(&served.wire());
    (void)stream.AwaitWindow();
    stream.StopReading();
    /* Refused at once, with a text: each answer has some 200 bytes, and core takes a few MiB. */
    Ask ask = Branch(1);
    ask.action = std::string(64, 'u');
    const std::vector<Ask> asks(512, ask);
    int sent = 0;
    do {
        ASSERT_LT(sent, 400) << "it may send without end and never read";
        stream.Send(asks, sent * 512 + 1);
        sent++;
    } while (stream.LeavesWithin(5000));
    stream.ReadOn();
    EXPECT_NE(stream.AwaitEnd().status, TERCET_OK);
}

TEST(ParticipantWork, RefusesTooManyStreams)
{
    Served served;
    std::vector<std::unique_ptr<WorkStream>> streams;
    for (int i = 0; i < WORK_STREAM_COUNT_MAX; i++) {
        streams.push_back(std::make_unique<WorkStream>(&served.wire()));
        EXPECT_NE(streams.back()->AwaitWindow(), 0u);
    }
    {
        WorkStream more(&served.wire());
        EXPECT_EQ(more.AwaitEnd().status, TERCET_RESOURCE_EXHAUSTED);
    }
    streams.pop_back();
    for (;;) { /* until the server has noticed */
        WorkStream again(&served.wire());
        if (again.AwaitWindow() != 0) {
            break;
        }
    }
}

TEST(ParticipantWork, AStreamThatBreaksHarmsNobody)
{
    Served served;
    served.handlers.gate.Close();
    {
        WorkStream stream(&served.wire());
        stream.Send({Branch(1, "gate"), Branch(2)}, 1);
        served.handlers.gate.AwaitWaiting(1);
    }
    served.handlers.gate.Open();
    Ask again = Branch(1, "gate");
    const Told told = served.wire().Send(again);
    EXPECT_EQ(told.verdict, TERCET_VERDICT_DONE);
    EXPECT_EQ(told.how, TERCET_HOW_REPEATED);
    EXPECT_EQ(served.handlers.Runs("gid-1/1/TRY"), 1);
}

TEST(ParticipantWork, AppliesAMarkThatComesAlone)
{
    Served served;
    WorkStream stream(&served.wire());
    stream.Send({Branch(1)}, 1);
    EXPECT_EQ(stream.Await(1).verdict, TERCET_VERDICT_DONE);
    Ask context;
    context.mark_lsn = 5;
    context.mark_low = 1;
    stream.Send({}, 0, context);
    int64_t call = 2;
    while (stream.Await((stream.Send({Branch(static_cast<int>(call))}, call), call)).mark_lsn !=
           5) {
        call++; /* it is applied between two groups */
    }
}

/* Goal: streams, unary calls and ends at the same time. */
TEST(ParticipantWork, SurvivesManyStreamsAtOnce)
{
    Served served;
    std::vector<std::thread> threads;
    for (int t = 0; t < 6; t++) {
        threads.emplace_back([&served, t] {
            for (int round = 0; round < 10; round++) {
                WorkStream stream(&served.wire());
                std::vector<Ask> asks;
                for (int i = 0; i < 50; i++) {
                    asks.push_back(Branch(1 + t * 100000 + round * 1000 + i));
                    asks.back().action = i % 5 == 0 ? "out" : "act";
                }
                stream.Send(asks, 1);
                const Told told = served.wire().Send(Branch(50000000 + t * 100 + round));
                EXPECT_EQ(told.verdict, TERCET_VERDICT_DONE);
                if (round % 2 == 0) {
                    for (int i = 1; i <= 50; i++) {
                        EXPECT_EQ(stream.Await(i).verdict, TERCET_VERDICT_DONE);
                    }
                }
            }
        });
    }
    for (std::thread &thread : threads) {
        thread.join();
    }
}

} // namespace
