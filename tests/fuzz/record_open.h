/* record_open.h -- the pairs of open transactions out of arbitrary bytes; see fuzz_record.c. */
#ifndef TESTS_FUZZ_RECORD_OPEN_H
#define TESTS_FUZZ_RECORD_OPEN_H

#include "tercet/tercet.h"

/* Loads pairs until one is refused.  What is accepted is written and read again, is ended, and is adopted by
 * an engine that runs out of time. */
void record_open_run(struct tercet_bytes source, bool build);

#endif
