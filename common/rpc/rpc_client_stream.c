/* rpc_client_stream.c -- see rpc_client_stream.h.
 *
 * Three tags: `opened` (the request went out), `ended` (the status is there) and `read` (one message
 * at a time).  The end is told when all have come back, so every message is told before it. */
#include "rpc/rpc_client_stream.h"

#include <stdatomic.h>
#include <string.h>

#include "base/assert.h"
#include "base/memory.h"
#include "rpc/rpc_outgoing.h"
#include "rpc/rpc_process.h"

struct rpc_client_stream {
    struct rpc_outgoing outgoing;
    struct rpc_tag opened;
    struct rpc_tag ended;
    struct rpc_tag read;
    atomic_uint parties;  /* the handle and core */
    atomic_uint tags_due; /* of the three above */
    struct rpc_client_stream_options options;
    grpc_byte_buffer *request;
    grpc_byte_buffer *incoming;
    bool broken; /* a message could not be decoded; written by `read` only */
};

static void stream_release(struct rpc_client_stream *stream)
{
    if (atomic_fetch_sub_explicit(&stream->parties, 1, memory_order_acq_rel) == 1) {
        rpc_outgoing_deinit(&stream->outgoing);
        free(stream);
    }
}

static void tag_done(struct rpc_client_stream *stream)
{
    if (atomic_fetch_sub_explicit(&stream->tags_due, 1, memory_order_acq_rel) > 1) {
        return;
    }
    struct rpc_result result;
    rpc_outgoing_result(&stream->outgoing, &result);
    if (stream->broken) {
        rpc_outgoing_result_broken(&stream->outgoing, &result, "message is not a ",
                                   stream->options.reply->name);
    }
    if (stream->options.end != NULL) {
        stream->options.end(&result, stream->options.context);
    }
    rpc_outgoing_close(&stream->outgoing);
    stream_release(stream);
}

static void opened_run(struct rpc_tag *tag, bool ok)
{
    (void)ok; /* the status tells */
    struct rpc_client_stream *const stream = container_of(tag, struct rpc_client_stream, opened);
    grpc_byte_buffer_destroy(stream->request);
    stream->request = NULL;
    tag_done(stream);
}

static void ended_run(struct rpc_tag *tag, bool ok)
{
    (void)ok;
    tag_done(container_of(tag, struct rpc_client_stream, ended));
}

static void start_read(struct rpc_client_stream *stream)
{
    grpc_op op;
    memset(&op, 0, sizeof op);
    op.op = GRPC_OP_RECV_MESSAGE;
    op.data.recv_message.recv_message = &stream->incoming;
    rpc_batch_start(stream->outgoing.core, &op, 1, &stream->read);
}

/* False: not such a message. */
static bool deliver(struct rpc_client_stream *stream)
{
    struct rpc_body body;
    rpc_body_open(&body, stream->incoming);
    ProtobufCMessage *message = rpc_outgoing_decode(stream->options.reply, body.bytes);
    rpc_body_close(&body);
    if (message == NULL) {
        return false;
    }
    if (stream->options.message != NULL) {
        stream->options.message(message, stream->options.context);
    }
    rpc_codec_free(message);
    return true;
}

static void read_run(struct rpc_tag *tag, bool ok)
{
    struct rpc_client_stream *const stream = container_of(tag, struct rpc_client_stream, read);
    if (!ok || stream->incoming == NULL) {
        tag_done(stream); /* no more; reading on is not allowed */
        return;
    }
    const bool understood = deliver(stream);
    grpc_byte_buffer_destroy(stream->incoming);
    stream->incoming = NULL;
    if (understood) {
        start_read(stream);
        return;
    }
    stream->broken = true;
    rpc_outgoing_cancel(&stream->outgoing);
    tag_done(stream);
}

struct rpc_client_stream *rpc_client_stream_start(struct rpc_channel *channel,
                                                  const struct rpc_client_stream_options *options)
{
    tercet_assert(options->reply != NULL && options->request != NULL);
    struct rpc_client_stream *stream = xcalloc(1, sizeof *stream);
    stream->options = *options;
    stream->options.path = NULL;    /* borrowed, like */
    stream->options.request = NULL; /* the request */
    stream->opened.run = opened_run;
    stream->ended.run = ended_run;
    stream->read.run = read_run;
    atomic_init(&stream->parties, 2);
    atomic_init(&stream->tags_due, 3);
    stream->request = rpc_buffer_of_message(options->request);
    rpc_outgoing_init(&stream->outgoing);
    sigset_t before;
    rpc_signals_block(&before);
    rpc_outgoing_open(&stream->outgoing, channel, options->path, options->timeout_ms);

    grpc_op ops[4];
    memset(ops, 0, sizeof ops);
    rpc_outgoing_status_op(&stream->outgoing, &ops[0]);
    rpc_batch_start(stream->outgoing.core, ops, 1, &stream->ended);

    memset(ops, 0, sizeof ops);
    ops[0].op = GRPC_OP_SEND_INITIAL_METADATA;
    ops[1].op = GRPC_OP_SEND_MESSAGE;
    ops[1].data.send_message.send_message = stream->request;
    ops[2].op = GRPC_OP_SEND_CLOSE_FROM_CLIENT;
    ops[3].op = GRPC_OP_RECV_INITIAL_METADATA;
    ops[3].data.recv_initial_metadata.recv_initial_metadata = &stream->outgoing.initial;
    rpc_batch_start(stream->outgoing.core, ops, 4, &stream->opened);

    start_read(stream); /* last: from here on only read_run() starts batches */
    rpc_signals_restore(&before);
    return stream;
}

void rpc_client_stream_cancel(struct rpc_client_stream *stream)
{
    rpc_outgoing_cancel(&stream->outgoing);
}

void rpc_client_stream_unref(struct rpc_client_stream *stream)
{
    if (stream != NULL) {
        stream_release(stream);
    }
}
