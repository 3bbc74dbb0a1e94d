/* The command line: what is understood, what is refused with which sentence, and the exit codes. */
#include <cstddef>
#include <cstring>

#include "config_fixture.h"

extern "C" {
#include "options.h"
}

using ::testing::HasSubstr;

struct Parsed {
    enum tercet_status status = TERCET_OK;
    std::string error;
    enum options_command command = OPTIONS_RUN;
    std::string file;
    std::string directory;
    std::vector<std::pair<std::string, std::string>> flags;
};

static Parsed Parse(const std::vector<const char *> &words)
{
    std::vector<const char *> arguments = {"tercetd"};
    arguments.insert(arguments.end(), words.begin(), words.end());
    struct options options = {};
    struct tercet_error error = {};
    Parsed parsed;
    parsed.status =
        options_parse(static_cast<int>(arguments.size()), arguments.data(), &options, &error);
    parsed.error = error.text;
    if (parsed.status == TERCET_OK) {
        parsed.command = options.command;
        parsed.file = options.file == nullptr ? "" : options.file;
        parsed.directory = options.directory == nullptr ? "" : options.directory;
        for (size_t i = 0; i < options.flag_count; i++) {
            parsed.flags.emplace_back(options.flags[i].key, options.flags[i].text);
        }
    }
    options_deinit(&options);
    return parsed;
}

TEST(Options, RunByDefaultAndByName)
{
    EXPECT_EQ(Parse({}).command, OPTIONS_RUN);
    EXPECT_EQ(Parse({"run"}).command, OPTIONS_RUN);
    EXPECT_EQ(Parse({"run", "--config", "a"}).file, "a");
    EXPECT_EQ(Parse({"--config=a", "run"}).file, "a");
}

TEST(Options, TakeEveryKeyAsAFlagInBothSpellings)
{
    for (size_t i = 0; i < CONFIG_KEY_COUNT; i++) {
        std::string flag = std::string("--") + config_key_at(i)->name;
        for (char &c : flag) {
            c = c == '_' ? '-' : c;
        }
        Parsed parsed = Parse({flag.c_str(), "-5"});
        ASSERT_EQ(parsed.flags.size(), 1U) << parsed.error;
        EXPECT_EQ(parsed.flags[0].first, config_key_at(i)->name);
        EXPECT_EQ(parsed.flags[0].second, "-5");
        parsed = Parse({(flag + "=a=b").c_str()});
        ASSERT_EQ(parsed.flags.size(), 1U) << parsed.error;
        EXPECT_EQ(parsed.flags[0].second, "a=b");
    }
}

TEST(Options, KnowTheOtherCommands)
{
    EXPECT_EQ(Parse({"--help"}).command, OPTIONS_HELP);
    EXPECT_EQ(Parse({"-h"}).command, OPTIONS_HELP);
    EXPECT_EQ(Parse({"--version"}).command, OPTIONS_VERSION);
    EXPECT_EQ(Parse({"--print-config", "--config", "a"}).command, OPTIONS_PRINT_CONFIG);
    EXPECT_EQ(Parse({"--print-config-table"}).command, OPTIONS_PRINT_TABLE);
    EXPECT_EQ(Parse({"init", "/j"}).command, OPTIONS_INIT);
    EXPECT_EQ(Parse({"init", "/j"}).directory, "/j");
}

TEST(Options, HelpAndVersionWinOverWhateverStandsBesideThem)
{
    const std::vector<std::vector<const char *>> besides = {
        {"init", "/j"},     {"recover"},   {"restore", "a", "b"},
        {"--print-config"}, {"--version"}, {"--window", "3"},
        {"--bogus"},        {"start"},     {"verify", "--json"}};
    for (const std::vector<const char *> &beside : besides) {
        for (const char *asked : {"--help", "-h", "--version"}) {
            const bool helps = strcmp(asked, "--version") != 0;
            for (size_t at = 0; at <= beside.size(); at++) {
                std::vector<const char *> words = beside;
                words.insert(words.begin() + static_cast<std::ptrdiff_t>(at), asked);
                const Parsed parsed = Parse(words);
                EXPECT_EQ(parsed.status, TERCET_OK) << asked << " " << parsed.error;
                EXPECT_EQ(parsed.command, helps ? OPTIONS_HELP : OPTIONS_VERSION) << beside[0];
                EXPECT_EQ(parsed.directory, "");
            }
        }
    }
}

