/* breaker.c -- see breaker.h. */
#include "dispatch/breaker.h"

#include "base/assert.h"

enum { WINDOW_FIRST = 8, PROBE_STEP_MAX = 16 };

void breaker_init(struct breaker *breaker, uint32_t window_max)
{
    tercet_assert(window_max > 0);
    *breaker =
        (struct breaker){.state = CIRCUIT_CLOSED, .window = window_max, .window_max = window_max};
}

uint32_t breaker_room(const struct breaker *breaker, uint32_t in_flight)
{
    const bool may_send = breaker->state != CIRCUIT_OPEN && in_flight < breaker->window;
    return may_send ? breaker->window - in_flight : 0;
}

bool breaker_take_probe(struct breaker *breaker, int64_t now_boot_ms)
{
    if (breaker->probing || now_boot_ms < breaker->probe_at_boot_ms) {
        return false;
    }
    breaker->probing = true;
    breaker->heard = false;
    breaker->probed_under = breaker->openings;
    breaker->probe_at_boot_ms = INT64_MAX;
    return true;
}

int64_t breaker_wake_at_boot_ms(const struct breaker *breaker)
{
    return breaker->probing ? INT64_MAX : breaker->probe_at_boot_ms;
}

/* Full jitter would now and then probe at once; half of the delay is kept. */
static void schedule_probe(struct breaker *breaker, uint32_t *step,
                           const struct breaker_clockwork *clockwork)
{
    const uint64_t grown = (uint64_t)clockwork->options->probe_base_ms << *step;
    const uint64_t cap = clockwork->options->probe_cap_ms;
    const uint64_t delay = grown < cap ? grown : cap;
    const uint64_t kept = delay - delay / 2;
    const uint64_t wait_ms = kept + random_below(clockwork->random, delay / 2 + 1);
    breaker->probe_at_boot_ms = clockwork->now_boot_ms + (int64_t)wait_ms;
    *step += *step < PROBE_STEP_MAX ? 1 : 0;
}

static void open(struct breaker *breaker, const struct breaker_clockwork *clockwork)
{
    breaker->state = CIRCUIT_OPEN;
    breaker->openings++;
    breaker->unanswered = 0;
    breaker->answers = 0;
    breaker->known = false; /* there may be another database behind the next connection */
    breaker->again_step = 0;
    schedule_probe(breaker, &breaker->probe_step, clockwork); /* looked at when no probe is out */
}

/* The window grows only while it is smaller than configured. */
static void grow(struct breaker *breaker)
{
    breaker->answers++;
    if (breaker->answers < breaker->window) {
        return;
    }
    breaker->answers = 0;
    if (breaker->window < breaker->window_max) {
        const uint32_t room = breaker->window_max - breaker->window;
        breaker->window += room < breaker->window ? room : breaker->window;
    }
    if (breaker->window == breaker->window_max) {
        breaker->state = CIRCUIT_CLOSED;
    }
}

void breaker_on_answer(struct breaker *breaker)
{
    breaker->heard = true;
    breaker->unanswered = 0;
    breaker->probe_step = 0;
    switch (breaker->state) {
    case CIRCUIT_HALF_OPEN:
        grow(breaker);
        break;
    case CIRCUIT_CLOSED:
    case CIRCUIT_OPEN: /* it left before; the probe decides */
        break;
    }
}

void breaker_on_silence(struct breaker *breaker, uint16_t sent_under,
                        const struct breaker_clockwork *clockwork)
{
    if (breaker->state == CIRCUIT_OPEN || sent_under != (uint16_t)breaker->openings) {
        return;
    }
    breaker->unanswered++;
    if (breaker->unanswered >= clockwork->options->unanswered_limit) {
        open(breaker, clockwork);
    }
}

void breaker_on_unreachable(struct breaker *breaker, uint16_t sent_under,
                            const struct breaker_clockwork *clockwork)
{
    if (breaker->state != CIRCUIT_OPEN && sent_under == (uint16_t)breaker->openings) {
        open(breaker, clockwork);
    }
}

static void half_open(struct breaker *breaker)
{
    breaker->state = CIRCUIT_HALF_OPEN;
    breaker->window = breaker->window_max < WINDOW_FIRST ? breaker->window_max : WINDOW_FIRST;
    breaker->probe_at_boot_ms = INT64_MAX;
}

/* One that left before the circuit opened may tell of the database behind the last connection. */
static bool makes_known(const struct breaker *breaker, enum probe_end end)
{
    return (end == PROBE_DESCRIBED || end == PROBE_NOT_SERVED) &&
           breaker->probed_under == breaker->openings;
}

void breaker_on_probe(struct breaker *breaker, enum probe_end end,
                      const struct breaker_clockwork *clockwork)
{
    tercet_assert(breaker->probing && !breaker->known); /* who is known is not probed */
    const bool first = !breaker->probed;
    breaker->probing = false;
    breaker->probed = true;
    breaker->known = makes_known(breaker, end);
    if (breaker->state == CIRCUIT_OPEN) {
        if (end == PROBE_UNANSWERED) {
            schedule_probe(breaker, &breaker->probe_step, clockwork);
            return;
        }
        half_open(breaker);
    } else if (end == PROBE_UNANSWERED && first && !breaker->heard) {
        open(breaker, clockwork); /* what branches were answered counts more */
        return;
    }
    if (!breaker->known) {
        schedule_probe(breaker, &breaker->again_step, clockwork);
    }
}
