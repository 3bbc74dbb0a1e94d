/* config_value.h -- internal: from words to values, whatever source they come from.
 *
 * An error's sentence begins with its place: "tercetd.yaml:12: try_timeout_ms: ...",
 * "TERCET_TRY_TIMEOUT_MS: ..." or "--try-timeout-ms: ...". */
#ifndef COORDINATOR_CONFIG_VALUE_H
#define COORDINATOR_CONFIG_VALUE_H

#include "config_keys.h"

/* Where a value stands, for sentences and origins. */
struct config_place {
    struct config_origin origin;
    const char *file; /* FILE */
};

enum { CONFIG_PLACE_SIZE = 192 };

#ifdef __cplusplus
extern "C" {
#endif

/* Writes the place and the key as the user wrote it; returns `text_out`. */
const char *config_place_text(const struct config_place *place, const char *key,
                              char text_out[CONFIG_PLACE_SIZE]);

/* The same name as a variable (TERCET_TRY_TIMEOUT_MS) or a flag (--try-timeout-ms). */
void config_variable_name(const char *key, char *name_out, size_t size);
void config_flag_name(const char *key, char *name_out, size_t size);

/* INVALID_ARGUMENT: where: "text" why. */
enum tercet_status config_refuse(const char *where, const char *text, const char *why,
                                 struct tercet_error *error_out);

/* Text goes into paths, addresses and sentences, and config_print() must be able to say it again:
 * UTF-8 without control characters. */
TERCET_MUST_CHECK enum tercet_status config_check_text(const char *text, size_t bytes_max,
                                                       const char *where,
                                                       struct tercet_error *error_out);

/* Sets a scalar of `base` (struct config or struct config_participant).  `where`: beginning of the
 * sentence when it is refused. */
TERCET_MUST_CHECK enum tercet_status config_set_scalar(void *base, const struct config_key *key,
                                                       const char *text, const char *where,
                                                       struct tercet_error *error_out);

/* Adds to `listen`.  The list must be emptied first when another source set it. */
TERCET_MUST_CHECK enum tercet_status config_add_listen(struct config *config, const char *text,
                                                       const char *where,
                                                       struct tercet_error *error_out);
void config_clear_listen(struct config *config);

/* Adds an empty participant, or NULL when there are too many. */
struct config_participant *config_add_participant(struct config *config,
                                                  struct config_origin origin);
void config_clear_participants(struct config *config);

/* Adds to `targets`. */
TERCET_MUST_CHECK enum tercet_status config_add_target(struct config_participant *participant,
                                                       const char *text, const char *where,
                                                       struct tercet_error *error_out);

/* The name is there and one that no other has; target or targets are, and not too many seats. */
TERCET_MUST_CHECK enum tercet_status config_check_participant(
    const struct config *config, const struct config_participant *participant, const char *where,
    struct tercet_error *error_out);

/* Sets any key from one word, as in the environment and on the command line: lists are separated by
 * commas, a participant is name=target. */
TERCET_MUST_CHECK enum tercet_status config_set_text(struct config *config, size_t key_index,
                                                     const char *text,
                                                     const struct config_place *place,
                                                     struct tercet_error *error_out);

#ifdef __cplusplus
}
#endif

#endif
