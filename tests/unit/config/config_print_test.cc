/* What people are shown agrees with the table. */
#include <fstream>
#include <sstream>

#include "config_fixture.h"

using ::testing::HasSubstr;

class ConfigPrint : public ConfigTest
{
};

static std::string ReadFile(const std::string &path)
{
    std::ifstream file(path, std::ios::binary);
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
}

TEST_F(ConfigPrint, TheManualHasTheTableThatIsInTheProgram)
{
    const std::string table = Printed([](FILE *to) { config_print_table(to); });
    const std::string manual = ReadFile(std::string(TERCET_DOCS) + "/configuration.md");
    EXPECT_THAT(manual, HasSubstr(table))
        << "replace the table in docs/configuration.md by tercetd --print-config-table";
}

TEST_F(ConfigPrint, TheFileThatIsInstalledAsASampleIsAccepted)
{
    Write(ReadFile(std::string(TERCET_DOCS) + "/../coordinator/tercetd.yaml"));
    const Loaded loaded = Load();
    EXPECT_EQ(loaded.status, TERCET_OK) << loaded.error;
}

TEST_F(ConfigPrint, EveryDefaultIsWithinItsBoundsAndEveryMeaningASentence)
{
    for (size_t i = 0; i < CONFIG_KEY_COUNT; i++) {
        const struct config_key *key = config_key_at(i);
        EXPECT_EQ(config_key_find(key->name), i);
        EXPECT_EQ(std::string(key->meaning).back(), '.') << key->name;
        EXPECT_LE(key->min, key->max) << key->name;
    }
    for (size_t i = 0; i < CONFIG_PARTICIPANT_KEY_COUNT; i++) {
        EXPECT_EQ(config_participant_key_find(config_participant_key_at(i)->name), i);
    }
    EXPECT_EQ(config_key_find("nothing"), static_cast<size_t>(CONFIG_KEY_COUNT));
}

TEST_F(ConfigPrint, SaysWhereEachValueIsFrom)
{
    Write("journal: /j\n\nwindow: 9\n");
    const Loaded loaded = Load({"TERCET_RETRY_BASE_MS=3"}, {{"stop_grace_ms", "4"}});
    ASSERT_EQ(loaded.status, TERCET_OK) << loaded.error;
    const std::string text = Printed([&](FILE *to) { config_print(loaded.config.get(), to); });
    EXPECT_THAT(text, HasSubstr("window: 9  # " + path_ + ":3\n"));
    EXPECT_THAT(text, HasSubstr("retry_base_ms: 3  # TERCET_RETRY_BASE_MS\n"));
    EXPECT_THAT(text, HasSubstr("stop_grace_ms: 4  # --stop-grace-ms\n"));
    EXPECT_THAT(text, HasSubstr("retry_cap_ms: 60000  # default\n"));
    EXPECT_THAT(text, HasSubstr("participants: []  # default\n"));
}

TEST_F(ConfigPrint, WritesAFileThatSaysTheSame)
{
    Write("journal: \"a b: \\\"c\\\" \\\\ #d\"\nlisten: [\"[::1]:7\", 'unix:/x y']\nlog_level: "
          "error\n"
          "participants:\n  - {name: a, target: \"h:1\", window: 3, call_timeout_ms: 11}\n"
          "  - {name: \"12\", target: u, open_transactions_max: 4}\n"
          "  - {name: b, targets: [\"h:2\", unix:/u], connections: 3}\n");
    const Loaded first = Load();
    ASSERT_EQ(first.status, TERCET_OK) << first.error;
    const std::string text = Printed([&](FILE *to) { config_print(first.config.get(), to); });
    const Loaded second = LoadText(text);
    ASSERT_EQ(second.status, TERCET_OK) << second.error << "\n" << text;
    EXPECT_STREQ(second.config->journal, "a b: \"c\" \\ #d");
    ASSERT_EQ(second.config->listen_count, 2U);
    EXPECT_STREQ(second.config->listen[0], "[::1]:7");
    EXPECT_STREQ(second.config->listen[1], "unix:/x y");
    EXPECT_EQ(second.config->log_level, LOGGER_ERROR);
    ASSERT_EQ(second.config->participant_count, 3U);
    EXPECT_STREQ(second.config->participants[0].target, "h:1");
    EXPECT_EQ(second.config->participants[0].window, 3U);
    EXPECT_EQ(second.config->participants[0].call_timeout_ms, 11U);
    EXPECT_STREQ(second.config->participants[1].name, "12");
    EXPECT_EQ(second.config->participants[1].open_transactions_max, 4U);
    ASSERT_EQ(second.config->participants[2].target_count, 2U);
    EXPECT_STREQ(second.config->participants[2].targets[0], "h:2");
    EXPECT_STREQ(second.config->participants[2].targets[1], "unix:/u");
    EXPECT_EQ(second.config->participants[2].connections, 3U);
    EXPECT_EQ(second.config->outcome_keep_bytes, first.config->outcome_keep_bytes);
    EXPECT_EQ(second.config->rpc_memory_bytes, first.config->rpc_memory_bytes);
}
