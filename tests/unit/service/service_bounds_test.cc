/* Bounds: waiting calls, the inbox, draining, a caller that does not wait. */
#include <thread>
#include <tuple>

#include "service_fixture.h"

class ServiceBounds : public ServiceTest
{
  protected:
    Tercet__V1__GetRequest *Get()
    {
        get_.gid = Text(gid_);
        return &get_;
    }

    std::string gid_ = "g";
    Tercet__V1__GetRequest get_ = TERCET__V1__GET_REQUEST__INIT;
};

TEST_F(ServiceBounds, MoreCallsThanMayWaitAreRefusedAtOnce)
{
    Start(3, 100);
    std::vector<Pending> waiting;
    std::vector<EventPointer> events;
    for (int i = 0; i < 3; i++) {
        waiting.push_back(Call("Get", &Get()->base));
        events.push_back(NextRequest(REQUEST_GET));
    }
    EXPECT_EQ(service_waiting_calls(service_), 3U);
    const Answer answer = Call("Get", &Get()->base).Wait();
    EXPECT_EQ(answer.status, TERCET_RESOURCE_EXHAUSTED);
    EXPECT_EQ(answer.code, "TERCET_WAITING_CALLS");
    EXPECT_TRUE(answer.refused);
    EXPECT_GT(answer.retry_after_ms, 0U);
    EXPECT_EQ(answer.limit, 3);
    EXPECT_EQ(answer.value, 4);

    Reply(events[0]->u.request.token, REQUEST_GET, Copy(PlainView("g", TXN_TRYING)));
    EXPECT_EQ(waiting[0].Wait().status, TERCET_OK);
    waiting.push_back(Call("Get", &Get()->base));
    events.push_back(NextRequest(REQUEST_GET));
    for (size_t i = 1; i < events.size(); i++) {
        Reply(events[i]->u.request.token, REQUEST_GET, Copy(PlainView("g", TXN_TRYING)));
        EXPECT_EQ(waiting[i].Wait().status, TERCET_OK);
    }
}

TEST_F(ServiceBounds, AFullInboxRefusesAndFreesTheBranches)
{
    Start(100, 1);
    Pending first = Call("Get", &Get()->base);
    while (service_waiting_calls(service_) == 0) {
        std::this_thread::yield();
    }
    ExecuteMessage execute;
    Answer answer;
    do { /* the first may not be in the inbox yet, then this one is the first there */
        answer = Call("Execute", &execute.message.base, 5000).Wait();
    } while (answer.status == TERCET_DEADLINE_EXCEEDED);
    EXPECT_EQ(answer.status, TERCET_RESOURCE_EXHAUSTED);
    EXPECT_EQ(answer.code, "TERCET_INBOX_FULL");
    EXPECT_TRUE(answer.refused);
    EXPECT_GT(answer.retry_after_ms, 0U);
    const EventPointer event = NextRequest(REQUEST_GET);
    Reply(event->u.request.token, REQUEST_GET, Copy(PlainView("g", TXN_TRYING)));
    EXPECT_EQ(first.Wait().status, TERCET_OK);
}

TEST_F(ServiceBounds, DrainingRefusesNewWorkAndNothingElse)
{
    service_drain(service_);
    ExecuteMessage execute;
    Tercet__V1__BeginRequest begin = TERCET__V1__BEGIN_REQUEST__INIT;
    Tercet__V1__TryRequest try_request = TERCET__V1__TRY_REQUEST__INIT;
    try_request.gid = Text(gid_);
    try_request.number = 1;
    try_request.branch = execute.branches.data();
    const std::pair<const char *, const ProtobufCMessage *> refused[] = {
        {"Execute", &execute.message.base}, {"Begin", &begin.base}, {"Try", &try_request.base}};
    for (const auto &one : refused) {
        const Answer answer = Refused(one.first, one.second);
        EXPECT_EQ(answer.status, TERCET_UNAVAILABLE);
        EXPECT_EQ(answer.code, "TERCET_STOPPING");
        EXPECT_GT(answer.retry_after_ms, 0U);
    }
    Tercet__V1__ConfirmRequest confirm = TERCET__V1__CONFIRM_REQUEST__INIT;
    Tercet__V1__CancelRequest cancel = TERCET__V1__CANCEL_REQUEST__INIT;
    confirm.gid = cancel.gid = Text(gid_);
    const std::tuple<const char *, const ProtobufCMessage *, enum request_kind> served[] = {
        {"Confirm", &confirm.base, REQUEST_CONFIRM},
        {"Cancel", &cancel.base, REQUEST_CANCEL},
        {"Get", &Get()->base, REQUEST_GET}};
    for (const auto &one : served) {
        Pending call = Call(std::get<0>(one), std::get<1>(one));
        const EventPointer event = NextRequest(std::get<2>(one));
        Reply(event->u.request.token, std::get<2>(one), Copy(PlainView("g", TXN_CONFIRMED)));
        EXPECT_EQ(call.Wait().status, TERCET_OK);
    }
}

TEST_F(ServiceBounds, ACallerThatWentAwayIsAnsweredIntoTheVoid)
{
    Pending call = Call("Get", &Get()->base);
    const EventPointer event = NextRequest(REQUEST_GET);
    call.Cancel();
    EXPECT_EQ(call.Wait().status, TERCET_CALL_CANCELLED);
    EXPECT_EQ(service_waiting_calls(service_), 1U) << "its request is still the engine's";
    Reply(event->u.request.token, REQUEST_GET, Copy(PlainView("g", TXN_TRYING)));
    EXPECT_EQ(service_waiting_calls(service_), 0U);
}

TEST_F(ServiceBounds, ACallThatIsHeldWhenTheServerStopsIsStillGivenBack)
{
    Pending call = Call("Get", &Get()->base);
    const EventPointer event = NextRequest(REQUEST_GET);
    rpc_server_stop(server_, 0);
    EXPECT_EQ(call.Wait().status, TERCET_UNAVAILABLE);
    Reply(event->u.request.token, REQUEST_GET, Copy(PlainView("g", TXN_TRYING)));
    EXPECT_EQ(service_waiting_calls(service_), 0U);
}
