/* journal_head.h -- the head as a pair of the live store. */
#ifndef COORDINATOR_JOURNAL_JOURNAL_HEAD_H
#define COORDINATOR_JOURNAL_JOURNAL_HEAD_H

#include "journal/journal.h"

#define JOURNAL_HEAD_KEY "m/head"

void journal_head_encode(const struct journal_head *head, struct buffer *value_out);

/* DATA_LOSS with a sentence. */
TERCET_MUST_CHECK enum tercet_status journal_head_decode(struct tercet_bytes value,
                                                         struct journal_head *head_out,
                                                         struct tercet_error *error_out);

/* The next life of that journal, made of a backup. */
void journal_head_begin_life(struct journal_head *head, int64_t now_unix_ms);

/* What a journal begins with. */
void journal_head_make(int64_t now_unix_ms, struct journal_head *head_out);

/* The head after a batch on top of `head`; asserts that it is the next one. */
void journal_head_apply(struct journal_head *head, const struct journal_batch *batch);

/* `gid` is the greatest of which there is an outcome ("": there is none).  DATA_LOSS with a sentence: the
 * head takes it for unused, and nobody would look it up. */
TERCET_MUST_CHECK enum tercet_status journal_head_knows(const struct journal_head *head,
                                                        const char *gid,
                                                        struct tercet_error *error_out);

#endif
