/* assert.h -- for our own bugs only: always compiled in, ends the process at once.
 *
 * What another may cause (a peer, a disk, a user) is a status, never an assertion.  After an abort
 * the journal, or the participant's database, makes a restart of it, not a loss. */
#ifndef COMMON_BASE_ASSERT_H
#define COMMON_BASE_ASSERT_H

#include <assert.h> /* static_assert */
#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif
__attribute__((__noreturn__, __cold__)) void tercet_assert_failed(const char *file, int line,
                                                                  const char *function,
                                                                  const char *condition);
#ifdef __cplusplus
}
#endif

/* A call rather than a conditional, so that the failing side is no branch of the caller's: coverage
 * counts what a correct program can reach. */
static inline void tercet_assert_that(bool holds, const char *file, int line, const char *function,
                                      const char *condition)
{
    if (!holds) {
        tercet_assert_failed(file, line, function, condition);
    }
}

/* The analysers do not look into every call to learn what holds behind it. */
#if defined(__cppcheck__) || defined(__clang_analyzer__)
#define tercet_assert(condition)                                                                   \
    ((condition) ? (void)0 : tercet_assert_failed(__FILE__, __LINE__, __func__, #condition))
#else
#define tercet_assert(condition)                                                                   \
    tercet_assert_that((condition), __FILE__, __LINE__, __func__, #condition)
#endif
#define tercet_unreachable() tercet_assert_failed(__FILE__, __LINE__, __func__, "unreachable")

#endif
