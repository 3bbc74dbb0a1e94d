/* reason.h -- why something failed, for programs and people: a code and a sentence.
 *
 * On its way a reason has room for the longest (struct reason).  What is kept has its own length
 * (struct said) and is shared: while a participant is away, a million branches are told the same
 * words, so whoever keeps reasons remembers the newest one and said_share() takes it again.
 *
 * Thread: references are not counted atomically; all that share are the loop's. */
#ifndef COORDINATOR_ENGINE_REASON_H
#define COORDINATOR_ENGINE_REASON_H

#include "tercet/tercet.h"

/* Both NUL-terminated, "" when there is none. */
struct reason {
    char code[TERCET_REASON_CODE_BYTES_MAX + 1];
    char text[TERCET_REASON_TEXT_BYTES_MAX + 1];
};

/* Longer ones are cut. */
void reason_set(struct reason *reason, const char *code, const char *text);

/* Never changes once it is made. */
struct said {
    uint32_t refs;
    uint8_t text_at; /* in `code` */
    char code[];     /* NUL-terminated; the text stands behind it */
};

/* With one reference; longer ones are cut.  NULL when there is neither code nor text. */
struct said *said_create(const char *code, const char *text);
struct said *said_ref(struct said *said);
void said_unref(struct said *said); /* NULL is fine */

/* "" for NULL. */
const char *said_code(const struct said *said);
const char *said_text(const struct said *said);

/* Where `*said_io` and `*newest_io` are alike, the first becomes the second; else it is the newest
 * from now on.  Both are owned references; NULL has nothing to share. */
void said_share(struct said **said_io, struct said **newest_io);

#endif
