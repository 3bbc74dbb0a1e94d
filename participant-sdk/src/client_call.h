/* client_call.h -- one call of the client: attempts under one gid until there is an answer.
 *
 *     create ──► start ──► (attempt ends: `ended` is called) ──► judge ─┬─► FINISH: result is final
 *                  ▲                                                    │
 *                  └────────────── after the delay ◄────────── REPEAT ──┘
 *
 * This file knows how to send and what the end of an attempt means (client_policy.h); who waits,
 * and on which thread, is the client's (client_blocking.c, client_workers.c). */
#ifndef TERCET_SRC_CLIENT_CALL_H
#define TERCET_SRC_CLIENT_CALL_H

#include "base/heap.h"
#include "rpc/rpc_feed.h"
#include "src/client_policy.h"
#include "src/client_request.h"

TERCET_BEGIN_DECLS

struct Tercet__V1__Transaction;

/* What is kept of an attempt that ended; written on a poller thread before `ended` is called. */
struct client_ending {
    enum tercet_status status;
    bool left;
    bool refused;
    uint32_t retry_after_ms;
    void *reply; /* its bytes, owned; NULL when the status is not OK, or it is decoded already: */
    size_t reply_size;
    struct Tercet__V1__Transaction *transaction; /* owned; NULL: not */
    char code[TERCET_REASON_CODE_BYTES_MAX + 1];
    char text[256];
};

struct client_call {
    struct client_request request;
    struct client_history history;
    struct client_ending ending;
    struct tercet_result *result; /* made at once, so that there always is one */
    int64_t deadline_ms;          /* monotonic; INT64_MAX: never */
    int64_t reach_by_ms;          /* nobody reached by then: given up; INT64_MAX: never */
    bool reached;                 /* an attempt has left this process, or been answered */
    size_t target;                /* index of the channel of the last attempt */

    /* Told that an attempt has ended, on a poller thread; must not block. */
    void (*ended)(struct client_call *call);
    void *owner;
    struct rpc_feed_call on_stream; /* while an attempt is on a stream */
    struct list_node delivered;     /* the same, when it has ended */

    /* Of an asynchronous call, for client_workers.c. */
    tercet_result_fn done;
    void *context;
    struct client_call *next;
    struct heap_node waiting;
};

/* Takes the request.  `timeout_ms` may be TERCET_FOREVER; `reach_timeout_ms` 0: none. */
struct client_call *client_call_create(struct client_request *request, uint32_t timeout_ms,
                                       uint32_t reach_timeout_ms);

/* Frees it, its result included unless that was taken (set to NULL). */
void client_call_destroy(struct client_call *call);

/* Sends an attempt, over `feed` if that takes it (NULL: there is none), else over `channel`.  Returns
 * when it has to be ended by client_stream_expire(), by moment_ms(); INT64_MAX: it ends by itself.
 * The call may be gone by then. */
int64_t client_call_start(struct client_call *call, struct rpc_channel *channel,
                          struct rpc_feed *feed);

/* An attempt on a stream has ended: takes what is kept of it out of the ExecuteReply, if there is
 * one.  `ended` is not called. */
void client_call_take_reply(struct client_call *call, const struct rpc_result *result);

/* What the end of the attempt means.  REPEAT: start again after `delay_ms_out`.  FINISH: the result
 * and its outcome are final.  `closing`: the client is being destroyed, so there is no repeat. */
enum client_next client_call_judge(struct client_call *call, bool closing, uint32_t *delay_ms_out);

/* Finishes a call that has no attempt under way. */
void client_call_give_up(struct client_call *call, enum tercet_status status, const char *text);

TERCET_END_DECLS

#endif
