/* checks_survey.c -- Describe and Inspect, where they are served. */
#include "checks.h"

#include <string.h>

#include "base/bytes.h"
#include "base/error.h"
#include "survey.h"

enum { STORE_ID_BYTES = TERCET_STORE_ID_BYTES, RANGE_ROWS = 5, PAGE_ROWS = 2, PAGES_MAX = 20 };

/* False: the check has its answer already. */
static bool is_answered(struct check *check, const struct survey *survey, const char *method)
{
    if (survey->status == TERCET_UNIMPLEMENTED) {
        check_skip(check, "%s is not served; it is optional", method);
    } else if (survey->status != TERCET_OK) {
        check_fail(check, "%s: wanted an answer, came status %s: %s", method,
                   tercet_status_name(survey->status), survey->text);
    }
    return survey->status == TERCET_OK;
}

/* ---- Describe ---------------------------------------------------------------------------------- */

static void expect_action(struct check *check, const Tercet__V1__DescribeReply *describe,
                          const char *name, bool confirm_only)
{
    for (size_t i = 0; i < describe->n_actions; i++) {
        if (strcmp(describe->actions[i]->name, name) == 0) {
            if ((describe->actions[i]->confirm_only != 0) != confirm_only) {
                check_fail(check, "Describe calls action \"%s\" confirm_only=%d", name,
                           (int)!confirm_only);
            }
            return;
        }
    }
    if (describe->n_actions > 0) {
        check_fail(check, "Describe lists %zu actions, and not \"%s\"", describe->n_actions, name);
    }
}

static void describe_words(struct check *check)
{
    struct persona *persona = check_persona(check);
    const struct arguments *arguments = check->run->arguments;
    struct survey survey;
    survey_describe(&survey, check->run->channels[0], persona);
    if (is_answered(check, &survey, "Describe")) {
        const Tercet__V1__DescribeReply *describe = survey.describe;
        if (strcmp(describe->participant, arguments->participant) != 0) {
            check_fail(check, "Describe tells the name \"%s\"", describe->participant);
        }
        expect_action(check, describe, arguments->action, false);
        if (arguments->confirm_only != NULL) {
            expect_action(check, describe, arguments->confirm_only, true);
        }
        check_note(check, "%zu actions, %zu stores, protocol %u, software \"%s\"",
                   describe->n_actions, describe->n_stores, (unsigned)describe->protocol,
                   describe->software);
    }
    survey_close(&survey);
}

/* The store that has a row of this persona; NULL: none. */
static const Tercet__V1__StoreDescription *store_with_rows(
    const Tercet__V1__DescribeReply *describe)
{
    for (size_t i = 0; i < describe->n_stores; i++) {
        if (describe->stores[i]->rows > 0 && describe->stores[i]->highest != NULL) {
            return describe->stores[i];
        }
    }
    return NULL;
}

static void expect_store(struct check *check, const struct branch *branch,
                         const Tercet__V1__DescribeReply *describe)
{
    const Tercet__V1__StoreDescription *store = store_with_rows(describe);
    const struct tercet_epoch epoch = branch->persona->epoch;
    if (store == NULL) {
        check_fail(check, "no store tells a row, or the highest number, behind the first row");
        return;
    }
    if (store->store_id.len != STORE_ID_BYTES) {
        check_fail(check, "a store_id of %zu bytes; it has %d", store->store_id.len,
                   (int)STORE_ID_BYTES);
    }
    if (store->highest->incarnation != branch->number.incarnation ||
        store->highest->number != branch->number.number || store->rows != 1) {
        check_fail(check, "the store tells %lld rows and the highest number %lld; it is 1 and %lld",
                   (long long)store->rows, (long long)store->highest->number,
                   (long long)branch->number.number);
    }
    if (store->incarnation != epoch.incarnation || store->epoch != epoch.epoch) {
        check_fail(check, "the store tells another epoch than the one that has just asked");
    }
}

