/* lane_turn.h -- of a participant's queues, whose turn it is; the shares of its window that each may have. */
#ifndef COORDINATOR_DISPATCH_LANE_TURN_H
#define COORDINATOR_DISPATCH_LANE_TURN_H

#include "dispatch/lane.h"

/* Has anyone a turn now?  What is being fetched has no seat yet, and counts against the participant's window
 * and against the room that the seats have together. */
bool lane_may_send(const struct lane *lane);

/* The queue whose first is next; NULL: all are empty.  That first may be one that nobody wants any more. */
struct slot_queue *lane_next_queue(struct lane *lane);

/* One from this queue leaves now. */
void lane_note_turn(struct lane *lane, enum lane_queue queue);

#endif
