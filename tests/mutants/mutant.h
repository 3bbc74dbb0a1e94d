/* mutant.h -- the switch of the build with mutants (README.md).  In no other build. */
#ifndef TESTS_MUTANTS_MUTANT_H
#define TESTS_MUTANTS_MUTANT_H

#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Mutant `number` was chosen: the environment's TERCET_MUTANT is its name.  A name that this build
 * does not have ends the process with 64 before main().  Any thread. */
bool mutant_on(int number);

#ifdef __cplusplus
}
#endif

#endif
