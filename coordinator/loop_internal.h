/* loop_internal.h -- what the loop's two files share: the order of a turn (loop.c) and what leaves at
 * its end (loop_carry.c). */
#ifndef COORDINATOR_LOOP_INTERNAL_H
#define COORDINATOR_LOOP_INTERNAL_H

#include "loop.h"
#include "pending.h"
#include "resume.h"

struct loop {
    struct loop_options options;
    struct journal_batch batches[2];
    struct journal_batch *open;      /* of these two: gathers records; its lsn is the next */
    struct journal_batch *submitted; /* with the journal, or NULL */
    bool urgent;                     /* somebody waits for the open batch */
    int64_t lazy_since_boot_ms;      /* when its first record came that may wait; 0: none */
    struct pending pending;          /* effects that wait for their LSN */
    struct list_node backlog;        /* events that wait until the journal is idle */
    struct list_node pages;          /* requests for a List, which may take long: some a turn */
    struct effects effects;          /* of the step that runs */
    struct orders orders;
    struct resume resume;
    bool stopping; /* nothing is sent any more: it is asked again after the next start */
    int64_t durable_lsn;
};

/* loop.c: one event through the engine; its records go into the open batch, its effects wait. */
void loop_step(struct loop *loop, struct event *event, struct clock_now now);

/* loop_carry.c: what has become durable is told and handed to dispatch, and dispatch's orders leave. */
void loop_carry_out(struct loop *loop, struct clock_now now);
void loop_carry_out_hold(struct loop *loop, const struct effect_hold *hold, struct clock_now now);

#endif
