/* memory.h -- malloc that does not fail: exhaustion ends the process with one line.  What these
 * return is freed by free(). */
#ifndef COMMON_BASE_MEMORY_H
#define COMMON_BASE_MEMORY_H

#include <stddef.h>

/* Behind an enum of which a million may stand in memory. */
#define TERCET_ONE_BYTE __attribute__((packed))

#ifdef __cplusplus
extern "C" {
#endif

void *xmalloc(size_t size);
void *xcalloc(size_t count, size_t size);
void *xrealloc(void *memory, size_t size);
void *xmemdup(const void *data, size_t size); /* never NULL, also for no bytes */
char *xstrdup(const char *text);

#ifdef __cplusplus
}
#endif

#endif
