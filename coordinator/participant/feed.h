/* feed.h -- the Work stream to one participant: calls go in, answers come out, credits between.
 *
 *     OFF ──feed_ready()──► OPENING ──first message──► OPEN ──silence──► BREAKING
 *      ▲                       │                         │                  │
 *      │◄──────── ended ───────┴─────────────────────────┴──────────────────┘
 *      │ may_try                ended UNIMPLEMENTED
 *      └──────── REFUSED ◄──────────── (OPENING)
 *
 * Only an OPEN stream takes calls; in every other state the edge uses unary calls, so nothing waits
 * for a stream and nothing is lost by trying one.  A participant that has no Work, or has sent a message
 * that is none (REFUSED), is tried again when a call found its connection lost, a probe was answered, or
 * a minute is over; other failures after 100 ms to 5 s, doubling, from the beginning again once an answer
 * has come.
 *
 * How messages form.  A call is encoded by the loop's thread and waits in `waiting`.  feed_flush(),
 * once in a turn, sends what waits if nothing is being written; what comes meanwhile leaves with the
 * next message, when the write has ended.  No timers, and no delay when idle.  A message takes at most
 * 1024 requests and closes at 256 KiB.
 *
 * Credits.  The participant's window bounds what was sent and is not answered.  Calls above it wait
 * here; how many can is bounded by dispatch's window.  A call whose time was over still counts until
 * its late answer comes, or the stream ends.
 *
 * What ends a call, exactly once
 *   an answer                      as its unary method's: the same verdict, or the same status
 *   its time is over               DEADLINE_EXCEEDED, whether it was sent or not; a late answer is
 *                                  dropped
 *   the stream ends, however       UNAVAILABLE, whether it was sent or not: nothing is known, and it
 *                                  is asked again as after a unary call whose connection broke
 *
 * Silence.  When calls' time is over and nothing at all has come on the stream in the 5 s since the
 * first of them was taken, or calls without an answer hold half of the window, the stream is broken off:
 * unary calls then find out what there is.  An initiator's short timeout alone never breaks a stream.
 *
 * Ownership: a call is its caller's struct with a feed_call in it; the feed has it from feed_send()
 * until `ended` is called for it.  Threads: the loop's makes calls, flushes and expires; poller
 * threads bring answers; the mutex is never held while `deliver` runs. */
#ifndef COORDINATOR_PARTICIPANT_FEED_H
#define COORDINATOR_PARTICIPANT_FEED_H

#include <pthread.h>

#include "base/clock.h"
#include "base/heap.h"
#include "base/table.h"
#include "participant/wire.h"
#include "rpc/rpc_channel.h"
#include "rpc/rpc_gather.h"

struct feed_call {
    struct table_node by_name;
    struct heap_node due;
    struct rpc_part *part; /* NULL: sent */
    int64_t taken_ms;      /* when the feed got it */
};

struct feed_hands {
    /* A call has ended: makes an event of it, behind `events`.  The call is the caller's again.
     * The mutex is held. */
    void (*ended)(struct feed_call *call, const struct rpc_result *result,
                  struct list_node *events);
    /* All that one message, or one end, has brought. */
    void (*deliver)(struct list_node *events, void *context);
    void *context;
};

enum feed_state { FEED_OFF, FEED_OPENING, FEED_OPEN, FEED_BREAKING, FEED_REFUSED };

struct feed {
    struct feed_hands hands;
    struct rpc_channel *channel; /* borrowed; not after it is closed */

    pthread_mutex_t mutex;     /* of all below */
    struct rpc_duplex *duplex; /* the latest; NULL: none yet */
    enum feed_state state;
    bool writing;
    bool heard;        /* an answer came on this stream */
    uint32_t failures; /* in a row, to begin or to answer anything */
    int64_t retry_ms;  /* OFF, REFUSED: not before */
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
    int64_t head_lsn;    /* of the mark in the head; 0: none in it, -1: there is no head yet */
    struct tercet_bytes head; /* the context, encoded; owned */
};

void feed_init(struct feed *feed, struct rpc_channel *channel, const struct feed_hands *hands);

/* After the channel was closed. */
void feed_deinit(struct feed *feed);

/* Whether it takes calls now; begins to open where that is due.  The loop's thread. */
bool feed_ready(struct feed *feed, int64_t now_ms);

/* A REFUSED one may be tried again. */
void feed_may_try(struct feed *feed);

/* The context of what is sent from now on.  `lsn` names its mark; 0: none.  The loop's thread. */
bool feed_has_context(const struct feed *feed, int64_t lsn);
void feed_set_context(struct feed *feed, const Tercet__V1__RequestContext *context, int64_t lsn);

/* Takes the call and encodes the request, whose `call` is set here.  False: it is not open any more,
 * and nothing was done. */
bool feed_send(struct feed *feed, struct feed_call *call, Tercet__V1__BranchRequest *request,
               int64_t now_ms, int64_t until_ms);

void feed_flush(struct feed *feed);

/* Sends nothing more on this stream: its connection is not the current one, or its participant is held.
 * What is out is still answered; what waits ends with the stream.  The loop's thread. */
void feed_retire(struct feed *feed);

/* Ends the calls whose time is over.  Returns when the next is; INT64_MAX: there is none. */
int64_t feed_expire(struct feed *feed, int64_t now_ms);

#endif
