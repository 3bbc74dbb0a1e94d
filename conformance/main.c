/* main.c -- tercet-conformance: plays the coordinator against one participant, in any language, and says
 * whether its fence is right.
 *
 *   tercet-conformance --address TARGET --participant NAME --action NAME [OPTIONS]       README.md
 *
 * Exit code: 0 conforms; 1 does not; 64 wrong use; 69 cannot be reached. */
#include <stdio.h>

#include "report.h"

enum { EXIT_CONFORMS = 0, EXIT_DOES_NOT = 1, EXIT_WRONG_USE = 64, EXIT_UNREACHABLE = 69 };

/* What can be known to be wrong before anything is asked. */
static bool is_usable(const struct arguments *arguments, struct tercet_error *error)
{
    char stranger[64];
    struct reading reading;
    suite_stranger(arguments->only, stranger);
    if (stranger[0] != '\0') {
        (void)fprintf(stderr, "tercet-conformance: there is no check \"%s\"; --list names them\n",
                      stranger);
        return false;
    }
    if (arguments->balance != NULL &&
        balance_read(arguments->balance, &reading, error) != TERCET_OK) {
        (void)fprintf(stderr, "tercet-conformance: %s\n", error->text);
        return false;
    }
    return true;
}

static int run_suite(const struct arguments *arguments)
{
    static struct suite suite;
    static struct run run;
    struct tercet_error error = {.status = TERCET_OK};
    if (!is_usable(arguments, &error)) {
        return EXIT_WRONG_USE;
    }
    const enum tercet_status opened = run_open(&run, arguments, &error);
    if (opened != TERCET_OK) {
        (void)fprintf(stderr, "tercet-conformance: %s\n", error.text);
        run_close(&run);
        return opened == TERCET_UNAVAILABLE ? EXIT_UNREACHABLE : EXIT_WRONG_USE;
    }
    report_head(&run);
    suite_run(&suite, &run, report_row);
    report_foot(&suite, &run);
    int code = suite.failed == 0 ? EXIT_CONFORMS : EXIT_DOES_NOT;
    if (arguments->json != NULL && !report_write_json(arguments->json, &suite, &run)) {
        code = EXIT_WRONG_USE;
    }
    run_close(&run);
    return code;
}

int main(int count, char **words)
{
    struct arguments arguments;
    int code = EXIT_CONFORMS;
    arguments_parse(count, words, &arguments);
    if (arguments.list) {
        report_list();
    } else {
        code = run_suite(&arguments);
    }
    arguments_deinit(&arguments);
    return code;
}
