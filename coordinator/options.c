/* options.c -- see options.h.  Flags are written out in full: an abbreviation would change its meaning
 * when a setting is added. */
#include "options.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/error.h"
#include "base/memory.h"
#include "config_keys.h"
#include "config_print.h"
#include "config_value.h"

static const char example[] = "example: tercetd --config /etc/tercet/tercetd.yaml";

struct parse {
    const char *const *arguments;
    int count;
    int at;
    int word_count;      /* that are no flags */
    const char *command; /* the word that chose it; NULL: none did yet */
    struct options options;
};

static enum tercet_status wrong(struct tercet_error *error_out, const char *what, const char *word)
{
    return error_set(error_out, TERCET_INVALID_ARGUMENT, "%s \"%.60s\"; %s", what, word, example);
}

/* The key whose flag is `name` (`size` bytes, with its dashes); CONFIG_KEY_COUNT: none. */
static size_t find_flag(const char *name, size_t size)
{
    char flag[64];
    for (size_t i = 0; i < CONFIG_KEY_COUNT; i++) {
        config_flag_name(config_key_at(i)->name, flag, sizeof flag);
        if (strlen(flag) == size && memcmp(flag, name, size) == 0) {
            return i;
        }
    }
    return CONFIG_KEY_COUNT;
}

/* Commands that work on directories and take no settings. */
struct tool {
    const char *word;
    enum options_command command;
    int directory_count;
    const char *flag; /* the only one; NULL: none */
    const char *needs;
    const char *example;
};

static const struct tool tools[] = {
    {"init", OPTIONS_INIT, 1, NULL, "a directory", "tercetd init /var/lib/tercet/journal"},
    {"verify", OPTIONS_VERIFY, 1, "--json", "a directory",
     "tercetd verify /var/lib/tercet/journal"},
    {"restore", OPTIONS_RESTORE, 2, NULL, "a backup and a new directory",
     "tercetd restore /backup/20261121T023000Z /var/lib/tercet/restored"},
    {"recover", OPTIONS_RECOVER, 2, "--accept-loss", "a directory and a new directory",
     "tercetd recover --accept-loss /var/lib/tercet/journal /var/lib/tercet/recovered"},
};

/* NULL: the command is none of these. */
static const struct tool *tool_of(enum options_command command)
{
    for (size_t i = 0; i < sizeof tools / sizeof tools[0]; i++) {
        if (tools[i].command == command) {
            return &tools[i];
        }
    }
    return NULL;
}

static bool take_tool_flag(struct options *options, const char *word)
{
    if (strcmp(word, "--json") == 0) {
        options->json = true;
        return true;
    }
    if (strcmp(word, "--accept-loss") == 0) {
        options->accept_loss = true;
        return true;
    }
    return false;
}

/* RUN: it is none of these. */
static enum options_command command_of_flag(const char *word)
{
    static const struct {
        const char *word;
        enum options_command command;
    } flags[] = {{"--help", OPTIONS_HELP},
                 {"-h", OPTIONS_HELP},
                 {"--version", OPTIONS_VERSION},
                 {"--print-config", OPTIONS_PRINT_CONFIG},
                 {"--print-config-table", OPTIONS_PRINT_TABLE}};
    for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++) {
        if (strcmp(flags[i].word, word) == 0) {
            return flags[i].command;
        }
    }
    return OPTIONS_RUN;
}

/* HELP or VERSION, wherever it stands and whatever else does: who asks for help has nothing made, and
 * is not told that a word is missing.  RUN: neither is there. */
static enum options_command only_asked_for(int count, const char *const *arguments)
{
    enum options_command asked = OPTIONS_RUN;
    for (int i = 1; i < count && asked != OPTIONS_HELP; i++) {
        const enum options_command command = command_of_flag(arguments[i]);
        if (command == OPTIONS_HELP || command == OPTIONS_VERSION) {
            asked = command;
        }
    }
    return asked;
}

/* Of two commands neither is carried out: which one was meant cannot be told. */
static enum tercet_status choose(struct parse *parse, const char *word,
                                 enum options_command command, struct tercet_error *error_out)
{
    if (parse->command != NULL && parse->options.command != command) {
        return error_set(error_out, TERCET_INVALID_ARGUMENT,
                         "%s and %s are two commands, and only one may be given; %s",
                         parse->command, word, example);
    }
    parse->command = word;
    parse->options.command = command;
    return TERCET_OK;
}