TEST(Options, OnlyOneCommandMayBeGiven)
{
    const std::vector<std::vector<const char *>> pairs = {
        {"--print-config", "restore", "a", "b"},
        {"restore", "--print-config", "a", "b"},
        {"restore", "a", "b", "--print-config"},
        {"--print-config", "init", "a"},
        {"verify", "a", "--print-config-table"},
        {"--print-config-table", "--print-config"},
        {"run", "--print-config"},
        {"--print-config", "run"}};
    for (const std::vector<const char *> &pair : pairs) {
        const Parsed parsed = Parse(pair);
        EXPECT_EQ(parsed.status, TERCET_INVALID_ARGUMENT) << pair[0] << " " << pair[1];
        EXPECT_THAT(parsed.error, HasSubstr("only one may be given; example: tercetd "));
        EXPECT_THAT(parsed.error, HasSubstr("--print-config"));
    }
    EXPECT_EQ(Parse({"--print-config", "--print-config"}).command, OPTIONS_PRINT_CONFIG);
}

TEST(Options, SayWhatIsWrongAndShowAnExample)
{
    const std::vector<std::pair<std::vector<const char *>, std::string>> wrong = {
        {{"start"}, "unexpected argument \"start\""},
        {{"run", "now"}, "unexpected argument \"now\""},
        {{"run", "init"}, "unexpected argument \"init\""},
        {{""}, "unexpected argument \"\""},
        {{"--windows=3"}, "unknown option \"--windows=3\""},
        {{"--try", "3"}, "unknown option \"--try\""},
        {{"--try_timeout_ms", "3"}, "unknown option \"--try_timeout_ms\""},
        {{"-x"}, "unknown option \"-x\"; tercetd --help lists all; "},
        {{"--"}, "unknown option \"--\""},
        {{"-"}, "unknown option \"-\""},
        {{"--window"}, "no value after \"--window\""},
        {{"--config"}, "no value after \"--config\""},
        {{"--config="}, "no value after \"--config\""},
        {{"--config", "a", "--config", "b"}, "a second configuration file: \"b\""},
        {{"init"}, "init needs a directory"},
        {{"init", ""}, "unexpected argument \"\""},
        {{"init", "a", "b"}, "unexpected argument \"b\""},
        {{"init", "a", "--window", "3"}, "init takes a directory and no options"},
    };
    for (const auto &one : wrong) {
        const Parsed parsed = Parse(one.first);
        EXPECT_EQ(parsed.status, TERCET_INVALID_ARGUMENT) << one.second;
        EXPECT_EQ(parsed.error.rfind(one.second, 0), 0U) << parsed.error;
        EXPECT_THAT(parsed.error, HasSubstr("example: tercetd "));
    }
}

TEST(Options, HelpNamesEveryFlagAndExitCode)
{
    const std::string help = Printed([](FILE *to) { options_print_help(to); });
    for (size_t i = 0; i < CONFIG_KEY_COUNT; i++) {
        std::string flag = std::string("  --") + config_key_at(i)->name + " ";
        for (char &c : flag) {
            c = c == '_' ? '-' : c;
        }
        EXPECT_THAT(help, HasSubstr(flag));
    }
    for (const char *code :
         {"   0", "  64", "  65", "  66", "  69", "  70", "  73", "  74", "  78"}) {
        EXPECT_THAT(help, HasSubstr(std::string("\n") + code + "  "));
    }
    EXPECT_THAT(help, HasSubstr("example:\n"));
}

TEST(Options, EveryStatusHasItsExitCode)
{
    EXPECT_EQ(options_exit_code_of_run(TERCET_OK), 0);
    EXPECT_EQ(options_exit_code_of_run(TERCET_NOT_FOUND), 66);
    EXPECT_EQ(options_exit_code_of_run(TERCET_FAILED_PRECONDITION), 69);
    EXPECT_EQ(options_exit_code_of_run(TERCET_UNAVAILABLE), 69);
    EXPECT_EQ(options_exit_code_of_run(TERCET_DATA_LOSS), 65);
    EXPECT_EQ(options_exit_code_of_run(TERCET_INVALID_ARGUMENT), 78);
    EXPECT_EQ(options_exit_code_of_run(TERCET_INTERNAL), 70);
    EXPECT_EQ(options_exit_code_of_run(TERCET_UNKNOWN), 70);
    EXPECT_EQ(options_exit_code_of_config(TERCET_NOT_FOUND), 66);
    EXPECT_EQ(options_exit_code_of_config(TERCET_UNAVAILABLE), 66);
    EXPECT_EQ(options_exit_code_of_config(TERCET_INVALID_ARGUMENT), 78);
    EXPECT_EQ(options_exit_code_of_init(TERCET_OK), 0);
    EXPECT_EQ(options_exit_code_of_init(TERCET_ALREADY_EXISTS), 73);
    EXPECT_EQ(options_exit_code_of_init(TERCET_PERMISSION_DENIED), 73);
    EXPECT_EQ(options_exit_code_of_init(TERCET_UNAVAILABLE), 73);
    EXPECT_EQ(options_exit_code_of_tool(TERCET_ALREADY_EXISTS), 73);
    EXPECT_EQ(options_exit_code_of_tool(TERCET_PERMISSION_DENIED), 73);
    EXPECT_EQ(options_exit_code_of_tool(TERCET_UNAVAILABLE), 69);
}
