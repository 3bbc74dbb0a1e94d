/* gid.h -- names for transactions whose initiator has none of its own. */
#ifndef COMMON_BASE_GID_H
#define COMMON_BASE_GID_H

#include <stdint.h>

#include "tercet/tercet.h"

TERCET_BEGIN_DECLS

/* 32 hexadecimal digits and a NUL: 48 bits of time, so that later ones sort later, and 80 of chance.  Any
 * thread. */
void gid_make(int64_t unix_ms, char gid_out[TERCET_GID_MADE_SIZE]);

TERCET_END_DECLS

#endif
