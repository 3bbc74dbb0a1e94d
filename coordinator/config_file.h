/* config_file.h -- internal: the YAML file.
 *
 * A map of the table's keys; values are scalars, for `listen` also a list of them, for `participants`
 * a list of maps.  Nothing else of YAML: no anchors, aliases, tags or second documents; no key
 * twice; no key that the table does not have.  Read event by event, so that every sentence has its
 * line and nothing is built that could grow. */
#ifndef COORDINATOR_CONFIG_FILE_H
#define COORDINATOR_CONFIG_FILE_H

#include "config.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Sets what the file says. */
TERCET_MUST_CHECK enum tercet_status config_file_read(struct config *config, const char *path,
                                                      struct tercet_error *error_out);

#ifdef __cplusplus
}
#endif

#endif
