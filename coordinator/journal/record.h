/* record.h -- transactions to journal records and back.
 *
 * Keys (docs/journal-format.md):
 *   m/head                                   the head; journal_leveldb.c's own
 *   t/ SEQUENCE(8, big-endian) KIND(1) ...   all of one open transaction stands together:
 *      KIND 0x10 BEGIN; 0x20 INDEX(1) ADD_BRANCH; 0x30 DECIDE; 0x40 PROGRESS
 *   p/ NAME                                  what is known of a participant's databases
 *   d/ YYYY-MM-DD                            what a day holds at least; journal_leveldb.c's own
 *   a/ GID                                   an outcome, until it is moved into its day; in front of
 *      all others (record_key.h)
 * Values are messages of tercet.v1.record, each behind one byte of format version (1). */
#ifndef COORDINATOR_JOURNAL_RECORD_H
#define COORDINATOR_JOURNAL_RECORD_H

#include "engine/effect.h"
#include "journal/journal.h"

/* Adds what `record` says to the batch, and keeps the pairs' hashes in the transaction. */
void record_write(const struct effect_record *record, const struct directory *directory,
                  struct journal_batch *batch);

/* Decodes an outcome.  DATA_LOSS: it makes no sense. */
TERCET_MUST_CHECK enum tercet_status record_read_outcome(struct tercet_bytes value,
                                                         struct view **view_out);

/* The same for one that was found under this gid.  DATA_LOSS: it makes no sense, or is another's. */
TERCET_MUST_CHECK enum tercet_status record_read_outcome_of(struct tercet_bytes gid,
                                                            struct tercet_bytes value,
                                                            struct view **view_out);

/* Where the payload of an open transaction's branch stands: appends the key of that pair. */
void record_payload_key(const struct branch *branch, struct buffer *key_out);

/* The payload of the branch with this index out of that pair's value; allocated.  DATA_LOSS: it makes
 * no sense, or it has none. */
TERCET_MUST_CHECK enum tercet_status record_read_payload(struct tercet_bytes key,
                                                         struct tercet_bytes value, uint32_t index,
                                                         struct tercet_bytes *payload_out);

/* When the transaction ended that this outcome tells of; reads no more than that.  False: it is not
 * an outcome. */
bool record_peek_ended(struct tercet_bytes value, int64_t *ended_unix_ms_out);

/* Rebuilds open transactions from their pairs, in the order of keys; each is handed on complete.  They
 * must be such as the journal with this head can hold.  Whatever is accepted until record_loader_finish()
 * says OK, the engine can adopt and resume. */
typedef void (*record_txn_fn)(struct txn *txn_take, void *context);
/* What was known of a participant; borrowed. */
typedef void (*record_participant_fn)(const char *name, const struct acquaintance *known,
                                      void *context);
struct record_loader;
struct record_loader *record_loader_create(const struct journal_head *head,
                                           struct directory *directory, record_txn_fn txn_fn,
                                           void *context);
/* Who is told of participants; without it they are only checked. */
void record_loader_tell_participants(struct record_loader *loader,
                                     record_participant_fn participant_fn);
/* One pair.  DATA_LOSS with a sentence: a record of a transaction with no BEGIN, a field or enum
 * value that this version does not know, bytes that make no sense, a gid or number that is another's. */
TERCET_MUST_CHECK enum tercet_status record_loader_pair(struct record_loader *loader,
                                                        struct tercet_bytes key,
                                                        struct tercet_bytes value,
                                                        struct digest128 hash,
                                                        struct tercet_error *error_out);
/* Hands on the last one, and looks at all of them together. */
TERCET_MUST_CHECK enum tercet_status record_loader_finish(struct record_loader *loader,
                                                          struct tercet_error *error_out);
void record_loader_destroy(struct record_loader *loader); /* NULL is fine */

#endif
