/* rpc_duplex.c -- see rpc_duplex_core.h: the read loop and the one write. */
#include "rpc/rpc_duplex.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/memory.h"
#include "rpc/rpc_duplex_core.h"
#include "rpc/rpc_scan.h"

static void read_run(struct rpc_tag *tag, bool ok);
static void written_run(struct rpc_tag *tag, bool ok);

void rpc_duplex_init(struct rpc_duplex *duplex, const struct rpc_duplex_side *side)
{
    duplex->side = side;
    duplex->read.run = read_run;
    duplex->written.run = written_run;
    tercet_assert(pthread_mutex_init(&duplex->mutex, NULL) == 0);
}

void rpc_duplex_deinit(struct rpc_duplex *duplex)
{
    tercet_assert(duplex->incoming == NULL && duplex->outgoing == NULL);
    (void)pthread_mutex_destroy(&duplex->mutex);
}

void rpc_duplex_batch(struct rpc_duplex *duplex, const grpc_op *ops, size_t count,
                      struct rpc_tag *tag)
{
    rpc_batch_start(duplex->core, ops, count, tag);
}

void rpc_duplex_tag_done(struct rpc_duplex *duplex)
{
    pthread_mutex_lock(&duplex->mutex);
    const unsigned left = --duplex->tags_due;
    pthread_mutex_unlock(&duplex->mutex);
    if (left == 0) {
        duplex->side->drained(duplex);
    }
}

/* ---- Reading ----------------------------------------------------------------------------------- */

void rpc_duplex_read(struct rpc_duplex *duplex)
{
    grpc_op op;
    memset(&op, 0, sizeof op);
    op.op = GRPC_OP_RECV_MESSAGE;
    op.data.recv_message.recv_message = &duplex->incoming;
    pthread_mutex_lock(&duplex->mutex);
    rpc_duplex_batch(duplex, &op, 1, &duplex->read);
    pthread_mutex_unlock(&duplex->mutex);
}

/* NULL: it is not such a message. */
static ProtobufCMessage *take_incoming(struct rpc_duplex *duplex)
{
    struct rpc_body body;
    struct rpc_scan_result scan;
    ProtobufCMessage *message = NULL;
    rpc_body_open(&body, duplex->incoming);
    if (rpc_scan(duplex->received, body.bytes, duplex->element_count_max, &scan) == RPC_SCAN_FINE) {
        message = duplex->events.in_pieces
                      ? rpc_codec_unpack_pieces(duplex->received, body.bytes)
                      : rpc_codec_unpack(duplex->received, body.bytes, scan.element_count);
    }
    rpc_body_close(&body);
    grpc_byte_buffer_destroy(duplex->incoming);
    duplex->incoming = NULL;
    return message;
}

static void read_run(struct rpc_tag *tag, bool ok)
{
    struct rpc_duplex *const duplex = container_of(tag, struct rpc_duplex, read);
    if (!ok || duplex->incoming == NULL) {
        duplex->side->input_ended(duplex); /* reading on is not allowed */
        rpc_duplex_tag_done(duplex);
        return;
    }
    ProtobufCMessage *const message = take_incoming(duplex);
    if (message == NULL) {
        duplex->side->unreadable(duplex);
        rpc_duplex_tag_done(duplex);
        return;
    }
    duplex->events.message(message, duplex->events.context);
    rpc_duplex_read(duplex);
}

/* ---- Writing ----------------------------------------------------------------------------------- */

/* The mutex is held. */
static bool may_send(const struct rpc_duplex *duplex)
{
    return duplex->outgoing == NULL && !duplex->muted && duplex->tags_due > 0;
}

bool rpc_duplex_may_send(struct rpc_duplex *duplex)
{
    pthread_mutex_lock(&duplex->mutex);
    const bool free_now = may_send(duplex);
    pthread_mutex_unlock(&duplex->mutex);
    return free_now;
}