static void describe_store(struct check *check)
{
    struct persona *persona = check_persona(check);
    const struct branch *branch = check_branch_of(check, persona);
    struct survey survey;
    struct survey again;
    check_ask(check, branch, TERCET_PHASE_CANCEL, WANT_EMPTY);
    survey_describe(&survey, check->run->channels[0], persona);
    survey_describe(&again, check->run->channels[1], persona);
    if (is_answered(check, &survey, "Describe") && is_answered(check, &again, "Describe")) {
        if (survey.describe->n_stores == 0) {
            check_skip(check,
                       "Describe tells no store; the coordinator then cannot notice one that "
                       "was restored");
        } else {
            expect_store(check, branch, survey.describe);
            expect_store(check, branch, again.describe);
        }
        const Tercet__V1__StoreDescription *first = store_with_rows(survey.describe);
        const Tercet__V1__StoreDescription *second = store_with_rows(again.describe);
        if (check_is_well(check) && first != NULL && second != NULL &&
            memcmp(first->store_id.data, second->store_id.data, STORE_ID_BYTES) != 0) {
            check_fail(check, "the store_id is another one each time");
        }
    }
    survey_close(&survey);
    survey_close(&again);
}

/* ---- Inspect ----------------------------------------------------------------------------------- */

static const char *state_name(int state)
{
    static const char *const names[] = {"UNSPECIFIED", "TRIED",     "CONFIRMED",
                                        "CANCELLED",   "SUSPENDED", "NONE"};
    return state >= 0 && state < (int)(sizeof names / sizeof names[0]) ? names[state] : "?";
}

static bool is_row_of(const Tercet__V1__FenceRow *row, const struct branch *branch)
{
    return strcmp(row->gid, branch->gid) == 0 && row->branch == branch->index &&
           row->origin.len == TERCET_ORIGIN_BYTES &&
           memcmp(row->origin.data, branch->persona->origin, TERCET_ORIGIN_BYTES) == 0 &&
           row->digest.len == TERCET_DIGEST_BYTES &&
           memcmp(row->digest.data, branch->digest, TERCET_DIGEST_BYTES) == 0 &&
           row->number != NULL && row->number->incarnation == branch->number.incarnation &&
           row->number->number == branch->number.number && strcmp(row->action, branch->action) == 0;
}

/* One over 1 KiB is checks_conduct.c's. */
static bool is_result(const Tercet__V1__FenceRow *row, const struct answer *answer)
{
    const size_t kept =
        answer->result_size < sizeof answer->result ? answer->result_size : sizeof answer->result;
    return row->result.len == answer->result_size &&
           bytes_equal(tercet_bytes_of(row->result.data, kept),
                       tercet_bytes_of(answer->result, kept));
}

/* Of all stores that answer, the one that has it.  `result` NULL: not compared. */
static void expect_row(struct check *check, const struct branch *branch,
                       Tercet__V1__FenceState state, const struct answer *result)
{
    struct survey survey;
    const Tercet__V1__FenceRow *found = NULL;
    if (!check_is_well(check)) {
        return;
    }
    survey_inspect(&survey, check->run->channels[0], branch);
    if (is_answered(check, &survey, "Inspect")) {
        const Tercet__V1__InspectReply *reply = survey.inspect;
        for (size_t i = 0; i < reply->n_rows; i++) {
            if (reply->rows[i]->state != TERCET__V1__FENCE_STATE__FENCE_STATE_NONE ||
                found == NULL) {
                found = reply->rows[i];
            }
        }
        if (found == NULL || found->state != state) {
            check_fail(check, "Inspect: wanted the row as %s, came %s", state_name((int)state),
                       found == NULL ? "no row at all" : state_name((int)found->state));
        } else if (state != TERCET__V1__FENCE_STATE__FENCE_STATE_NONE &&
                   !is_row_of(found, branch)) {
            check_fail(check,
                       "Inspect: gid, branch, origin, number, digest or action of the row are "
                       "not what was asked for");
        } else if (result != NULL && !is_result(found, result)) {
            check_fail(check, "Inspect: the row's result is not the try's");
        }
    }
    survey_close(&survey);
}

