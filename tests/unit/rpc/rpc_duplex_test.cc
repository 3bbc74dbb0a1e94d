/* Streams of both sides: order, the end, and what either peer may do to the other. */
#include "rpc_duplex_fixture.h"

TEST_F(RpcDuplex, DeliversInOrderBothWaysAndEndsAfterTheHalfClose)
{
    Keep();
    server_end_.on_message = [this](const std::string &text) {
        while (!Say(server_end_.duplex, "re " + text)) {
            std::this_thread::yield(); /* the one before is just leaving */
        }
    };
    Serve();
    End client;
    Open(&client);
    std::vector<std::string> expected;
    for (int i = 0; i < 200; i++) {
        const std::string text = std::to_string(i);
        ASSERT_TRUE(Say(client.duplex, text, static_cast<size_t>(i) * 100));
        ASSERT_TRUE(client.written.Wait(i + 1));
        expected.push_back("re " + text);
    }
    ASSERT_TRUE(client.message.Wait(200));
    EXPECT_EQ(client.Heard(), expected);
    EXPECT_EQ(server_end_.half_closed.Count(), 0);
    rpc_duplex_half_close(client.duplex);
    ASSERT_TRUE(server_end_.half_closed.Wait());
    EXPECT_EQ(server_end_.gone.Count(), 0);
    EXPECT_EQ(client.ended.Count(), 0);
    rpc_duplex_finish(server_end_.duplex, TERCET_OK, "");
    ASSERT_TRUE(client.ended.Wait());
    EXPECT_EQ(client.outcome.status, TERCET_OK);
    EXPECT_TRUE(server_end_.ended.Wait());
    rpc_duplex_unref(client.duplex);
}

/* Goal: one write in flight; what is said meanwhile is refused, not queued. */
TEST_F(RpcDuplex, RefusesASecondMessageUntilTheFirstHasLeft)
{
    Keep();
    Gate go;
    server_end_.on_message = [&](const std::string &) { go.Wait(); };
    Serve();
    End client;
    Open(&client);
    /* The server does not read on: sooner or later a message does not leave. */
    int sent = 0;
    while (Say(client.duplex, "x", 1000000)) {
        sent++;
        if (!client.written.Wait(sent, 500)) {
            break;
        }
        ASSERT_LT(sent, 64) << "a peer that does not read takes it all";
    }
    EXPECT_FALSE(Say(client.duplex, "y"));
    const int left = client.written.Count();
    EXPECT_LT(left, sent);
    EXPECT_LT(left, 16) << "more than core's windows is held for a peer that does not read";
    go.Open();
    EXPECT_TRUE(client.written.Wait(sent));
    EXPECT_TRUE(server_end_.message.Wait(sent));
    rpc_duplex_cancel(client.duplex);
    ASSERT_TRUE(client.ended.Wait());
    EXPECT_EQ(client.outcome.status, TERCET_CALL_CANCELLED);
    ASSERT_TRUE(server_end_.gone.Wait());
    rpc_duplex_finish(server_end_.duplex, TERCET_OK, "");
    EXPECT_TRUE(server_end_.ended.Wait());
    rpc_duplex_unref(client.duplex);
}

/* Goal: a server can get rid of a client that never reads, whatever is stuck. */
TEST_F(RpcDuplex, BreaksOffAClientThatNeverReads)
{
    Keep();
    Serve();
    Gate go;
    End client;
    client.on_message = [&](const std::string &) { go.Wait(); };
    Open(&client);
    ASSERT_TRUE(arrived_.Wait());
    int sent = 0;
    while (Say(server_end_.duplex, "x", 1000000)) {
        sent++;
        if (!server_end_.written.Wait(sent, 500)) {
            break;
        }
        ASSERT_LT(sent, 64);
    }
    rpc_duplex_cancel(server_end_.duplex);
    ASSERT_TRUE(server_end_.gone.Wait());
    rpc_duplex_finish(server_end_.duplex, TERCET_RESOURCE_EXHAUSTED, "does not read");
    EXPECT_TRUE(server_end_.ended.Wait());
    go.Open();
    ASSERT_TRUE(client.ended.Wait());
    EXPECT_NE(client.outcome.status, TERCET_OK);
    EXPECT_FALSE(Say(client.duplex, "too late"));
    rpc_duplex_unref(client.duplex);
}

TEST_F(RpcDuplex, TellsTheServersStatusBehindItsLastMessage)
{
    duplex_ = [this](struct rpc_duplex *duplex) {
        const struct rpc_duplex_events events = server_end_.Events(kRequest);
        rpc_duplex_listen(duplex, &events);
        EXPECT_TRUE(Say(duplex, "last"));
        rpc_duplex_finish(duplex, TERCET_NOT_FOUND, "no such gid");
    };
    Serve();
    for (int i = 1; i <= 50; i++) {
        End client;
        Open(&client);
        ASSERT_TRUE(client.ended.Wait());
        EXPECT_EQ(client.outcome.status, TERCET_NOT_FOUND);
        EXPECT_EQ(client.outcome.text, "no such gid");
        EXPECT_EQ(client.Heard(), std::vector<std::string>{"last"});
        EXPECT_TRUE(server_end_.ended.Wait(i));
        rpc_duplex_unref(client.duplex);
    }
}

