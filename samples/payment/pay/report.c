/* report.c -- the answer of `pay`, see report.h.
 *
 * Only CONFIRMED is a payment; only CANCELLED and NOT_STARTED are a clear no.  All else is "not known
 * yet", whatever the status says. */
#include "pay/report.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- For people ------------------------------------------------------------------------------ */

/* What the services have answered to their tries, such as {"balance": 17500}. */
static void print_results(const struct tercet_result *result)
{
    for (uint32_t number = 1; number <= result->branch_count; number++) {
        const struct tercet_branch_result *branch = tercet_result_branch(result, number);
        if (branch != NULL && branch->result.size != 0) {
            printf("  %s answered %.*s\n", branch->participant, (int)branch->result.size,
                   (const char *)branch->result.data);
        }
    }
}

static void print_cancelled(const struct arguments *arguments, const struct tercet_result *result)
{
    const struct tercet_branch_result *branch =
        result->refused_branch == 0 ? NULL : tercet_result_branch(result, result->refused_branch);

    printf("%s: not paid", arguments->payment);
    if (branch != NULL) {
        printf(", %s says %s", branch->participant, result->reason.code);
    }
    printf(": %s\n",
           result->reason.text[0] != '\0' ? result->reason.text : tercet_cause_name(result->cause));
    printf("  Nothing is kept.  To pay after all, use a new --payment.\n");
}

static bool is_unreached(const struct tercet_result *result)
{
    return strcmp(result->status_code, "TERCET_NO_COORDINATOR") == 0;
}

static void print_unreached(const struct arguments *arguments)
{
    fprintf(stderr, "pay: no coordinator answers at %s; nothing was %s\n", arguments->coordinator,
            arguments->status_only ? "asked" : "started");
    fprintf(stderr,
            "  Start one there (tercetd --config tercetd.yaml; samples/payment/README.md shows the "
            "whole set)\n  or name where it is: pay --coordinator HOST:PORT ...\n");
}

static void print_text(const struct arguments *arguments, const struct tercet_result *result)
{
    if (is_unreached(result)) {
        print_unreached(arguments);
        return;
    }
    switch (result->outcome) {
    case TERCET_OUTCOME_CONFIRMED:
        printf("%s: paid\n", arguments->payment);
        print_results(result);
        if (arguments->wait == TERCET_WAIT_END && !result->ended) {
            printf("  Not every service has finished yet; each will.\n");
        }
        break;
    case TERCET_OUTCOME_CANCELLED:
        print_cancelled(arguments, result);
        break;
    case TERCET_OUTCOME_NOT_STARTED:
        fprintf(stderr, "pay: nothing was started: %s (%s; coordinator %s)\n", result->status_text,
                tercet_status_name(result->status), arguments->coordinator);
        break;
    case TERCET_OUTCOME_UNKNOWN:
        printf("%s: not known yet: %s (%s)\n", arguments->payment,
               result->status == TERCET_OK ? "not decided" : result->status_text,
               tercet_status_name(result->status));
        printf("  Ask again: pay --status --payment %s\n", arguments->payment);
        break;
    }
    if (result->attention[0] != '\0') {
        printf("  An operator should look: %s\n", result->attention);
    }
}

/* ---- For programs ---------------------------------------------------------------------------- */

static json_t *reason_json(const struct tercet_reason *reason)
{
    return json_pack("{s:s, s:s}", "code", reason->code, "text", reason->text);
}

/* The service's own JSON, or null when it answered nothing or something else. */
static json_t *result_json(struct tercet_bytes result)
{
    json_t *value = json_loadb(result.data, result.size, 0, NULL);

    return value == NULL ? json_null() : value;
}

static json_t *branch_json(const struct tercet_branch_result *branch)
{
    return json_pack("{s:i, s:s, s:s, s:s, s:o, s:o, s:s}", "number", (int)branch->number,
                     "participant", branch->participant, "action", branch->action, "state",
                     tercet_branch_state_name(branch->state), "result", result_json(branch->result),
                     "reason", reason_json(&branch->reason), "conflict",
                     tercet_conflict_name(branch->conflict));
}

static void print_json(const struct arguments *arguments, const struct tercet_result *result)
{
    json_t *branches = json_array();

    for (uint32_t number = 1; number <= result->branch_count; number++) {
        const struct tercet_branch_result *branch = tercet_result_branch(result, number);
        if (branch != NULL) {
            json_array_append_new(branches, branch_json(branch));
        }
    }
    json_t *answer = json_pack(
        "{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:i, s:o, s:b, s:s, s:I, s:I, s:I, s:o}", "payment",
        arguments->payment, "gid", result->gid, "outcome", tercet_outcome_name(result->outcome),
        "status", tercet_status_name(result->status), "status_code", result->status_code,
        "status_text", result->status_text, "cause", tercet_cause_name(result->cause),
        "refused_branch", (int)result->refused_branch, "reason", reason_json(&result->reason),
        "ended", (int)result->ended, "attention", result->attention, "begun_unix_ms",
        (json_int_t)result->begun_unix_ms, "decided_unix_ms", (json_int_t)result->decided_unix_ms,
        "ended_unix_ms", (json_int_t)result->ended_unix_ms, "branches", branches);
    char *text = answer == NULL ? NULL : json_dumps(answer, JSON_INDENT(2));
    /* NULL only when memory is gone or a text is not UTF-8; the exit code still tells. */
    puts(text == NULL ? "{}" : text);
    free(text);
    json_decref(answer);
}

/* ---- Either ---------------------------------------------------------------------------------- */

int report(const struct arguments *arguments, enum tercet_outcome outcome,
           const struct tercet_result *result)
{
    if (arguments->json) {
        print_json(arguments, result);
    } else {
        print_text(arguments, result);
    }
    switch (outcome) {
    case TERCET_OUTCOME_CONFIRMED:
        return EXIT_PAID;
    case TERCET_OUTCOME_CANCELLED:
        return EXIT_NOT_PAID;
    case TERCET_OUTCOME_NOT_STARTED:
        return EXIT_NOT_STARTED;
    case TERCET_OUTCOME_UNKNOWN:
        break;
    }
    /* A question that never reached the coordinator started nothing either. */
    return arguments->status_only && result->status == TERCET_UNAVAILABLE ? EXIT_NOT_STARTED
                                                                          : EXIT_NOT_KNOWN;
}
