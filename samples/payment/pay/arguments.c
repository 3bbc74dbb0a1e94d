/* arguments.c -- the command line of `pay`, see arguments.h. */
#include "pay/arguments.h"

#include "common/usage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TIMEOUT_DEFAULT_MS = 30000, COUPON_BYTES_MAX = 32, NAME_OPTION = 256 };

enum {
    OPTION_COORDINATOR = NAME_OPTION,
    OPTION_BOOK,
    OPTION_TIMEOUT,
    OPTION_WAIT,
    OPTION_STATUS,
    OPTION_JSON
};

#define NUMBER_MAX INT64_C(1000000000000)
#define CODE_BYTES "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"

static const struct usage pay_usage = {
    .program = "pay", .example = "pay --user 7 --order 42 --amount 2500 --coupon C9"};
static const struct usage status_usage = {.program = "pay",
                                          .example = "pay --status --payment 20261120-0042"};

static const char about[] =
    "Pays an order: the order, the account, the points and the coupon change together, or none "
    "does."
    "\vRun it again with the same --payment and it joins the payment that is there: paid once, the "
    "same answer. A payment that was cancelled stays cancelled; paying the order after all takes a "
    "new --payment.\n\n"
    "Exit code: 0 paid, 1 not paid, 2 not known yet, 64 wrong use, 69 not started (the coordinator "
    "is not reachable, or refused), 74 the book cannot be written.";

static const struct argp_option option_table[] = {
    {.name = "user", .key = 'u', .arg = "ID", .doc = "who pays"},
    {.name = "order", .key = 'o', .arg = "ID", .doc = "what is paid"},
    {.name = "amount", .key = 'a', .arg = "FEN", .doc = "its price in fen"},
    {.name = "coupon", .key = 'c', .arg = "CODE", .doc = "a coupon to use with it; default none"},
    {.name = "payment",
     .key = 'p',
     .arg = "ID",
     .doc =
         "this attempt's name, 1 to 64 of letters, digits, _ and -; default: a new one, which is "
         "printed"},
    {.name = "status", .key = OPTION_STATUS, .doc = "ask what became of --payment; start nothing"},
    {.name = "wait",
     .key = OPTION_WAIT,
     .arg = "decision|end",
     .doc = "answer when it is decided (default), or when every service has finished"},
    {.name = "timeout",
     .key = OPTION_TIMEOUT,
     .arg = "MS",
     .doc = "undecided after this many milliseconds: cancelled; default 30000"},
    {.name = "json", .key = OPTION_JSON, .doc = "answer with one JSON object"},
    {.name = "coordinator",
     .key = OPTION_COORDINATOR,
     .arg = "ADDRESS",
     .doc = "default 127.0.0.1:7100"},
    {.name = "book",
     .key = OPTION_BOOK,
     .arg = "FILE",
     .doc = "where payments are noted before they are asked for; default payments.db"},
    {.name = "help", .key = 'h', .doc = "show this and end"},
    {0}};

static bool is_code(const char *text, size_t bytes_max)
{
    size_t length = strspn(text, CODE_BYTES);

    return length >= 1 && length <= bytes_max && text[length] == '\0';
}

static void take_coupon(struct arguments *arguments, const char *value)
{
    if (!is_code(value, COUPON_BYTES_MAX)) {
        usage_wrong(&pay_usage, "--coupon is \"%s\", must be 1 to %d letters, digits, _ and -",
                    value, COUPON_BYTES_MAX);
    }
    arguments->coupon = value;
}

static void take_payment(struct arguments *arguments, const char *value)
{
    if (!is_code(value, PAYMENT_ID_BYTES_MAX)) {
        usage_wrong(&status_usage, "--payment is \"%s\", must be 1 to %d letters, digits, _ and -",
                    value, PAYMENT_ID_BYTES_MAX);
    }
    snprintf(arguments->payment, sizeof arguments->payment, "%s", value);
}

