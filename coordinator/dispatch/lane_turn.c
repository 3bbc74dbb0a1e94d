/* lane_turn.c -- see lane_turn.h. */
#include "dispatch/lane_turn.h"

bool lane_may_send(const struct lane *lane)
{
    return !lane->held && lane->in_flight + lane->fetching < lane->window &&
           lane->fetching < seats_room(&lane->seats);
}

/* How many calls may be out now, if the seats stay as they are. */
static uint32_t window_now(const struct lane *lane)
{
    const uint32_t open = lane->in_flight + seats_room(&lane->seats);
    return open < lane->window ? open : lane->window;
}

/* Has the first queue its share?  A window of one is taken in turns. */
static bool again_may(const struct lane *lane, uint32_t window, bool others)
{
    return window >= 2 ? lane->out[LANE_AGAIN] < window / 2 : !lane->was_again || !others;
}

/* While the circuit is not closed these two go halves in what the first queue leaves them, be it one place:
 * whichever of them hangs, it does not keep the other out. */
static bool tries_first(const struct lane *lane)
{
    const uint32_t phase_two = lane->out[LANE_PHASE_TWO];
    const uint32_t tries = lane->out[LANE_TRIES];
    return seats_circuit(&lane->seats) != CIRCUIT_CLOSED &&
           (phase_two > tries || (phase_two == tries && !lane->was_try));
}

struct slot_queue *lane_next_queue(struct lane *lane)
{
    struct slot_queue *queues = lane->queues;
    const bool phase_two = queues[LANE_PHASE_TWO].count > 0;
    const bool tries = queues[LANE_TRIES].count > 0;
    const uint32_t window = window_now(lane);
    if (queues[LANE_AGAIN].count > 0 && again_may(lane, window, phase_two || tries)) {
        return &queues[LANE_AGAIN];
    }
    if (phase_two && tries && tries_first(lane)) {
        return &queues[LANE_TRIES];
    }
    if (!phase_two && !tries) {
        return NULL;
    }
    return queues[LANE_PHASE_TWO].count > 0 ? &queues[LANE_PHASE_TWO] : &queues[LANE_TRIES];
}

void lane_note_turn(struct lane *lane, enum lane_queue queue)
{
    lane->out[queue]++;
    lane->was_again = queue == LANE_AGAIN;
    if (queue != LANE_AGAIN) {
        lane->was_try = queue == LANE_TRIES;
    }
}
