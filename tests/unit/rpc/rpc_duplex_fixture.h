/* rpc_duplex_fixture.h -- both ends of a stream of both sides. */
#ifndef TESTS_UNIT_RPC_RPC_DUPLEX_FIXTURE_H
#define TESTS_UNIT_RPC_RPC_DUPLEX_FIXTURE_H

#include "rpc_fixture.h"

/* One end of a stream: what it hears, and what it says next when the last has left. */
struct End {
    std::mutex mutex;
    std::vector<std::string> heard;
    size_t heard_bytes = 0;
    std::atomic<size_t> written_count{0};
    Gate message, written, half_closed, stopping, gone, ended;
    bool can_be_asked = false;
    Outcome outcome;
    struct rpc_duplex *duplex = nullptr;
    std::function<void(const std::string &)> on_message;
    std::function<void()> on_written;

    struct rpc_duplex_events Events(const ProtobufCMessageDescriptor *kind)
    {
        struct rpc_duplex_events events = {};
        events.message = kind == kRequest ? OnMessage<Request> : OnMessage<Reply>;
        events.written = [](void *context) {
            auto *end = static_cast<End *>(context);
            end->written_count++;
            if (end->on_written) {
                end->on_written();
            }
            end->written.Open();
        };
        events.half_closed = [](void *context) { static_cast<End *>(context)->half_closed.Open(); };
        if (can_be_asked) {
            events.stopping = [](void *context) { static_cast<End *>(context)->stopping.Open(); };
        }
        events.gone = [](void *context) { static_cast<End *>(context)->gone.Open(); };
        events.ended = [](const struct rpc_result *result, void *context) {
            auto *end = static_cast<End *>(context);
            if (result != nullptr) {
                end->outcome = Copy(result);
            }
            end->ended.Open();
        };
        events.context = this;
        return events;
    }

    template <typename Message> static void OnMessage(ProtobufCMessage *message, void *context)
    {
        auto *end = static_cast<End *>(context);
        const std::string text = reinterpret_cast<Message *>(message)->text;
        {
            std::lock_guard<std::mutex> lock(end->mutex);
            end->heard.push_back(text);
            end->heard_bytes += reinterpret_cast<Message *>(message)->blob.len;
        }
        rpc_codec_free(message);
        if (end->on_message) {
            end->on_message(text);
        }
        end->message.Open();
    }

    std::vector<std::string> Heard()
    {
        std::lock_guard<std::mutex> lock(mutex);
        return heard;
    }
};

/* EchoRequest and EchoReply have text and blob under the same numbers. */
inline std::string Encoded(const std::string &text, size_t blob_bytes = 0)
{
    std::string blob(blob_bytes, 'b');
    Reply reply = TERCET__TEST__ECHO_REPLY__INIT;
    reply.text = const_cast<char *>(text.c_str());
    reply.blob.data = reinterpret_cast<uint8_t *>(blob.data());
    reply.blob.len = blob.size();
    std::string bytes(rpc_codec_size(&reply.base), '\0');
    rpc_codec_pack_into(&reply.base, bytes.data());
    return bytes;
}

inline bool Say(struct rpc_duplex *duplex, const std::string &text, size_t blob_bytes = 0)
{
    const std::string bytes = Encoded(text, blob_bytes);
    return rpc_duplex_send(duplex, tercet_bytes_of(bytes.data(), bytes.size()));
}

class RpcDuplex : public RpcTest
{
  protected:
    /* The server keeps each stream in `server_end_`. */
    void Keep()
    {
        duplex_ = [this](struct rpc_duplex *duplex) {
            Order();
            server_end_.duplex = duplex;
            const struct rpc_duplex_events events = server_end_.Events(kRequest);
            rpc_duplex_listen(duplex, &events);
            arrived_.Open();
        };
    }

    void Open(End *end, const char *path = kDuplex,
              const ProtobufCMessageDescriptor *reply = kReply)
    {
        struct rpc_duplex_options options = {};
        options.path = path;
        options.reply = reply;
        options.events = end->Events(kReply);
        Order();
        end->duplex = rpc_duplex_start(channel_, &options);
    }

    /* Opens a stream that a server asks when it stops, not one that only now arrives. */
    void OpenAndBeHeard(End *end)
    {
        Open(end);
        ASSERT_TRUE(Say(end->duplex, "hello"));
        ASSERT_TRUE(server_end_.message.Wait());
    }

    End server_end_;
    Gate arrived_;
};

#endif
