/* mark.h -- marks as the fence asks them. */
#ifndef TERCET_FENCE_MARK_H
#define TERCET_FENCE_MARK_H

#include "tercet/fence.h"

TERCET_BEGIN_DECLS

/* Whether `number` stands in the open list. */
bool mark_is_open(const struct tercet_mark *mark, struct tercet_branch_number number);

TERCET_END_DECLS

#endif
