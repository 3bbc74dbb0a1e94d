/* report.h -- what was measured, for people or for programs. */
#ifndef BENCH_REPORT_H
#define BENCH_REPORT_H

#include "load.h"

struct report {
    const struct load_options *options;
    const struct load_result *result;
    const char *file_system; /* that the journal was on */
    double floor_before;     /* fdatasync a second, beside nothing else, before the load */
    double floor_after;      /* and after it */
};

void report_print_table(const struct report *report);
void report_print_json(const struct report *report);

#endif
