/* answer.h -- a handler is called, and what it says is written down.
 *
 * A handler sees struct tercet_request; behind it lies what the answer functions fill and what the
 * stores' accessors need.  What a handler may not say (no verdict at all, a verdict that is not the
 * one it gave by an answer function, CONFLICT from a fenced action, a result that is too long) is a
 * failure, never success. */
#ifndef TERCET_SRC_ANSWER_H
#define TERCET_SRC_ANSWER_H

#include "fence/group.h"
#include "src/job.h"
#include "tercet/participant.h"

TERCET_BEGIN_DECLS

/* What a handler really gets; `base` is first, and the rest its own library's. */
struct answer_request {
    struct tercet_request base;
    const struct tercet_store_ops *ops; /* NULL: unfenced */
    void *connection;
    struct group_answer *answer;
    bool said; /* an answer function was called; `verdict` is what it said */
    enum tercet_verdict verdict;
};

/* Calls the handler of the job's action for the job's phase.  Returns its verdict; UNSPECIFIED with
 * a text when it failed.  `tried`: what the try answered; empty in a try. */
enum tercet_verdict answer_by_handler(const struct job *job, const struct tercet_store_ops *ops,
                                      void *connection, struct tercet_bytes tried,
                                      struct group_answer *answer);

TERCET_END_DECLS

#endif
