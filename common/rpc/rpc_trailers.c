#include "rpc/rpc_trailers.h"

#include "base/assert.h"
#include "rpc/rpc_server.h"

void rpc_trailers_init(struct rpc_trailers *trailers)
{
    trailers->count = 0;
}

void rpc_trailers_deinit(struct rpc_trailers *trailers)
{
    for (size_t i = 0; i < trailers->count; i++) {
        grpc_slice_unref(trailers->items[i].key);
        grpc_slice_unref(trailers->items[i].value);
    }
    trailers->count = 0;
}

static void add(struct rpc_trailers *trailers, const char *key, struct tercet_bytes value)
{
    grpc_metadata *const item = &trailers->items[trailers->count];
    *item = (grpc_metadata){
        .key = grpc_slice_from_copied_string(key),
        .value = value.size > 0 ? grpc_slice_from_copied_buffer(value.data, value.size)
                                : grpc_empty_slice(),
    };
    tercet_assert(grpc_header_key_is_legal(item->key) != 0);
    tercet_assert(grpc_is_binary_header(item->key) != 0 ||
                  grpc_header_nonbin_value_is_legal(item->value) != 0);
    trailers->count++;
}

void rpc_trailers_add(struct rpc_trailers *trailers, const char *key, struct tercet_bytes value)
{
    tercet_assert(trailers->count < RPC_TRAILER_COUNT_MAX);
    add(trailers, key, value);
}

void rpc_trailers_add_detail(struct rpc_trailers *trailers, const struct rpc_detail *detail)
{
    if (detail == NULL) {
        return;
    }
    tercet_assert(detail->trailer_count <= RPC_TRAILER_COUNT_MAX);
    for (size_t i = 0; i < detail->trailer_count; i++) {
        rpc_trailers_add(trailers, detail->trailers[i].key, detail->trailers[i].value);
    }
    if (detail->status_details.size > 0) {
        add(trailers, "grpc-status-details-bin", detail->status_details);
    }
}
