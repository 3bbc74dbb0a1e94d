/* utf8.h -- text that strangers wrote, character by character. */
#ifndef COMMON_BASE_UTF8_H
#define COMMON_BASE_UTF8_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The size of the character that begins here, or 0 when none does (RFC 3629: no overlong forms, no
 * surrogates, nothing above U+10FFFF).  Reads no further than the NUL, which has size 1. */
size_t utf8_size(const char *text);

#ifdef __cplusplus
}
#endif

#endif
