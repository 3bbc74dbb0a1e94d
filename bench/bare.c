/* bare.c -- see bare.h.
 *
 * A fixed number of slots; each waits for one call, answers it, and waits for the next. */
#include "bare.h"

#include <grpc/byte_buffer.h>
#include <grpc/grpc_security.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "process.h"
#include "rpc/rpc_codec.h"
#include "rpc/rpc_runtime.h"
#include "tercet/v1/participant.pb-c.h"

/* Few: Debian's core looks through all tags of a queue at each end. */
enum { SLOT_COUNT = 32, STRAY_SLOT_COUNT = 2 };
enum { ALL_SLOTS = BARE_METHOD_COUNT * SLOT_COUNT + STRAY_SLOT_COUNT };

const char *const bare_methods[BARE_METHOD_COUNT] = {"/tercet.v1.Participant/Try",
                                                     "/tercet.v1.Participant/Confirm"};

struct bare {
    grpc_server *core;
    grpc_completion_queue *queue;
    grpc_slice reply;
};

struct slot {
    void *method; /* NULL: whatever has no other slot */
    bool answering;
    grpc_call *call;
    gpr_timespec deadline;
    grpc_call_details details;
    grpc_metadata_array metadata;
    grpc_byte_buffer *request;
    grpc_byte_buffer *reply;
    int cancelled;
};

void bare_init(void)
{
    rpc_runtime_destroy(rpc_runtime_create(NULL));
    grpc_init();
}

grpc_slice bare_slice(const ProtobufCMessage *message)
{
    size_t size = 0;
    void *bytes = rpc_codec_pack(message, &size);
    const grpc_slice slice = grpc_slice_from_copied_buffer(bytes, size);
    free(bytes);
    return slice;
}

/* ---- A call ------------------------------------------------------------------------------------ */

static bool await(struct bare *bare, struct slot *slot)
{
    *slot = (struct slot){.method = slot->method};
    grpc_metadata_array_init(&slot->metadata);
    grpc_call_details_init(&slot->details);
    const grpc_call_error error =
        slot->method != NULL
            ? grpc_server_request_registered_call(bare->core, slot->method, &slot->call,
                                                  &slot->deadline, &slot->metadata, &slot->request,
                                                  bare->queue, bare->queue, slot)
            : grpc_server_request_call(bare->core, &slot->call, &slot->details, &slot->metadata,
                                       bare->queue, bare->queue, slot);
    return error == GRPC_CALL_OK;
}

static bool answer(const struct bare *bare, struct slot *slot)
{
    const bool known = slot->method != NULL;
    grpc_op ops[4] = {{.op = GRPC_OP_SEND_INITIAL_METADATA},
                      {.op = GRPC_OP_RECV_CLOSE_ON_SERVER,
                       .data.recv_close_on_server.cancelled = &slot->cancelled}};
    size_t count = 2;
    if (known) {
        grpc_slice reply = bare->reply;
        slot->reply = grpc_raw_byte_buffer_create(&reply, 1);
        ops[count].op = GRPC_OP_SEND_MESSAGE;
        ops[count++].data.send_message.send_message = slot->reply;
    }
    ops[count].op = GRPC_OP_SEND_STATUS_FROM_SERVER;
    ops[count++].data.send_status_from_server.status =
        known ? GRPC_STATUS_OK : GRPC_STATUS_UNIMPLEMENTED;
    slot->answering = true;
    return grpc_call_start_batch(slot->call, ops, count, slot, NULL) == GRPC_CALL_OK;
}

static void let_go(struct slot *slot)
{
    grpc_byte_buffer_destroy(slot->request);
    grpc_byte_buffer_destroy(slot->reply);
    grpc_metadata_array_destroy(&slot->metadata);
    grpc_call_details_destroy(&slot->details);
    grpc_call_unref(slot->call);
}

/* ---- Life -------------------------------------------------------------------------------------- */

/* Until the process ends. */
static void *answer_main(void *argument)
{
    struct bare *bare = argument;
    bool ok = true;
    while (ok) {
        const grpc_event event =
            grpc_completion_queue_next(bare->queue, gpr_inf_future(GPR_CLOCK_MONOTONIC), NULL);
        struct slot *slot = event.tag;
        if (slot->answering) {
            let_go(slot);
            ok = await(bare, slot);
        } else {
            ok = answer(bare, slot);
        }
    }
    (void)fputs("tercet-bench: bare: gRPC core refused a call's batch\n", stderr);
    abort();
}

static bool listen_on(const struct bare *bare, const char *address)
{
    grpc_server_credentials *credentials = grpc_insecure_server_credentials_create();
    const bool ok = grpc_server_add_http2_port(bare->core, address, credentials) != 0;
    grpc_server_credentials_release(credentials);
    return ok;
}

static bool await_all(struct bare *bare)
{
    static struct slot slots[ALL_SLOTS]; /* the strays' have no method */
    bool ok = true;
    for (size_t i = 0; i < BARE_METHOD_COUNT; i++) {
        void *method = grpc_server_register_method(bare->core, bare_methods[i], NULL,
                                                   GRPC_SRM_PAYLOAD_READ_INITIAL_BYTE_BUFFER, 0);
        for (size_t j = 0; j < SLOT_COUNT; j++) {
            slots[i * SLOT_COUNT + j].method = method;
        }
    }
    grpc_server_start(bare->core);
    for (size_t i = 0; ok && i < ALL_SLOTS; i++) {
        ok = await(bare, &slots[i]);
    }
    return ok;
}

/* As a participant of ours has it. */
static grpc_slice make_reply(void)
{
    Tercet__V1__BranchReply reply = TERCET__V1__BRANCH_REPLY__INIT;
    reply.verdict = TERCET__V1__VERDICT__VERDICT_DONE;
    reply.how = TERCET__V1__HOW__HOW_RAN;
    return bare_slice(&reply.base);
}

int bare_serve(const char *listen)
{
    static struct bare bare;
    pthread_t thread;
    bare_init();
    bare.core = grpc_server_create(NULL, NULL);
    bare.queue = grpc_completion_queue_create_for_next(NULL);
    bare.reply = make_reply();
    grpc_server_register_completion_queue(bare.core, bare.queue, NULL);
    if (!listen_on(&bare, listen) || !await_all(&bare) ||
        pthread_create(&thread, NULL, answer_main, &bare) != 0) {
        (void)fprintf(stderr, "tercet-bench: bare: %s cannot be served\n", listen);
        return 1;
    }
    process_serve_parent();
    _exit(0); /* calls may be under way, and there is nothing to lose */
}
