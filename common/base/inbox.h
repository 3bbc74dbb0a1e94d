/* inbox.h -- how threads talk to one thread: a bounded queue of intrusive nodes with a wake-up.
 *
 * Many push, one takes.  Requests from outside use inbox_push_all(), which refuses at the bound; what the
 * process owes itself (a completion that must not be lost) uses inbox_push_always(), bounded by
 * whatever bounds the work in flight.  The consumer is woken only when it sleeps, so that pushing
 * under load costs a lock and nothing else. */
#ifndef COMMON_BASE_INBOX_H
#define COMMON_BASE_INBOX_H

#include <pthread.h>

#include "base/list.h"

struct inbox {
    pthread_mutex_t mutex;
    pthread_cond_t wake;
    struct list_node nodes;
    size_t bounded_count; /* of those pushed by inbox_push_all() since the last take */
    size_t bounded_max;
    bool sleeping;
    bool closed;
};

#ifdef __cplusplus
extern "C" {
#endif

void inbox_init(struct inbox *inbox, size_t bounded_max);
void inbox_deinit(struct inbox *inbox); /* must be empty */

/* Moves in, from the front of `list`, what the bound has room for; nothing once it is closed.  The rest
 * stays the caller's.  Any thread. */
void inbox_push_all(struct inbox *inbox, struct list_node *list);

/* False only when it is closed.  Any thread. */
bool inbox_push_always(struct inbox *inbox, struct list_node *node);

/* Moves all of `list` in at once.  False only when it is closed.  Any thread. */
bool inbox_push_all_always(struct inbox *inbox, struct list_node *list);

/* Waits until there is something, `timeout_ms` is over (negative: never) or the inbox is closed; then
 * moves all there is behind `list`.  The consumer's thread. */
void inbox_take_all(struct inbox *inbox, int64_t timeout_ms, struct list_node *list);

bool inbox_is_closed(struct inbox *inbox);

/* From now on nothing is taken in; the consumer wakes up.  Any thread. */
void inbox_close(struct inbox *inbox);

#ifdef __cplusplus
}
#endif

#endif
