/* survey.c -- see survey.h. */
#include "src/survey.h"

#include <stdlib.h>

#include "base/memory.h"
#include "src/lane.h"
#include "src/participant_core.h"
#include "src/request_check.h"
#include "src/survey_core.h"

void survey_free(struct job *job)
{
    struct tercet_participant *participant = job->participant;
    free(job->survey->rows);
    free(job->survey);
    free(job);
    participant_let_go(participant, 0);
}

void survey_fail(struct job *job, enum tercet_status status, const char *text)
{
    rpc_unary_fail(job->survey->call, status, text, NULL);
    survey_free(job);
}

/* ---- A store's part -------------------------------------------------------------------------- */

static void keep_row(struct survey *survey, const char *gid, size_t gid_bytes, uint32_t branch,
                     const struct tercet_fence_row *row)
{
    if (survey->row_count == survey->row_count_max || gid_bytes > TERCET_GID_BYTES_MAX) {
        return;
    }
    struct found_row *found = &survey->rows[survey->row_count++];
    memcpy(found->gid, gid, gid_bytes);
    found->gid[gid_bytes] = '\0';
    found->branch = branch;
    found->row = *row;
}

static bool keep_listed(const struct tercet_fence_key *key, const struct tercet_fence_row *row,
                        void *context)
{
    keep_row(context, key->gid.data, key->gid.size, key->branch, row);
    return true;
}

/* One branch is told even when there is no row; of "all branches" only those that are there. */
static enum tercet_status find_rows(struct survey *survey, struct group *group,
                                    struct tercet_error *error_out)
{
    const char *gid = survey->inspect->gid;
    const uint32_t asked = survey->inspect->branch;
    const uint32_t last = asked != 0 ? asked : TERCET_BRANCH_COUNT_MAX;
    enum tercet_status status = TERCET_OK;

    for (uint32_t branch = asked != 0 ? asked : 1; status == TERCET_OK && branch <= last;
         branch++) {
        const struct tercet_fence_key key = {.gid = tercet_bytes_of_text(gid), .branch = branch};
        struct tercet_fence_row row = {.state = TERCET_FENCE_NONE};
        status = group->ops->find(group->connection, &key, &row, error_out);
        if (status == TERCET_OK && (asked != 0 || row.state != TERCET_FENCE_NONE)) {
            keep_row(survey, gid, strlen(gid), branch, &row);
        }
    }
    return status;
}

static enum tercet_status ask(struct survey *survey, struct group *group,
                              struct tercet_error *error_out)
{
    const struct tercet_fence_caller *caller = &survey->caller;

    if (survey->describes) {
        return group_describe(group, caller, &survey->descriptions[survey->lane], error_out);
    }
    const enum tercet_status status = group_connect(group, error_out);
    if (status != TERCET_OK) {
        return status;
    }
    if (survey->inspect->gid[0] != '\0') {
        return find_rows(survey, group, error_out);
    }
    struct tercet_fence_range range = {.participant = caller->participant,
                                       .from = survey->from,
                                       .below = survey->below,
                                       .row_count_max = survey->page_size};
    memcpy(range.origin, caller->origin, TERCET_ORIGIN_BYTES);
    return group->ops->list(group->connection, &range, keep_listed, survey, error_out);
}

/* To the next store, or to the answer. */
static void go_on(struct job *job)
{
    struct tercet_participant *participant = job->participant;
    struct survey *survey = job->survey;

    if (survey->lane < participant->lane_count) {
        struct lane *lane = participant->lanes[survey->lane];
        if (!lane_push(lane, job)) {
            survey_fail(job, TERCET_UNAVAILABLE, "a store's queue is full, or it stops");
        }
        lane_wake(lane);
    } else if (survey->describes) {
        survey_answer_describe(job);
    } else {
        survey_answer_inspect(job);
    }
}

static bool is_old_epoch(enum tercet_status status, const char *text)
{
    return status == TERCET_FAILED_PRECONDITION &&
           strncmp(text, TERCET_CODE_OLD_EPOCH, strlen(TERCET_CODE_OLD_EPOCH)) == 0;
}

void survey_visit(struct job *job, struct group *group)
{
    struct tercet_error error = {0};
    const enum tercet_status status = ask(job->survey, group, &error);

    if (status == TERCET_OK) {
        job->survey->lane++;
        go_on(job);
        return;
    }
    if (status == TERCET_UNAVAILABLE) {
        group_disconnect(group);
    }
    LOG_TELL(&job->participant->log, TERCET_LOG_WARNING, "survey.failed",
             logger_text("participant", job->participant->name),
             logger_text("store", group->ops->name),
             logger_text("status", tercet_status_name(status)), logger_text("text", error.text));
    const bool told = status == TERCET_DATA_LOSS || is_old_epoch(status, error.text);
    survey_fail(job, told ? status : TERCET_UNAVAILABLE, error.text);
}

/* ---- Begin ----------------------------------------------------------------------------------- */

static struct job *make(struct tercet_participant *participant, struct rpc_unary *call,
                        const Tercet__V1__RequestContext *context)
{
    struct job *job = xcalloc(1, sizeof *job);

    job->kind = JOB_SURVEY;
    job->participant = participant;
    job->survey = xcalloc(1, sizeof *job->survey);
    job->survey->call = call;
    job->survey->caller.participant = participant->name;
    job->survey->caller.epoch = (struct tercet_epoch){context->incarnation, context->epoch};
    memcpy(job->survey->caller.origin, context->origin.data, TERCET_ORIGIN_BYTES);
    return job;
}

void survey_describe(struct tercet_participant *participant, struct rpc_unary *call,
                     const Tercet__V1__DescribeRequest *request)
{
    struct job *job = make(participant, call, request->context);
    job->survey->describes = true;
    go_on(job);
}

static struct tercet_branch_number number_of(const Tercet__V1__BranchNumber *message)
{
    if (message == NULL) {
        return (struct tercet_branch_number){0};
    }
    return (struct tercet_branch_number){.incarnation = message->incarnation,
                                         .number = message->number};
}

/* "incarnation.number" of the last row of the page before. */
static bool read_token(const char *token, struct tercet_branch_number *from_out)
{
    char *end = NULL;
    const long long incarnation = strtoll(token, &end, 10);
    if (end == token || *end != '.') {
        return false;
    }
    const char *second = end + 1;
    const long long number = strtoll(second, &end, 10);
    if (end == second || *end != '\0' || incarnation < 1 || number < 1 || number == INT64_MAX) {
        return false;
    }
    from_out->incarnation = incarnation;
    from_out->number = number + 1;
    return true;
}

void survey_inspect(struct tercet_participant *participant, struct rpc_unary *call,
                    const Tercet__V1__InspectRequest *request)
{
    struct job *job = make(participant, call, request->context);
    struct survey *survey = job->survey;

    survey->inspect = request;
    survey->from = number_of(request->from);
    survey->below = number_of(request->below);
    survey->page_size = request->page_size != 0 ? request->page_size : REQUEST_PAGE_SIZE_DEFAULT;
    if (request->page_token[0] != '\0' && !read_token(request->page_token, &survey->from)) {
        survey_fail(job, TERCET_INVALID_ARGUMENT, "page_token: is not one of this participant");
        return;
    }
    const size_t rows_of_store =
        request->gid[0] != '\0' ? TERCET_BRANCH_COUNT_MAX : survey->page_size;
    survey->row_count_max = rows_of_store * participant->lane_count;
    survey->rows = xcalloc(survey->row_count_max + 1, sizeof *survey->rows);
    go_on(job);
}
