/* rpc_answers.h -- the server's side of a stream of requests that are answered one by one, in any
 * order.
 *
 *     message ──► counted against the window ──► hands.message: each request goes its own way
 *     rpc_answers_give() ──► answers gather ──► one message at a time
 *
 * A message leaves as soon as there is an answer and none is being written; what is answered
 * meanwhile goes into the next.  Nobody waits in order to fill one, but answers that are known at the
 * same moment may leave together (rpc_answers_announce(), rpc_answers_hold()).
 *
 * Bounds.  The window holds for requests that are unanswered or whose answers have not begun to
 * leave; the hello tells it.  A client that exceeds it, sends too many in one message, or does not
 * read until too many bytes of answers wait, loses the stream (RESOURCE_EXHAUSTED; CANCELLED when
 * answers waited behind one that it did not read).
 *
 * How it ends
 *   the stream breaks, or rpc_answers_end()   requests that were taken in go on, and their answers
 *                                             are dropped
 *   the client half-closes                    everything is answered, then OK
 *   our server stops                          as far as its grace goes everything is answered, then
 *                                             UNAVAILABLE
 *
 * It lives as long as core's part of the stream, an unanswered request, or a hold.  Thread: any; hands are
 * called on poller threads, `busy` with the mutex held. */
#ifndef COMMON_RPC_RPC_ANSWERS_H
#define COMMON_RPC_RPC_ANSWERS_H

#include "rpc/rpc_duplex.h"

TERCET_BEGIN_DECLS

struct rpc_answers;

struct rpc_answers_limits {
    size_t window;
    size_t request_count_max; /* in one message */
    size_t message_bytes;     /* a message of answers is closed when it is so large */
    size_t unsent_bytes_max;  /* of answers that wait; SIZE_MAX: the window is bound enough */
};

struct rpc_answers_hands {
    /* How many requests a message holds. */
    size_t (*count)(const ProtobufCMessage *message);
    /* Takes the message.  Each of its requests is answered exactly once, now or later. */
    void (*message)(struct rpc_answers *answers, ProtobufCMessage *message, void *context);
    /* Answers wait or are being written; or no more.  NULL: nobody asks. */
    void (*busy)(bool busy, void *context);
    /* Core's part is over.  NULL: nobody asks. */
    void (*ended)(void *context);
    void *context;
};

/* Inside the handler of a duplex method; rpc_answers_hello() or rpc_answers_end() follows there.  Both
 * arguments are copied. */
struct rpc_answers *rpc_answers_open(struct rpc_duplex *duplex,
                                     const struct rpc_answers_limits *limits,
                                     const struct rpc_answers_hands *hands);

/* Sends the first message, which tells the window. */
void rpc_answers_hello(struct rpc_answers *answers, const ProtobufCMessage *hello);

/* Ends the stream although something may be unanswered: behind what is being written, or, when answers
 * wait behind that, at once (the client is then told CANCELLED). */
void rpc_answers_end(struct rpc_answers *answers, enum tercet_status status, const char *text);

/* The answer to one request, as a message that holds nothing else and whose encoding takes at most
 * `bytes_max`.  Afterwards `answers` may be gone. */
void rpc_answers_give(struct rpc_answers *answers, const ProtobufCMessage *message,
                      size_t bytes_max);

/* One more answer is known and follows at once.  What is announced leaves in one message, if nothing is
 * being written. */
void rpc_answers_announce(struct rpc_answers *answers);

/* The same without a number: what is given from now on leaves with rpc_answers_release(), which must
 * follow at once; until then `answers` stays.  By one at a time, who has an unanswered request. */
void rpc_answers_hold(struct rpc_answers *answers);
void rpc_answers_release(struct rpc_answers *answers);

TERCET_END_DECLS

#endif
