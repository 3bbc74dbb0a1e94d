/* journal_witness.h -- the head, once more, outside LevelDB.
 *
 * LevelDB takes a log whose end is missing for one whose last writes were never finished, and
 * opens.  So after every synced batch its head is written here too: into one of two slots in turn,
 * without a sync (1 us), which survives the death of the process; a sync follows at leisure, for
 * the death of the machine.  It names only what is synced in LevelDB already.  So a head that is
 * older than the witness was once newer, and something is gone.
 *
 * A slot is smaller than a sector, starts at one, and is checksummed: one that is torn is not
 * believed, and the other one still is. */
#ifndef COORDINATOR_JOURNAL_JOURNAL_WITNESS_H
#define COORDINATOR_JOURNAL_JOURNAL_WITNESS_H

#include "journal/journal.h"

enum { WITNESS_SLOT_SIZE = 4096, WITNESS_FILE_SIZE = 2 * WITNESS_SLOT_SIZE };

struct witness;

/* Makes the file, synced, with `head` in its first slot. */
TERCET_MUST_CHECK enum tercet_status witness_create(const char *path,
                                                    const struct journal_head *head,
                                                    struct tercet_error *error_out);

/* Reads the newer slot.  DATA_LOSS: no file, or no slot that can be believed. */
TERCET_MUST_CHECK enum tercet_status witness_open(const char *path, struct witness **witness_out,
                                                  struct journal_head *head_out,
                                                  struct tercet_error *error_out);
void witness_close(struct witness *witness); /* NULL is fine */

/* Any one thread at a time. */
TERCET_MUST_CHECK enum tercet_status witness_write(struct witness *witness,
                                                   const struct journal_head *head,
                                                   struct tercet_error *error_out);

/* Syncs what was written before the call; does nothing when there is nothing.  Beside
 * witness_write(). */
TERCET_MUST_CHECK enum tercet_status witness_sync(struct witness *witness,
                                                  struct tercet_error *error_out);

#endif
