/* checks.h -- all checks, in the order in which they are made. */
#ifndef CONFORMANCE_CHECKS_H
#define CONFORMANCE_CHECKS_H

#include "check.h"

/* Of one that a participant may leave out the first check finds out whether it is there. */
struct check_group {
    const char *name;
    const struct check_kind *kinds;
    size_t count;
};

enum { CHECK_COUNT_MAX = 80 };

extern const struct check_group checks_plain;
extern const struct check_group checks_duplicate;
extern const struct check_group checks_order;
extern const struct check_group checks_identity;
extern const struct check_group checks_request;
extern const struct check_group checks_epoch;
extern const struct check_group checks_mark;
extern const struct check_group checks_survey;
extern const struct check_group checks_stream;
extern const struct check_group checks_confirm_only;
extern const struct check_group checks_killed;
extern const struct check_group checks_conduct;

#endif
