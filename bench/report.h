/* report.h -- what was measured, for people or for programs. */
#ifndef BENCH_REPORT_H
#define BENCH_REPORT_H

#include "arguments.h"
#include "fill.h"
#include "floor.h"

struct report {
    const struct arguments *arguments;
    const struct load_result *result;
    struct fill_result fill;     /* all zero: nothing was to stay open */
    int64_t open_transactions;   /* in the journal, when all had ended */
    uint64_t local_transactions; /* of the participants, of the whole run, too */
    struct floors floors;        /* all zero: not measured */
    double syncs_per_s_after;    /* the disk's floor once more, behind the load */
    const char *file_system;     /* that the journal was on */
};

void report_print_table(const struct report *report);
void report_print_json(const struct report *report);

/* Why this run says little, in a sentence: the machine was not what it can be, or not ours alone.  NULL:
 * it was. */
const char *report_doubt(const struct report *report);

#endif
