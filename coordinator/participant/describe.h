/* describe.h -- what a participant's Describe says, for the engine to judge (engine/acquaintance.h).
 *
 * One judgement is made here, because only the edge knows which start of the coordinator this is: a
 * store that has seen a higher epoch of our origin means another coordinator in our place. */
#ifndef COORDINATOR_PARTICIPANT_DESCRIBE_H
#define COORDINATOR_PARTICIPANT_DESCRIBE_H

#include "engine/event.h"
#include "participant/wire.h"

/* Its stores: those with an id, the first sixteen.  Numbers that make no sense count as none. */
void describe_read(const Tercet__V1__DescribeReply *reply, struct description *description_out);

/* What every store's mark says has ended; `open` is to be freed. */
void describe_read_closed(const Tercet__V1__DescribeReply *reply,
                          struct closed_numbers *closed_out);

/* Fills an EVENT_INSPECTED.  Rows that make no sense are left out: no branch of ours is like them. */
void describe_read_rows(const Tercet__V1__InspectReply *reply, struct event *event);

/* `text_out`: a sentence when there is one. */
bool describe_is_fencing(const Tercet__V1__DescribeReply *reply,
                         const struct wire_identity *identity, struct tercet_error *text_out);

/* The lowest mark of all stores; zero: none, or nothing is told. */
struct branch_number describe_lowest_mark(const struct description *description);

#endif
