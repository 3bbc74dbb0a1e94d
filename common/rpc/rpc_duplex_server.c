/* rpc_duplex_server.c -- the server's side of rpc_duplex.h.
 *
 * Tags beside read and written: `opened` (our initial metadata), `closed` (the client went away, or
 * the status is out) and `status_sent`.  The stream's end is wanted by its owner, by a server that
 * stops, or because of what the client sent; the first of them says the status. */
#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "base/memory.h"
#include "rpc/rpc_duplex_core.h"

struct duplex_server {
    struct rpc_duplex duplex;
    struct rpc_incoming incoming;
    struct rpc_tag opened;
    struct rpc_tag closed;
    struct rpc_tag status_sent;
    bool listening; /* events are set */

    /* Guarded by the mutex. */
    bool told;           /* events.gone was called */
    bool owner_finished; /* rpc_duplex_finish() was entered */
    bool ending;         /* somebody has said the status, or is about to */
    bool status_ready;   /* incoming.text and `status` are set */
    bool status_started;
    enum tercet_status status;
};

static void opened_run(struct rpc_tag *tag, bool ok);
static void closed_run(struct rpc_tag *tag, bool ok);
static void status_sent_run(struct rpc_tag *tag, bool ok);
static const struct rpc_duplex_side server_side;

static struct duplex_server *server_of(struct rpc_duplex *duplex)
{
    return container_of(duplex, struct duplex_server, duplex);
}

static struct duplex_server *server_of_incoming(struct rpc_incoming *incoming)
{
    return container_of(incoming, struct duplex_server, incoming);
}

/* ---- Life -------------------------------------------------------------------------------------- */

static struct rpc_incoming *server_create(void)
{
    struct duplex_server *server = xcalloc(1, sizeof *server);
    rpc_duplex_init(&server->duplex, &server_side);
    server->opened.run = opened_run;
    server->closed.run = closed_run;
    server->status_sent.run = status_sent_run;
    return &server->incoming;
}

static void server_destroy(struct rpc_incoming *incoming)
{
    struct duplex_server *const server = server_of_incoming(incoming);
    if (server->listening) {
        server->duplex.events.ended(NULL, server->duplex.events.context);
    }
    rpc_duplex_deinit(&server->duplex);
    free(server);
}

static void start_batches(struct duplex_server *server)
{
    grpc_op op;
    memset(&op, 0, sizeof op);
    op.op = GRPC_OP_SEND_INITIAL_METADATA;
    rpc_duplex_batch(&server->duplex, &op, 1, &server->opened);

    memset(&op, 0, sizeof op);
    op.op = GRPC_OP_RECV_CLOSE_ON_SERVER;
    op.data.recv_close_on_server.cancelled = &server->incoming.cancelled;
    rpc_duplex_batch(&server->duplex, &op, 1, &server->closed);
}

static void server_handle(struct rpc_incoming *incoming)
{
    struct duplex_server *const server = server_of_incoming(incoming);
    struct rpc_duplex *const duplex = &server->duplex;
    struct rpc_site *const site = incoming->site;
    const struct rpc_method *const method = &incoming->route->method;
    duplex->received = method->request;
    duplex->element_count_max = site->element_count_max;
    pthread_mutex_lock(&duplex->mutex);
    duplex->core = incoming->call;
    duplex->queue = incoming->queue;
    duplex->tags_due = 4; /* opened, closed, status_sent, read */
    start_batches(server);
    pthread_mutex_unlock(&duplex->mutex);
    method->duplex(duplex, method->context);
    tercet_assert(server->listening);

    /* The stream is alive here even if it was finished: the read is still due. */
    if (!rpc_site_hold(site, &site->duplexes, &incoming->held)) {
        rpc_duplex_abandon(incoming);
    }
    pthread_mutex_lock(&duplex->mutex);
    const bool ending = server->ending;
    pthread_mutex_unlock(&duplex->mutex);
    if (ending) {
        rpc_site_let_go(site, &incoming->held); /* whoever ended it may have come too early to */
    }
    rpc_duplex_read(duplex);
}

const struct rpc_incoming_kind rpc_duplex_kind = {
    .create = server_create,
    .handle = server_handle,
    .destroy = server_destroy,
};

void rpc_duplex_listen(struct rpc_duplex *duplex, const struct rpc_duplex_events *events)
{
    struct duplex_server *const server = server_of(duplex);
    tercet_assert(!server->listening && events->message != NULL && events->ended != NULL);
    pthread_mutex_lock(&duplex->mutex);
    duplex->events = *events;
    server->listening = true;
    pthread_mutex_unlock(&duplex->mutex);
}

/* ---- The end ----------------------------------------------------------------------------------- */

static void server_idle(struct rpc_duplex *duplex)
{
    struct duplex_server *const server = server_of(duplex);
    struct rpc_incoming *const incoming = &server->incoming;
    if (!server->status_ready || server->status_started || duplex->outgoing != NULL) {
        return;
    }
    grpc_op op;
    memset(&op, 0, sizeof op);
    op.op = GRPC_OP_SEND_STATUS_FROM_SERVER;
    op.data.send_status_from_server.status = (grpc_status_code)server->status;
    op.data.send_status_from_server.status_details = &incoming->text;
    server->status_started = true;
    rpc_duplex_batch(duplex, &op, 1, &server->status_sent);
}

