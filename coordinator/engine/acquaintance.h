/* acquaintance.h -- is the database behind a participant still the one we know?
 *
 * A participant is believed because its database remembers.  A database that was restored from a
 * backup has forgotten what it told us, and one that was exchanged never knew it; both would answer
 * as if nothing had been, and reserve, confirm and refuse by books that are not true any more.
 *
 * So the coordinator keeps, for each participant and durably (journal/record.h, "p/" NAME), what
 * cannot go back in an honest database:
 *   1. The store's random id.  Gone: another database stands in its place, or stands behind one of
 *      its instances.
 *   2. The mark that it holds, as Describe tells it and replies acknowledge it.
 *   3. Its reach.  Rows leave a fence only below the stored mark's low; so the number behind its
 *      highest row, or that low, whichever is higher, only rises.
 *   4. The highest number of a branch that has answered DONE.  That row was durable before the answer
 *      left, so some store's reach is above it.  This tells of a backup that is as old as the last
 *      mark and lacks what came after it, which 2 alone does not.
 *
 * What it cannot see: a backup that holds the row of the highest number already, in an earlier state.
 * Nothing but rows below that number changed since; those that were confirmed or cancelled again show
 * as TRIED below the mark, which the participant keeps and reports (docs/protocol.md, marks).  Nor a
 * participant that does not tell its stores.
 *
 * Pure; owned by the engine, one for each participant. */
#ifndef COORDINATOR_ENGINE_ACQUAINTANCE_H
#define COORDINATOR_ENGINE_ACQUAINTANCE_H

#include "base/digest.h"
#include "engine/branch.h"

enum { STORE_COUNT_MAX = 16, STORE_ID_BYTES = 16 };

/* One database, as Describe tells it. */
struct store_seen {
    uint8_t id[STORE_ID_BYTES];
    struct branch_number mark;  /* the age of its newest mark; zero: none */
    struct branch_number reach; /* behind all that it has ever held; zero: nothing */
    struct branch_number low;   /* its mark's: rows below may be gone; zero: none */
};

struct description {
    struct store_seen stores[STORE_COUNT_MAX];
    uint32_t store_count; /* 0: not told */
};

/* What its replies have told. */
struct replied {
    struct branch_number mark;   /* the newest that is stored there; zero: none */
    struct branch_number branch; /* the highest that has answered DONE; zero: none */
};

/* What was known when a question left.  Of two instances that are asked at a time one may tell what was
 * before, and be heard behind the other: it is compared with this. */
struct known_before {
    struct description told;
    struct replied replied;
};

struct acquaintance {
    struct description told; /* by its newest Describe */
    struct replied replied;
    char held[TERCET_REASON_TEXT_BYTES_MAX + 1];     /* why nothing is sent to it; "": it is */
    char released[TERCET_REASON_TEXT_BYTES_MAX + 1]; /* an operator's last reason; "": none */
    int64_t asked_incarnation; /* the life that asked it after a restore (restored.h); 0: none */
    struct digest128 record;   /* of its pair in the journal; zero: none */
};

/* Below this its rows may be gone: the highest low of its stores. */
struct branch_number acquaintance_passed(const struct description *description);

enum finding {
    FINDING_SAME,       /* nothing speaks against it */
    FINDING_EXCHANGED,  /* a store is gone, another may stand in its place */
    FINDING_ROLLED_BACK /* a store has forgotten what it had */
};

/* Compares a description with what is known: its stores with all that were told, by whichever
 * instance; what they hold with what was known when the question left, for what was told and replied
 * since may be younger than the description.  `text_out`: a sentence about whatever is not the same. */
enum finding acquaintance_judge(const struct acquaintance *known, const struct known_before *before,
                                const struct description *description,
                                struct tercet_error *text_out);

/* One that is the same is noted: of each store what is newer. */
void acquaintance_note(struct acquaintance *known, const struct description *description);

#endif