/* --name=value, or --name value. */
static enum tercet_status take_flag(struct parse *parse, struct tercet_error *error_out)
{
    const char *word = parse->arguments[parse->at];
    const enum options_command command = command_of_flag(word);
    if (command != OPTIONS_RUN) {
        return choose(parse, word, command, error_out);
    }
    if (take_tool_flag(&parse->options, word)) {
        return TERCET_OK;
    }
    const char *sign = strchr(word, '=');
    const size_t size = sign == NULL ? strlen(word) : (size_t)(sign - word);
    const bool file = size == strlen("--config") && memcmp(word, "--config", size) == 0;
    const size_t index = find_flag(word, size);
    if (!file && index == CONFIG_KEY_COUNT) {
        return error_set(error_out, TERCET_INVALID_ARGUMENT,
                         "unknown option \"%.60s\"; tercetd --help lists all; %s", word, example);
    }
    const char *value = sign == NULL ? NULL : sign + 1;
    if (value == NULL) {
        if (parse->at + 1 >= parse->count) {
            return wrong(error_out, "no value after", word);
        }
        parse->at++;
        value = parse->arguments[parse->at];
    }
    if (file) {
        if (parse->options.file != NULL) {
            return wrong(error_out, "a second configuration file:", value);
        }
        parse->options.file = value;
        return value[0] == '\0' ? wrong(error_out, "no value after", "--config") : TERCET_OK;
    }
    parse->options.flags[parse->options.flag_count] =
        (struct config_flag){config_key_at(index)->name, value};
    parse->options.flag_count++;
    return TERCET_OK;
}

static enum tercet_status take_word(struct parse *parse, struct tercet_error *error_out)
{
    const char *word = parse->arguments[parse->at];
    parse->word_count++;
    if (parse->word_count == 1 && strcmp(word, "run") == 0) {
        return choose(parse, word, OPTIONS_RUN, error_out); /* what it does anyway */
    }
    for (size_t i = 0; parse->word_count == 1 && i < sizeof tools / sizeof tools[0]; i++) {
        if (strcmp(word, tools[i].word) == 0) {
            return choose(parse, word, tools[i].command, error_out);
        }
    }
    const struct tool *tool = tool_of(parse->options.command);
    if (tool == NULL || word[0] == '\0' || parse->word_count > 1 + tool->directory_count) {
        return wrong(error_out, "unexpected argument", word);
    }
    if (parse->word_count == 2) {
        parse->options.directory = word;
    } else {
        parse->options.new_directory = word;
    }
    return TERCET_OK;
}

static bool is_flag_of(const struct tool *tool, const char *flag)
{
    return tool != NULL && tool->flag != NULL && strcmp(tool->flag, flag) == 0;
}

static enum tercet_status check_whole(const struct parse *parse, struct tercet_error *error_out)
{
    const struct options *options = &parse->options;
    const struct tool *tool = tool_of(options->command);
    const char *stray = options->json && !is_flag_of(tool, "--json") ? "--json"
                        : options->accept_loss && !is_flag_of(tool, "--accept-loss")
                            ? "--accept-loss"
                            : NULL;
    if (tool == NULL) {
        return stray == NULL ? TERCET_OK : wrong(error_out, "unexpected option", stray);
    }
    if (parse->word_count != 1 + tool->directory_count) {
        return error_set(error_out, TERCET_INVALID_ARGUMENT, "%s needs %s; example: %s", tool->word,
                         tool->needs, tool->example);
    }
    if (stray != NULL || options->file != NULL || options->flag_count > 0) {
        return error_set(error_out, TERCET_INVALID_ARGUMENT,
                         "%s takes %s and no options%s%s; example: %s", tool->word, tool->needs,
                         tool->flag == NULL ? "" : " but ", tool->flag == NULL ? "" : tool->flag,
                         tool->example);
    }
    return TERCET_OK;
}

enum tercet_status options_parse(int count, const char *const *arguments,
                                 struct options *options_out, struct tercet_error *error_out)
{
    tercet_assert(count >= 1);
    const enum options_command asked = only_asked_for(count, arguments);
    if (asked != OPTIONS_RUN) {
        *options_out = (struct options){.command = asked};
        return TERCET_OK;
    }
    struct parse parse = {.arguments = arguments, .count = count, .at = 1};
    parse.options.flags = xcalloc((size_t)count, sizeof parse.options.flags[0]);
    enum tercet_status status = TERCET_OK;
    for (; status == TERCET_OK && parse.at < count; parse.at++) {
        const bool flag = arguments[parse.at][0] == '-';
        status = flag ? take_flag(&parse, error_out) : take_word(&parse, error_out);
    }
    if (status == TERCET_OK) {
        status = check_whole(&parse, error_out);
    }
    if (status == TERCET_OK) {
        *options_out = parse.options;
    } else {
        options_deinit(&parse.options);
    }
    return status;
}

void options_deinit(struct options *options)
{
    free(options->flags);
    *options = (struct options){0};
}

