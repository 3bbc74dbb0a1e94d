/* words.h -- a stranger's words, made fit to be kept.
 *
 * What a participant says as a reason goes into the journal, into logs and to initiators written in
 * languages that refuse a message with broken UTF-8 in it.  So it is made whole here, once. */
#ifndef COORDINATOR_PARTICIPANT_WORDS_H
#define COORDINATOR_PARTICIPANT_WORDS_H

#include "tercet/tercet.h"

/* A code: at most TERCET_REASON_CODE_BYTES_MAX of A-Z 0-9 _ ; lower case is raised, anything else
 * becomes _ .  `text` may be NULL. */
void words_copy_code(char code_out[TERCET_REASON_CODE_BYTES_MAX + 1], const char *text);

/* A sentence: valid UTF-8 of at most TERCET_REASON_TEXT_BYTES_MAX, cut at a character's border;
 * control characters become spaces, bytes that are no UTF-8 become ? .  `prefix` stands before it,
 * with ": " between them if both are there.  Either may be NULL. */
void words_copy_text(char text_out[TERCET_REASON_TEXT_BYTES_MAX + 1], const char *prefix,
                     const char *text);

#endif
