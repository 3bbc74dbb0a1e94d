/* journal_days.h -- outcomes by the day (UTC) on which they ended, a LevelDB for each.
 *
 * A day's own pair "m/day" counts and digests its outcomes and is written with every batch of them.
 * The live store keeps a pair "d/" DATE that says what the day holds at least; it is written in the
 * batch that removes those outcomes from the live store.  So a day that was lost, cut, or swapped
 * with another day or an older copy of itself is noticed: whenever it is opened "m/day" must be no
 * less than what "d/" says, and in the background everything in it is counted again and must be what
 * "m/day" says (journal_day_verify.h).  A day without a "d/" pair holds nothing that the live store
 * does not have.
 *
 * A look-up of an unknown gid asks every day.  So as many may be open as are kept, up to a bound.
 *
 * Thread: the reader's; before that, the one that opens the journal. */
#ifndef COORDINATOR_JOURNAL_JOURNAL_DAYS_H
#define COORDINATOR_JOURNAL_JOURNAL_DAYS_H

#include "journal/journal.h"
#include "journal/journal_store.h"

enum { DAY_DATE_SIZE = 11, DAYS_OPEN_LEAST = 16, DAYS_OPEN_MOST = 64 };

#define DAY_KEY_PREFIX "d/"

struct day {
    char date[DAY_DATE_SIZE];
    int64_t end_unix_ms; /* the first moment of the next day */
    struct store *store; /* NULL: closed */
    uint64_t used;       /* when it was last asked for, in turns of `days.turn` */
    bool made;           /* there is a store, and it may hold outcomes */
    bool verified;       /* counted again since the process started */
    int64_t count;       /* as "m/day" says; once it was opened */
    struct digest128 digest;
    int64_t recorded_count; /* as "d/" says */
    struct digest128 recorded_digest;
    struct digest128 record;      /* hash of the "d/" pair; zero: none */
    bool dropping;                /* its "d/" pair is being removed; then it goes */
    bool copied;                  /* a backup reads it: it must stay open */
    bool touched;                 /* outcomes were staged since its "d/" pair was written */
    leveldb_writebatch_t *staged; /* outcomes that are being moved in; NULL: none */
};

struct day_verifier;

struct days {
    char *outcomes_path;
    char *safety_path;
    uint8_t origin[20];
    struct day **items; /* by date, oldest first */
    size_t count;
    size_t open_max; /* how many may be open at a time */
    uint64_t turn;
    struct day_verifier *verifier; /* counts a day again; NULL: none */
};

/* `keep_ms`: how long outcomes are kept. */
void days_init(struct days *days, const char *outcomes_path, const char *safety_path,
               const uint8_t origin[20], int64_t keep_ms);
void days_deinit(struct days *days);

/* At open: a "d/" pair of the live store. */
TERCET_MUST_CHECK enum tercet_status days_note_record(struct days *days, struct tercet_bytes key,
                                                      struct tercet_bytes value,
                                                      struct digest128 hash,
                                                      struct tercet_error *error_out);

/* At open, behind all days_note_record(): every day that is told of must be there (DATA_LOSS); what
 * nobody tells of is removed. */
TERCET_MUST_CHECK enum tercet_status days_check(struct days *days, struct tercet_error *error_out);

/* Of the newest day, of which there is one at least. */
int64_t days_newest_start_unix_ms(const struct days *days);

/* The day of that moment; made, without a store yet, when there is none. */
struct day *days_of_moment(struct days *days, int64_t unix_ms);

/* The outcome under `key`, appended.  OK, NOT_FOUND, or an error of the store or its counting. */
TERCET_MUST_CHECK enum tercet_status days_get(struct days *days, struct day *day,
                                              struct tercet_bytes key, struct buffer *value_out,
                                              struct tercet_error *error_out);

/* Its open store.  NOT_FOUND: there is none yet. */
TERCET_MUST_CHECK enum tercet_status days_store(struct days *days, struct day *day,
                                                struct store **store_out,
                                                struct tercet_error *error_out);

/* Stages one outcome, unless it is there already; makes the store when there is none. */
TERCET_MUST_CHECK enum tercet_status days_stage(struct days *days, struct day *day,
                                                struct tercet_bytes key, struct tercet_bytes value,
                                                struct tercet_error *error_out);

/* Writes and syncs what is staged. */
TERCET_MUST_CHECK enum tercet_status days_flush(struct days *days, struct day *day,
                                                struct tercet_error *error_out);

/* Puts the "d/" pair for what the day now holds, or removes it. */
void days_write_record(const struct days *days, struct day *day, struct journal_batch *batch);
void days_delete_record(struct day *day, struct journal_batch *batch);

/* Closes it and removes its directory, the links of its files, and itself. */
TERCET_MUST_CHECK enum tercet_status days_drop(struct days *days, struct day *day,
                                               struct tercet_error *error_out);

int64_t days_bytes_of(const struct days *days, const struct day *day);

/* Is it a date as we write it? */
bool day_parse(const char *date, int64_t *start_unix_ms_out);

#endif
