#include "rpc/rpc_call.h"

#include <stdatomic.h>
#include <string.h>

#include "base/assert.h"
#include "base/memory.h"
#include "rpc/rpc_outgoing.h"
#include "rpc/rpc_process.h"

struct rpc_call {
    struct rpc_outgoing outgoing;
    struct rpc_tag finished;
    atomic_uint parties; /* the handle and core */
    const ProtobufCMessageDescriptor *descriptor;
    rpc_call_done_fn done;
    void *context;

    struct rpc_trailers metadata;
    grpc_byte_buffer *request;
    grpc_byte_buffer *reply;
    struct rpc_body body; /* of the reply */
    ProtobufCMessage *message;
    struct rpc_result result;

    pthread_cond_t ended_changed;
    bool ended; /* guarded by outgoing.mutex */
};

static void call_release(struct rpc_call *call)
{
    if (atomic_fetch_sub_explicit(&call->parties, 1, memory_order_acq_rel) > 1) {
        return;
    }
    rpc_codec_free(call->message);
    rpc_body_close(&call->body);
    rpc_outgoing_deinit(&call->outgoing);
    (void)pthread_cond_destroy(&call->ended_changed);
    free(call);
}

/* Decodes the reply of a call that ended with OK. */
static void take_reply(struct rpc_call *call)
{
    struct rpc_result *const result = &call->result;
    if (call->reply == NULL) {
        rpc_outgoing_result_broken(&call->outgoing, result, "the peer sent no reply", "");
        return;
    }
    rpc_body_open(&call->body, call->reply);
    if (call->descriptor != NULL) {
        call->message = rpc_outgoing_decode(call->descriptor, call->body.bytes);
        if (call->message == NULL) {
            rpc_outgoing_result_broken(&call->outgoing, result, "reply is not a ",
                                       call->descriptor->name);
            return;
        }
    }
    result->reply = call->message;
    result->reply_bytes = call->body.bytes;
}

static void finished_run(struct rpc_tag *tag, bool ok)
{
    (void)ok; /* a batch with RECV_STATUS always succeeds; the status tells */
    struct rpc_call *const call = container_of(tag, struct rpc_call, finished);
    rpc_outgoing_result(&call->outgoing, &call->result);
    if (call->result.status == TERCET_OK) {
        take_reply(call);
    }
    if (call->reply != NULL) {
        grpc_byte_buffer_destroy(call->reply);
        call->reply = NULL;
    }
    grpc_byte_buffer_destroy(call->request);
    call->request = NULL;
    rpc_trailers_deinit(&call->metadata);
    if (call->done != NULL) {
        call->done(&call->result, call->context);
    }
    rpc_outgoing_close(&call->outgoing);
    pthread_mutex_lock(&call->outgoing.mutex);
    call->ended = true;
    pthread_cond_broadcast(&call->ended_changed);
    pthread_mutex_unlock(&call->outgoing.mutex);
    call_release(call);
}

static void start_batch(struct rpc_call *call, bool wait_for_ready)
{
    grpc_op ops[6];
    memset(ops, 0, sizeof ops);
    ops[0].op = GRPC_OP_SEND_INITIAL_METADATA;
    ops[0].data.send_initial_metadata.metadata = call->metadata.items;
    ops[0].data.send_initial_metadata.count = call->metadata.count;
    if (wait_for_ready) {
        ops[0].flags = GRPC_INITIAL_METADATA_WAIT_FOR_READY |
                       GRPC_INITIAL_METADATA_WAIT_FOR_READY_EXPLICITLY_SET;
    }
    ops[1].op = GRPC_OP_SEND_MESSAGE;
    ops[1].data.send_message.send_message = call->request;
    ops[2].op = GRPC_OP_SEND_CLOSE_FROM_CLIENT;
    ops[3].op = GRPC_OP_RECV_INITIAL_METADATA;
    ops[3].data.recv_initial_metadata.recv_initial_metadata = &call->outgoing.initial;
    ops[4].op = GRPC_OP_RECV_MESSAGE;
    ops[4].data.recv_message.recv_message = &call->reply;
    rpc_outgoing_status_op(&call->outgoing, &ops[5]);
    rpc_batch_start(call->outgoing.core, ops, sizeof ops / sizeof ops[0], &call->finished);
}

struct rpc_call *rpc_call_start(struct rpc_channel *channel, const struct rpc_call_options *options)
{
    tercet_assert(options->path != NULL && options->path[0] == '/');
    struct rpc_call *call = xcalloc(1, sizeof *call);
    atomic_init(&call->parties, 2);
    call->finished.run = finished_run;
    call->descriptor = options->reply;
    call->done = options->done;
    call->context = options->context;
    call->body.slice = grpc_empty_slice();
    tercet_assert(pthread_cond_init(&call->ended_changed, NULL) == 0);
    rpc_trailers_init(&call->metadata);
    rpc_trailers_add_detail(&call->metadata, &(const struct rpc_detail){
                                                 .trailers = options->metadata,
                                                 .trailer_count = options->metadata_count,
                                             });
    call->request = options->request != NULL ? rpc_buffer_of_message(options->request)
                                             : rpc_buffer_of_bytes(options->request_bytes);
    rpc_outgoing_init(&call->outgoing);
    sigset_t before;
    rpc_signals_block(&before);
    rpc_outgoing_open(&call->outgoing, channel, options->path, options->timeout_ms);
    start_batch(call, options->wait_for_ready);
    rpc_signals_restore(&before);
    return call;
}

void rpc_call_cancel(struct rpc_call *call)
{
    rpc_outgoing_cancel(&call->outgoing);
}

const struct rpc_result *rpc_call_wait(struct rpc_call *call)
{
    tercet_assert(!rpc_runtime_on_poller());
    pthread_mutex_lock(&call->outgoing.mutex);
    while (!call->ended) {
        pthread_cond_wait(&call->ended_changed, &call->outgoing.mutex);
    }
    pthread_mutex_unlock(&call->outgoing.mutex);
    return &call->result;
}

void rpc_call_unref(struct rpc_call *call)
{
    if (call != NULL) {
        call_release(call);
    }
}

bool rpc_result_trailer(const struct rpc_result *result, const char *key,
                        struct tercet_bytes *value_out)
{
    return rpc_metadata_find(&result->trailers->array, key, value_out);
}
