/* report_floors.h -- the floors' part of the report: what the parts alone could do, and how far from it
 * the run was. */
#ifndef BENCH_REPORT_FLOORS_H
#define BENCH_REPORT_FLOORS_H

#include <jansson.h>

#include "report.h"

/* What the run reached, to be compared. */
struct report_reached {
    double transactions_per_s;
    double coordinator_cpu_us; /* of one transaction */
    uint64_t p50_us;
    uint64_t p99_us;
};

void report_floors_print(const struct report *report, const struct report_reached *reached);

/* Owned by the caller. */
json_t *report_floors_json(const struct report *report, const struct report_reached *reached);

#endif
