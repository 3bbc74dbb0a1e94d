/* error.h -- filling a struct tercet_error. */
#ifndef COMMON_BASE_ERROR_H
#define COMMON_BASE_ERROR_H

#include <stdarg.h>

#include "tercet/tercet.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Writes the sentence (cut at a character's border, control characters become spaces: it may repeat
 * what a stranger wrote, and ends up in a terminal) and returns `status`.  `error` may be NULL. */
enum tercet_status error_set(struct tercet_error *error, enum tercet_status status,
                             const char *format, ...) TERCET_PRINTF(3, 4);

/* clang's analyzer does not look into other files; this tells it what error_set() returns. */
#ifdef __clang_analyzer__
static inline enum tercet_status error_set_returns(enum tercet_status said,
                                                   enum tercet_status status)
{
    (void)said;
    return status;
}
#define error_set(error, status, ...)                                                              \
    error_set_returns(error_set((error), (status), __VA_ARGS__), (status))
#endif

/* Cuts UTF-8 text of `size` bytes to at most `limit`, at a character's border; the new size. */
size_t text_cut(const char *text, size_t size, size_t limit);

/* As vsnprintf and snprintf, but what is too long is cut at a character's border. */
void text_format_list(char *text_out, size_t size, const char *format, va_list arguments)
    TERCET_PRINTF(3, 0);
void text_format(char *text_out, size_t size, const char *format, ...) TERCET_PRINTF(3, 4);
/* The same for a text as it is. */
void text_copy(char *text_out, size_t size, const char *text);

#ifdef __cplusplus
}
#endif

#endif
