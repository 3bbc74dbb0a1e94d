/* memory_duplex.c -- see memory_duplex.h. */
#include "memory_duplex.h"

#include <stdlib.h>

#include "base/assert.h"
#include "base/memory.h"
#include "rpc/rpc_duplex_core.h"
#include "rpc/rpc_scan.h"

static struct memory_duplex *now;
static void (*look_at_once)(void);

/* ---- The target's side ------------------------------------------------------------------------- */

struct memory_duplex *memory_duplex_now(void)
{
    return now;
}

void memory_duplex_leave_at_once(void (*look)(void))
{
    look_at_once = look;
}

static struct rpc_duplex *begin(const ProtobufCMessageDescriptor *received)
{
    tercet_assert(now == NULL);
    now = xcalloc(1, sizeof *now);
    now->received = received;
    return (struct rpc_duplex *)(void *)now;
}

struct rpc_duplex *memory_duplex_serve(const ProtobufCMessageDescriptor *received)
{
    return begin(received);
}

/* As rpc_duplex.c does. */
bool memory_duplex_receive(struct tercet_bytes bytes)
{
    struct rpc_scan_result scan;
    ProtobufCMessage *message = NULL;
    tercet_assert(now != NULL && !now->over);
    if (rpc_scan(now->received, bytes, RPC_SCAN_ELEMENT_COUNT_DEFAULT, &scan) == RPC_SCAN_FINE) {
        message = now->events.in_pieces
                      ? rpc_codec_unpack_pieces(now->received, bytes)
                      : rpc_codec_unpack(now->received, bytes, scan.element_count);
    }
    if (message != NULL) {
        now->events.message(message, now->events.context);
    }
    return message != NULL;
}

void memory_duplex_written(void)
{
    tercet_assert(now->writing && !now->over);
    now->writing = false;
    buffer_clear(&now->outgoing);
    if (!now->closed && !now->cancelled) {
        now->events.written(now->events.context);
    }
}

void memory_duplex_end(const struct rpc_result *result)
{
    tercet_assert(!now->over);
    now->over = true;
    now->writing = false;
    buffer_clear(&now->outgoing);
    now->events.ended(result, now->events.context);
}

void memory_duplex_free(void)
{
    tercet_assert(now->over);
    buffer_deinit(&now->outgoing);
    free(now);
    now = NULL;
}

/* ---- The stream's side: as rpc_duplex.h says ----------------------------------------------------- */

void __wrap_rpc_duplex_listen(struct rpc_duplex *duplex, const struct rpc_duplex_events *events);
struct rpc_duplex *__wrap_rpc_duplex_start(struct rpc_channel *channel,
                                           const struct rpc_duplex_options *options);
bool __wrap_rpc_duplex_may_send(struct rpc_duplex *duplex);
bool __wrap_rpc_duplex_send(struct rpc_duplex *duplex, struct tercet_bytes message);
bool __wrap_rpc_duplex_send_buffer(struct rpc_duplex *duplex, grpc_byte_buffer *message,
                                   bool *written_out);
void __wrap_rpc_duplex_cancel(struct rpc_duplex *duplex);
void __wrap_rpc_duplex_finish(struct rpc_duplex *duplex, enum tercet_status status,
                              const char *text);
void __wrap_rpc_duplex_half_close(struct rpc_duplex *duplex);
void __wrap_rpc_duplex_unref(struct rpc_duplex *duplex);

/* Not after it was given back. */
static struct memory_duplex *used(struct rpc_duplex *duplex)
{
    tercet_assert((void *)duplex == (void *)now && !now->given_back);
    return now;
}

void __wrap_rpc_duplex_listen(struct rpc_duplex *duplex, const struct rpc_duplex_events *events)
{
    tercet_assert(used(duplex)->events.message == NULL);
    now->events = *events;
}

struct rpc_duplex *__wrap_rpc_duplex_start(struct rpc_channel *channel,
                                           const struct rpc_duplex_options *options)
{
    (void)channel;
    struct rpc_duplex *duplex = begin(options->reply);
    now->events = options->events;
    return duplex;
}

bool __wrap_rpc_duplex_may_send(struct rpc_duplex *duplex)
{
    const struct memory_duplex *stream = used(duplex);
    return !stream->writing && !stream->closed && !stream->cancelled && !stream->over;
}

bool __wrap_rpc_duplex_send(struct rpc_duplex *duplex, struct tercet_bytes message)
{
    if (!__wrap_rpc_duplex_may_send(duplex)) {
        return false;
    }
    buffer_append(&now->outgoing, message.data, message.size);
    now->writing = true;
    now->sent_count++;
    return true;
}

bool __wrap_rpc_duplex_send_buffer(struct rpc_duplex *duplex, grpc_byte_buffer *message,
                                   bool *written_out)
{
    const bool at_once = written_out != NULL && look_at_once != NULL;
    struct rpc_body body;
    rpc_body_open(&body, message);
    const bool sent = __wrap_rpc_duplex_send(duplex, body.bytes);
    rpc_body_close(&body);
    grpc_byte_buffer_destroy(message);
    if (sent && at_once) {
        look_at_once();
        now->writing = false;
        buffer_clear(&now->outgoing);
    }
    if (written_out != NULL) {
        *written_out = sent && at_once;
    }
    return sent;
}

void __wrap_rpc_duplex_cancel(struct rpc_duplex *duplex)
{
    used(duplex)->cancelled = true;
}

void __wrap_rpc_duplex_finish(struct rpc_duplex *duplex, enum tercet_status status,
                              const char *text)
{
    tercet_assert(!used(duplex)->closed && text != NULL);
    now->closed = true;
    now->given_back = true;
    now->finish_status = status;
}

void __wrap_rpc_duplex_half_close(struct rpc_duplex *duplex)
{
    used(duplex)->closed = true;
}

/* The target frees a client's stream when it has ended; before that nobody gives it back. */
void __wrap_rpc_duplex_unref(struct rpc_duplex *duplex)
{
    if (duplex != NULL) {
        tercet_assert(used(duplex)->over);
        memory_duplex_free();
    }
}
