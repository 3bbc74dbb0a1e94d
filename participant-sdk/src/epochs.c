/* epochs.c -- see epochs.h. */
#include "src/epochs.h"

void epochs_init(struct epochs *epochs)
{
    memset(epochs, 0, sizeof *epochs);
    (void)pthread_mutex_init(&epochs->mutex, NULL);
}

void epochs_deinit(struct epochs *epochs)
{
    (void)pthread_mutex_destroy(&epochs->mutex);
}

bool epochs_admit(struct epochs *epochs, const struct tercet_fence_caller *caller,
                  struct tercet_epoch *seen_out)
{
    size_t at = 0;
    bool known = false;
    bool admitted = true;

    (void)pthread_mutex_lock(&epochs->mutex);
    for (size_t i = 0; i < EPOCHS_ORIGIN_COUNT_MAX && !known; i++) {
        if (epochs->seen[i].epoch.incarnation != 0 &&
            memcmp(epochs->seen[i].origin, caller->origin, TERCET_ORIGIN_BYTES) == 0) {
            at = i;
            known = true;
        } else if (epochs->seen[i].used < epochs->seen[at].used) {
            at = i;
        }
    }
    if (known && tercet_epoch_compare(caller->epoch, epochs->seen[at].epoch) < 0) {
        *seen_out = epochs->seen[at].epoch;
        admitted = false;
    } else {
        memcpy(epochs->seen[at].origin, caller->origin, TERCET_ORIGIN_BYTES);
        epochs->seen[at].epoch = caller->epoch;
        epochs->seen[at].used = ++epochs->clock;
    }
    (void)pthread_mutex_unlock(&epochs->mutex);
    return admitted;
}
