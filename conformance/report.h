/* report.h -- what came of it, for people or for programs. */
#ifndef CONFORMANCE_REPORT_H
#define CONFORMANCE_REPORT_H

#include "suite.h"

void report_list(void);                         /* every check and what it expects */
void report_head(const struct run *run);        /* of the table */
void report_row(const struct outcome *outcome); /* as soon as it is known */
void report_foot(const struct suite *suite, const struct run *run);

/* False, after a line that says why: it cannot be written. */
bool report_write_json(const char *path, const struct suite *suite, const struct run *run);

#endif
