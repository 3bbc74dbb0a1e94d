/* stream.h -- one Work stream, on a connection of its own, driven step by step.
 *
 * Nothing here is repeated: what a check sends is what is sent.  Answers are kept by the name of their
 * call; what the other side does wrong (an answer nobody asked for, one that comes twice, a window that
 * is missing) is kept as a sentence for the check to find. */
#ifndef CONFORMANCE_STREAM_H
#define CONFORMANCE_STREAM_H

#include "ask.h"

enum { STREAM_CALL_COUNT_MAX = 64 };

struct stream;

struct stream *stream_open(struct run *run);

/* Breaks it off together with its connection, if it has not ended. */
void stream_close(struct stream *stream);

/* How many requests may be unanswered, once it has been told.  False: the stream ended first, or nothing
 * came; how stands in `ended_out`. */
bool stream_wait_window(struct stream *stream, uint32_t *window_out, struct answer *ended_out);

/* One batch; its calls are named first_call and up.  All of one persona.  At most STREAM_CALL_COUNT_MAX
 * on one stream. */
bool stream_send(struct stream *stream, const struct question *questions, size_t count,
                 int64_t first_call);

/* A batch without requests: its context is all the news. */
bool stream_send_context(struct stream *stream, const struct persona *persona);

/* Until what was sent has left.  False: it does not. */
bool stream_wait_written(struct stream *stream);

/* The same with a phase that no version has. */
bool stream_send_unknown_phase(struct stream *stream, const struct branch *branch, int64_t call);

/* Waits for the answer to a call.  False: it does not come. */
bool stream_wait(struct stream *stream, int64_t call, struct answer *answer_out);

/* How many calls have been answered so far. */
size_t stream_answered(struct stream *stream);

void stream_half_close(struct stream *stream);
/* False: it does not end. */
bool stream_wait_end(struct stream *stream, struct answer *ended_out);

/* What the other side did wrong; "" : nothing. */
void stream_complaint(struct stream *stream, char sentence_out[ANSWER_SENTENCE_SIZE]);

#endif