TEST_F(RpcDuplex, EndsAtAServersMessageThatIsTooLarge)
{
    Keep();
    Serve();
    End client;
    Open(&client);
    ASSERT_TRUE(arrived_.Wait());
    ASSERT_TRUE(Say(server_end_.duplex, "x", 5 << 20));
    ASSERT_TRUE(client.ended.Wait());
    EXPECT_EQ(client.outcome.status, TERCET_RESOURCE_EXHAUSTED) << client.outcome.text;
    EXPECT_TRUE(client.Heard().empty());
    ASSERT_TRUE(server_end_.gone.Wait());
    rpc_duplex_finish(server_end_.duplex, TERCET_OK, "");
    EXPECT_TRUE(server_end_.ended.Wait());
    rpc_duplex_unref(client.duplex);
}

TEST_F(RpcDuplex, BreaksOffAClientWhoseMessageIsTooLarge)
{
    Keep();
    Serve();
    End client;
    Open(&client);
    ASSERT_TRUE(Say(client.duplex, "x", 5 << 20));
    ASSERT_TRUE(client.ended.Wait());
    EXPECT_EQ(client.outcome.status, TERCET_RESOURCE_EXHAUSTED) << client.outcome.text;
    ASSERT_TRUE(server_end_.gone.Wait());
    EXPECT_TRUE(server_end_.Heard().empty());
    rpc_duplex_finish(server_end_.duplex, TERCET_OK, "");
    EXPECT_TRUE(server_end_.ended.Wait());
    rpc_duplex_unref(client.duplex);
}

TEST_F(RpcDuplex, EndsAtAMessageThatIsNotWhatItShouldBe)
{
    Keep();
    Serve();
    End client;
    Open(&client);
    const std::string garbage = "\x0a\x7f no such length";
    ASSERT_TRUE(rpc_duplex_send(client.duplex, tercet_bytes_of(garbage.data(), garbage.size())));
    ASSERT_TRUE(client.ended.Wait());
    EXPECT_EQ(client.outcome.status, TERCET_INVALID_ARGUMENT);
    EXPECT_EQ(client.outcome.text, "message is not a tercet.test.EchoRequest");
    ASSERT_TRUE(server_end_.gone.Wait());
    EXPECT_FALSE(Say(server_end_.duplex, "too late"));
    rpc_duplex_finish(server_end_.duplex, TERCET_OK, "");
    EXPECT_TRUE(server_end_.ended.Wait());
    rpc_duplex_unref(client.duplex);

    End other;
    Open(&other);
    ASSERT_TRUE(arrived_.Wait(2));
    ASSERT_TRUE(
        rpc_duplex_send(server_end_.duplex, tercet_bytes_of(garbage.data(), garbage.size())));
    ASSERT_TRUE(other.ended.Wait());
    EXPECT_EQ(other.outcome.status, TERCET_INTERNAL);
    EXPECT_EQ(other.outcome.text, "message is not a tercet.test.EchoReply");
    ASSERT_TRUE(server_end_.gone.Wait(2));
    rpc_duplex_finish(server_end_.duplex, TERCET_OK, "");
    EXPECT_TRUE(server_end_.ended.Wait(2));
    rpc_duplex_unref(other.duplex);
}

TEST_F(RpcDuplex, EndsWhenNobodyListensOrTheMethodIsUnknown)
{
    Connect("127.0.0.1:1");
    End nobody;
    Open(&nobody);
    ASSERT_TRUE(nobody.ended.Wait());
    EXPECT_EQ(nobody.outcome.status, TERCET_UNAVAILABLE);
    EXPECT_FALSE(nobody.outcome.sent_maybe);
    EXPECT_FALSE(Say(nobody.duplex, "x"));
    rpc_duplex_unref(nobody.duplex);
    rpc_channel_close(channel_);

    Serve();
    End unknown;
    Open(&unknown, kBidi);
    (void)Say(unknown.duplex, "x");
    ASSERT_TRUE(unknown.ended.Wait());
    EXPECT_EQ(unknown.outcome.status, TERCET_UNIMPLEMENTED);
    rpc_duplex_unref(unknown.duplex);
}

TEST_F(RpcDuplex, TellsTheServerThatTheConnectionIsGone)
{
    Keep();
    Serve();
    End client;
    Open(&client);
    ASSERT_TRUE(arrived_.Wait());
    rpc_channel_close(channel_);
    channel_ = nullptr;
    EXPECT_EQ(client.ended.Count(), 1) << "the channel was closed under a running stream";
    EXPECT_TRUE(server_end_.gone.Wait());
    EXPECT_TRUE(server_end_.half_closed.Wait());
    EXPECT_EQ(server_end_.ended.Count(), 0);
    EXPECT_FALSE(Say(server_end_.duplex, "nobody hears it"));
    rpc_duplex_finish(server_end_.duplex, TERCET_OK, "");
    EXPECT_TRUE(server_end_.ended.Wait());
    rpc_duplex_unref(client.duplex);
}