static void inspect_branch(struct check *check)
{
    const struct branch *branch = check_branch(check);
    const struct branch *cancelled = check_branch(check);
    struct answer tried;
    expect_row(check, branch, TERCET__V1__FENCE_STATE__FENCE_STATE_NONE, NULL);
    check_ask_for(check, branch, TERCET_PHASE_TRY, WANT_RAN, &tried);
    expect_row(check, branch, TERCET__V1__FENCE_STATE__FENCE_STATE_TRIED, &tried);
    check_ask(check, branch, TERCET_PHASE_CONFIRM, WANT_RAN);
    expect_row(check, branch, TERCET__V1__FENCE_STATE__FENCE_STATE_CONFIRMED, &tried);
    check_ask(check, cancelled, TERCET_PHASE_TRY, WANT_RAN);
    check_ask(check, cancelled, TERCET_PHASE_CANCEL, WANT_RAN);
    expect_row(check, cancelled, TERCET__V1__FENCE_STATE__FENCE_STATE_CANCELLED, NULL);
    const struct branch *suspended = check_branch(check);
    check_ask(check, suspended, TERCET_PHASE_CANCEL, WANT_EMPTY);
    expect_row(check, suspended, TERCET__V1__FENCE_STATE__FENCE_STATE_SUSPENDED, NULL);
    check_effects(check, 2, 1, 1);
}

/* One page, whose first row is to be the one with number `next`.  The number behind its last one. */
static int64_t take_page(struct check *check, const Tercet__V1__InspectReply *page, int64_t next)
{
    if (page->n_rows > PAGE_ROWS) {
        check_fail(check, "Inspect: a page of %d rows was asked for, %zu came", (int)PAGE_ROWS,
                   page->n_rows);
    }
    for (size_t i = 0; i < page->n_rows && check_is_well(check); i++) {
        const int64_t number = page->rows[i]->number == NULL ? 0 : page->rows[i]->number->number;
        if (number != next) {
            check_fail(check, "Inspect: in a range of rows number %lld was next, and %lld came",
                       (long long)next, (long long)number);
        }
        next++;
    }
    return next;
}

/* Numbers 1 to RANGE_ROWS have rows; asked for from 2 on. */
static void inspect_range(struct check *check)
{
    struct persona *persona = check_persona(check);
    const int64_t incarnation = persona->epoch.incarnation;
    char token[512] = "";
    int64_t next = 2;
    for (int i = 0; i < RANGE_ROWS; i++) {
        check_ask(check, check_branch_of(check, persona), TERCET_PHASE_CANCEL, WANT_EMPTY);
    }
    for (int page = 0; page < PAGES_MAX && check_is_well(check); page++) {
        const struct survey_range range = {.from = {incarnation, 2},
                                           .below = {incarnation, RANGE_ROWS + 1},
                                           .page_size = PAGE_ROWS,
                                           .page_token = token};
        struct survey survey;
        survey_inspect_range(&survey, check->run->channels[0], persona, &range);
        bool last = true;
        if (is_answered(check, &survey, "Inspect")) {
            const char *next_token = survey.inspect->next_page_token;
            next = take_page(check, survey.inspect, next);
            last = next_token[0] == '\0' || strlen(next_token) >= sizeof token;
            text_copy(token, sizeof token, next_token);
        }
        survey_close(&survey);
        if (last) {
            break;
        }
    }
    if (check_is_well(check) && next != RANGE_ROWS + 1) {
        check_fail(check, "Inspect: of rows 2 to %d those below %lld came", (int)RANGE_ROWS,
                   (long long)next);
    }
}

static const struct check_kind kinds[] = {
    {"describe", "Describe tells the participant's name and the action as it is.", describe_words},
    {"describe_store",
     "Describe tells of each store an id that stays, epoch, highest number and how many rows.",
     describe_store},
    {"inspect_branch", "Inspect shows a branch's row in each state, with its identity and result.",
     inspect_branch},
    {"inspect_range", "Inspect lists a range of numbers in pages, in order and complete.",
     inspect_range},
};

const struct check_group checks_survey = {"survey", kinds, sizeof kinds / sizeof kinds[0]};
