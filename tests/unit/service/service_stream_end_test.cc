/* ExecuteStream: its bounds, and every way in which it ends. */
#include <atomic>
#include <thread>

#include "execute_stream.h"

extern "C" {
#include "service/batch.h"
}

class ServiceStreamEnd : public ServiceTest
{
  protected:
    std::vector<ExecuteMessage *> Many(int count)
    {
        std::vector<ExecuteMessage *> messages;
        for (int i = 0; i < count; i++) {
            messages_.push_back(std::make_unique<ExecuteMessage>());
            messages.push_back(messages_.back().get());
        }
        return messages;
    }

    std::vector<EventPointer> Take(int count)
    {
        std::vector<EventPointer> events;
        for (int i = 0; i < count; i++) {
            events.push_back(NextRequest(REQUEST_EXECUTE));
        }
        return events;
    }

    void Confirm(const EventPointer &event)
    {
        Reply(event->u.request.token, REQUEST_EXECUTE, Copy(PlainView("pay-1", TXN_CONFIRMED)));
    }

    std::vector<std::unique_ptr<ExecuteMessage>> messages_;
};

TEST_F(ServiceStreamEnd, BreaksOffWhoeverExceedsTheWindowOrOneMessage)
{
    Start(3, 2000);
    {
        ExecuteStream stream(channel_);
        EXPECT_EQ(stream.AwaitWindow(), 3U);
        stream.Send(Many(2), 1);
        const std::vector<EventPointer> events = Take(2);
        stream.Send(Many(2), 3);
        const Answer end = stream.AwaitEnd();
        EXPECT_EQ(end.status, TERCET_RESOURCE_EXHAUSTED);
        EXPECT_THAT(end.text, ::testing::HasSubstr("4 unanswered, the window is 3"));
        EXPECT_TRUE(NoEvent()) << "nothing of what is too much is begun";
        Confirm(events[0]);
        Confirm(events[1]);
    }
    Start(2000, 2000);
    ExecuteStream stream(channel_);
    stream.Send(Many(BATCH_REQUEST_COUNT_MAX + 1), 1);
    EXPECT_EQ(stream.AwaitEnd().status, TERCET_RESOURCE_EXHAUSTED);
    EXPECT_TRUE(NoEvent());
}

TEST_F(ServiceStreamEnd, ElementsAndCallsWaitUnderOneBound)
{
    Start(3, 100);
    ExecuteMessage execute;
    Pending unary = Call("Execute", &execute.message.base);
    const EventPointer first = NextRequest(REQUEST_EXECUTE);
    ExecuteStream stream(channel_);
    stream.Send(Many(3), 1);
    const std::vector<EventPointer> events = Take(2);
    const Answer answer = stream.Await(3);
    EXPECT_EQ(answer.status, TERCET_RESOURCE_EXHAUSTED);
    EXPECT_EQ(answer.code, "TERCET_WAITING_CALLS");
    EXPECT_TRUE(answer.refused);
    EXPECT_GT(answer.retry_after_ms, 0U);
    Confirm(first);
    Confirm(events[0]);
    Confirm(events[1]);
    EXPECT_EQ(unary.Wait().status, TERCET_OK);
    EXPECT_EQ(stream.Await(2).status, TERCET_OK);
}

TEST_F(ServiceStreamEnd, AFullInboxRefusesOneElement)
{
    Start(100, 2);
    ExecuteStream stream(channel_);
    stream.Send(Many(3), 1);
    EXPECT_EQ(stream.Await(3).code, "TERCET_INBOX_FULL");
    for (const EventPointer &event : Take(2)) {
        Confirm(event);
    }
    EXPECT_EQ(stream.Await(1).status, TERCET_OK);
    EXPECT_EQ(stream.Await(2).status, TERCET_OK);
}

TEST_F(ServiceStreamEnd, AStreamThatBreaksTakesNothingBack)
{
    std::vector<EventPointer> events;
    {
        ExecuteStream stream(channel_);
        stream.Send(Many(5), 1);
        events = Take(5);
        Confirm(events[0]);
        EXPECT_EQ(stream.Await(1).status, TERCET_OK);
    }
    EXPECT_TRUE(NoEvent()) << "nobody is told to forget them";
    EXPECT_EQ(service_waiting_calls(service_), 4U) << "they are still the engine's";
    for (size_t i = 1; i < events.size(); i++) {
        Confirm(events[i]);
    }
    EXPECT_EQ(service_waiting_calls(service_), 0U);
}

TEST_F(ServiceStreamEnd, AnswersEverythingAfterTheHalfCloseThenEnds)
{
    ExecuteStream stream(channel_);
    stream.Send(Many(20), 1);
    const std::vector<EventPointer> events = Take(20);
    stream.HalfClose();
    for (const EventPointer &event : events) {
        Confirm(event);
    }
    EXPECT_EQ(stream.AwaitEnd().status, TERCET_OK);
    EXPECT_EQ(stream.AnswerCount(), 20U);
}