TEST_F(RpcDuplex, IsEndedByAServerThatStopsBehindWhatIsBeingWritten)
{
    Keep();
    Serve();
    End client;
    Open(&client);
    ASSERT_TRUE(arrived_.Wait());
    ASSERT_TRUE(Say(server_end_.duplex, "last", 1000000));
    rpc_server_stop(server_, 60000);
    EXPECT_EQ(server_end_.gone.Count(), 1);
    ASSERT_TRUE(client.ended.Wait());
    EXPECT_EQ(client.outcome.status, TERCET_UNAVAILABLE);
    EXPECT_EQ(client.outcome.text, "stopping");
    EXPECT_EQ(client.Heard(), std::vector<std::string>{"last"});
    rpc_server_destroy(server_);
    server_ = nullptr;
    EXPECT_EQ(server_end_.ended.Count(), 0);
    EXPECT_FALSE(Say(server_end_.duplex, "too late"));
    rpc_duplex_cancel(server_end_.duplex);
    rpc_duplex_finish(server_end_.duplex, TERCET_OK, "");
    EXPECT_EQ(server_end_.ended.Count(), 1);
    rpc_duplex_unref(client.duplex);
}

TEST_F(RpcDuplex, MayFinishWithinTheGraceOfAServerThatStops)
{
    server_end_.can_be_asked = true;
    Keep();
    Serve();
    End client;
    ASSERT_NO_FATAL_FAILURE(OpenAndBeHeard(&client));
    std::thread stopper([this] { rpc_server_stop(server_, 60000); });
    ASSERT_TRUE(server_end_.stopping.Wait());
    ASSERT_TRUE(Say(server_end_.duplex, "late"));
    ASSERT_TRUE(server_end_.written.Wait());
    ASSERT_TRUE(Say(server_end_.duplex, "last"));
    rpc_duplex_finish(server_end_.duplex, TERCET_OK, "");
    stopper.join();
    ASSERT_TRUE(client.ended.Wait());
    EXPECT_EQ(client.outcome.status, TERCET_OK) << client.outcome.text;
    EXPECT_EQ(client.Heard(), (std::vector<std::string>{"late", "last"}));
    EXPECT_EQ(server_end_.gone.Count(), 0);
    rpc_duplex_unref(client.duplex);
}

TEST_F(RpcDuplex, IsEndedWhenTheGraceOfAServerThatStopsIsOver)
{
    server_end_.can_be_asked = true;
    Keep();
    Serve();
    End client;
    ASSERT_NO_FATAL_FAILURE(OpenAndBeHeard(&client));
    rpc_server_stop(server_, 10);
    EXPECT_EQ(server_end_.stopping.Count(), 1);
    EXPECT_EQ(server_end_.gone.Count(), 1);
    ASSERT_TRUE(client.ended.Wait());
    EXPECT_EQ(client.outcome.status, TERCET_UNAVAILABLE);
    rpc_duplex_finish(server_end_.duplex, TERCET_OK, "");
    rpc_duplex_unref(client.duplex);
}

/* Goal: sends, both ends' leaving and the server's stop meet in every order. */
TEST_F(RpcDuplex, SurvivesEverythingAtOnce)
{
    constexpr size_t kStreams = 200;
    std::vector<std::unique_ptr<End>> servers;
    std::vector<std::thread> owners;
    std::mutex mutex;
    duplex_ = [&](struct rpc_duplex *duplex) {
        std::lock_guard<std::mutex> lock(mutex);
        servers.push_back(std::make_unique<End>());
        End *end = servers.back().get();
        end->duplex = duplex;
        const struct rpc_duplex_events events = end->Events(kRequest);
        rpc_duplex_listen(duplex, &events);
        owners.emplace_back([duplex, turn = servers.size()] {
            for (int i = 0; i < 20; i++) {
                (void)Say(duplex, "s");
            }
            if (turn % 4 == 0) {
                rpc_duplex_cancel(duplex);
            }
            rpc_duplex_finish(duplex, TERCET_ABORTED, "enough");
        });
    };
    Serve();
    std::vector<End> clients(kStreams);
    for (size_t i = 0; i < kStreams; i++) {
        Open(&clients[i]);
        (void)Say(clients[i].duplex, "c");
        if (i % 3 == 0) {
            rpc_duplex_cancel(clients[i].duplex);
        }
        if (i % 3 == 1) {
            rpc_duplex_half_close(clients[i].duplex);
        }
        if (i == kStreams - 20) {
            rpc_server_drain(server_);
        }
    }
    rpc_server_stop(server_, 0);
    for (End &client : clients) {
        ASSERT_TRUE(client.ended.Wait());
        rpc_duplex_unref(client.duplex);
    }
    for (std::thread &owner : owners) {
        owner.join();
    }
    for (auto &end : servers) {
        EXPECT_TRUE(end->ended.Wait());
        EXPECT_LE(end->gone.Count(), 1);
    }
}
