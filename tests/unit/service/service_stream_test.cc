/* ExecuteStream: each element is exactly an Execute. */
#include <set>

#include "execute_stream.h"

extern "C" {
#include "service/batch.h"
}

class ServiceStream : public ServiceTest
{
  protected:
    /* Elements with gids "pay-1", ... */
    std::vector<ExecuteMessage *> Many(int count, int from = 1)
    {
        std::vector<ExecuteMessage *> messages;
        for (int i = 0; i < count; i++) {
            messages_.push_back(std::make_unique<ExecuteMessage>());
            ExecuteMessage *message = messages_.back().get();
            message->gid = "pay-" + std::to_string(from + i);
            message->message.gid = Text(message->gid);
            messages.push_back(message);
        }
        return messages;
    }

    static std::string Packed(const ProtobufCMessage *message)
    {
        std::string bytes(rpc_codec_size(message), '\0');
        rpc_codec_pack_into(message, bytes.data());
        return bytes;
    }

    void Confirm(const EventPointer &event)
    {
        Reply(event->u.request.token, REQUEST_EXECUTE,
              Copy(PlainView(event->u.request.gid, TXN_CONFIRMED)));
    }

    std::vector<std::unique_ptr<ExecuteMessage>> messages_;
};

TEST_F(ServiceStream, AnElementArrivesAndIsAnsweredAsAnExecute)
{
    ExecuteMessage execute;
    execute.Use(2);
    execute.message.wait = TERCET__V1__WAIT__WAIT_END;
    execute.message.created_at_unix_ms = 42;
    execute.message.try_timeout_ms = 2000;
    struct view view = PlainView("pay-1", TXN_CONFIRMED);
    view.sequence = 7;
    view.begun_unix_ms = 11;
    const std::vector<struct view_branch> branches = {ViewBranch(1, BRANCH_CONFIRMED),
                                                      ViewBranch(2, BRANCH_CONFIRMED)};
    Pending unary = Call("Execute", &execute.message.base, TERCET_FOREVER);
    const EventPointer asked = NextRequest(REQUEST_EXECUTE);
    Reply(asked->u.request.token, REQUEST_EXECUTE, Copy(view, branches));
    const Answer expected = unary.Wait();

    ExecuteStream stream(channel_);
    stream.Send({&execute}, 4711);
    const EventPointer event = NextRequest(REQUEST_EXECUTE);
    EXPECT_STREQ(event->u.request.gid, "pay-1");
    EXPECT_EQ(event->u.request.wait, WAIT_MODE_END);
    EXPECT_EQ(event->u.request.wait_ms, 7000U) << "without a deadline";
    EXPECT_EQ(event->u.request.wait_ms, asked->u.request.wait_ms);
    EXPECT_EQ(event->u.request.created_at_unix_ms, 42);
    EXPECT_EQ(event->u.request.branch_count, 2U);
    EXPECT_EQ(memcmp(&event->u.request.content, &asked->u.request.content,
                     sizeof asked->u.request.content),
              0);
    EXPECT_EQ(service_waiting_calls(service_), 1U);
    Reply(event->u.request.token, REQUEST_EXECUTE, Copy(view, branches));
    const Answer answer = stream.Await(4711);
    EXPECT_EQ(answer.status, TERCET_OK);
    EXPECT_EQ(Packed(answer.reply.get()), Packed(expected.reply.get()));
    EXPECT_EQ(service_waiting_calls(service_), 0U);
}

TEST_F(ServiceStream, TellsItsWindowFirstAndAnswersInAnyOrder)
{
    Start(500, 500);
    ExecuteStream stream(channel_);
    EXPECT_EQ(stream.AwaitWindow(), 500U);
    EXPECT_EQ(stream.AnswerCount(), 0U);
    stream.Send(Many(400), 1);
    std::vector<EventPointer> events;
    for (int i = 0; i < 400; i++) {
        events.push_back(NextRequest(REQUEST_EXECUTE));
    }
    for (size_t i = events.size(); i > 0; i--) { /* in any order */
        Confirm(events[i - 1]);
    }
    for (int i = 1; i <= 400; i++) {
        EXPECT_EQ("pay-" + std::to_string(i), stream.Await(i).Transaction()->gid);
    }
}

