/* arguments.c -- see arguments.h. */
#include "arguments.h"

#include <argp.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { CONNECTIONS_MAX = 8 };
enum { CONCURRENCY_MAX = 100000, SECONDS_MAX = 86400, RATE_MAX = 1000000, PAYLOAD_MAX = 65536 };
enum { BATCH_MAX = 1024, OPEN_MAX = 9000000 };

enum option_key {
    KEY_BRANCHES = 'b',
    KEY_CONCURRENCY = 'c',
    KEY_SECONDS = 's',
    KEY_WARMUP = 'w',
    KEY_JSON = 'j',
    KEY_PARTICIPANTS = 'p',
    KEY_RATE = 'r',
    KEY_COORDINATOR = 0x100,
    KEY_DIRECTORY,
    KEY_PAYLOAD,
    KEY_MODE,
    KEY_GIDS,
    KEY_WAIT,
    KEY_PARTICIPANT_PROGRAM,
    KEY_INITIATOR_STREAM,
    KEY_PARTICIPANT_STREAM,
    KEY_NO_FLOORS,
    KEY_DATABASE,
    KEY_BATCH,
    KEY_CONNECTIONS,
    KEY_OPEN
};

static const struct argp_option flags[] = {
    {"branches", KEY_BRANCHES, "N", 0, "branches, each at a participant of its own (4; 1 to 64)",
     0},
    {"concurrency", KEY_CONCURRENCY, "N", 0,
     "transactions under way at a time (64); with --rate at most so many", 0},
    {"rate", KEY_RATE, "N", 0,
     "open loop: begin so many a second, and count from when each was due (0: closed loop)", 0},
    {"seconds", KEY_SECONDS, "N", 0, "length of the measured window (10)", 0},
    {"warmup", KEY_WARMUP, "N", 0, "seconds before it (2)", 0},
    {"payload", KEY_PAYLOAD, "BYTES", 0, "of each branch (200)", 0},
    {"mode", KEY_MODE, "MODE", 0,
     "commit (default); cancel: the last branch refuses; mixed: every other one cancels", 0},
    {"gids", KEY_GIDS, "KIND", 0,
     "time (default): tercet_gid_make's, of which later ones sort later; random", 0},
    {"wait", KEY_WAIT, "FOR", 0, "decision (default) or end", 0},
    {"participants", KEY_PARTICIPANTS, "KIND", 0,
     "the participants' store: memory (default), leveldb, sqlite, postgres, mariadb; bare: no "
     "store and no SDK, only gRPC core that agrees",
     0},
    {"participant-program", KEY_PARTICIPANT_PROGRAM, "FILE", 0,
     "instead of --participants: each is FILE --name NAME --listen ADDRESS, which says \"ready\" "
     "when it serves, agrees to each Try and Confirm, serves nothing else, and ends with its input",
     0},
    {"database", KEY_DATABASE, "PLACE", 0,
     "where the server of postgres (libpq's words) or mariadb (an option file) is; it has "
     "databases p1, p2, ... with accounts (bench/stores.py makes them)",
     0},
    {"batch", KEY_BATCH, "N", 0,
     "branches in one local transaction of a participant; 1: one by one (0: the store's default)",
     0},
    {"connections", KEY_CONNECTIONS, "N", 0, "from the coordinator to each participant (1; to 8)",
     0},
    {"open", KEY_OPEN, "N", 0,
     "begin so many transactions first, which stay open beside those that are measured (0)", 0},
    {"initiator-stream", KEY_INITIATOR_STREAM, "on|off", 0,
     "ExecuteStream (on, the default), or a unary call for each transaction", 0},
    {"participant-stream", KEY_PARTICIPANT_STREAM, "on|off", 0,
     "Work (on, the default) where it is served, or a unary call for each branch and phase", 0},
    {"no-floors", KEY_NO_FLOORS, NULL, 0, "leave out what the parts alone can do", 0},
    {"json", KEY_JSON, NULL, 0, "for programs", 0},
    {"coordinator", KEY_COORDINATOR, "FILE", 0, "tercetd (default: of the same build tree)", 0},
    {"directory", KEY_DIRECTORY, "DIR", 0,
     "where the temporary directory of journal and databases is made (/var/tmp)", 0},
    {NULL, 0, NULL, 0, NULL, 0}};

static uint32_t number(const char *text, uint32_t min, uint32_t max, struct argp_state *state)
{
    char *end = NULL;
    errno = 0;
    const unsigned long value = strtoul(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || text[0] == '-' || value < min || value > max) {
        argp_error(state, "\"%s\": want a number from %u to %u", text, (unsigned)min,
                   (unsigned)max);
    }
    return (uint32_t)value;
}

/* The place of `text` among the words, NULL at their end. */
static int word(const char *text, const char *const *words, const char *what,
                struct argp_state *state)
{
    for (int i = 0; words[i] != NULL; i++) {
        if (strcmp(text, words[i]) == 0) {
            return i;
        }
    }
    argp_error(state, "\"%s\": %s", text, what);
    return 0;
}

