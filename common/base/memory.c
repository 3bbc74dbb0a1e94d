/* memory.c -- see memory.h. */
#include "base/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *checked(void *memory, size_t size)
{
    if (memory == NULL) {
        fprintf(stderr, "out of memory: %zu bytes\n", size);
        abort();
    }
    return memory;
}

void *xmalloc(size_t size)
{
    return checked(malloc(size == 0 ? 1 : size), size);
}

/* glibc's calloc passes by the thread's own cache of small pieces, and costs three times as much as
 * malloc for what most of our structs take. */
void *xcalloc(size_t count, size_t size)
{
    enum { SMALL = 1024 }; /* bytes */
    if (count <= SMALL && size <= SMALL && count * size <= SMALL) {
        void *memory = xmalloc(count * size);
        return memset(memory, 0, count * size);
    }
    return checked(calloc(count == 0 ? 1 : count, size == 0 ? 1 : size), size);
}

void *xrealloc(void *memory, size_t size)
{
    return checked(realloc(memory, size == 0 ? 1 : size), size);
}

void *xmemdup(const void *data, size_t size)
{
    void *copy = xmalloc(size);
    if (size > 0) {
        memcpy(copy, data, size);
    }
    return copy;
}

char *xstrdup(const char *text)
{
    return xmemdup(text, strlen(text) + 1);
}