void options_print_help(FILE *to)
{
    (void)fputs(
        "tercetd - the coordinator of Tercet transactions\n"
        "\n"
        "  tercetd init DIRECTORY            make an empty journal there\n"
        "  tercetd [run] [OPTION...]         serve until SIGTERM or SIGINT\n"
        "  tercetd verify [--json] DIRECTORY check all of a journal or backup; changes "
        "nothing\n"
        "  tercetd restore BACKUP NEW_DIRECTORY\n"
        "                                    make the next life of a journal from a backup\n"
        "  tercetd recover [--accept-loss] DIRECTORY NEW_DIRECTORY\n"
        "                                    the same from a damaged journal\n"
        "  tercetd --print-config [OPTION...] show every setting in effect and its origin\n"
        "  tercetd --version\n"
        "\n"
        "example:\n"
        "  tercetd init /var/lib/tercet/journal\n"
        "  tercetd --config /etc/tercet/tercetd.yaml\n"
        "\n"
        "where tercetd.yaml may hold no more than\n"
        "  journal: /var/lib/tercet/journal\n"
        "  participants:\n"
        "    - {name: account, target: \"127.0.0.1:7102\"}\n"
        "\n"
        "options (each is also a key of the file, journal: ..., and a variable,\n"
        "TERCET_JOURNAL; a flag wins over a variable, a variable over the file):\n"
        "  --config FILE              The file, in YAML.\n",
        to);
    config_print_flags(to);
    (void)fputs("\n"
                "exit codes:\n"
                "   0  stopped as asked\n"
                "  64  wrong use of the command line\n"
                "  65  the journal is damaged; needs a human\n"
                "  66  the configuration file cannot be read, or there is no journal\n"
                "  69  an address or the journal is in use or cannot be had; a restart may help\n"
                "  70  an error that should not happen\n"
                "  73  the directory to make is taken or cannot be made\n"
                "  74  the journal could not be written or read, and a restart recovers; or not\n"
                "      all that was to be told could be written to standard output\n"
                "  78  configuration refused; needs a human\n",
                to);
}

bool options_print(const struct options *options, FILE *to)
{
    switch (options->command) {
    case OPTIONS_HELP:
        options_print_help(to);
        return true;
    case OPTIONS_VERSION:
        (void)fprintf(to, "tercetd %d.%d.%d\n", TERCET_VERSION_MAJOR, TERCET_VERSION_MINOR,
                      TERCET_VERSION_PATCH);
        return true;
    case OPTIONS_PRINT_TABLE:
        config_print_table(to);
        return true;
    case OPTIONS_RUN:
    case OPTIONS_INIT:
    case OPTIONS_VERIFY:
    case OPTIONS_RESTORE:
    case OPTIONS_RECOVER:
    case OPTIONS_PRINT_CONFIG:
        return false;
    }
    tercet_unreachable();
}

int options_exit_code_of_config(enum tercet_status status)
{
    const bool unread = status == TERCET_NOT_FOUND || status == TERCET_UNAVAILABLE;
    return unread ? EXIT_CODE_NO_INPUT : EXIT_CODE_CONFIG;
}

int options_exit_code_of_init(enum tercet_status status)
{
    return status == TERCET_OK ? EXIT_CODE_STOPPED : EXIT_CODE_CANT_CREATE;
}

int options_exit_code_of_run(enum tercet_status status)
{
    switch (status) {
    case TERCET_OK:
        return EXIT_CODE_STOPPED;
    case TERCET_NOT_FOUND:
        return EXIT_CODE_NO_INPUT;
    case TERCET_FAILED_PRECONDITION:
    case TERCET_UNAVAILABLE:
        return EXIT_CODE_UNAVAILABLE;
    case TERCET_DATA_LOSS:
        return EXIT_CODE_DAMAGED;
    case TERCET_INVALID_ARGUMENT:
        return EXIT_CODE_CONFIG;
    case TERCET_CALL_CANCELLED:
    case TERCET_UNKNOWN:
    case TERCET_DEADLINE_EXCEEDED:
    case TERCET_ALREADY_EXISTS:
    case TERCET_PERMISSION_DENIED:
    case TERCET_RESOURCE_EXHAUSTED:
    case TERCET_ABORTED:
    case TERCET_OUT_OF_RANGE:
    case TERCET_UNIMPLEMENTED:
    case TERCET_INTERNAL:
    case TERCET_UNAUTHENTICATED:
        break;
    }
    return EXIT_CODE_INTERNAL;
}

int options_exit_code_of_tool(enum tercet_status status)
{
    const bool no_place = status == TERCET_ALREADY_EXISTS || status == TERCET_PERMISSION_DENIED;
    return no_place ? EXIT_CODE_CANT_CREATE : options_exit_code_of_run(status);
}
