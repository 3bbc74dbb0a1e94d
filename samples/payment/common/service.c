/* service.c -- flags and serving, see service.h; tables and demo data are seed.c's. */
#include "common/service.h"

#include "common/seed.h"
#include "common/usage.h"

#include <stdio.h>
#include <stdlib.h>

enum { EXAMPLE_SIZE = 128, NO_SEED = -1 };

struct arguments {
    struct usage usage;
    const char *name;
    const char *listen;
    const struct books *books;
    const char *database; /* NULL: the default of these books */
    const char *rows;     /* NULL: print none */
    int64_t seed_set;     /* NO_SEED: serve */
};

/* ---- Flags ----------------------------------------------------------------------------------- */

static const struct argp_option option_table[] = {
    {.name = "listen",
     .key = 'l',
     .arg = "ADDRESS",
     .doc = "where to serve: host:port or unix:/path, loopback only"},
    {.name = "store",
     .key = 't',
     .arg = "KIND",
     .doc = "which database: sqlite (default), leveldb, postgres, mariadb"},
    {.name = "database",
     .key = 'd',
     .arg = "PLACE",
     .doc =
         "of sqlite a file, made when missing (default NAME.db); of leveldb a directory, made when "
         "missing (NAME.leveldb); of postgres what libpq calls a "
         "connection string (dbname=NAME); of mariadb the database's name, which @FILE may follow, "
         "an option file whose [client] says where and who (NAME)"},
    {.name = "name", .key = 'n', .arg = "NAME", .doc = "as in the coordinator's configuration"},
    {.name = "seed",
     .key = 's',
     .arg = "SET",
     .flags = OPTION_ARG_OPTIONAL,
     .doc = "add demo data set number SET (default 0) where it is missing, and end"},
    {.name = "rows",
     .key = 'r',
     .arg = "SQL",
     .doc = "print what a query finds, and end; of leveldb, which has no program for that"},
    {.name = "help", .key = 'h', .doc = "show this and end"},
    {0}};

static error_t parse_option(int key, char *value, struct argp_state *state)
{
    struct arguments *arguments = state->input;

    switch (key) {
    case 'l':
        arguments->listen = value;
        return 0;
    case 't':
        arguments->books = books_find(value);
        if (arguments->books == NULL) {
            usage_wrong(&arguments->usage, "--store is \"%s\", must be one of %s", value,
                        books_known);
        }
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
    case 'r':
        arguments->rows = value;
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
    struct call_context context = {.table = &service->table, .books = arguments->books};
    const struct tercet_action action = {.name = service->action,
                                         .on_try = call_handle,
                                         .on_confirm = call_handle,
                                         .on_cancel = call_handle,
                                         .context = &context};
    const struct tercet_participant_options options = {.size = sizeof options,
                                                       .name = arguments->name,
                                                       .listen = arguments->listen,
                                                       .log = tercet_log_to_stderr};
    struct tercet_store *store = NULL;
    struct tercet_participant *participant = NULL;
    struct tercet_error error = {0};

    bool ok = context.books->open(arguments->database, &store, &error) == TERCET_OK &&
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

static int print(const struct arguments *arguments)
{
    const struct books *books = arguments->books;
    char error[BOOKS_ERROR_SIZE] = "";

    if (books->print == NULL) {
        usage_wrong(&arguments->usage, "--rows is for leveldb; %s has a program of its own",
                    books->store);
    }
    void *connection = books->begin(arguments->database, error);
    const bool done = connection != NULL && books->print(connection, arguments->rows, error);
    if (connection != NULL) {
        books->close(connection);
    }
    if (!done) {
        fprintf(stderr, "%s: %s: %s\n", arguments->name, arguments->database, error);
    }
    return done ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* Makes the tables, adds the demo data when it is asked for, and else serves. */
static int run(const struct service *service, const struct arguments *arguments)
{
    bool serving = arguments->seed_set == NO_SEED;
    const struct seed seed = {.books = arguments->books,
                              .database = arguments->database,
                              .schema_sql = service->schema_sql,
                              .seed_sql = serving ? NULL : service->seed_sql,
                              .set = serving ? 0 : arguments->seed_set};
    char error[BOOKS_ERROR_SIZE];

    if (!seed_run(&seed, error)) {
        fprintf(stderr, "%s: %s: %s\n", arguments->name, arguments->database, error);
        return EXIT_FAILURE;
    }
    return serving ? serve(service, arguments) : EXIT_SUCCESS;
}

int service_main(const struct service *service, int argc, char **argv)
{
    char example[EXAMPLE_SIZE];
    char default_database[EXAMPLE_SIZE];
    snprintf(example, sizeof example, "%s --listen %s --database %s.db", service->name,
             service->listen, service->name);

    struct arguments arguments = {.usage = {.program = service->name, .example = example},
                                  .name = service->name,
                                  .listen = service->listen,
                                  .books = &books_sqlite,
                                  .seed_set = NO_SEED};
    const struct argp argp = {
        .options = option_table, .parser = parse_option, .doc = service->about};
    if (argp_parse(&argp, argc, argv, ARGP_NO_ERRS | ARGP_NO_HELP, NULL, &arguments) != 0) {
        return EXIT_USAGE;
    }
    if (arguments.database == NULL) {
        snprintf(default_database, sizeof default_database, "%s%s%s", arguments.books->prefix,
                 service->name, arguments.books->suffix);
        arguments.database = default_database;
    }
    return arguments.rows != NULL ? print(&arguments) : run(service, &arguments);
}
