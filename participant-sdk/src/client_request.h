/* client_request.h -- what a caller asks, checked, and copied into the message that is sent.
 *
 * The message is built once for a call and sent unchanged in every attempt, so that a repeat is the
 * same request; only the remaining wait is written into it before each.  created_at is set here,
 * once: a repeat that said a newer one could start what the coordinator has forgotten. */
#ifndef TERCET_SRC_CLIENT_REQUEST_H
#define TERCET_SRC_CLIENT_REQUEST_H

#include <protobuf-c/protobuf-c.h>

#include "base/arena.h"
#include "tercet/client.h"

TERCET_BEGIN_DECLS

enum client_method {
    CLIENT_EXECUTE,
    CLIENT_BEGIN,
    CLIENT_TRY,
    CLIENT_CONFIRM,
    CLIENT_CANCEL,
    CLIENT_GET,
    CLIENT_METHOD_COUNT
};

/* Owned by one call.  Zero is empty. */
struct client_request {
    enum client_method method;
    enum tercet_wait wait; /* never DEFAULT */
    struct arena arena;    /* of the message and all that it points at */
    ProtobufCMessage *message;
    size_t size;               /* EXECUTE: of the message, about */
    const char *gid;           /* in the message */
    uint32_t *wait_timeout_ms; /* in the message; NULL: it has none */
    uint32_t timeout_ms;       /* for the whole call; TERCET_FOREVER: none */
    uint32_t branch;           /* TRY: its number */
};

/* "/tercet.v1.Coordinator/Execute" and so on.  Static storage. */
const char *client_method_path(enum client_method method);

/* Errors: INVALID_ARGUMENT, naming the field; `request_out` is then untouched. */
TERCET_MUST_CHECK enum tercet_status client_request_execute(
    const struct tercet_transaction *transaction, int64_t now_unix_ms,
    struct client_request *request_out, struct tercet_error *error_out);
TERCET_MUST_CHECK enum tercet_status client_request_begin(
    const struct tercet_transaction *transaction, int64_t now_unix_ms,
    struct client_request *request_out, struct tercet_error *error_out);
TERCET_MUST_CHECK enum tercet_status client_request_try(const char *gid, uint32_t number,
                                                        const struct tercet_branch *branch,
                                                        struct client_request *request_out,
                                                        struct tercet_error *error_out);
TERCET_MUST_CHECK enum tercet_status client_request_confirm(const char *gid,
                                                            struct client_request *request_out,
                                                            struct tercet_error *error_out);
TERCET_MUST_CHECK enum tercet_status client_request_cancel(const char *gid, const char *text,
                                                           struct client_request *request_out,
                                                           struct tercet_error *error_out);
TERCET_MUST_CHECK enum tercet_status client_request_get(const char *gid, enum tercet_wait wait,
                                                        struct client_request *request_out,
                                                        struct tercet_error *error_out);

/* Frees what the request owns and makes it empty. */
void client_request_deinit(struct client_request *request);

TERCET_END_DECLS

#endif