TEST_F(ServiceStream, RepliesOfOneTurnLeaveInOneMessage)
{
    ExecuteStream stream(channel_);
    stream.AwaitWindow();
    const size_t before = stream.MessageCount();
    stream.Send(Many(3), 1);
    for (int i = 0; i < 3; i++) {
        const EventPointer event = NextRequest(REQUEST_EXECUTE);
        struct effect_reply reply = {};
        reply.token = event->u.request.token;
        reply.to = REQUEST_EXECUTE;
        reply.last = true;
        reply.view = Copy(PlainView(event->u.request.gid, TXN_CONFIRMED));
        service_reply(service_, &reply);
    }
    service_flush(service_);
    for (int i = 1; i <= 3; i++) {
        EXPECT_EQ(stream.Await(i).status, TERCET_OK);
    }
    EXPECT_EQ(stream.MessageCount(), before + 1);
}

TEST_F(ServiceStream, AnElementThatIsRefusedIsToldWhatExecuteTellsAndHarmsNoOther)
{
    const std::string long_gid(129, 'g');
    const std::string stranger = "stranger";
    std::string big(70000, 'p');
    const std::function<void(ExecuteMessage *)> spoilers[] = {
        [&](ExecuteMessage *one) { one->message.gid = Text(long_gid); },
        [](ExecuteMessage *one) { one->message.n_branches = 0; },
        [](ExecuteMessage *one) { one->Use(65); },
        [&](ExecuteMessage *one) { one->branches[0].participant = Text(stranger); },
        [&](ExecuteMessage *one) {
            one->branches[0].payload = {big.size(), reinterpret_cast<uint8_t *>(big.data())};
        },
        [](ExecuteMessage *one) { one->branches[0].stage = 64; },
        [](ExecuteMessage *one) { one->message.try_timeout_ms = 3600001; },
        [](ExecuteMessage *one) { one->message.created_at_unix_ms = -1; },
    };
    ExecuteStream stream(channel_);
    int64_t call = 0;
    for (const auto &spoil : spoilers) {
        std::vector<ExecuteMessage *> batch = Many(3);
        spoil(batch[1]);
        const Answer expected = Refused("Execute", &batch[1]->message.base);
        stream.Send(batch, call);
        const EventPointer first = NextRequest(REQUEST_EXECUTE);
        const EventPointer third = NextRequest(REQUEST_EXECUTE);
        const Answer answer = stream.Await(call + 1);
        EXPECT_NE(expected.status, TERCET_OK);
        EXPECT_EQ(answer.status, expected.status);
        EXPECT_TRUE(answer.refused);
        EXPECT_EQ(answer.code, expected.code);
        EXPECT_EQ(answer.field, expected.field);
        EXPECT_EQ(answer.limit, expected.limit);
        EXPECT_EQ(answer.value, expected.value);
        EXPECT_EQ(answer.text, expected.text);
        Confirm(first);
        Confirm(third);
        EXPECT_EQ(stream.Await(call).status, TERCET_OK);
        EXPECT_EQ(stream.Await(call + 2).status, TERCET_OK);
        call += 3;
    }
}

