/* work.h -- Participant.Work: many requests over one stream.
 *
 *     batch ──► its context is checked once ──► each request as if it had come by Try, Confirm or
 *     Cancel (service.h) ──► answers gather ──► one message at a time (rpc_answers.h)
 *
 * Answers of one group leave together (asker_announce()).
 *
 * Bounds
 *   * The window that is told in the first message.  A client that exceeds it, or a batch that is too
 *     large, loses the stream (RESOURCE_EXHAUSTED).  So a client that never reads costs at most a
 *     window of answers.  It starts no handler by that either, for its window is full.
 *   * What all streams hold counts to in_flight_max and the payload bytes, as for unary calls, and is
 *     answered LATER above them.
 *   * Streams are counted; above the most RESOURCE_EXHAUSTED, and the coordinator uses unary calls.
 *
 * Whose what: a request that is queued is copied into its job (job.h); the batch goes at once, so that
 * one slow branch does not keep its neighbours' payloads.
 *
 * When the stream breaks, requests that were taken in go on and their answers are dropped: the
 * coordinator asks again, and the fence answers.  When the client half-closes, everything is
 * answered, then the stream ends with OK.  A participant that stops answers what it holds; then the
 * stream ends with UNAVAILABLE. */
#ifndef TERCET_SRC_WORK_H
#define TERCET_SRC_WORK_H

#include "rpc/rpc_duplex.h"
#include "src/asker.h"

TERCET_BEGIN_DECLS

enum {
    WORK_WINDOW = 4096, /* requests unanswered on one stream */
    WORK_REQUEST_COUNT_MAX = 1024,
    WORK_STREAM_COUNT_MAX = 64
};

/* rpc_duplex_fn; the context is the participant. */
void work_serve(struct rpc_duplex *duplex, void *context);

/* See asker.h; these are the stream's side of it. */
void work_answer(const struct asker *asker, const Tercet__V1__BranchReply *reply);
void work_fail(const struct asker *asker, enum tercet_status status, const char *text);

/* Enough for the encoding of an AnswerBatch that holds this reply and nothing else. */
size_t work_reply_bytes_max(const Tercet__V1__BranchReply *reply);

TERCET_END_DECLS

#endif
