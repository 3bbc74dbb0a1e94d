/* unfenced.h -- the pool for actions without a store.
 *
 * No fence, no local transaction: every request reaches its handler, several at once.  What the
 * answer means is as in a group (fence/group.h): a handler that fails is LATER, a confirm or cancel
 * that is refused is LATER with attention. */
#ifndef TERCET_SRC_UNFENCED_H
#define TERCET_SRC_UNFENCED_H

#include "src/job.h"

TERCET_BEGIN_DECLS

struct unfenced;

struct unfenced *unfenced_create(struct tercet_participant *participant, uint32_t worker_count,
                                 size_t queue_max);
void unfenced_destroy(struct unfenced *pool); /* after join, or before start */
void unfenced_start(struct unfenced *pool);

/* Takes the job; false: full or stopping, and the job is still the caller's. */
bool unfenced_push(struct unfenced *pool, struct job *job);

void unfenced_begin_stop(struct unfenced *pool);
void unfenced_join(struct unfenced *pool);
size_t unfenced_queued(struct unfenced *pool);

TERCET_END_DECLS

#endif