TEST_F(ServiceStream, AnElementWithAnUnknownFieldOrValueIsRefusedAlone)
{
    ExecuteMessage execute;
    ExecuteMessage other;
    other.gid = "pay-2";
    other.message.gid = Text(other.gid);
    const std::string plain = Packed(&execute.message.base);
    const std::string branch = Packed(&execute.branches[0].base);
    const std::string unknown("\xda\x01\x01x", 4); /* field 27 */
    const std::pair<std::string, std::string> rows[] = {
        {plain + unknown, "27"},
        {plain + "\x12" + static_cast<char>(branch.size() + 4) + branch + unknown, "branches.27"},
        {plain + std::string("\x18\x09", 2), "wait"},
        {plain + "\x12" + static_cast<char>(branch.size() + 2) + branch +
             std::string("\x28\x09", 2),
         "branches[1].kind"},
    };
    ExecuteStream stream(channel_);
    int64_t call = 10;
    for (const auto &row : rows) {
        const Answer unary = CallBytes("Execute", row.first);
        EXPECT_EQ(unary.code, "TERCET_NOT_UNDERSTOOD");
        other.message.call = call;
        stream.SendBytes(ExecuteStream::Element(row.first + "\x38\x01") +
                         ExecuteStream::Element(Packed(&other.message.base)));
        const EventPointer event = NextRequest(REQUEST_EXECUTE);
        EXPECT_STREQ(event->u.request.gid, "pay-2");
        Confirm(event);
        EXPECT_EQ(stream.Await(call).status, TERCET_OK);
        call++;
    }
    const Answer first = stream.Await(1);
    EXPECT_EQ(first.status, TERCET_INVALID_ARGUMENT);
    EXPECT_EQ(first.code, "TERCET_NOT_UNDERSTOOD");
    EXPECT_EQ(first.field, rows[0].second);
    EXPECT_TRUE(first.refused);
    EXPECT_EQ(stream.CountOf(1), 4U) << "each was refused";
    EXPECT_TRUE(NoEvent());
}

TEST_F(ServiceStream, TwoElementsOfOneNameAreTwoRequests)
{
    ExecuteStream stream(channel_);
    std::vector<ExecuteMessage *> batch = Many(2);
    stream.Send({batch[0]}, 5);
    stream.Send({batch[1]}, 5);
    const EventPointer first = NextRequest(REQUEST_EXECUTE);
    const EventPointer second = NextRequest(REQUEST_EXECUTE);
    EXPECT_STREQ(first->u.request.gid, "pay-1");
    EXPECT_STREQ(second->u.request.gid, "pay-2");
    Confirm(first);
    Fail(second->u.request.token, REQUEST_EXECUTE, TERCET_ALREADY_EXISTS, true);
    stream.HalfClose();
    EXPECT_EQ(stream.AwaitEnd().status, TERCET_OK);
    EXPECT_EQ(stream.CountOf(5), 2U);
}

TEST_F(ServiceStream, AnErrorOfTheEngineIsRefusedOnlyWhenItSaysSo)
{
    ExecuteStream stream(channel_);
    for (const bool refused : {true, false}) {
        stream.Send(Many(1), refused);
        const EventPointer event = NextRequest(REQUEST_EXECUTE);
        Fail(event->u.request.token, REQUEST_EXECUTE, TERCET_FAILED_PRECONDITION, refused);
        const Answer answer = stream.Await(refused);
        EXPECT_EQ(answer.status, TERCET_FAILED_PRECONDITION);
        EXPECT_EQ(answer.code, "TERCET_SOMETHING");
        EXPECT_EQ(answer.text, "something is wrong");
        EXPECT_EQ(answer.retry_after_ms, 77U);
        EXPECT_EQ(answer.refused, refused);
    }
}

TEST_F(ServiceStream, AMessageThatIsNoneEndsTheStreamAndBeginsNothing)
{
    ExecuteMessage execute;
    const std::string plain = Packed(&execute.message.base);
    std::string nul = plain;
    nul[nul.find("pay-1") + 3] = '\0';
    const std::string bad[] = {
        "\x0a\x7f no such length",
        ExecuteStream::Element(plain) + ExecuteStream::Element(nul),
        ExecuteStream::Element(plain) + std::string("\xda\x01\x01x", 4), /* of the batch itself */
        std::string("\xda\x01\x01x", 4),
    };
    for (const std::string &bytes : bad) {
        ExecuteStream stream(channel_);
        stream.SendBytes(bytes);
        EXPECT_EQ(stream.AwaitEnd().status, TERCET_INVALID_ARGUMENT) << stream.AwaitEnd().text;
        EXPECT_TRUE(NoEvent());
        EXPECT_EQ(service_waiting_calls(service_), 0U);
    }
    ExecuteStream stream(channel_);
    stream.SendBytes(""); /* nothing is asked */
    stream.HalfClose();
    EXPECT_EQ(stream.AwaitEnd().status, TERCET_OK);
}