TEST_F(ServiceStreamEnd, DrainingRefusesNewElementsAndAnswersTheOthers)
{
    ExecuteStream stream(channel_);
    stream.Send(Many(1), 1);
    const std::vector<EventPointer> events = Take(1);
    service_drain(service_);
    stream.Send(Many(2), 2);
    for (const int64_t call : {2, 3}) {
        const Answer answer = stream.Await(call);
        EXPECT_EQ(answer.status, TERCET_UNAVAILABLE);
        EXPECT_EQ(answer.code, "TERCET_STOPPING");
        EXPECT_TRUE(answer.refused);
        EXPECT_GT(answer.retry_after_ms, 0U);
    }
    Confirm(events[0]);
    EXPECT_EQ(stream.Await(1).status, TERCET_OK);
}

/* Goal: what was accepted is answered before the server has stopped. */
TEST_F(ServiceStreamEnd, AServerThatStopsWaitsForItsAnswers)
{
    Start(500, 500);
    ExecuteStream idle(channel_);
    EXPECT_NE(idle.AwaitWindow(), 0U);
    ExecuteStream stream(channel_);
    stream.Send(Many(300), 1);
    const std::vector<EventPointer> events = Take(300);
    std::thread stopper([this] { rpc_server_stop(server_, 20000); });
    const Answer idle_end = idle.AwaitEnd();
    EXPECT_EQ(idle_end.status, TERCET_UNAVAILABLE) << "who has nothing to say goes at once";
    EXPECT_EQ(idle_end.text, "stopping");
    for (const EventPointer &event : events) {
        Confirm(event);
    }
    stopper.join();
    EXPECT_EQ(stream.AwaitEnd().status, TERCET_UNAVAILABLE);
    EXPECT_EQ(stream.AnswerCount(), 300U);
}

TEST_F(ServiceStreamEnd, WhatIsHeldWhenTheGraceIsOverIsStillGivenBack)
{
    ExecuteStream stream(channel_);
    stream.Send(Many(2), 1);
    const std::vector<EventPointer> events = Take(2);
    rpc_server_stop(server_, 0);
    EXPECT_EQ(stream.AwaitEnd().status, TERCET_UNAVAILABLE);
    Confirm(events[0]);
    Confirm(events[1]);
    EXPECT_EQ(service_waiting_calls(service_), 0U);
}

/* Goal: a client that never reads costs a bounded number of bytes, and then its stream. */
TEST_F(ServiceStreamEnd, BreaksOffWhoeverNeverReads)
{
    Start(60000, 100);
    ExecuteStream stream(channel_);
    EXPECT_EQ(stream.AwaitWindow(), 60000U);
    stream.StopReading();
    /* Refused at once, with a text: each answer has some 300 bytes, and core takes a few MiB. */
    std::vector<ExecuteMessage *> batch = Many(1000);
    for (ExecuteMessage *message : batch) {
        message->participant = std::string(64, 's');
        message->branches[0].participant = Text(message->participant);
    }
    batch.push_back(Many(1)[0]); /* tells that the service has seen the message */
    int seen = 0;
    while (stream.Send(batch, 1) && stream.LeavesWithin(5000)) {
        const EventPointer event = Next(2000);
        if (event == nullptr) {
            break;
        }
        Confirm(event);
        ASSERT_LT(++seen, 55) << "it may fill the window and never read";
    }
    stream.ReadOn();
    EXPECT_NE(stream.AwaitEnd().status, TERCET_OK);
    EXPECT_TRUE(NoEvent());
}

TEST_F(ServiceStreamEnd, RefusesTooManyStreams)
{
    std::vector<std::unique_ptr<ExecuteStream>> streams;
    for (int i = 0; i < BATCH_STREAM_COUNT_MAX; i++) {
        streams.push_back(std::make_unique<ExecuteStream>(channel_));
        EXPECT_NE(streams.back()->AwaitWindow(), 0U);
    }
    {
        ExecuteStream more(channel_);
        EXPECT_EQ(more.AwaitEnd().status, TERCET_RESOURCE_EXHAUSTED);
    }
    streams.pop_back();
    for (;;) { /* until the server has noticed */
        ExecuteStream again(channel_);
        if (again.AwaitWindow() != 0) {
            break;
        }
    }
}

/* Goal: streams that come, ask, break and half-close at the same time. */
TEST_F(ServiceStreamEnd, SurvivesManyStreamsAtOnce)
{
    Start(5000, 5000);
    std::atomic<bool> over{false};
    std::thread loop([&] {
        while (!over || service_waiting_calls(service_) > 0) {
            const EventPointer event = Next(10);
            if (event != nullptr) {
                Confirm(event);
            }
        }
    });
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; t++) {
        threads.emplace_back([this, t] {
            std::vector<ExecuteMessage> owned(20);
            std::vector<ExecuteMessage *> batch;
            for (ExecuteMessage &message : owned) {
                batch.push_back(&message);
            }
            for (int round = 0; round < 10; round++) {
                ExecuteStream stream(channel_);
                stream.Send(batch, 1);
                if ((round + t) % 3 == 0) {
                    stream.HalfClose();
                    EXPECT_EQ(stream.AwaitEnd().status, TERCET_OK);
                    EXPECT_EQ(stream.AnswerCount(), batch.size());
                } else if ((round + t) % 3 == 1) {
                    EXPECT_EQ(stream.Await(20).status, TERCET_OK);
                }
            }
        });
    }
    for (std::thread &thread : threads) {
        thread.join();
    }
    over = true;
    loop.join();
}
