/* A participant that stops while answers are on their way on a Work stream. */
#include <gtest/gtest.h>

#include <thread>

#include "support/relay.h"
#include "unit/sdk/places.h"
#include "unit/sdk/work_stream.h"

namespace
{

TEST(ParticipantWorkStop, AnswersWhatItHoldsBeforeItStops)
{
    Served served;
    served.handlers.gate.Close();
    WorkStream stream(&served.wire());
    stream.Send({Branch(1, "gate")}, 1);
    served.handlers.gate.AwaitWaiting(1);
    std::vector<Ask> asks;
    for (int i = 2; i <= 300; i++) {
        asks.push_back(Branch(i));
    }
    stream.Send(asks, 2);
    while (served.Stats().requests < 300) {
        std::this_thread::yield(); /* what has not arrived is nobody's to answer */
    }
    std::thread stopper(
        [&] { EXPECT_EQ(tercet_participant_stop(served.participant(), 20000), TERCET_OK); });
    served.handlers.gate.Open();
    stopper.join();
    const Told end = stream.AwaitEnd();
    EXPECT_EQ(end.status, TERCET_UNAVAILABLE);
    EXPECT_EQ(stream.Await(1).verdict, TERCET_VERDICT_DONE);
    for (int i = 2; i <= 300; i++) {
        const Told told = stream.Await(i);
        EXPECT_TRUE(told.verdict == TERCET_VERDICT_DONE || told.code == "TERCET_STOPPING") << i;
    }
}

/* Goal: a stop waits for a message that is being written, and for what stands behind it.  Core gives
 * a stream 4 MiB that nobody has read; what is asked for here is some more. */
TEST(ParticipantWorkStop, AnswersThatAreLeavingArriveThoughItStops)
{
    constexpr int kBatch = 240;
    constexpr uint64_t kLast = 17 * kBatch + 1; /* within the window */
    Served::Options options;
    options.batch_max = kBatch;
    Served served(options);
    Relay relay(tercet_participant_address(served.participant()));
    Wire slow(relay.Address());
    WorkStream stream(&slow);
    (void)stream.AwaitWindow();
    served.handlers.gate.Close();
    stream.Send({Branch(1, "gate")}, 1);
    served.handlers.gate.AwaitWaiting(1);
    for (int first = 2; first < static_cast<int>(kLast); first += kBatch) {
        std::vector<Ask> asks;
        for (int i = first; i < first + kBatch; i++) {
            asks.push_back(Branch(i, "done:" + std::string(TERCET_RESULT_BYTES_MAX, 'r')));
        }
        stream.Send(asks, first);
    }
    EXPECT_TRUE(Eventually([&] { return served.Stats().requests == kLast; }));
    relay.Pause();
    served.handlers.gate.Open();
    EXPECT_TRUE(Eventually([&] { return served.Stats().done == kLast; }));
    tercet_status stopped = TERCET_UNKNOWN;
    std::thread stopper([&] { stopped = tercet_participant_stop(served.participant(), 20000); });
    Ask late = Branch(kLast + 1);
    late.call_timeout_ms = 2000; /* whoever has stopped does not answer */
    Told told;
    int stopping = 0;
    do { /* more than once: it answers so in its last moment, too */
        told = served.wire().Send(late);
        stopping += told.code == "TERCET_STOPPING" ? 1 : 0;
    } while (told.status == TERCET_OK && stopping < 20);
    EXPECT_EQ(told.status, TERCET_OK) << "it has stopped although a message is on its way";
    relay.ReadOn();
    stopper.join();
    EXPECT_EQ(stopped, TERCET_OK);
    for (int i = 2; i <= static_cast<int>(kLast); i++) {
        const Told one = stream.Await(i);
        ASSERT_EQ(one.verdict, TERCET_VERDICT_DONE) << i;
        ASSERT_EQ(one.result.size(), size_t{TERCET_RESULT_BYTES_MAX}) << i;
    }
    EXPECT_EQ(stream.AwaitEnd().status, TERCET_UNAVAILABLE);
}

} // namespace
