/* participant_actions.c -- which actions a participant serves, and from which store.
 *
 * Kept sorted by name, so that a request finds its action by halving; registered before start only,
 * so that pollers read without a lock. */
#include <stdio.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/memory.h"
#include "fence/store.h"
#include "src/lane.h"
#include "src/participant_core.h"
#include "src/text_check.h"
#include "src/unfenced.h"

static int compare_actions(const void *a, const void *b)
{
    const struct action *const *left = a;
    const struct action *const *right = b;
    return strcmp((*left)->name, (*right)->name);
}

const struct action *participant_action(const struct tercet_participant *participant,
                                        const char *name)
{
    size_t low = 0;
    size_t high = participant->action_count;

    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        const int order = strcmp(name, participant->actions[middle]->name);
        if (order == 0) {
            return participant->actions[middle];
        }
        if (order < 0) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return NULL;
}

static enum tercet_status check_action(const struct tercet_participant *participant,
                                       const struct tercet_action *actions, size_t index,
                                       struct tercet_error *error_out)
{
    const struct tercet_action *action = &actions[index];
    const enum tercet_status status = text_check_name("action.name", action->name, error_out);

    if (status != TERCET_OK) {
        return status;
    }
    const bool all = action->on_try != NULL && action->on_cancel != NULL;
    const bool none = action->on_try == NULL && action->on_cancel == NULL;
    if (action->on_confirm == NULL || (!all && !none)) {
        return error_set(error_out, TERCET_INVALID_ARGUMENT,
                         "action %s: wants on_try, on_confirm and on_cancel, or on_confirm alone",
                         action->name);
    }
    for (size_t i = 0; i < sizeof action->reserved / sizeof action->reserved[0]; i++) {
        if (action->reserved[i] != NULL) {
            return error_set(error_out, TERCET_INVALID_ARGUMENT,
                             "action %s: reserved[%zu] must be NULL", action->name, i);
        }
    }
    bool used = participant_action(participant, action->name) != NULL;
    for (size_t i = 0; i < index && !used; i++) {
        used = strcmp(actions[i].name, action->name) == 0;
    }
    if (used) {
        return error_set(error_out, TERCET_ALREADY_EXISTS, "action %s: registered before",
                         action->name);
    }
    return TERCET_OK;
}

static enum tercet_status check_actions(const struct tercet_participant *participant,
                                        const struct tercet_action *actions, size_t count,
                                        struct tercet_error *error_out)
{
    if (participant == NULL || actions == NULL || count == 0) {
        return error_set(error_out, TERCET_INVALID_ARGUMENT,
                         "participant and actions are required");
    }
    if (participant->state != PARTICIPANT_MADE) {
        return error_set(error_out, TERCET_FAILED_PRECONDITION,
                         "participant %s: actions are registered before it starts",
                         participant->name);
    }
    if (count > PARTICIPANT_ACTION_COUNT_MAX - participant->action_count) {
        return error_set(error_out, TERCET_RESOURCE_EXHAUSTED,
                         "participant %s: more than %d actions", participant->name,
                         PARTICIPANT_ACTION_COUNT_MAX);
    }
    for (size_t i = 0; i < count; i++) {
        const enum tercet_status status = check_action(participant, actions, i, error_out);
        if (status != TERCET_OK) {
            return status;
        }
    }
    return TERCET_OK;
}

static void add_actions(struct tercet_participant *participant, struct lane *lane,
                        const struct tercet_action *actions, size_t count)
{
    participant->actions = xrealloc(participant->actions,
                                    (participant->action_count + count) * sizeof(struct action *));
    for (size_t i = 0; i < count; i++) {
        struct action *action = xcalloc(1, sizeof *action);
        action->base = actions[i];
        (void)snprintf(action->name, sizeof action->name, "%s", actions[i].name);
        action->base.name = action->name;
        action->lane = lane;
        participant->actions[participant->action_count++] = action;
    }
    qsort(participant->actions, participant->action_count, sizeof(struct action *),
          compare_actions);
}

/* The store's lane, made if it has none; NULL with an error when it cannot have one. */
static struct lane *lane_for(struct tercet_participant *participant, struct tercet_store *store,
                             struct tercet_error *error_out)
{
    for (size_t i = 0; i < participant->lane_count; i++) {
        if (lane_store(participant->lanes[i]) == store) {
            return participant->lanes[i];
        }
    }
    if (store->served_by != NULL) {
        (void)error_set(error_out, TERCET_FAILED_PRECONDITION,
                        "the store serves another participant");
        return NULL;
    }
    if (participant->lane_count == PARTICIPANT_STORE_COUNT_MAX) {
        (void)error_set(error_out, TERCET_RESOURCE_EXHAUSTED, "participant %s: more than %d stores",
                        participant->name, PARTICIPANT_STORE_COUNT_MAX);
        return NULL;
    }
    struct lane *lane = lane_create(participant, store);
    store->served_by = participant;
    participant->lanes[participant->lane_count++] = lane;
    return lane;
}

enum tercet_status tercet_participant_register(struct tercet_participant *participant,
                                               struct tercet_store *store,
                                               const struct tercet_action *actions,
                                               size_t action_count, struct tercet_error *error_out)
{
    struct tercet_error error = {.status = TERCET_OK};

    if (store == NULL) {
        return error_set(error_out, TERCET_INVALID_ARGUMENT,
                         "store: must not be NULL; actions without one are registered by "
                         "tercet_participant_register_unfenced()");
    }
    const enum tercet_status status = check_actions(participant, actions, action_count, error_out);
    if (status != TERCET_OK) {
        return status;
    }
    struct lane *lane = lane_for(participant, store, &error);
    if (lane == NULL) {
        return error_set(error_out, error.status, "%s", error.text);
    }
    add_actions(participant, lane, actions, action_count);
    return TERCET_OK;
}

enum tercet_status tercet_participant_register_unfenced(struct tercet_participant *participant,
                                                        const struct tercet_action *actions,
                                                        size_t action_count,
                                                        struct tercet_error *error_out)
{
    const enum tercet_status status = check_actions(participant, actions, action_count, error_out);
    if (status != TERCET_OK) {
        return status;
    }
    if (participant->unfenced == NULL) {
        participant->unfenced =
            unfenced_create(participant, participant->unfenced_workers, participant->in_flight_max);
    }
    add_actions(participant, NULL, actions, action_count);
    return TERCET_OK;
}