static error_t take_load(int key, const char *value, struct load_options *load,
                         struct argp_state *state)
{
    static const char *const modes[] = {"commit", "cancel", "mixed", NULL};
    static const char *const gids[] = {"time", "random", NULL};
    static const char *const waits[] = {"decision", "end", NULL};
    switch (key) {
    case KEY_BRANCHES:
        load->branches = number(value, 1, CLUSTER_PARTICIPANT_COUNT_MAX, state);
        return 0;
    case KEY_CONCURRENCY:
        load->concurrency = number(value, 1, CONCURRENCY_MAX, state);
        return 0;
    case KEY_RATE:
        load->rate = number(value, 0, RATE_MAX, state);
        return 0;
    case KEY_SECONDS:
        load->seconds = number(value, 1, SECONDS_MAX, state);
        return 0;
    case KEY_WARMUP:
        load->warmup_s = number(value, 0, SECONDS_MAX, state);
        return 0;
    case KEY_PAYLOAD:
        load->payload_bytes = number(value, 0, PAYLOAD_MAX, state);
        return 0;
    case KEY_MODE:
        load->mode = (enum load_mode)word(value, modes, "a mode is commit, cancel or mixed", state);
        return 0;
    case KEY_GIDS:
        load->gids = (enum load_gids)word(value, gids, "gids are time or random", state);
        return 0;
    case KEY_WAIT:
        load->wait_end = word(value, waits, "wait for decision or end", state) == 1;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static void choose_store(struct arguments *arguments, struct argp_state *state)
{
    if (arguments->participant_program != NULL && arguments->store != NULL) {
        argp_error(state, "--participants %s and --participant-program: want one of the two",
                   arguments->store->name);
    }
    if (arguments->store == NULL) {
        arguments->store =
            arguments->participant_program != NULL ? &store_program : store_find("memory");
    }
}

static void check_database(const struct arguments *arguments, struct argp_state *state)
{
    const char *server = arguments->store->server;
    if (server != NULL && arguments->database == NULL) {
        argp_error(state, "--participants %s needs --database: %s", arguments->store->name, server);
    }
    if (server == NULL && arguments->database != NULL) {
        argp_error(state, "participants (%s) have no server for --database",
                   arguments->store->name);
    }
}

static void check_mode(const struct arguments *arguments, struct argp_state *state)
{
    if (arguments->store->open == NULL && arguments->load.mode != LOAD_COMMIT) {
        argp_error(state, "participants (%s) refuse nothing: only --mode commit",
                   arguments->store->name);
    }
}

static void check_batch(const struct arguments *arguments, struct argp_state *state)
{
    if (arguments->store->open == NULL && arguments->batch_max != 0) {
        argp_error(state, "participants (%s) have no store for --batch", arguments->store->name);
    }
}

static void check_open(const struct arguments *arguments, struct argp_state *state)
{
    const uint64_t branches = (uint64_t)arguments->open * arguments->load.branches;
    if (branches > CLUSTER_OPEN_BRANCHES_MAX) {
        argp_error(state,
                   "--open %u: with %u branches each these are %llu branches of one participant, "
                   "and tercetd takes at most %u",
                   (unsigned)arguments->open, (unsigned)arguments->load.branches,
                   (unsigned long long)branches, (unsigned)CLUSTER_OPEN_BRANCHES_MAX);
    }
}

static error_t take(int key, char *value, struct argp_state *state)
{
    static const char *const switches[] = {"on", "off", NULL};
    struct arguments *arguments = state->input;
    switch (key) {
    case KEY_PARTICIPANTS:
        arguments->store = store_find(value);
        if (arguments->store == NULL) {
            argp_error(state, "\"%s\": participants can be: %s", value, store_names());
        }
        return 0;
    case KEY_PARTICIPANT_PROGRAM:
        arguments->participant_program = value;
        return 0;
    case KEY_DATABASE:
        arguments->database = value;
        return 0;
    case KEY_BATCH:
        arguments->batch_max = number(value, 0, BATCH_MAX, state);
        return 0;
    case ARGP_KEY_END:
        choose_store(arguments, state);
        check_database(arguments, state);
        check_open(arguments, state);
        check_mode(arguments, state);
        check_batch(arguments, state);
        return 0;
    case KEY_CONNECTIONS:
        arguments->connections = number(value, 1, CONNECTIONS_MAX, state);
        return 0;
    case KEY_OPEN:
        arguments->open = number(value, 0, OPEN_MAX, state);
        return 0;
    case KEY_INITIATOR_STREAM:
        arguments->unary_only = word(value, switches, "want on or off", state) == 1;
        return 0;
    case KEY_PARTICIPANT_STREAM:
        arguments->participant_stream = word(value, switches, "want on or off", state) == 0;
        return 0;
    case KEY_NO_FLOORS:
        arguments->floors = false;
        return 0;
    case KEY_JSON:
        arguments->json = true;
        return 0;
    case KEY_COORDINATOR:
        arguments->coordinator = value;
        return 0;
    case KEY_DIRECTORY:
        arguments->directory = value;
        return 0;
    default: /* the load's, or argp's own keys */
        return take_load(key, value, &arguments->load, state);
    }
}

bool arguments_are_unary(const struct arguments *arguments)
{
    return !arguments->participant_stream || arguments->store->open == NULL;
}

void arguments_parse(int count, char **words, struct arguments *arguments_out)
{
    static const struct argp parser = {
        .options = flags,
        .parser = take,
        .doc = "Measures transactions through a real coordinator and real participants."};

    *arguments_out = (struct arguments){.load = {.branches = 4,
                                                 .concurrency = 64,
                                                 .warmup_s = 2,
                                                 .seconds = 10,
                                                 .payload_bytes = 200},
                                        .directory = "/var/tmp",
                                        .connections = 1,
                                        .participant_stream = true,
                                        .floors = true};
    argp_err_exit_status = 64;
    if (argp_parse(&parser, count, words, 0, NULL, arguments_out) != 0) {
        exit(64);
    }
}
