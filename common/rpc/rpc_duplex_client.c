/* rpc_duplex_client.c -- the client's side of rpc_duplex.h.
 *
 * Tags beside read and written: `opened` (the initial metadata of both sides), `over` (the status is
 * there) and `half_closed`.  The end is told when all have come back, so every message before it. */
#include <stdatomic.h>
#include <string.h>

#include "base/assert.h"
#include "base/memory.h"
#include "rpc/rpc_duplex_core.h"
#include "rpc/rpc_outgoing.h"
#include "rpc/rpc_process.h"
#include "rpc/rpc_runtime_core.h"

struct duplex_client {
    struct rpc_duplex duplex;
    struct rpc_outgoing outgoing;
    struct rpc_tag opened;
    struct rpc_tag over;
    struct rpc_tag half_closed;
    atomic_uint parties;     /* the handle and core */
    bool half_close_wanted;  /* guarded by the mutex */
    bool half_close_started; /* the same */
    bool unreadable;         /* written by the read loop only */
};

static struct duplex_client *client_of(struct rpc_duplex *duplex)
{
    return container_of(duplex, struct duplex_client, duplex);
}

static void client_release(struct duplex_client *client)
{
    if (atomic_fetch_sub_explicit(&client->parties, 1, memory_order_acq_rel) == 1) {
        rpc_duplex_deinit(&client->duplex);
        rpc_outgoing_deinit(&client->outgoing);
        free(client);
    }
}

static void client_drained(struct rpc_duplex *duplex)
{
    struct duplex_client *const client = client_of(duplex);
    struct rpc_result result;
    rpc_outgoing_result(&client->outgoing, &result);
    if (client->unreadable) {
        rpc_outgoing_result_broken(&client->outgoing, &result, "message is not a ",
                                   duplex->received->name);
    }
    duplex->events.ended(&result, duplex->events.context);
    rpc_outgoing_close(&client->outgoing);
    client_release(client);
}

static void client_unreadable(struct rpc_duplex *duplex)
{
    client_of(duplex)->unreadable = true;
    rpc_outgoing_cancel(&client_of(duplex)->outgoing);
}

static void client_input_ended(struct rpc_duplex *duplex)
{
    (void)duplex; /* the status comes now */
}

static void client_idle(struct rpc_duplex *duplex)
{
    struct duplex_client *const client = client_of(duplex);
    if (!client->half_close_wanted || client->half_close_started || duplex->outgoing != NULL ||
        duplex->tags_due == 0) {
        return;
    }
    grpc_op op;
    memset(&op, 0, sizeof op);
    op.op = GRPC_OP_SEND_CLOSE_FROM_CLIENT;
    client->half_close_started = true;
    duplex->tags_due++;
    rpc_duplex_batch(duplex, &op, 1, &client->half_closed);
}

static void client_cancel(struct rpc_duplex *duplex)
{
    rpc_outgoing_cancel(&client_of(duplex)->outgoing);
}

static const struct rpc_duplex_side client_side = {
    .idle = client_idle,
    .unreadable = client_unreadable,
    .input_ended = client_input_ended,
    .drained = client_drained,
    .cancel = client_cancel,
};

static void opened_run(struct rpc_tag *tag, bool ok)
{
    (void)ok; /* the status tells */
    rpc_duplex_tag_done(&container_of(tag, struct duplex_client, opened)->duplex);
}

static void over_run(struct rpc_tag *tag, bool ok)
{
    (void)ok;
    struct duplex_client *const client = container_of(tag, struct duplex_client, over);
    pthread_mutex_lock(&client->duplex.mutex);
    client->duplex.muted = true;
    pthread_mutex_unlock(&client->duplex.mutex);
    rpc_duplex_tag_done(&client->duplex);
}

static void half_closed_run(struct rpc_tag *tag, bool ok)
{
    (void)ok;
    rpc_duplex_tag_done(&container_of(tag, struct duplex_client, half_closed)->duplex);
}

/* The mutex is held: events may end the stream before its start has returned. */
static void start_batches(struct duplex_client *client)
{
    grpc_op ops[2];
    memset(ops, 0, sizeof ops);
    rpc_outgoing_status_op(&client->outgoing, &ops[0]);
    rpc_duplex_batch(&client->duplex, ops, 1, &client->over);

    memset(ops, 0, sizeof ops);
    ops[0].op = GRPC_OP_SEND_INITIAL_METADATA;
    ops[1].op = GRPC_OP_RECV_INITIAL_METADATA;
    ops[1].data.recv_initial_metadata.recv_initial_metadata = &client->outgoing.initial;
    rpc_duplex_batch(&client->duplex, ops, 2, &client->opened);
}

struct rpc_duplex *rpc_duplex_start(struct rpc_channel *channel,
                                    const struct rpc_duplex_options *options)
{
    tercet_assert(options->reply != NULL && options->events.message != NULL);
    tercet_assert(options->events.ended != NULL);
    struct duplex_client *client = xcalloc(1, sizeof *client);
    struct rpc_duplex *const duplex = &client->duplex;
    rpc_duplex_init(duplex, &client_side);
    duplex->received = options->reply;
    duplex->element_count_max = RPC_REPLY_ELEMENT_COUNT_MAX;
    duplex->events = options->events;
    duplex->tags_due = 3; /* opened, over, read */
    client->opened.run = opened_run;
    client->over.run = over_run;
    client->half_closed.run = half_closed_run;
    atomic_init(&client->parties, 2);
    rpc_outgoing_init(&client->outgoing);
    sigset_t before;
    rpc_signals_block(&before);
    rpc_outgoing_open(&client->outgoing, channel, options->path, TERCET_FOREVER);
    pthread_mutex_lock(&duplex->mutex);
    duplex->core = client->outgoing.core;
    duplex->queue = rpc_runtime_queue(channel->runtime);
    start_batches(client);
    pthread_mutex_unlock(&duplex->mutex);
    rpc_duplex_read(duplex);
    rpc_signals_restore(&before);
    return duplex;
}

void rpc_duplex_half_close(struct rpc_duplex *duplex)
{
    pthread_mutex_lock(&duplex->mutex);
    duplex->muted = true;
    client_of(duplex)->half_close_wanted = true;
    client_idle(duplex);
    pthread_mutex_unlock(&duplex->mutex);
}

void rpc_duplex_unref(struct rpc_duplex *duplex)
{
    if (duplex != NULL) {
        client_release(client_of(duplex));
    }
}
