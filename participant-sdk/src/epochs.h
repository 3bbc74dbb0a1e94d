/* epochs.h -- which start of each coordinator has been seen, for actions without a store.
 *
 * A store remembers this durably (fence.h, raise_epoch); an unfenced action has only this process's
 * memory.  Bounded: the origin that was not heard of for longest makes room. */
#ifndef TERCET_SRC_EPOCHS_H
#define TERCET_SRC_EPOCHS_H

#include <pthread.h>

#include "tercet/fence.h"

TERCET_BEGIN_DECLS

enum { EPOCHS_ORIGIN_COUNT_MAX = 16 };

struct epochs {
    pthread_mutex_t mutex;
    struct {
        uint8_t origin[TERCET_ORIGIN_BYTES];
        struct tercet_epoch epoch; /* {0, 0}: free */
        uint64_t used;
    } seen[EPOCHS_ORIGIN_COUNT_MAX];
    uint64_t clock; /* counts admissions */
};

void epochs_init(struct epochs *epochs);
void epochs_deinit(struct epochs *epochs);

/* Remembers the caller's epoch.  False: a higher one of its origin was seen, which is told. */
bool epochs_admit(struct epochs *epochs, const struct tercet_fence_caller *caller,
                  struct tercet_epoch *seen_out);

TERCET_END_DECLS

#endif
