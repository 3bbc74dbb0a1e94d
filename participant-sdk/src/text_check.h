/* text_check.h -- the limits of names, gids and bytes, said the same on both sides of the wire.
 *
 * A text that is refused names the field, the limit and the value: "gid: 129 bytes, must be 1 to
 * 128".  NULL counts as missing. */
#ifndef TERCET_SRC_TEXT_CHECK_H
#define TERCET_SRC_TEXT_CHECK_H

#include "tercet/tercet.h"

TERCET_BEGIN_DECLS

TERCET_MUST_CHECK enum tercet_status text_check_length(const char *field, size_t value, size_t min,
                                                       size_t max, struct tercet_error *error_out);

/* Whether all bytes lie between `low` and `high`, both included. */
TERCET_MUST_CHECK enum tercet_status text_check_characters(const char *field, const char *text,
                                                           unsigned char low, unsigned char high,
                                                           struct tercet_error *error_out);

/* A participant or an action: 1 to TERCET_NAME_BYTES_MAX of A-Z a-z 0-9 _ . - */
TERCET_MUST_CHECK enum tercet_status text_check_name(const char *field, const char *name,
                                                     struct tercet_error *error_out);

/* 1 to TERCET_GID_BYTES_MAX of 0x21 to 0x7e. */
TERCET_MUST_CHECK enum tercet_status text_check_gid(const char *field, const char *gid,
                                                    struct tercet_error *error_out);

/* A stable reason code: at most TERCET_REASON_CODE_BYTES_MAX of A-Z 0-9 _; "" is none. */
bool text_is_code(const char *code);

TERCET_END_DECLS

#endif
