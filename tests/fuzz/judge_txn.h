/* judge_txn.h -- are two transactions, or two outcomes, the same in all that the journal keeps? */
#ifndef TESTS_FUZZ_JUDGE_TXN_H
#define TESTS_FUZZ_JUDGE_TXN_H

#include "engine/view.h"

/* Abort when they are not.  Hashes of records are not looked at. */
void judge_same_txn(const struct txn *a, const struct directory *a_directory, const struct txn *b,
                    const struct directory *b_directory);
void judge_same_view(const struct view *a, const struct view *b);

#endif
