/* read_branch.h -- a branch of the wire to a branch of the engine. */
#ifndef COORDINATOR_SERVICE_READ_BRANCH_H
#define COORDINATOR_SERVICE_READ_BRANCH_H

#include "service/read.h"
#include "tercet/v1/coordinator.pb-c.h"

/* The configured participant of that name, or UINT32_MAX.  One that is only in the journal is known
 * to recovery alone. */
uint32_t read_participant_find(const struct directory *directory, const char *name);
bool read_participant_check(const struct read *read, const char *field, const char *name);

/* Checks one.  A refusal names its field alone: the caller says which branch it stands in by
 * refusal_within(), because a name for each field that is fine would cost more than the checks. */
bool read_branch_check(const struct read *read, const Tercet__V1__Branch *branch,
                       uint32_t stage_max);

/* Makes one that has been checked. */
struct branch *read_branch_make(const struct read *read, const Tercet__V1__Branch *branch,
                                uint32_t index);

#endif
