/* client_workers.c -- the threads that carry asynchronous calls.
 *
 * A worker takes, in this order: an attempt that has ended (judge it: complete the call or let it
 * wait), a waiting call that is due (start its next attempt), the attempts on streams whose time is
 * over (a blocking call's too), or sleeps until the first is due.  So
 * a callback never runs on one of rpc's pollers, and a slow callback holds up one worker and no
 * connection. */
#include "src/client_core.h"

#include "base/error.h"
#include "base/list.h"
#include "base/thread.h"
#include "src/client_stream.h"
#include "src/moment.h"

static _Thread_local bool on_worker;

bool client_workers_on(void)
{
    return on_worker;
}

void client_workers_wake(struct tercet_client *client)
{
    (void)pthread_cond_broadcast(&client->work);
}

/* When the first waiting call is due; INT64_MAX: none waits.  When closing, all are.  Under the
 * mutex. */
static int64_t next_due_ms(const struct tercet_client *client)
{
    const struct heap_node *first = heap_peek(&client->waiting);
    if (first == NULL) {
        return INT64_MAX;
    }
    return client->closing ? 0 : first->key;
}

/* ---- One call -------------------------------------------------------------------------------- */

static void attempt_ended(struct client_call *call)
{
    struct tercet_client *client = call->owner;

    (void)pthread_mutex_lock(&client->mutex);
    call->next = NULL;
    if (client->ready_last == NULL) {
        client->ready_first = call;
    } else {
        client->ready_last->next = call;
    }
    client->ready_last = call;
    (void)pthread_cond_signal(&client->work);
    (void)pthread_mutex_unlock(&client->mutex);
}

static void complete(struct tercet_client *client, struct client_call *call)
{
    call->done(call->result, call->context);
    client_call_destroy(call);
    client_leave(client);
}

static void start(struct tercet_client *client, struct client_call *call)
{
    if (!client_attempt(client, call)) {
        client_call_give_up(call, TERCET_CALL_CANCELLED, "the client was destroyed");
        complete(client, call);
    }
}

static void judge(struct tercet_client *client, struct client_call *call, bool closing)
{
    uint32_t delay_ms = 0;

    if (client_call_judge(call, closing, &delay_ms) == CLIENT_FINISH) {
        complete(client, call);
        return;
    }
    client_turn(client, call);
    (void)pthread_mutex_lock(&client->mutex);
    heap_insert(&client->waiting, &call->waiting, moment_ms() + delay_ms);
    /* Whoever sleeps may have to wake earlier now. */
    (void)pthread_cond_signal(&client->work);
    (void)pthread_mutex_unlock(&client->mutex);
}

/* The mutex is held, and left meanwhile. */
static void expire(struct tercet_client *client)
{
    client->expire_ms = INT64_MAX;
    (void)pthread_mutex_unlock(&client->mutex);
    const int64_t next_ms = client_stream_expire(client);
    (void)pthread_mutex_lock(&client->mutex);
    client->expire_ms = next_ms < client->expire_ms ? next_ms : client->expire_ms;
}

/* ---- The threads ----------------------------------------------------------------------------- */

static struct client_call *take_ready(struct tercet_client *client)
{
    struct client_call *call = client->ready_first;
    client->ready_first = call->next;
    if (client->ready_first == NULL) {
        client->ready_last = NULL;
    }
    return call;
}

static void *worker_main(void *argument)
{
    struct tercet_client *client = argument;

    on_worker = true;
    (void)pthread_mutex_lock(&client->mutex);
    while (!client->stopping) {
        const bool closing = client->closing;
        if (client->ready_first != NULL) {
            struct client_call *call = take_ready(client);
            (void)pthread_mutex_unlock(&client->mutex);
            judge(client, call, closing);
            (void)pthread_mutex_lock(&client->mutex);
        } else if (next_due_ms(client) <= moment_ms()) {
            struct client_call *call =
                container_of(heap_peek(&client->waiting), struct client_call, waiting);
            heap_remove(&client->waiting, &call->waiting);
            (void)pthread_mutex_unlock(&client->mutex);
            start(client, call);
            (void)pthread_mutex_lock(&client->mutex);
        } else if (client->expire_ms <= moment_ms()) {
            expire(client);
        } else {
            const int64_t due_ms = next_due_ms(client);
            moment_condition_wait(&client->work, &client->mutex,
                                  due_ms < client->expire_ms ? due_ms : client->expire_ms);
        }
    }
    (void)pthread_mutex_unlock(&client->mutex);
    return NULL;
}

void client_workers_start(struct tercet_client *client)
{
    heap_init(&client->waiting);
    for (uint32_t i = 0; i < client->thread_count; i++) {
        thread_start(&client->threads[i], "tercet-client", worker_main, client);
    }
}

void client_workers_stop(struct tercet_client *client)
{
    (void)pthread_mutex_lock(&client->mutex);
    client->stopping = true;
    (void)pthread_cond_broadcast(&client->work);
    (void)pthread_mutex_unlock(&client->mutex);
    for (uint32_t i = 0; i < client->thread_count; i++) {
        (void)pthread_join(client->threads[i], NULL);
    }
    heap_deinit(&client->waiting);
}

/* ---- The public half ------------------------------------------------------------------------- */

enum tercet_status tercet_client_execute_async(struct tercet_client *client,
                                               const struct tercet_transaction *transaction,
                                               tercet_result_fn done, void *context,
                                               struct tercet_error *error_out)
{
    struct client_request request = {0};

    if (client == NULL || done == NULL) {
        return error_set(error_out, TERCET_INVALID_ARGUMENT, "%s: must not be NULL",
                         client == NULL ? "client" : "done");
    }
    enum tercet_status status =
        client_request_execute(transaction, moment_unix_ms(), &request, error_out);
    if (status != TERCET_OK) {
        return status;
    }
    status = client_enter(client, error_out);
    if (status != TERCET_OK) {
        client_request_deinit(&request);
        return status;
    }
    const uint32_t timeout_ms = request.timeout_ms;
    struct client_call *call = client_call_create(&request, timeout_ms, client->reach_timeout_ms);
    call->owner = client;
    call->ended = attempt_ended;
    call->done = done;
    call->context = context;
    start(client, call);
    return TERCET_OK;
}
