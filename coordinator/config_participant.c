/* config_participant.c -- the list of participants (config_value.h). */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "config_value.h"

struct config_participant *config_add_participant(struct config *config,
                                                  struct config_origin origin)
{
    if (config->participant_count == DIRECTORY_PARTICIPANT_COUNT_MAX) {
        return NULL;
    }
    config->participants = xrealloc(config->participants, (config->participant_count + 1U) *
                                                              sizeof config->participants[0]);
    struct config_participant *added = &config->participants[config->participant_count];
    config->participant_count++;
    *added = (struct config_participant){.origin = origin};
    return added;
}

void config_clear_participants(struct config *config)
{
    for (uint32_t i = 0; i < config->participant_count; i++) {
        struct config_participant *participant = &config->participants[i];
        for (uint32_t j = 0; j < participant->target_count; j++) {
            free(participant->targets[j]);
        }
        free((void *)participant->targets);
        free(participant->name);
        free(participant->target);
    }
    free(config->participants);
    config->participants = NULL;
    config->participant_count = 0;
}

enum tercet_status config_add_target(struct config_participant *participant, const char *text,
                                     const char *where, struct tercet_error *error_out)
{
    const struct config_key *key = config_participant_key_at(config_participant_key_find("target"));
    if (participant->target_count == DIRECTORY_SEAT_COUNT_MAX) {
        return error_set(error_out, TERCET_INVALID_ARGUMENT, "%s: more than %d addresses", where,
                         (int)DIRECTORY_SEAT_COUNT_MAX);
    }
    for (uint32_t i = 0; i < participant->target_count; i++) {
        if (strcmp(participant->targets[i], text) == 0) {
            return config_refuse(where, text, "is there twice", error_out);
        }
    }
    const enum tercet_status status = config_check_text(text, (size_t)key->max, where, error_out);
    if (status == TERCET_OK) {
        participant->targets =
            xrealloc((void *)participant->targets,
                     (participant->target_count + 1U) * sizeof participant->targets[0]);
        participant->targets[participant->target_count] = xstrdup(text);
        participant->target_count++;
    }
    return status;
}

static enum tercet_status check_seats(const struct config_participant *participant,
                                      const char *where, struct tercet_error *error_out)
{
    const bool one = participant->target != NULL;
    if (!one && participant->target_count == 0) {
        return config_refuse(where, participant->name,
                             "has no target: give one, or targets of its instances", error_out);
    }
    if (one && participant->target_count > 0) {
        return config_refuse(where, participant->name,
                             "has both target and targets: keep one of them", error_out);
    }
    const uint32_t targets = one ? 1 : participant->target_count;
    if (targets * participant->connections > DIRECTORY_SEAT_COUNT_MAX) {
        return error_set(error_out, TERCET_INVALID_ARGUMENT,
                         "%s: \"%s\" has %" PRIu32 " targets and %" PRIu32
                         " connections to each, which are more than %d in all",
                         where, participant->name, targets, participant->connections,
                         (int)DIRECTORY_SEAT_COUNT_MAX);
    }
    return TERCET_OK;
}

enum tercet_status config_check_participant(const struct config *config,
                                            const struct config_participant *participant,
                                            const char *where, struct tercet_error *error_out)
{
    if (participant->name == NULL) {
        return error_set(error_out, TERCET_INVALID_ARGUMENT, "%s: a participant has no name",
                         where);
    }
    if (!directory_is_name(participant->name, strlen(participant->name))) {
        return config_refuse(where, participant->name, "is not a name: use A-Z a-z 0-9 _ . -",
                             error_out);
    }
    for (uint32_t i = 0; i < config->participant_count; i++) {
        const struct config_participant *other = &config->participants[i];
        if (other != participant && other->name != NULL &&
            strcmp(other->name, participant->name) == 0) {
            return config_refuse(where, participant->name, "is named twice", error_out);
        }
    }
    return check_seats(participant, where, error_out);
}
