/* rpc_core.h -- internal: gRPC core's words and ours.
 *
 * The only header here that includes gRPC core; it is included by rpc's .c files and internal headers
 * alone, never by another folder. */
#ifndef COMMON_RPC_RPC_CORE_H
#define COMMON_RPC_RPC_CORE_H

#include <grpc/byte_buffer.h>
#include <grpc/byte_buffer_reader.h>
#include <grpc/grpc.h>
#include <grpc/grpc_security.h>
#include <grpc/slice.h>
#include <grpc/support/alloc.h>
#include <grpc/support/time.h>
#include <stddef.h>
#include <stdlib.h>

#include "base/list.h"
#include "rpc/rpc_codec.h"
#include "rpc/rpc_tag.h"
#include "tercet/tercet.h"

/* A timeout in milliseconds to core's absolute deadline, and back; TERCET_FOREVER is infinite. */
gpr_timespec rpc_deadline_of(uint32_t timeout_ms);
uint32_t rpc_deadline_left_ms(gpr_timespec deadline);

/* What core numbers beyond gRPC's sixteen does not exist; it becomes TERCET_UNKNOWN. */
enum tercet_status rpc_status_of(grpc_status_code code);

/* Starts a batch.  Core refuses one only when we misuse it: asserted. */
void rpc_batch_start(grpc_call *call, const grpc_op *ops, size_t count, struct rpc_tag *tag);

/* A message or bytes to what is sent.  Owned by the caller: grpc_byte_buffer_destroy(). */
grpc_byte_buffer *rpc_buffer_of_message(const ProtobufCMessage *message);
grpc_byte_buffer *rpc_buffer_of_bytes(struct tercet_bytes bytes);

/* A received buffer as one run of bytes: borrowed where it came in one piece, copied otherwise. */
struct rpc_body {
    grpc_slice slice;
    struct tercet_bytes bytes;
};
void rpc_body_open(struct rpc_body *body_out, grpc_byte_buffer *buffer);
void rpc_body_close(struct rpc_body *body);

/* A slice's bytes; valid as long as the slice, and as long as it does not move. */
struct tercet_bytes rpc_slice_bytes(const grpc_slice *slice);

/* The first value of a key; false: none. */
bool rpc_metadata_find(const grpc_metadata_array *array, const char *key,
                       struct tercet_bytes *value_out);

/* Received keys and values belong to the call.  These make them outlive it. */
void rpc_metadata_ref(grpc_metadata_array *array);
void rpc_metadata_unref_destroy(grpc_metadata_array *array);

#endif
