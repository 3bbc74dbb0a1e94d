/* arguments.c -- see arguments.h. */
#include "arguments.h"

#include <argp.h>
#include <errno.h>
#include <stdlib.h>

#include "base/random.h"

enum option_key {
    KEY_ADDRESS = 'a',
    KEY_PARTICIPANT = 'p',
    KEY_ACTION = 'n',
    KEY_BALANCE = 'b',
    KEY_RESTART = 'r',
    KEY_JSON = 'j',
    KEY_LIST = 'l',
    KEY_PAYLOAD = 0x100,
    KEY_REFUSED_PAYLOAD,
    KEY_CONFIRM_ONLY,
    KEY_CONFIRM_ONLY_PAYLOAD,
    KEY_FIRST,
    KEY_SEED,
    KEY_ONLY
};

static const struct argp_option flags[] = {
    {"address", KEY_ADDRESS, "TARGET", 0,
     "where it listens: host:port on loopback, or unix:/path.  Required", 0},
    {"participant", KEY_PARTICIPANT, "NAME", 0, "its name.  Required", 0},
    {"action", KEY_ACTION, "NAME", 0, "one with try, confirm and cancel.  Required", 0},
    {"payload", KEY_PAYLOAD, "BYTES", 0,
     "what its try accepts, again and again: a text, file:NAME or hex:DIGITS; {n} in it is another "
     "number for each transaction (none)",
     0},
    {"refused-payload", KEY_REFUSED_PAYLOAD, "BYTES", 0, "what its try refuses", 0},
    {"balance", KEY_BALANCE, "COMMAND", 0,
     "prints what the action changes, best one number; run by sh", 0},
    {"restart", KEY_RESTART, "COMMAND", 0,
     "kills it (kill -9), starts it again and returns when it can be asked; run by sh", 0},
    {"confirm-only", KEY_CONFIRM_ONLY, "NAME", 0, "an action that is confirmed without a try", 0},
    {"confirm-only-payload", KEY_CONFIRM_ONLY_PAYLOAD, "BYTES", 0, "for that (as --payload)", 0},
    {"first", KEY_FIRST, "N", 0, "what {n} is in the first transaction (1)", 0},
    {"only", KEY_ONLY, "NAMES", 0, "these checks alone, with commas between", 0},
    {"seed", KEY_SEED, "N", 0, "of what is drawn at random (drawn)", 0},
    {"json", KEY_JSON, "FILE", 0, "for programs, besides the table", 0},
    {"list", KEY_LIST, NULL, 0, "print every check and what it expects", 0},
    {NULL, 0, NULL, 0, NULL, 0}};

static uint64_t number(const char *text, struct argp_state *state)
{
    char *end = NULL;
    errno = 0;
    const unsigned long long value = strtoull(text, &end, 0);
    if (errno != 0 || end == text || *end != '\0' || text[0] == '-') {
        argp_error(state, "\"%s\": want a number", text);
    }
    return value;
}

static void take_payload(const char *word, struct payload *payload, struct argp_state *state)
{
    struct tercet_error error = {.status = TERCET_OK};
    payload_deinit(payload);
    if (payload_read(payload, word, &error) != TERCET_OK) {
        argp_error(state, "%s", error.text);
    }
}

/* Those that have more than a word. */
static error_t take_value(int key, const char *value, struct arguments *arguments,
                          struct argp_state *state)
{
    switch (key) {
    case KEY_PAYLOAD:
        take_payload(value, &arguments->payload, state);
        return 0;
    case KEY_REFUSED_PAYLOAD:
        take_payload(value, &arguments->refused_payload, state);
        return 0;
    case KEY_CONFIRM_ONLY_PAYLOAD:
        take_payload(value, &arguments->confirm_only_payload, state);
        return 0;
    case KEY_FIRST:
        arguments->first = number(value, state);
        return 0;
    case KEY_SEED:
        arguments->seed = number(value, state);
        return 0;
    case KEY_LIST:
        arguments->list = true;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static error_t take(int key, char *value, struct argp_state *state)
{
    struct arguments *arguments = state->input;
    switch (key) {
    case KEY_ADDRESS:
        arguments->address = value;
        return 0;
    case KEY_PARTICIPANT:
        arguments->participant = value;
        return 0;
    case KEY_ACTION:
        arguments->action = value;
        return 0;
    case KEY_CONFIRM_ONLY:
        arguments->confirm_only = value;
        return 0;
    case KEY_BALANCE:
        arguments->balance = value;
        return 0;
    case KEY_RESTART:
        arguments->restart = value;
        return 0;
    case KEY_JSON:
        arguments->json = value;
        return 0;
    case KEY_ONLY:
        arguments->only = value;
        return 0;
    case ARGP_KEY_END:
        if (!arguments->list && (arguments->address == NULL || arguments->participant == NULL ||
                                 arguments->action == NULL)) {
            argp_error(state, "--address, --participant and --action are needed");
        }
        return 0;
    default: /* another of ours, or argp's own keys */
        return take_value(key, value, arguments, state);
    }
}

void arguments_parse(int count, char **words, struct arguments *arguments_out)
{
    static const struct argp parser = {
        .options = flags,
        .parser = take,
        .doc =
            "Plays the coordinator against a participant and says whether its fence is right."
            "\vRun it against a database that you can spare: every run uses up some 35 payloads. "
            "Exit code: 0 conforms, 1 does not, 64 wrong use, 69 cannot be reached."};

    *arguments_out = (struct arguments){.first = 1};
    random_entropy(&arguments_out->seed, sizeof arguments_out->seed);
    arguments_out->seed >>= 16; /* short enough to be typed */
    argp_err_exit_status = 64;
    if (argp_parse(&parser, count, words, 0, NULL, arguments_out) != 0) {
        exit(64);
    }
}

void arguments_deinit(struct arguments *arguments)
{
    payload_deinit(&arguments->payload);
    payload_deinit(&arguments->refused_payload);
    payload_deinit(&arguments->confirm_only_payload);
}
