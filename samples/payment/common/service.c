/* service.c -- flags and serving, see service.h; the demo data is seed.c's. */
#include "common/service.h"

#include "common/seed.h"
#include "common/usage.h"

#include <stdio.h>
#include <stdlib.h>
#include <tercet/store_sqlite.h>

enum { EXAMPLE_SIZE = 128, NO_SEED = -1 };

struct arguments {
    struct usage usage;
    const char *name;
    const char *listen;
    const char *database;
    int64_t seed_set; /* NO_SEED: serve */
};

/* ---- Flags ----------------------------------------------------------------------------------- */

static const struct argp_option option_table[] = {
    {.name = "listen",
     .key = 'l',
     .arg = "ADDRESS",
     .doc = "where to serve: host:port or unix:/path, loopback only"},
    {.name = "database",
     .key = 'd',
     .arg = "FILE",
     .doc = "the SQLite file, made when missing; default NAME.db"},
    {.name = "name", .key = 'n', .arg = "NAME", .doc = "as in the coordinator's configuration"},
    {.name = "seed",
     .key = 's',
     .arg = "SET",
     .flags = OPTION_ARG_OPTIONAL,
     .doc = "add demo data set number SET (default 0) where it is missing, and end"},
    {.name = "help", .key = 'h', .doc = "show this and end"},
    {0}};

static error_t parse_option(int key, char *value, struct argp_state *state)
{
    struct arguments *arguments = state->input;

    switch (key) {
    case 'l':
        arguments->listen = value;
        return 0;
    case 'd':
        arguments->database = value;
        return 0;
    case 'n':
        arguments->name = value;
        return 0;
    case 's':
        arguments->seed_set =
            value == NULL ? 0 : usage_number(&arguments->usage, "--seed", value, 0, SEED_SET_MAX);
        return 0;
    case 'h':
        /* Not argp_state_help(): ARGP_NO_ERRS silences it. */
        argp_help(state->root_argp, stdout, ARGP_HELP_USAGE | ARGP_HELP_LONG | ARGP_HELP_DOC,
                  state->name);
        exit(EXIT_SUCCESS);
    case ARGP_KEY_ARG:
        usage_wrong(&arguments->usage, "\"%s\" is not understood", value);
    case ARGP_KEY_ERROR:
        usage_wrong_option(&arguments->usage, state);
    default: /* argp's own keys, of which there may be more */
        return ARGP_ERR_UNKNOWN;
    }
}

/* ---- Serving --------------------------------------------------------------------------------- */

static int serve(const struct service *service, const struct arguments *arguments)
{
    struct call_table table = service->table;
    const struct tercet_action action = {.name = service->action,
                                         .on_try = call_handle,
                                         .on_confirm = call_handle,
                                         .on_cancel = call_handle,
                                         .context = &table};
    const struct tercet_sqlite_options database = {
        .size = sizeof database, .path = arguments->database, .setup_sql = service->schema_sql};
    const struct tercet_participant_options options = {.size = sizeof options,
                                                       .name = arguments->name,
                                                       .listen = arguments->listen,
                                                       .log = tercet_log_to_stderr};
    struct tercet_store *store = NULL;
    struct tercet_participant *participant = NULL;
    struct tercet_error error = {0};

    bool ok = tercet_sqlite_open(&database, &store, &error) == TERCET_OK &&
              tercet_participant_create(&options, &participant, &error) == TERCET_OK &&
              tercet_participant_register(participant, store, &action, 1, &error) == TERCET_OK &&
              tercet_participant_serve(participant, &error) == TERCET_OK;
    if (!ok) {
        fprintf(stderr, "%s: %s\n", arguments->name, error.text);
    }
    tercet_participant_destroy(participant);
    tercet_store_close(store);
    return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}

int service_main(const struct service *service, int argc, char **argv)
{
    char example[EXAMPLE_SIZE];
    char default_database[EXAMPLE_SIZE];
    snprintf(example, sizeof example, "%s --listen %s --database %s.db", service->name,
             service->listen, service->name);
    snprintf(default_database, sizeof default_database, "%s.db", service->name);

    struct arguments arguments = {.usage = {.program = service->name, .example = example},
                                  .name = service->name,
                                  .listen = service->listen,
                                  .database = default_database,
                                  .seed_set = NO_SEED};
    const struct argp argp = {
        .options = option_table, .parser = parse_option, .doc = service->about};
    if (argp_parse(&argp, argc, argv, ARGP_NO_ERRS | ARGP_NO_HELP, NULL, &arguments) != 0) {
        return EXIT_USAGE;
    }
    if (arguments.seed_set == NO_SEED) {
        return serve(service, &arguments);
    }

    const struct seed seed = {.database = arguments.database,
                              .schema_sql = service->schema_sql,
                              .seed_sql = service->seed_sql,
                              .set = arguments.seed_set};
    char sentence[SEED_SENTENCE_SIZE];
    if (!seed_run(&seed, sentence)) {
        fprintf(stderr, "%s: %s: %s\n", arguments.name, arguments.database, sentence);
        return EXIT_FAILURE;
    }
    return EXIT_SUCCESS;
}
