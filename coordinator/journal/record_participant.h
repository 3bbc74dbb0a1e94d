/* record_participant.h -- what is known of a participant's databases, to its pair and back
 * (record.h: "p/" NAME). */
#ifndef COORDINATOR_JOURNAL_RECORD_PARTICIPANT_H
#define COORDINATOR_JOURNAL_RECORD_PARTICIPANT_H

#include "engine/acquaintance.h"
#include "journal/record.h"

/* Keeps the pair's hash in `known`. */
void record_participant_write(const char *name, struct acquaintance *known,
                              struct journal_batch *batch);

/* Who is told of it; `told` may be NULL. */
struct record_listener {
    record_participant_fn told;
    void *context;
};

/* Reads and tells.  DATA_LOSS with a sentence. */
TERCET_MUST_CHECK enum tercet_status record_participant_tell(struct tercet_bytes key,
                                                             struct tercet_bytes value,
                                                             struct digest128 hash,
                                                             const struct record_listener *listener,
                                                             struct tercet_error *error_out);

bool record_participant_is(struct tercet_bytes key);

/* DATA_LOSS with a sentence.  Leaves `known_out->record` to the caller. */
TERCET_MUST_CHECK enum tercet_status record_participant_read(
    struct tercet_bytes key, struct tercet_bytes value, char name_out[TERCET_NAME_BYTES_MAX + 1],
    struct acquaintance *known_out, struct tercet_error *error_out);

#endif
