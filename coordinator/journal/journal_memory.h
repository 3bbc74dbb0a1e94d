/* journal_memory.h -- the journal in memory, for tests and the simulator.
 *
 * It keeps apart what is synced and what is only written: journal_memory_crash() forgets the
 * latter, exactly as a machine does.  Reads see what is synced.  The digest is kept and checked
 * like that of the real one, so a wrong hash anywhere shows at the next load.
 *
 * Thread: one at a time. */
#ifndef COORDINATOR_JOURNAL_JOURNAL_MEMORY_H
#define COORDINATOR_JOURNAL_JOURNAL_MEMORY_H

#include "journal/journal.h"

/* A new journal, open in its first epoch.  journal_close() frees it. */
struct journal *journal_memory_create(int64_t now_unix_ms, int64_t outcome_keep_ms);

/* While it holds, journal_write() returns with nothing synced; otherwise with everything. */
void journal_memory_hold(struct journal *journal, bool hold);
void journal_memory_sync(struct journal *journal);

/* The process and the machine die and come back: what is not synced is gone, and so is a failure;
 * the epoch rises.  Load it again. */
void journal_memory_crash(struct journal *journal);

/* Copies what is synced, as an online backup does; the newest copy is the one that counts. */
void journal_memory_back_up(struct journal *journal);
/* The journal is lost, and its backup, which there must be, is put in its place as a new life, as
 * tercetd restore does it (tools/restore.c).  Load it again. */
void journal_memory_restore(struct journal *journal, int64_t now_unix_ms);

/* The n-th write from now fails (1: the next): nothing of it is kept, and nothing may be written
 * behind it until journal_memory_crash().  0: none fails. */
void journal_memory_fail_write(struct journal *journal, uint32_t n);
bool journal_memory_has_failed(const struct journal *journal);

/* Changes one byte of the n-th synced pair's value (0: the first in the order of keys), as a disk
 * may. */
void journal_memory_damage(struct journal *journal, size_t n);

#endif
