/* struct_size.h -- reading a struct that a caller of any version filled.
 *
 * Public structs begin with `size` and only grow at their end (tercet.h, rule 4).  An older caller's
 * struct is shorter: what it lacks reads as zero, the default.  A newer caller's is longer: its
 * unknown tail must be zero, or an option would be silently ignored. */
#ifndef TERCET_FENCE_STRUCT_SIZE_H
#define TERCET_FENCE_STRUCT_SIZE_H

#include "tercet/tercet.h"

TERCET_BEGIN_DECLS

/* Copies `given` (whose first member is its size_t size) into `known` of `known_size` bytes, zeroed
 * before.  `what` names the struct in the error, INVALID_ARGUMENT. */
TERCET_MUST_CHECK enum tercet_status struct_size_read(const void *given, void *known,
                                                      size_t known_size, const char *what,
                                                      struct tercet_error *error_out);

TERCET_END_DECLS

#endif
