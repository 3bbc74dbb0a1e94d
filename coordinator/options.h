/* options.h -- how the daemon is called, and how it ends. */
#ifndef COORDINATOR_OPTIONS_H
#define COORDINATOR_OPTIONS_H

#include <stdio.h>

#include "config.h"

/* Exit codes, from sysexits.h where that has one.  docs/operations.md explains them. */
enum {
    EXIT_CODE_STOPPED = 0,      /* as asked */
    EXIT_CODE_USAGE = 64,       /* wrong use of the command line */
    EXIT_CODE_DAMAGED = 65,     /* the journal is damaged; a restart does not help */
    EXIT_CODE_NO_INPUT = 66,    /* the configuration file cannot be read, or no journal is there */
    EXIT_CODE_UNAVAILABLE = 69, /* an address or the journal is in use or cannot be had */
    EXIT_CODE_INTERNAL = 70,    /* anything that no one has foreseen */
    EXIT_CODE_CANT_CREATE = 73, /* the directory to make is there already, or cannot be made */
    EXIT_CODE_NOT_WRITTEN = 74, /* what it had to tell; or the journal (runtime.h) */
    EXIT_CODE_CONFIG = 78       /* configuration refused; a restart does not help */
};

enum options_command {
    OPTIONS_RUN,
    OPTIONS_INIT,
    OPTIONS_VERIFY,
    OPTIONS_RESTORE,
    OPTIONS_RECOVER,
    OPTIONS_PRINT_CONFIG,
    OPTIONS_PRINT_TABLE,
    OPTIONS_VERSION,
    OPTIONS_HELP
};

/* Text is borrowed from the arguments. */
struct options {
    enum options_command command;
    const char *file;          /* --config; NULL: none */
    const char *directory;     /* INIT, VERIFY; RESTORE, RECOVER: from */
    const char *new_directory; /* RESTORE, RECOVER: to */
    bool json;                 /* VERIFY */
    bool accept_loss;          /* RECOVER */
    struct config_flag *flags;
    size_t flag_count;
};

#ifdef __cplusplus
extern "C" {
#endif

/* Understands the arguments.  INVALID_ARGUMENT with a sentence that says what is wrong and shows how
 * it is right.  HELP, and then VERSION, win over whatever stands beside them. */
TERCET_MUST_CHECK enum tercet_status options_parse(int count, const char *const *arguments,
                                                   struct options *options_out,
                                                   struct tercet_error *error_out);
void options_deinit(struct options *options);

/* Carries out the commands that only print: HELP, VERSION, PRINT_TABLE.  False: it is another. */
bool options_print(const struct options *options, FILE *to);

void options_print_help(FILE *to);

/* The exit code for a configuration that was not loaded, for tercetd init, for a
 * run, and for the tools (verify, restore, recover). */
int options_exit_code_of_config(enum tercet_status status);
int options_exit_code_of_init(enum tercet_status status);
int options_exit_code_of_run(enum tercet_status status);
int options_exit_code_of_tool(enum tercet_status status);

#ifdef __cplusplus
}
#endif

#endif