static enum tercet_wait wait_of(const char *value)
{
    if (strcmp(value, "decision") == 0) {
        return TERCET_WAIT_DECISION;
    }
    if (strcmp(value, "end") == 0) {
        return TERCET_WAIT_END;
    }
    usage_wrong(&pay_usage, "--wait is \"%s\", must be decision or end", value);
}

static error_t parse_option(int key, char *value, struct argp_state *state)
{
    struct arguments *arguments = state->input;

    switch (key) {
    case 'u':
        arguments->user = usage_number(&pay_usage, "--user", value, 1, NUMBER_MAX);
        return 0;
    case 'o':
        arguments->order = usage_number(&pay_usage, "--order", value, 1, NUMBER_MAX);
        return 0;
    case 'a':
        arguments->amount_fen = usage_number(&pay_usage, "--amount", value, 1, NUMBER_MAX);
        return 0;
    case 'c':
        take_coupon(arguments, value);
        return 0;
    case 'p':
        take_payment(arguments, value);
        return 0;
    case OPTION_COORDINATOR:
        arguments->coordinator = value;
        return 0;
    case OPTION_BOOK:
        arguments->book = value;
        return 0;
    case OPTION_TIMEOUT:
        arguments->timeout_ms =
            (uint32_t)usage_number(&pay_usage, "--timeout", value, 1, TERCET_TRY_TIMEOUT_MS_MAX);
        return 0;
    case OPTION_WAIT:
        arguments->wait = wait_of(value);
        return 0;
    case OPTION_STATUS:
        arguments->status_only = true;
        return 0;
    case OPTION_JSON:
        arguments->json = true;
        return 0;
    case 'h':
        /* Not argp_state_help(): ARGP_NO_ERRS silences it. */
        argp_help(state->root_argp, stdout, ARGP_HELP_USAGE | ARGP_HELP_LONG | ARGP_HELP_DOC,
                  state->name);
        exit(EXIT_SUCCESS);
    case ARGP_KEY_ARG:
        usage_wrong(&pay_usage, "\"%s\" is not understood", value);
    case ARGP_KEY_ERROR:
        usage_wrong_option(&pay_usage, state);
    default: /* argp's own keys, of which there may be more */
        return ARGP_ERR_UNKNOWN;
    }
}

/* What is missing, seen over all options. */
static void check_together(const struct arguments *arguments)
{
    if (arguments->status_only) {
        if (arguments->payment[0] == '\0') {
            usage_wrong(&status_usage, "--status needs --payment");
        }
        if (arguments->user != 0 || arguments->order != 0 || arguments->amount_fen != 0 ||
            arguments->coupon != NULL) {
            usage_wrong(&status_usage, "--status starts nothing and takes --payment alone");
        }
        return;
    }
    if (arguments->user == 0) {
        usage_wrong(&pay_usage, "--user is missing");
    }
    if (arguments->order == 0) {
        usage_wrong(&pay_usage, "--order is missing");
    }
    if (arguments->amount_fen == 0) {
        usage_wrong(&pay_usage, "--amount is missing");
    }
}

void arguments_read(struct arguments *arguments_out, int argc, char **argv)
{
    static const struct argp argp = {.options = option_table, .parser = parse_option, .doc = about};
    struct arguments arguments = {.coordinator = "127.0.0.1:7100",
                                  .book = "payments.db",
                                  .timeout_ms = TIMEOUT_DEFAULT_MS,
                                  .wait = TERCET_WAIT_DEFAULT};

    if (argp_parse(&argp, argc, argv, ARGP_NO_ERRS | ARGP_NO_HELP, NULL, &arguments) != 0) {
        exit(EXIT_USAGE);
    }
    check_together(&arguments);
    if (arguments.payment[0] == '\0') {
        char made[TERCET_GID_MADE_SIZE];
        tercet_gid_make(made);
        snprintf(arguments.payment, sizeof arguments.payment, "%s", made);
    }
    snprintf(arguments.gid, sizeof arguments.gid, "pay-%s", arguments.payment);
    *arguments_out = arguments;
}
