/* Streams from the client's side: what a peer may do to it. */
#include "rpc_fixture.h"

class RpcClientStream : public RpcTest
{
  protected:
    struct Reader {
        int messages = 0;
        Gate ended;
        Outcome outcome;
    };

    struct rpc_client_stream *Open(Reader *reader, const char *path,
                                   const ProtobufCMessageDescriptor *reply = kReply)
    {
        Request request = TERCET__TEST__ECHO_REQUEST__INIT;
        struct rpc_client_stream_options options = {};
        options.path = path;
        options.request = &request.base;
        options.reply = reply;
        options.timeout_ms = TERCET_FOREVER;
        options.context = reader;
        options.message = [](const ProtobufCMessage *, void *context) {
            static_cast<Reader *>(context)->messages++;
        };
        options.end = [](const struct rpc_result *result, void *context) {
            auto *at = static_cast<Reader *>(context);
            at->outcome = Copy(result);
            at->ended.Open();
        };
        return rpc_client_stream_start(channel_, &options);
    }
};

TEST_F(RpcClientStream, EndsWhenNobodyListens)
{
    Connect("127.0.0.1:1");
    Reader reader;
    rpc_client_stream_unref(Open(&reader, kWatch));
    ASSERT_TRUE(reader.ended.Wait());
    EXPECT_EQ(reader.outcome.status, TERCET_UNAVAILABLE);
    EXPECT_FALSE(reader.outcome.sent_maybe);
}

TEST_F(RpcClientStream, EndsWhenTheMethodIsUnknown)
{
    Serve();
    Reader reader;
    rpc_client_stream_unref(Open(&reader, "/tercet.test.Echo/Nothing"));
    ASSERT_TRUE(reader.ended.Wait());
    EXPECT_EQ(reader.outcome.status, TERCET_UNIMPLEMENTED);
    EXPECT_EQ(reader.messages, 0);
}

TEST_F(RpcClientStream, EndsAtAMessageThatIsNotWhatItShouldBe)
{
    stream_ = [](struct rpc_stream *stream, const Request *) {
        Reply reply = TERCET__TEST__ECHO_REPLY__INIT;
        reply.text = const_cast<char *>("\x01\x02\x03 is no message");
        rpc_stream_send(stream, &reply.base);
        rpc_stream_finish(stream, TERCET_OK, "", nullptr);
    };
    Serve();
    Reader reader;
    /* Field 1 of Deep1 is a message; what comes in it is not. */
    rpc_client_stream_unref(Open(&reader, kWatch, &tercet__test__deep1__descriptor));
    ASSERT_TRUE(reader.ended.Wait());
    EXPECT_EQ(reader.outcome.status, TERCET_INTERNAL);
    EXPECT_EQ(reader.outcome.text, "message is not a tercet.test.Deep1");
    EXPECT_EQ(reader.messages, 0);
}
