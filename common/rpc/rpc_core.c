#include "rpc/rpc_core.h"

#include "base/assert.h"

static_assert((int)TERCET_OK == (int)GRPC_STATUS_OK, "one numbering");
static_assert((int)TERCET_CALL_CANCELLED == (int)GRPC_STATUS_CANCELLED, "one numbering");
static_assert((int)TERCET_UNKNOWN == (int)GRPC_STATUS_UNKNOWN, "one numbering");
static_assert((int)TERCET_INVALID_ARGUMENT == (int)GRPC_STATUS_INVALID_ARGUMENT, "one numbering");
static_assert((int)TERCET_DEADLINE_EXCEEDED == (int)GRPC_STATUS_DEADLINE_EXCEEDED, "one numbering");
static_assert((int)TERCET_NOT_FOUND == (int)GRPC_STATUS_NOT_FOUND, "one numbering");
static_assert((int)TERCET_RESOURCE_EXHAUSTED == (int)GRPC_STATUS_RESOURCE_EXHAUSTED,
              "one numbering");
static_assert((int)TERCET_UNIMPLEMENTED == (int)GRPC_STATUS_UNIMPLEMENTED, "one numbering");
static_assert((int)TERCET_UNAVAILABLE == (int)GRPC_STATUS_UNAVAILABLE, "one numbering");
static_assert((int)TERCET_UNAUTHENTICATED == (int)GRPC_STATUS_UNAUTHENTICATED, "one numbering");

gpr_timespec rpc_deadline_of(uint32_t timeout_ms)
{
    if (timeout_ms == TERCET_FOREVER) {
        return gpr_inf_future(GPR_CLOCK_MONOTONIC);
    }
    return gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC),
                        gpr_time_from_millis(timeout_ms, GPR_TIMESPAN));
}

uint32_t rpc_deadline_left_ms(gpr_timespec deadline)
{
    if (gpr_time_cmp(deadline, gpr_inf_future(deadline.clock_type)) == 0) {
        return TERCET_FOREVER;
    }
    const gpr_timespec left = gpr_time_sub(deadline, gpr_now(deadline.clock_type));
    const int32_t left_ms = gpr_time_to_millis(left); /* saturates */
    return left_ms > 0 ? (uint32_t)left_ms : 0;
}

enum tercet_status rpc_status_of(grpc_status_code code)
{
    const int number = (int)code;
    if (number < 0 || number > (int)TERCET_UNAUTHENTICATED) {
        return TERCET_UNKNOWN;
    }
    return (enum tercet_status)number;
}

void rpc_batch_start(grpc_call *call, const grpc_op *ops, size_t count, struct rpc_tag *tag)
{
    rpc_tag_hand(tag);
    const grpc_call_error error = grpc_call_start_batch(call, ops, count, tag, NULL);
    tercet_assert(error == GRPC_CALL_OK);
}

static grpc_byte_buffer *buffer_of_slice_take(grpc_slice slice)
{
    grpc_byte_buffer *buffer = grpc_raw_byte_buffer_create(&slice, 1);
    grpc_slice_unref(slice); /* the buffer has its own reference */
    return buffer;
}

grpc_byte_buffer *rpc_buffer_of_message(const ProtobufCMessage *message)
{
    grpc_slice slice = grpc_slice_malloc(rpc_codec_size(message));
    (void)rpc_codec_pack_into(message, GRPC_SLICE_START_PTR(slice));
    return buffer_of_slice_take(slice);
}

grpc_byte_buffer *rpc_buffer_of_bytes(struct tercet_bytes bytes)
{
    return buffer_of_slice_take(bytes.size > 0
                                    ? grpc_slice_from_copied_buffer(bytes.data, bytes.size)
                                    : grpc_empty_slice());
}

void rpc_body_open(struct rpc_body *body_out, grpc_byte_buffer *buffer)
{
    grpc_byte_buffer_reader reader;
    body_out->slice = grpc_empty_slice();
    if (grpc_byte_buffer_reader_init(&reader, buffer) != 0) {
        grpc_slice *first = NULL;
        if (grpc_byte_buffer_reader_peek(&reader, &first) != 0) {
            if (GRPC_SLICE_LENGTH(*first) == grpc_byte_buffer_length(buffer)) {
                body_out->slice = grpc_slice_ref(*first);
            } else {
                grpc_byte_buffer_reader_destroy(&reader);
                tercet_assert(grpc_byte_buffer_reader_init(&reader, buffer) != 0);
                body_out->slice = grpc_byte_buffer_reader_readall(&reader);
            }
        }
        grpc_byte_buffer_reader_destroy(&reader);
    }
    body_out->bytes = rpc_slice_bytes(&body_out->slice);
}

void rpc_body_close(struct rpc_body *body)
{
    grpc_slice_unref(body->slice);
    body->slice = grpc_empty_slice();
    body->bytes = tercet_bytes_of("", 0);
}

struct tercet_bytes rpc_slice_bytes(const grpc_slice *slice)
{
    return tercet_bytes_of(GRPC_SLICE_START_PTR(*slice), GRPC_SLICE_LENGTH(*slice));
}

bool rpc_metadata_find(const grpc_metadata_array *array, const char *key,
                       struct tercet_bytes *value_out)
{
    for (size_t i = 0; i < array->count; i++) {
        if (grpc_slice_str_cmp(array->metadata[i].key, key) == 0) {
            *value_out = rpc_slice_bytes(&array->metadata[i].value);
            return true;
        }
    }
    return false;
}

void rpc_metadata_ref(grpc_metadata_array *array)
{
    for (size_t i = 0; i < array->count; i++) {
        (void)grpc_slice_ref(array->metadata[i].key);
        (void)grpc_slice_ref(array->metadata[i].value);
    }
}

void rpc_metadata_unref_destroy(grpc_metadata_array *array)
{
    for (size_t i = 0; i < array->count; i++) {
        grpc_slice_unref(array->metadata[i].key);
        grpc_slice_unref(array->metadata[i].value);
    }
    grpc_metadata_array_destroy(array);
}
