/* suite.c -- see suite.h. */
#include "suite.h"

#include <string.h>

#include "base/assert.h"
#include "base/error.h"

static const struct check_group *const groups[] = {
    &checks_plain,        &checks_duplicate, &checks_order,  &checks_identity,
    &checks_request,      &checks_epoch,     &checks_mark,   &checks_survey,
    &checks_confirm_only, &checks_stream,    &checks_killed, &checks_conduct};
enum { GROUP_COUNT = sizeof groups / sizeof groups[0] };

/* ---- Names ------------------------------------------------------------------------------------- */

/* The length of the name at `at`; `next_out` is what stands behind its comma. */
static size_t name_at(const char *at, const char **next_out)
{
    const size_t size = strcspn(at, ",");
    *next_out = at + size + (at[size] == ',' ? 1 : 0);
    return size;
}

static bool is_chosen(const char *only, const char *name)
{
    const char *at = only;
    while (at != NULL && *at != '\0') {
        const char *next = at;
        const size_t size = name_at(at, &next);
        if (size == strlen(name) && strncmp(at, name, size) == 0) {
            return true;
        }
        at = next;
    }
    return only == NULL;
}

static bool is_check(const char *name, size_t size)
{
    for (size_t g = 0; g < GROUP_COUNT; g++) {
        for (size_t i = 0; i < groups[g]->count; i++) {
            const char *known = groups[g]->kinds[i].name;
            if (strlen(known) == size && strncmp(known, name, size) == 0) {
                return true;
            }
        }
    }
    return false;
}

void suite_stranger(const char *only, char name_out[64])
{
    const char *at = only;
    name_out[0] = '\0';
    while (at != NULL && *at != '\0' && name_out[0] == '\0') {
        const char *next = at;
        const size_t size = name_at(at, &next);
        if (!is_check(at, size)) {
            text_format(name_out, 64, "%.*s", (int)(size < 63 ? size : 63), at);
        }
        at = next;
    }
}

void suite_list(void (*look)(const char *group, const struct check_kind *kind))
{
    for (size_t g = 0; g < GROUP_COUNT; g++) {
        for (size_t i = 0; i < groups[g]->count; i++) {
            look(groups[g]->name, &groups[g]->kinds[i]);
        }
    }
}

/* ---- A run ------------------------------------------------------------------------------------- */

static void count(struct suite *suite, enum check_result result)
{
    switch (result) {
    case CHECK_PASSED:
        suite->passed++;
        return;
    case CHECK_FAILED:
        suite->failed++;
        return;
    case CHECK_SKIPPED:
        suite->skipped++;
        return;
    }
    tercet_unreachable();
}

static void run_one(struct suite *suite, struct run *run, const struct check_group *group,
                    const struct check_kind *kind)
{
    struct check check;
    struct outcome *outcome = &suite->outcomes[suite->count];
    tercet_assert(suite->count < CHECK_COUNT_MAX);
    check_run(&check, run, kind);
    *outcome = (struct outcome){
        .group = group->name, .kind = kind, .result = check.result, .took_ms = check.took_ms};
    memcpy(outcome->came, check.came, sizeof outcome->came);
    suite->count++;
    count(suite, check.result);
}

/* Without one plain try and confirm nothing else says anything. */
static bool is_hopeless(const struct suite *suite)
{
    return suite->count == 1 && suite->failed == 1 &&
           suite->outcomes[0].kind == &checks_plain.kinds[0];
}

void suite_run(struct suite *suite, struct run *run, suite_ended_fn ended)
{
    *suite = (struct suite){.count = 0};
    for (size_t g = 0; g < GROUP_COUNT; g++) {
        for (size_t i = 0; i < groups[g]->count; i++) {
            if (!is_chosen(run->arguments->only, groups[g]->kinds[i].name)) {
                continue;
            }
            run_one(suite, run, groups[g], &groups[g]->kinds[i]);
            if (ended != NULL) {
                ended(&suite->outcomes[suite->count - 1]);
            }
            if (is_hopeless(suite) || run->gone) {
                return;
            }
        }
    }
}

/* ---- What it comes to -------------------------------------------------------------------------- */

/* Its first check is the one that finds out. */
static bool has(const struct suite *suite, const struct check_group *group)
{
    for (size_t i = 0; i < suite->count; i++) {
        if (suite->outcomes[i].kind == &group->kinds[0] &&
            suite->outcomes[i].result == CHECK_PASSED) {
            return true;
        }
    }
    return false;
}

static void append(char *text, size_t size, const char *separator, const char *word)
{
    const size_t used = strlen(text);
    text_format(text + used, size - used, "%s%s", separator, word);
}

void suite_summary(const struct suite *suite, const struct run *run, char *text_out, size_t size)
{
    static const struct check_group *const optional[] = {
        &checks_stream, &checks_mark, &checks_survey, &checks_confirm_only, &checks_killed};
    const size_t made = suite->passed + suite->failed;
    if (is_hopeless(suite)) {
        text_format(text_out, size,
                    "does not conform: %s failed, and without it no other check was made",
                    suite->outcomes[0].kind->name);
        return;
    }
    text_format(text_out, size,
                suite->failed == 0 ? "conforms: %zu of %zu checks"
                                   : "does not conform: %zu of %zu checks",
                suite->passed, made);
    for (size_t i = 0; i < sizeof optional / sizeof optional[0]; i++) {
        if (has(suite, optional[i])) {
            append(text_out, size, ", ", optional[i]->name);
        }
    }
    append(text_out, size, ", ", run->effects.moved ? "effects counted" : "effects not counted");
    const char *separator = "; failed: ";
    for (size_t i = 0; i < suite->count; i++) {
        if (suite->outcomes[i].result == CHECK_FAILED) {
            append(text_out, size, separator, suite->outcomes[i].kind->name);
            separator = ", ";
        }
    }
    if (run->gone) {
        append(text_out, size, "; ", "behind that it could not be reached any more");
    }
}
