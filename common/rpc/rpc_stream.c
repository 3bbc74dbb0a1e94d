/* rpc_stream.c -- see rpc_stream.h.
 *
 * Core's tags of one stream: `closed` (started once the handler has returned: the client went away,
 * or the status is out), `written` (one message at a time) and `status_sent`.  Core's part ends when
 * none of them is due any more.  pump() starts what may be started next; it runs after every change
 * of state, under the mutex, which also keeps the batches of this call apart. */
#include "rpc/rpc_stream.h"

#include <string.h>

#include "base/assert.h"
#include "base/memory.h"
#include "rpc/rpc_stream_core.h"

struct rpc_stream {
    struct rpc_incoming incoming;
    struct rpc_stream_events events;
    bool listening; /* events are set */

    pthread_mutex_t mutex;
    struct rpc_tag closed;
    struct rpc_tag written;
    struct rpc_tag status_sent;
    unsigned tags_due;           /* started, or certain to be */
    grpc_byte_buffer *in_flight; /* NULL: nothing is being written */
    grpc_byte_buffer *waiting;   /* the latest; NULL: none */
    bool metadata_sent;
    bool gone;           /* nobody reads any more */
    bool told;           /* events.cancelled was called */
    bool owner_finished; /* rpc_stream_finish() was entered */
    bool ending;         /* by the owner or the server */
    bool status_ready;   /* incoming.text, incoming.trailers and `status` are set */
    bool status_started;
    enum tercet_status status;
};

static void closed_run(struct rpc_tag *tag, bool ok);
static void written_run(struct rpc_tag *tag, bool ok);
static void status_sent_run(struct rpc_tag *tag, bool ok);

static struct rpc_stream *stream_of(struct rpc_incoming *incoming)
{
    return container_of(incoming, struct rpc_stream, incoming);
}

static struct rpc_incoming *stream_create(void)
{
    struct rpc_stream *stream = xcalloc(1, sizeof *stream);
    tercet_assert(pthread_mutex_init(&stream->mutex, NULL) == 0);
    stream->closed.run = closed_run;
    stream->written.run = written_run;
    stream->status_sent.run = status_sent_run;
    return &stream->incoming;
}

static void stream_destroy(struct rpc_incoming *incoming)
{
    struct rpc_stream *const stream = stream_of(incoming);
    tercet_assert(stream->in_flight == NULL && stream->waiting == NULL);
    if (stream->listening && stream->events.released != NULL) {
        stream->events.released(stream->events.context);
    }
    (void)pthread_mutex_destroy(&stream->mutex);
    free(stream);
}

static void drop_waiting(struct rpc_stream *stream)
{
    if (stream->waiting != NULL) {
        grpc_byte_buffer_destroy(stream->waiting);
        stream->waiting = NULL;
    }
}

/* The initial metadata goes out with whatever goes out first. */
static size_t add_metadata_op(struct rpc_stream *stream, grpc_op *ops)
{
    if (stream->metadata_sent) {
        return 0;
    }
    stream->metadata_sent = true;
    ops[0].op = GRPC_OP_SEND_INITIAL_METADATA;
    return 1;
}

static void start_write(struct rpc_stream *stream)
{
    grpc_op ops[2];
    memset(ops, 0, sizeof ops);
    size_t count = add_metadata_op(stream, ops);
    stream->in_flight = stream->waiting;
    stream->waiting = NULL;
    ops[count].op = GRPC_OP_SEND_MESSAGE;
    ops[count].data.send_message.send_message = stream->in_flight;
    count++;
    stream->tags_due++;
    rpc_batch_start(stream->incoming.call, ops, count, &stream->written);
}

static void start_status(struct rpc_stream *stream)
{
    struct rpc_incoming *const incoming = &stream->incoming;
    grpc_op ops[2];
    memset(ops, 0, sizeof ops);
    size_t count = add_metadata_op(stream, ops);
    ops[count].op = GRPC_OP_SEND_STATUS_FROM_SERVER;
    ops[count].data.send_status_from_server.status = (grpc_status_code)stream->status;
    ops[count].data.send_status_from_server.status_details = &incoming->text;
    ops[count].data.send_status_from_server.trailing_metadata = incoming->trailers.items;
    ops[count].data.send_status_from_server.trailing_metadata_count = incoming->trailers.count;
    count++;
    stream->status_started = true;
    rpc_batch_start(incoming->call, ops, count, &stream->status_sent);
}

static void pump(struct rpc_stream *stream)
{
    if (stream->in_flight != NULL || stream->status_started) {
        return;
    }
    if (stream->waiting != NULL) {
        start_write(stream);
    } else if (stream->status_ready) {
        start_status(stream);
    }
}

/* One of core's tags is done with; with the last one core's part ends. */
static void tag_done(struct rpc_stream *stream)
{
    pthread_mutex_lock(&stream->mutex);
    const unsigned left = --stream->tags_due;
    pthread_mutex_unlock(&stream->mutex);
    if (left == 0) {
        rpc_incoming_release(&stream->incoming);
    }
}

/* Whether the owner is to be told now that the stream is over for it; once. */
static bool must_tell(struct rpc_stream *stream)
{
    if (stream->told || stream->owner_finished) {
        return false;
    }
    stream->told = true;
    return stream->listening && stream->events.cancelled != NULL;
}

