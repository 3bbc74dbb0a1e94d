/* read.h -- requests of the wire to requests of the engine.
 *
 * Every field is looked at; whatever is wrong is refused with the field's name, the limit and the
 * value.  A request that was refused owns nothing. */
#ifndef COORDINATOR_SERVICE_READ_H
#define COORDINATOR_SERVICE_READ_H

#include <protobuf-c/protobuf-c.h>

#include "engine/event.h"
#include "service/refusal.h"

/* What reading needs beside the message. */
struct read {
    const struct directory *directory;
    uint32_t try_timeout_ms; /* when a request does not say */
    uint32_t left_ms;        /* of the caller's deadline; TERCET_FOREVER: none */
    struct refusal *refusal;
};

/* Fills `request` (zeroed but for its kind and token) from the message that belongs to its kind. */
typedef bool (*read_fn)(const struct read *read, const ProtobufCMessage *message,
                        struct request *request);

bool read_execute(const struct read *read, const ProtobufCMessage *message,
                  struct request *request);
bool read_begin(const struct read *read, const ProtobufCMessage *message, struct request *request);
bool read_try(const struct read *read, const ProtobufCMessage *message, struct request *request);
bool read_confirm(const struct read *read, const ProtobufCMessage *message,
                  struct request *request);
bool read_cancel(const struct read *read, const ProtobufCMessage *message, struct request *request);
bool read_get(const struct read *read, const ProtobufCMessage *message, struct request *request);
bool read_watch(const struct read *read, const ProtobufCMessage *message, struct request *request);
bool read_resolve(const struct read *read, const ProtobufCMessage *message,
                  struct request *request);

#endif
