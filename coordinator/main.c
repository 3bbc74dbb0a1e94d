/* main.c -- tercetd: from the command line to runtime_run(), and from its status to an exit code. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "config_print.h"
#include "journal/journal_leveldb.h"
#include "journal/tools/tools.h"
#include "options.h"
#include "runtime.h"

extern char **environ;

static void complain(const struct tercet_error *error)
{
    (void)fprintf(stderr, "tercetd: %s\n", error->text);
}

static int init(const struct options *options)
{
    struct tercet_error error;
    const enum tercet_status status =
        journal_leveldb_init(options->directory, clock_read().unix_ms, &error);
    if (status != TERCET_OK) {
        complain(&error);
    }
    return options_exit_code_of_init(status);
}

/* verify, restore, recover. */
static int use_tool(const struct options *options)
{
    struct tercet_error error;
    enum tercet_status status = TERCET_OK;
    if (options->command == OPTIONS_VERIFY) {
        status = tools_verify(options->directory, options->json, stdout, &error);
    } else if (options->command == OPTIONS_RESTORE) {
        status = tools_restore(options->directory, options->new_directory, stdout, &error);
    } else {
        status = tools_recover(options->directory, options->new_directory, options->accept_loss,
                               stdout, &error);
    }
    const bool told = options->command == OPTIONS_VERIFY && status == TERCET_DATA_LOSS;
    if (status != TERCET_OK && !told) {
        complain(&error);
    }
    return options_exit_code_of_tool(status);
}

/* Loads the configuration, and prints it or runs with it. */
static int configure(const struct options *options)
{
    const struct config_sources sources = {.file = options->file,
                                           .environment = (const char *const *)environ,
                                           .flags = options->flags,
                                           .flag_count = options->flag_count};
    struct config *config = NULL;
    struct tercet_error error;
    enum tercet_status status = config_load(&sources, &config, &error);
    if (status != TERCET_OK) {
        complain(&error);
        return options_exit_code_of_config(status);
    }
    if (options->command == OPTIONS_PRINT_CONFIG) {
        config_print(config, stdout);
    } else {
        logger_configure(config->log_level, STDERR_FILENO);
        status = runtime_run(config, &error);
    }
    config_destroy(config);
    if (status != TERCET_OK) {
        complain(&error);
    }
    return options_exit_code_of_run(status);
}

/* Into a file or a pipe all goes in one write at the end, if it fits: stdio keeps no errno of an earlier one. */
static void begin_telling(void)
{
    static char told[64 * 1024];
    if (isatty(STDOUT_FILENO) == 0) {
        (void)setvbuf(stdout, told, _IOFBF, sizeof told);
    }
}

/* What was to be told must not be missing behind an exit code of success: a list of what is lost may have
 * stood there.  A code that tells of something worse stays. */
static int finish_telling(int code)
{
    const bool flushed = fflush(stdout) == 0;
    const int why = errno;
    if (flushed && ferror(stdout) == 0) {
        return code;
    }
    (void)fprintf(stderr, "tercetd: not all was written to standard output: %s\n",
                  flushed ? "an earlier write failed" : strerror(why));
    return code == EXIT_CODE_STOPPED ? EXIT_CODE_NOT_WRITTEN : code;
}

int main(int count, char **arguments)
{
    struct options options;
    struct tercet_error error;
    if (options_parse(count, (const char *const *)arguments, &options, &error) != TERCET_OK) {
        complain(&error);
        return EXIT_CODE_USAGE;
    }
    int code = EXIT_CODE_STOPPED;
    begin_telling();
    if (options.command == OPTIONS_INIT) {
        code = init(&options);
    } else if (options.command == OPTIONS_VERIFY || options.command == OPTIONS_RESTORE ||
               options.command == OPTIONS_RECOVER) {
        code = use_tool(&options);
    } else if (!options_print(&options, stdout)) {
        code = configure(&options);
    }
    options_deinit(&options);
    return finish_telling(code);
}
