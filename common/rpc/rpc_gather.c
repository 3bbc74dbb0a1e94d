/* rpc_gather.c -- see rpc_gather.h. */
#include "rpc/rpc_gather.h"

#include <grpc/byte_buffer.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/memory.h"
#include "rpc/rpc_codec.h"
#include "rpc/rpc_duplex_core.h"

enum { ROOM_BYTES_MIN = 256, ROOM_BYTES_WANTED_MAX = 64 * 1024, PARTS_MIN = 16, PARTS_KEPT = 1024 };

void rpc_gather_init(struct rpc_gather *gather)
{
    *gather = (struct rpc_gather){.room = grpc_empty_slice()};
}

/* ---- Room -------------------------------------------------------------------------------------- */

/* What waits of the parts below `last`, without what was dropped between them. */
static void copy_waiting(const struct rpc_gather *gather, size_t last, uint8_t *to)
{
    const uint8_t *from = GRPC_SLICE_START_PTR(gather->room) + gather->begin;
    for (size_t i = gather->first; i < last; i++) {
        const struct rpc_part *part = &gather->parts[i];
        if (!part->dropped) {
            memcpy(to, from, part->size);
            to += part->size;
        }
        from += part->size;
    }
}

/* For `more` bytes behind the last.  What was sent may still be read by core, so it stays where it is;
 * what was dropped is left behind. */
static void make_room(struct rpc_gather *gather, size_t more)
{
    if (GRPC_SLICE_LENGTH(gather->room) - gather->end >= more) {
        return;
    }
    const size_t kept = gather->bytes;
    const size_t ahead = kept > 0 ? kept : gather->room_wanted;
    grpc_slice room = grpc_slice_malloc(ROOM_BYTES_MIN + kept + ahead + more);
    copy_waiting(gather, gather->last, GRPC_SLICE_START_PTR(room));
    for (size_t i = gather->first; i < gather->last; i++) {
        gather->parts[i].size = gather->parts[i].dropped ? 0 : gather->parts[i].size;
    }
    grpc_slice_unref(gather->room);
    gather->room = room;
    gather->begin = 0;
    gather->end = kept;
}

static void make_part_room(struct rpc_gather *gather)
{
    const size_t kept = gather->last - gather->first;
    if (gather->last < gather->part_room) {
        return;
    }
    if (kept >= gather->part_room / 2) {
        gather->part_room = gather->part_room > 0 ? 2 * gather->part_room : PARTS_MIN;
        gather->parts = xrealloc(gather->parts, gather->part_room * sizeof gather->parts[0]);
    }
    memmove(gather->parts, gather->parts + gather->first, kept * sizeof gather->parts[0]);
    gather->first = 0;
    gather->last = kept;
}

static void give_room_back(struct rpc_gather *gather)
{
    const size_t used = gather->end;
    grpc_slice_unref(gather->room);
    gather->room = grpc_empty_slice();
    gather->room_wanted = used < ROOM_BYTES_WANTED_MAX ? used : ROOM_BYTES_WANTED_MAX;
    gather->begin = 0;
    gather->end = 0;
    gather->first = 0;
    gather->last = 0;
    if (gather->part_room > PARTS_KEPT) {
        free(gather->parts);
        gather->parts = NULL;
        gather->part_room = 0;
    }
}

/* ---- Parts ------------------------------------------------------------------------------------- */

void rpc_gather_add(struct rpc_gather *gather, const ProtobufCMessage *message, size_t bytes_max,
                    uint64_t *handle)
{
    make_room(gather, bytes_max);
    make_part_room(gather);
    const size_t size =
        rpc_codec_pack_into(message, GRPC_SLICE_START_PTR(gather->room) + gather->end);
    tercet_assert(size <= bytes_max);
    gather->parts[gather->last++] = (struct rpc_part){.size = size, .handle = handle};
    gather->named++;
    gather->end += size;
    gather->count++;
    gather->bytes += size;
    if (handle != NULL) {
        *handle = gather->named;
    }
}

/* It waits no more. */
static void forget(struct rpc_gather *gather, struct rpc_part *part)
{
    gather->count--;
    gather->bytes -= part->size;
    part->dropped = true;
    if (part->handle != NULL) {
        *part->handle = 0;
        part->handle = NULL;
    }
}

/* Passes what does not wait any more. */
static void pass(struct rpc_gather *gather)
{
    while (gather->first < gather->last && gather->parts[gather->first].dropped) {
        gather->begin += gather->parts[gather->first++].size;
    }
    if (gather->first == gather->last) {
        give_room_back(gather);
    }
}

void rpc_gather_drop(struct rpc_gather *gather, uint64_t name)
{
    const uint64_t behind = gather->named - name;
    tercet_assert(name <= gather->named && behind < gather->last - gather->first);
    struct rpc_part *part = &gather->parts[gather->last - 1 - (size_t)behind];
    tercet_assert(!part->dropped);
    forget(gather, part);
    pass(gather);
}

void rpc_gather_deinit(struct rpc_gather *gather)
{
    for (size_t i = gather->first; i < gather->last; i++) {
        if (!gather->parts[i].dropped) {
            forget(gather, &gather->parts[i]);
        }
    }
    grpc_slice_unref(gather->room);
    free(gather->parts);
}

/* ---- Sending ----------------------------------------------------------------------------------- */

/* What goes into the next message. */
struct run {
    size_t last;  /* the part behind it */
    size_t count; /* of parts that wait */
    size_t bytes; /* of those */
    size_t span;  /* with what has been dropped between them */
};

static struct run measure(const struct rpc_gather *gather, size_t count_max, size_t bytes_max)
{
    struct run run = {.last = gather->first};
    while (run.last < gather->last && run.count < count_max && run.bytes < bytes_max) {
        const struct rpc_part *part = &gather->parts[run.last++];
        run.span += part->size;
        run.count += part->dropped ? 0 : 1;
        run.bytes += part->dropped ? 0 : part->size;
    }
    return run;
}

/* Shared with core, not copied, unless something was dropped in between. */
static grpc_slice slice_of(const struct rpc_gather *gather, const struct run *run)
{
    if (run->bytes == run->span) {
        return grpc_slice_sub(gather->room, gather->begin, gather->begin + run->span);
    }
    grpc_slice slice = grpc_slice_malloc(run->bytes);
    copy_waiting(gather, run->last, GRPC_SLICE_START_PTR(slice));
    return slice;
}

bool rpc_gather_send(struct rpc_gather *gather, struct rpc_duplex *duplex, struct tercet_bytes head,
                     size_t count_max, size_t bytes_max, size_t *count_out, bool *written_out)
{
    if (!rpc_duplex_may_send(duplex)) {
        return false;
    }
    const struct run run = measure(gather, count_max, bytes_max);
    grpc_slice slices[2] = {grpc_slice_from_copied_buffer(head.data, head.size),
                            slice_of(gather, &run)};
    grpc_byte_buffer *buffer = grpc_raw_byte_buffer_create(slices, 2);
    grpc_slice_unref(slices[0]);
    grpc_slice_unref(slices[1]);
    if (!rpc_duplex_send_buffer(duplex, buffer, written_out)) {
        return false;
    }
    for (size_t i = gather->first; i < run.last; i++) {
        if (!gather->parts[i].dropped) {
            forget(gather, &gather->parts[i]);
        }
    }
    if (run.last > gather->first) {
        pass(gather);
    }
    *count_out = run.count;
    return true;
}
