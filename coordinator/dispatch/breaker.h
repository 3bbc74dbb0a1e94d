/* breaker.h -- the circuit of one seat: may anything be sent by it, how much, when to probe.
 *
 *   CLOSED     the whole window.  An unreachable call, a failed probe, or `unanswered_limit` calls in
 *              a row without an answer open it.
 *   OPEN       nothing but probes, one at a time.  A probe that is answered makes it HALF_OPEN.
 *   HALF_OPEN  a small window, doubled by every window's worth of answers; CLOSED when it is whole
 *              again.  Opens like CLOSED.
 *
 * Invariants
 *   1. The back-off starts anew only after a branch was answered, never after a probe: where the
 *      probe says yes and every call fails, the calls are as rare as the probes.
 *   2. A call that left before the circuit last opened tells nothing about the time since: its
 *      failure opens nothing.
 *   3. The window is never wider than configured.
 *   4. Until a probe that left after the circuit last opened has brought a description, or the word
 *      that there is none to be had, probes go on beside the calls.  They open nothing: one that
 *      answers branches and no probe is slow, not gone.  Only the first probe of all may, because
 *      nothing else is known then.  Their back-off is their own, so that answered branches do not
 *      hurry them. */
#ifndef COORDINATOR_DISPATCH_BREAKER_H
#define COORDINATOR_DISPATCH_BREAKER_H

#include <stdbool.h>

#include "base/random.h"
#include "dispatch/dispatch.h"

struct breaker {
    enum circuit state;
    uint32_t window;          /* now */
    uint32_t window_max;      /* as configured */
    uint32_t answers;         /* towards the next doubling */
    uint32_t unanswered;      /* in a row */
    uint32_t openings;        /* how often it has opened */
    uint32_t probe_step;      /* of the back-off while OPEN */
    uint32_t again_step;      /* of the back-off of probes beside calls */
    uint32_t probed_under;    /* `openings` when the last probe left */
    bool probing;             /* a probe is out */
    bool probed;              /* one has ended */
    bool heard;               /* a branch was answered since the probe left */
    bool known;               /* described, or not to be described, since the circuit last opened */
    int64_t probe_at_boot_ms; /* INT64_MAX: none is wanted */
};

/* What the functions below need beside the breaker; borrowed. */
struct breaker_clockwork {
    const struct dispatch_options *options;
    struct random *random;
    int64_t now_boot_ms;
};

/* CLOSED and untested: a probe is due at once. */
void breaker_init(struct breaker *breaker, uint32_t window_max);

/* How many calls more may leave. */
uint32_t breaker_room(const struct breaker *breaker, uint32_t in_flight);

/* Whether a probe leaves now; then it has left. */
bool breaker_take_probe(struct breaker *breaker, int64_t now_boot_ms);

/* A call has ended that left when the low 16 bits of `openings` were `sent_under`; it does not open 65,536
 * times while a call is out. */
void breaker_on_answer(struct breaker *breaker);
void breaker_on_silence(struct breaker *breaker, uint16_t sent_under,
                        const struct breaker_clockwork *clockwork);
void breaker_on_unreachable(struct breaker *breaker, uint16_t sent_under,
                            const struct breaker_clockwork *clockwork);

void breaker_on_probe(struct breaker *breaker, enum probe_end end,
                      const struct breaker_clockwork *clockwork);

/* When breaker_take_probe() will say yes; INT64_MAX: not before something happens. */
int64_t breaker_wake_at_boot_ms(const struct breaker *breaker);

#endif
