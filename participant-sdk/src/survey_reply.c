/* survey_reply.c -- see survey_core.h: from what the stores told to messages. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"
#include "fence/store.h"
#include "src/lane.h"
#include "src/reply.h"
#include "src/survey_core.h"

static char *borrow(const char *text)
{
    union {
        const char *given;
        char *wanted;
    } borrowed = {.given = text};
    return borrowed.wanted;
}

static Tercet__V1__BranchNumber number_message(struct tercet_branch_number number)
{
    Tercet__V1__BranchNumber message = TERCET__V1__BRANCH_NUMBER__INIT;
    message.incarnation = number.incarnation;
    message.number = number.number;
    return message;
}

/* A StoreDescription and all that it points to. */
struct store_message {
    Tercet__V1__StoreDescription store;
    Tercet__V1__Mark mark;
    Tercet__V1__BranchNumber low;
    Tercet__V1__BranchNumber highest;
    Tercet__V1__BranchNumber open[TERCET_MARK_OPEN_MAX];
    Tercet__V1__BranchNumber *open_pointers[TERCET_MARK_OPEN_MAX];
};

static void fill_store(struct store_message *message, const char *kind,
                       struct tercet_store_description *description)
{
    const struct tercet_mark *mark = &description->mark;

    tercet__v1__store_description__init(&message->store);
    message->store.kind = borrow(kind);
    message->store.store_id =
        (ProtobufCBinaryData){.len = TERCET_STORE_ID_BYTES, .data = description->store_id};
    message->store.incarnation = description->epoch.incarnation;
    message->store.epoch = description->epoch.epoch;
    message->store.rows = description->rows;
    if (description->highest.incarnation != 0) {
        message->highest = number_message(description->highest);
        message->store.highest = &message->highest;
    }
    if (mark->as_of_incarnation == 0) {
        return;
    }
    tercet__v1__mark__init(&message->mark);
    message->mark.as_of_incarnation = mark->as_of_incarnation;
    message->mark.as_of_lsn = mark->as_of_lsn;
    message->low = number_message(mark->low);
    message->mark.low = &message->low;
    for (uint32_t i = 0; i < mark->open_count; i++) {
        message->open[i] = number_message(mark->open[i]);
        message->open_pointers[i] = &message->open[i];
    }
    message->mark.n_open = mark->open_count;
    message->mark.open = message->open_pointers;
    message->store.mark = &message->mark;
}

void survey_answer_describe(struct job *job)
{
    struct tercet_participant *participant = job->participant;
    struct survey *survey = job->survey;
    const size_t actions = participant->action_count;
    const size_t stores = participant->lane_count;
    Tercet__V1__ActionDescription *action_messages = xcalloc(actions + 1, sizeof *action_messages);
    Tercet__V1__ActionDescription **action_pointers =
        xcalloc(actions + 1, sizeof(Tercet__V1__ActionDescription *));
    struct store_message *store_messages = xcalloc(stores + 1, sizeof *store_messages);
    Tercet__V1__StoreDescription **store_pointers =
        xcalloc(stores + 1, sizeof(Tercet__V1__StoreDescription *));
    char software[64];

    for (size_t i = 0; i < actions; i++) {
        const struct action *action = participant->actions[i];
        tercet__v1__action_description__init(&action_messages[i]);
        action_messages[i].name = borrow(action->name);
        action_messages[i].confirm_only = action->base.on_try == NULL;
        action_messages[i].unfenced = action->lane == NULL;
        action_pointers[i] = &action_messages[i];
    }
    for (size_t i = 0; i < stores; i++) {
        fill_store(&store_messages[i], lane_store(participant->lanes[i])->ops->name,
                   &survey->descriptions[i]);
        store_pointers[i] = &store_messages[i].store;
    }
    (void)snprintf(software, sizeof software, "libtercet %s", tercet_version());
    Tercet__V1__DescribeReply reply = TERCET__V1__DESCRIBE_REPLY__INIT;
    reply.participant = participant->name;
    reply.n_actions = actions;
    reply.actions = action_pointers;
    reply.n_stores = stores;
    reply.stores = store_pointers;
    reply.protocol = 1;
    reply.software = software;
    rpc_unary_reply(survey->call, &reply.base);
    free(store_pointers);
    free(store_messages);
    free(action_pointers);
    free(action_messages);
    survey_free(job);
}

static int compare_numbers(const void *a, const void *b)
{
    const struct found_row *left = a;
    const struct found_row *right = b;
    return tercet_branch_number_compare(left->row.identity.number, right->row.identity.number);
}

static void fill_row(Tercet__V1__FenceRow *message, Tercet__V1__BranchNumber *number,
                     struct found_row *found)
{
    tercet__v1__fence_row__init(message);
    message->gid = found->gid;
    message->branch = found->branch;
    message->state = reply_fence_state(found->row.state);
    if (found->row.state == TERCET_FENCE_NONE) {
        return;
    }
    *number = number_message(found->row.identity.number);
    message->number = number;
    message->origin =
        (ProtobufCBinaryData){.len = TERCET_ORIGIN_BYTES, .data = found->row.identity.origin};
    message->digest =
        (ProtobufCBinaryData){.len = TERCET_DIGEST_BYTES, .data = found->row.identity.digest};
    message->action = found->row.action;
    message->result =
        (ProtobufCBinaryData){.len = found->row.result_bytes, .data = found->row.result};
}

void survey_answer_inspect(struct job *job)
{
    struct survey *survey = job->survey;
    const bool range = survey->inspect->gid[0] == '\0';
    size_t count = survey->row_count;
    char token[64] = "";

    if (range) {
        qsort(survey->rows, count, sizeof *survey->rows, compare_numbers);
        /* A full page: there may be more.  Numbers are never used twice, so the last one is where
         * the next page begins. */
        if (count >= survey->page_size) {
            count = survey->page_size;
            const struct tercet_branch_number *last = &survey->rows[count - 1].row.identity.number;
            (void)snprintf(token, sizeof token, "%" PRId64 ".%" PRId64, last->incarnation,
                           last->number);
        }
    }
    Tercet__V1__FenceRow *messages = xcalloc(count + 1, sizeof *messages);
    Tercet__V1__FenceRow **pointers = xcalloc(count + 1, sizeof(Tercet__V1__FenceRow *));
    Tercet__V1__BranchNumber *numbers = xcalloc(count + 1, sizeof *numbers);
    for (size_t i = 0; i < count; i++) {
        fill_row(&messages[i], &numbers[i], &survey->rows[i]);
        pointers[i] = &messages[i];
    }
    Tercet__V1__InspectReply reply = TERCET__V1__INSPECT_REPLY__INIT;
    reply.n_rows = count;
    reply.rows = pointers;
    reply.next_page_token = token;
    rpc_unary_reply(survey->call, &reply.base);
    free(numbers);
    free(pointers);
    free(messages);
    survey_free(job);
}
