/* journal_safety.h -- hard links of a store's files, taken before LevelDB opens it.
 *
 * Opening a LevelDB is not a reading: it deletes what its manifest does not name, and a manifest
 * that was cut short names nothing.  So before every open the files get a second name:
 *
 *   safety/NAME.pending   the files as they were before the last open that has not succeeded
 *   safety/NAME-NUMBER    as they were before that open, which has succeeded; the newest three
 *
 * A pending copy is never replaced: a supervisor that starts us again and again, and fails every
 * time, does not push the one good copy out.
 *
 * A link shares its bytes, and LevelDB writes over some files when a manifest is damaged: opening a
 * store ends the sharing of those first (store_share.h). */
#ifndef COORDINATOR_JOURNAL_JOURNAL_SAFETY_H
#define COORDINATOR_JOURNAL_JOURNAL_SAFETY_H

#include "journal/journal_files.h"

/* Before the open: links all files of `store_path`, and copies `extra_path` (NULL: none), which is
 * changed in place. */
TERCET_MUST_CHECK enum tercet_status safety_take(const char *safety_path, const char *name,
                                                 const char *store_path, const char *extra_path,
                                                 struct tercet_error *error_out);

/* After it, when everything adds up: keeps the pending copy under `number` (above zero), or removes
 * it (zero). */
TERCET_MUST_CHECK enum tercet_status safety_done(const char *safety_path, const char *name,
                                                 int64_t number, struct tercet_error *error_out);

/* LevelDB's own log for people and its lock are of no use to anybody. */
bool safety_is_worth_it(const char *name);

#endif
