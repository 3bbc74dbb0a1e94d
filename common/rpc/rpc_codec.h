/* rpc_codec.h -- protobuf-c messages to bytes and back.
 *
 * The only place that packs and unpacks.  Towards core a message is packed straight into the slice
 * that is sent: one allocation, no copy; from core it is decoded in place when it came in one piece.
 * Records that are stored use the plain pair below. */
#ifndef COMMON_RPC_RPC_CODEC_H
#define COMMON_RPC_RPC_CODEC_H

#include <protobuf-c/protobuf-c.h>

#include "tercet/tercet.h"

TERCET_BEGIN_DECLS

/* The bytes, one allocation by base/memory; the caller frees with free(). */
void *rpc_codec_pack(const ProtobufCMessage *message, size_t *size_out);

/* Packs into the caller's memory, which has rpc_codec_size() bytes or more.  Returns how many it took. */
size_t rpc_codec_size(const ProtobufCMessage *message);
size_t rpc_codec_pack_into(const ProtobufCMessage *message, void *bytes_out);

/* NULL: not such a message, or one that asks for more memory than its bytes and elements can need.  For
 * bytes that are ours (a journal record); what comes from outside is scanned first (rpc_scan.h), which
 * counts the elements.
 *
 * All of it is one piece of memory: nothing of it outlives it, and nothing in it may be freed or
 * exchanged.  Owned by the caller: rpc_codec_free(). */
ProtobufCMessage *rpc_codec_unpack(const ProtobufCMessageDescriptor *descriptor,
                                   struct tercet_bytes bytes, uint64_t element_count);
void rpc_codec_free(ProtobufCMessage *message); /* NULL is fine */

/* The same for whoever keeps parts of it: each message and text is memory of its own, as
 * protobuf_c_message_free_unpacked(part, NULL) frees it. */
ProtobufCMessage *rpc_codec_unpack_pieces(const ProtobufCMessageDescriptor *descriptor,
                                          struct tercet_bytes bytes);
void rpc_codec_free_pieces(ProtobufCMessage *message); /* NULL is fine */

TERCET_END_DECLS

#endif
