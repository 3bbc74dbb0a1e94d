/* rpc_feed.h -- the client's side of a stream of requests that are answered one by one: calls go in,
 * answers come out, credits between.
 *
 *     OFF ──rpc_feed_ready()──► OPENING ──first message──► OPEN ──silence──► BREAKING
 *      ▲                           │                         │                  │
 *      │◄────────── ended ─────────┴─────────────────────────┴──────────────────┘
 *      │ may_try                    ended UNIMPLEMENTED
 *      └──────── REFUSED ◄──────────────── (OPENING)
 *
 * Only an OPEN stream takes calls; in every other state the owner uses unary calls, so nothing waits
 * for a stream and nothing is lost by trying one.  A peer that has no such method, that has sent a
 * message that is none, or that ended an open stream because of what we sent (REFUSED), is tried again
 * when rpc_feed_may_try() says so, or a minute is over; other failures after 100 ms to 5 s, doubling,
 * from the beginning again once an answer has come.
 *
 * How messages form.  A call is encoded by the thread that makes it and waits in `waiting`.
 * rpc_feed_flush() sends what waits if nothing is being written; as a rule that has left when it
 * returns.  What comes while one is being written leaves with the next message.  No timers, and no
 * delay when idle.
 *
 * Credits.  The peer's window bounds what was sent and is not answered.  Calls above it wait here, or
 * are not taken (`within_window`); how many can wait is the owner's to bound.  A call whose time was
 * over still counts until its late answer comes, or the stream ends.
 *
 * What ends a call, exactly once
 *   an answer                      as the kind reads it; never before the call was sent
 *   its time is over               DEADLINE_EXCEEDED, whether it was sent or not; a late answer is
 *                                  dropped
 *   the stream ends, however       UNAVAILABLE, whether it was sent or not (rpc_result.sent_maybe
 *                                  tells): nothing is known, as after a unary call whose connection
 *                                  broke
 *
 * Silence.  When calls' time is over and nothing at all has come on the stream in the 5 s since the
 * first of them was taken, or calls without an answer hold half of a window that others wait for, the
 * stream is broken off: unary calls then find out what there is.  A short timeout alone never breaks a
 * stream.
 *
 * Ownership: a call is its owner's struct with a rpc_feed_call in it; the feed has it from
 * rpc_feed_send() until `ended` is called for it.  Threads: any; poller threads bring answers; the mutex
 * is never held while `deliver` runs.  Instants are boot_ms of base/clock.h. */
#ifndef COMMON_RPC_RPC_FEED_H
#define COMMON_RPC_RPC_FEED_H

#include <pthread.h>

#include "base/heap.h"
#include "base/list.h"
#include "base/table.h"
#include "rpc/rpc_channel.h"
#include "rpc/rpc_gather.h"

TERCET_BEGIN_DECLS

struct rpc_feed_call {
    struct table_node by_name;
    struct heap_node due;
    uint64_t part;    /* 0: sent */
    int64_t taken_ms; /* when the feed got it */
};

/* The messages of one method.  Static storage. */
struct rpc_feed_kind {
    const char *path;
    const ProtobufCMessageDescriptor *reply; /* of what comes */
    /* How many answers a message holds, and the window that it tells; 0: none. */
    size_t (*count)(const ProtobufCMessage *message, uint32_t *window_out);
    /* One of them: the name of its call, and how that ended (preset: OK, no reply, no text).  The
     * message stands until `ended` has returned. */
    int64_t (*read)(const ProtobufCMessage *message, size_t index, struct rpc_result *result_out);
    size_t message_count_max; /* calls in one message */
    size_t message_bytes;     /* a message is closed when it is so large */
    bool within_window;       /* calls that would have to wait for the window are not taken */
    /* For many threads that each flush after one call: until a poller has seen that a message has left,
     * what they send goes into the next, together. */
    bool gathers;
    bool in_pieces; /* `ended` may keep parts of the message */
};

struct rpc_feed_hands {
    /* A call has ended: makes of it what stands in `events`.  The call is the owner's again.  The mutex
     * is held. */
    void (*ended)(struct rpc_feed_call *call, const struct rpc_result *result,
                  struct list_node *events);
    /* All that one message, or one end, has brought. */
    void (*deliver)(struct list_node *events, void *context);
    void *context;
};

enum rpc_feed_state {
    RPC_FEED_OFF,
    RPC_FEED_OPENING,
    RPC_FEED_OPEN,
    RPC_FEED_BREAKING,
    RPC_FEED_REFUSED
};

struct rpc_feed {
    const struct rpc_feed_kind *kind;
    struct rpc_feed_hands hands;
    struct rpc_channel *channel; /* borrowed; not after it is closed */

    pthread_mutex_t mutex;     /* of all below */
    struct rpc_duplex *duplex; /* the latest; NULL: none yet */
    enum rpc_feed_state state;
    bool writing;
    bool retired;      /* BREAKING: the peer may still end it by itself */
    bool heard;        /* an answer came on this stream */
    bool vouched;      /* rpc_feed_may_try() was called since it began to open */
    uint32_t failures; /* in a row, to begin or to answer anything */
    int64_t retry_ms;  /* OFF, REFUSED: not before; BREAKING: nor is it broken off before */
    struct rpc_gather waiting;
    struct table calls; /* by name: waiting or out */
    struct heap due;    /* the same */
    int64_t next_name;
    uint32_t window;
    uint32_t unanswered; /* sent, and the silent ones */
    uint32_t silent;     /* whose time was over */
    int64_t heard_ms;    /* when the last message came */
    int64_t
        silent_since_ms; /* when the first of those was taken that nothing came after; 0: none */
    struct tercet_bytes head; /* of every message, encoded; owned */
};

void rpc_feed_init(struct rpc_feed *feed, const struct rpc_feed_kind *kind,
                   struct rpc_channel *channel, const struct rpc_feed_hands *hands);

/* After the channel was closed. */
void rpc_feed_deinit(struct rpc_feed *feed);

/* Whether it takes calls now; begins to open where that is due. */
bool rpc_feed_ready(struct rpc_feed *feed, int64_t now_ms);

/* A REFUSED one may be tried again; one that is OPENING, too, should its end say that there is no such
 * method: the end may have been on its way for longer than the peer is as it is. */
void rpc_feed_may_try(struct rpc_feed *feed);

/* What stands before the calls in every message from now on. */
void rpc_feed_set_head(struct rpc_feed *feed, const ProtobufCMessage *head);

/* Takes the call and encodes `message`, which holds it and nothing else, after `*name` in it was set.
 * The encoding takes at most `bytes_max`.  `now_ms` and `until_ms`, when rpc_feed_expire() ends it, are
 * clock_boot_ms()'s.  False: it is not open any more, or the window is full, and nothing was done. */
bool rpc_feed_send(struct rpc_feed *feed, struct rpc_feed_call *call,
                   const ProtobufCMessage *message, size_t bytes_max, int64_t *name, int64_t now_ms,
                   int64_t until_ms);

void rpc_feed_flush(struct rpc_feed *feed);

/* Sends nothing more on this stream.  What is out is still answered; what waits ends with it.  A peer
 * that has answered all and does not end it has 5 s, until rpc_feed_ready() breaks it off. */
void rpc_feed_retire(struct rpc_feed *feed);

/* Ends the calls whose time is over.  Returns when the next is; INT64_MAX: there is none. */
int64_t rpc_feed_expire(struct rpc_feed *feed, int64_t now_ms);

TERCET_END_DECLS

#endif