static void closed_run(struct rpc_tag *tag, bool ok)
{
    (void)ok;
    struct rpc_stream *const stream = container_of(tag, struct rpc_stream, closed);
    bool tell = false;
    pthread_mutex_lock(&stream->mutex);
    if (stream->incoming.cancelled != 0) {
        stream->gone = true;
        drop_waiting(stream);
        pump(stream);
        tell = must_tell(stream);
    }
    pthread_mutex_unlock(&stream->mutex);
    if (tell) {
        stream->events.cancelled(stream, stream->events.context);
    }
    tag_done(stream);
}

static void written_run(struct rpc_tag *tag, bool ok)
{
    struct rpc_stream *const stream = container_of(tag, struct rpc_stream, written);
    pthread_mutex_lock(&stream->mutex);
    grpc_byte_buffer_destroy(stream->in_flight);
    stream->in_flight = NULL;
    if (!ok) {
        stream->gone = true; /* the owner hears of it by `closed` */
        drop_waiting(stream);
    }
    pump(stream);
    pthread_mutex_unlock(&stream->mutex);
    tag_done(stream);
}

static void status_sent_run(struct rpc_tag *tag, bool ok)
{
    (void)ok;
    tag_done(container_of(tag, struct rpc_stream, status_sent));
}

static void stream_handle(struct rpc_incoming *incoming)
{
    struct rpc_stream *const stream = stream_of(incoming);
    struct rpc_site *const site = incoming->site;
    const struct rpc_method *const method = &incoming->route->method;
    stream->tags_due = 2; /* closed, status_sent */
    method->stream(stream, incoming->request, method->context);

    /* The stream is alive here even if it was finished: `closed` is still due. */
    if (!rpc_site_hold(site, &site->streams, &incoming->held)) {
        rpc_stream_abandon(incoming);
    }
    pthread_mutex_lock(&stream->mutex);
    const bool ending = stream->ending;
    pthread_mutex_unlock(&stream->mutex);
    if (ending) {
        rpc_site_let_go(site, &incoming->held); /* whoever ended it may have come too early to */
    }

    grpc_op op;
    memset(&op, 0, sizeof op);
    op.op = GRPC_OP_RECV_CLOSE_ON_SERVER;
    op.data.recv_close_on_server.cancelled = &incoming->cancelled;
    pthread_mutex_lock(&stream->mutex);
    rpc_batch_start(incoming->call, &op, 1, &stream->closed);
    pthread_mutex_unlock(&stream->mutex);
}

const struct rpc_incoming_kind rpc_stream_kind = {
    .create = stream_create,
    .handle = stream_handle,
    .destroy = stream_destroy,
};

void rpc_stream_listen(struct rpc_stream *stream, const struct rpc_stream_events *events)
{
    pthread_mutex_lock(&stream->mutex);
    tercet_assert(!stream->listening);
    stream->events = *events;
    stream->listening = true;
    pthread_mutex_unlock(&stream->mutex);
}

void rpc_stream_send(struct rpc_stream *stream, const ProtobufCMessage *message)
{
    grpc_byte_buffer *buffer = rpc_buffer_of_message(message);
    pthread_mutex_lock(&stream->mutex);
    tercet_assert(!stream->owner_finished);
    if (!stream->gone && !stream->ending) {
        drop_waiting(stream);
        stream->waiting = buffer;
        buffer = NULL;
        pump(stream);
    }
    pthread_mutex_unlock(&stream->mutex);
    if (buffer != NULL) {
        grpc_byte_buffer_destroy(buffer);
    }
}

void rpc_stream_finish(struct rpc_stream *stream, enum tercet_status status, const char *text,
                       const struct rpc_detail *detail)
{
    struct rpc_incoming *const incoming = &stream->incoming;
    pthread_mutex_lock(&stream->mutex);
    tercet_assert(!stream->owner_finished);
    stream->owner_finished = true;
    const bool first = !stream->ending;
    stream->ending = true;
    pthread_mutex_unlock(&stream->mutex);
    if (first) {
        /* Before the status starts: afterwards the server may be gone. */
        rpc_site_let_go(incoming->site, &incoming->held);
        pthread_mutex_lock(&stream->mutex);
        stream->status = status;
        incoming->text = rpc_incoming_text(text);
        rpc_trailers_add_detail(&incoming->trailers, detail);
        stream->status_ready = true;
        pump(stream);
        pthread_mutex_unlock(&stream->mutex);
    }
    rpc_incoming_unref(incoming);
}

void rpc_stream_abandon(struct rpc_incoming *incoming)
{
    struct rpc_stream *const stream = stream_of(incoming);
    pthread_mutex_lock(&stream->mutex);
    const bool first = !stream->ending;
    const bool tell = first && must_tell(stream);
    if (first) {
        stream->ending = true;
        drop_waiting(stream);
        stream->status = TERCET_UNAVAILABLE;
        incoming->text = rpc_incoming_text("stopping");
        stream->status_ready = true;
        pump(stream);
    }
    pthread_mutex_unlock(&stream->mutex);
    if (tell) {
        stream->events.cancelled(stream, stream->events.context);
    }
}

void rpc_stream_forget_request(struct rpc_stream *stream)
{
    rpc_incoming_forget_request(&stream->incoming);
}

uint32_t rpc_stream_timeout_ms(const struct rpc_stream *stream)
{
    return rpc_deadline_left_ms(stream->incoming.deadline);
}