/* An event that came out of the queue in a place where it must not be worked on: it goes in again, so
 * that a poller does that. */
struct caught {
    struct rpc_tag tag;
    struct rpc_tag *event;
    bool ok;
};

static void caught_run(struct rpc_tag *tag, bool ok)
{
    struct caught *const caught = container_of(tag, struct caught, tag);
    (void)ok;
    caught->event->run(caught->event, caught->ok);
    free(caught);
}

/* The mutex is held.  A batch of nothing is done at once. */
static void give_back(struct rpc_duplex *duplex, struct rpc_tag *event, bool ok)
{
    struct caught *caught = xcalloc(1, sizeof *caught);
    caught->tag.run = caught_run;
    caught->event = event;
    caught->ok = ok;
    rpc_duplex_batch(duplex, NULL, 0, &caught->tag);
}

/* Starts to write.  True: it is done already.  The mutex is held.
 *
 * As a rule core writes in this very thread.  Told by the queue, that would wake a poller for nothing; so
 * the first event that this thread makes is kept from the queue, by two functions that grpc.h calls
 * experimental.  It may be another one than ours: core lets a thread finish the work of others, too. */
static bool write_now(struct rpc_duplex *duplex, const grpc_op *op)
{
    void *made = NULL;
    int ok = 0;
    grpc_completion_queue_thread_local_cache_init(duplex->queue);
    rpc_duplex_batch(duplex, op, 1, &duplex->written);
    if (grpc_completion_queue_thread_local_cache_flush(duplex->queue, &made, &ok) == 0) {
        return false;
    }
    struct rpc_tag *const event = made;
    rpc_tag_take(event);
    const bool done = event == &duplex->written && ok != 0;
    if (!done) {
        give_back(duplex, event, ok != 0);
    }
    return done;
}

/* The mutex is held. */
static void end_write(struct rpc_duplex *duplex)
{
    grpc_byte_buffer_destroy(duplex->outgoing);
    duplex->outgoing = NULL;
    duplex->side->idle(duplex);
}

bool rpc_duplex_send_buffer(struct rpc_duplex *duplex, grpc_byte_buffer *message, bool *written_out)
{
    grpc_op op;
    bool written = false;
    memset(&op, 0, sizeof op);
    op.op = GRPC_OP_SEND_MESSAGE;
    pthread_mutex_lock(&duplex->mutex);
    const bool free_now = may_send(duplex);
    if (free_now) {
        duplex->outgoing = message;
        op.data.send_message.send_message = duplex->outgoing;
        duplex->tags_due++;
        if (written_out == NULL) {
            rpc_duplex_batch(duplex, &op, 1, &duplex->written);
        } else if (write_now(duplex, &op)) {
            written = true;
            duplex->tags_due--; /* never the last: may_send() */
            end_write(duplex);
        }
    }
    pthread_mutex_unlock(&duplex->mutex);
    if (!free_now) {
        grpc_byte_buffer_destroy(message);
    }
    if (written_out != NULL) {
        *written_out = written;
    }
    return free_now;
}

bool rpc_duplex_send(struct rpc_duplex *duplex, struct tercet_bytes message)
{
    return rpc_duplex_send_buffer(duplex, rpc_buffer_of_bytes(message), NULL);
}

static void written_run(struct rpc_tag *tag, bool ok)
{
    struct rpc_duplex *const duplex = container_of(tag, struct rpc_duplex, written);
    pthread_mutex_lock(&duplex->mutex);
    if (!ok) {
        duplex->muted = true; /* the end tells why */
    }
    end_write(duplex);
    const bool tell = !duplex->muted && duplex->events.written != NULL;
    pthread_mutex_unlock(&duplex->mutex);
    if (tell) {
        duplex->events.written(duplex->events.context);
    }
    rpc_duplex_tag_done(duplex);
}

void rpc_duplex_cancel(struct rpc_duplex *duplex)
{
    duplex->side->cancel(duplex);
}