/* Whether the owner is to be told now that the stream is over for it; once.  The mutex is held. */
static bool must_tell(struct duplex_server *server)
{
    if (server->told || server->owner_finished || !server->listening) {
        return false;
    }
    server->told = true;
    return server->duplex.events.gone != NULL;
}

/* Ends the stream for another reason than its owner's wish, and tells the owner. */
static void end_by_us(struct duplex_server *server, enum tercet_status status, const char *text)
{
    struct rpc_duplex *const duplex = &server->duplex;
    pthread_mutex_lock(&duplex->mutex);
    const bool first = !server->ending;
    const bool tell = first && must_tell(server);
    duplex->muted = true;
    if (first) {
        server->ending = true;
        server->status = status;
        server->incoming.text = rpc_incoming_text(text);
        server->status_ready = true;
        server_idle(duplex);
    }
    pthread_mutex_unlock(&duplex->mutex);
    if (tell) {
        duplex->events.gone(duplex->events.context);
    }
}

void rpc_duplex_abandon(struct rpc_incoming *incoming)
{
    end_by_us(server_of_incoming(incoming), TERCET_UNAVAILABLE, "stopping");
}

bool rpc_duplex_ask(struct rpc_incoming *incoming)
{
    struct rpc_duplex *const duplex = &server_of_incoming(incoming)->duplex;
    if (duplex->events.stopping == NULL) {
        return false;
    }
    duplex->events.stopping(duplex->events.context);
    return true;
}

void rpc_duplex_finish(struct rpc_duplex *duplex, enum tercet_status status, const char *text)
{
    struct duplex_server *const server = server_of(duplex);
    struct rpc_incoming *const incoming = &server->incoming;
    pthread_mutex_lock(&duplex->mutex);
    tercet_assert(!server->owner_finished);
    server->owner_finished = true;
    duplex->muted = true;
    const bool first = !server->ending;
    server->ending = true;
    pthread_mutex_unlock(&duplex->mutex);
    if (first) {
        /* Before the status starts: afterwards the server may be gone. */
        rpc_site_let_go(incoming->site, &incoming->held);
        pthread_mutex_lock(&duplex->mutex);
        server->status = status;
        incoming->text = rpc_incoming_text(text);
        server->status_ready = true;
        server_idle(duplex);
        pthread_mutex_unlock(&duplex->mutex);
    }
    rpc_incoming_unref(incoming);
}

/* ---- Events of core ---------------------------------------------------------------------------- */

static void server_unreadable(struct rpc_duplex *duplex)
{
    struct rpc_incoming *const incoming = &server_of(duplex)->incoming;
    char text[256];
    (void)snprintf(text, sizeof text, "message is not a %.200s", duplex->received->name);
    rpc_site_let_go(incoming->site, &incoming->held);
    end_by_us(server_of(duplex), TERCET_INVALID_ARGUMENT, text);
}

static void server_input_ended(struct rpc_duplex *duplex)
{
    if (duplex->events.half_closed != NULL) {
        duplex->events.half_closed(duplex->events.context);
    }
}

static void server_cancel(struct rpc_duplex *duplex)
{
    pthread_mutex_lock(&duplex->mutex);
    duplex->muted = true;
    if (duplex->tags_due > 0) {
        (void)grpc_call_cancel(duplex->core, NULL);
    }
    pthread_mutex_unlock(&duplex->mutex);
}

static void server_drained(struct rpc_duplex *duplex)
{
    rpc_incoming_release(&server_of(duplex)->incoming);
}

static const struct rpc_duplex_side server_side = {
    .idle = server_idle,
    .unreadable = server_unreadable,
    .input_ended = server_input_ended,
    .drained = server_drained,
    .cancel = server_cancel,
};

static void opened_run(struct rpc_tag *tag, bool ok)
{
    (void)ok;
    rpc_duplex_tag_done(&container_of(tag, struct duplex_server, opened)->duplex);
}

static void closed_run(struct rpc_tag *tag, bool ok)
{
    (void)ok;
    struct duplex_server *const server = container_of(tag, struct duplex_server, closed);
    struct rpc_duplex *const duplex = &server->duplex;
    bool tell = false;
    pthread_mutex_lock(&duplex->mutex);
    if (server->incoming.cancelled != 0) {
        duplex->muted = true;
        tell = must_tell(server);
    }
    pthread_mutex_unlock(&duplex->mutex);
    if (tell) {
        duplex->events.gone(duplex->events.context);
    }
    rpc_duplex_tag_done(duplex);
}

static void status_sent_run(struct rpc_tag *tag, bool ok)
{
    (void)ok;
    rpc_duplex_tag_done(&container_of(tag, struct duplex_server, status_sent)->duplex);
}
