/* report.c -- see report.h. */
#include "report.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"

enum { SUMMARY_SIZE = 2048 };

static const char *result_name(enum check_result result)
{
    static const char *const names[] = {
        [CHECK_PASSED] = "passed", [CHECK_FAILED] = "FAILED", [CHECK_SKIPPED] = "skipped"};
    return names[result];
}

/* ---- Table ------------------------------------------------------------------------------------- */

static void list_one(const char *group, const struct check_kind *kind)
{
    (void)printf("%-13s %-25s %s\n", group, kind->name, kind->expects);
}

void report_list(void)
{
    suite_list(list_one);
}

void report_head(const struct run *run)
{
    const struct arguments *arguments = run->arguments;
    (void)printf("tercet-conformance %s  participant %s at %s, action %s, seed %" PRIu64 "%s%s\n\n",
                 tercet_version(), arguments->participant, arguments->address, arguments->action,
                 arguments->seed, run->software[0] == '\0' ? "" : ", ", run->software);
}

void report_row(const struct outcome *outcome)
{
    (void)printf("%-13s %-25s %-8s %6" PRId64 " ms  %s\n", outcome->group, outcome->kind->name,
                 result_name(outcome->result), outcome->took_ms, outcome->came);
    if (outcome->result == CHECK_FAILED) {
        (void)printf("%-39s expected: %s\n", "", outcome->kind->expects);
    }
    (void)fflush(stdout);
}

void report_foot(const struct suite *suite, const struct run *run)
{
    char summary[SUMMARY_SIZE];
    suite_summary(suite, run, summary, sizeof summary);
    (void)printf("\n%s\n", summary);
}

/* ---- JSON -------------------------------------------------------------------------------------- */

static json_t *checks_json(const struct suite *suite)
{
    json_t *checks = json_array();
    for (size_t i = 0; i < suite->count; i++) {
        const struct outcome *outcome = &suite->outcomes[i];
        const char *result =
            outcome->result == CHECK_FAILED ? "failed" : result_name(outcome->result);
        (void)json_array_append_new(checks,
                                    json_pack("{s:s, s:s, s:s, s:s, s:s, s:I}", "group",
                                              outcome->group, "name", outcome->kind->name, "result",
                                              result, "expected", outcome->kind->expects, "came",
                                              outcome->came, "ms", (json_int_t)outcome->took_ms));
    }
    return checks;
}

bool report_write_json(const char *path, const struct suite *suite, const struct run *run)
{
    const struct arguments *arguments = run->arguments;
    char summary[SUMMARY_SIZE];
    suite_summary(suite, run, summary, sizeof summary);
    json_t *told = json_pack(
        "{s:s, s:s, s:s, s:s, s:s, s:I, s:b, s:s, s:I, s:I, s:I, s:b, s:o}", "version",
        tercet_version(), "participant", arguments->participant, "address", arguments->address,
        "action", arguments->action, "software", run->software, "seed", (json_int_t)arguments->seed,
        "conforms", suite->failed == 0, "summary", summary, "passed", (json_int_t)suite->passed,
        "failed", (json_int_t)suite->failed, "skipped", (json_int_t)suite->skipped,
        "effects_counted", (int)run->effects.moved, "checks", checks_json(suite));
    const bool written = told != NULL && json_dump_file(told, path, JSON_INDENT(2)) == 0;
    if (!written) {
        (void)fprintf(stderr, "tercet-conformance: %s cannot be written: %s\n", path,
                      strerror(errno));
    }
    json_decref(told);
    return written;
}
