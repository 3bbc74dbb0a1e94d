/* Defaults, file, environment, flags: who wins, and where a mistake is said to be. */
#include "config_fixture.h"

using ::testing::HasSubstr;
using ::testing::StartsWith;

class ConfigSources : public ConfigTest
{
};

TEST_F(ConfigSources, ALaterOneWins)
{
    Write("journal: /file\nwindow: 2\nretry_base_ms: 2\ntry_timeout_ms: 2\n");
    const Loaded loaded =
        Load({"HOME=/", "TERCET_WINDOW=3", "TERCET_RETRY_BASE_MS=3"}, {{"retry_base_ms", "4"}});
    ASSERT_EQ(loaded.status, TERCET_OK) << loaded.error;
    const struct config *config = loaded.config.get();
    EXPECT_EQ(config->try_timeout_ms, 2U);
    EXPECT_EQ(config->window, 3U);
    EXPECT_EQ(config->retry_base_ms, 4U);
    EXPECT_EQ(config->origins[config_key_find("try_timeout_ms")].source, CONFIG_FROM_FILE);
    EXPECT_EQ(config->origins[config_key_find("try_timeout_ms")].line, 4U);
    EXPECT_EQ(config->origins[config_key_find("window")].source, CONFIG_FROM_ENVIRONMENT);
    EXPECT_EQ(config->origins[config_key_find("retry_base_ms")].source, CONFIG_FROM_FLAG);
    EXPECT_EQ(config->origins[config_key_find("retry_cap_ms")].source, CONFIG_FROM_DEFAULT);
}

TEST_F(ConfigSources, EveryKeyIsAVariableAndAFlag)
{
    path_ = "";
    for (size_t i = 0; i < CONFIG_KEY_COUNT; i++) {
        const struct config_key *key = config_key_at(i);
        std::string value = key->fallback == nullptr ? "/j" : key->fallback;
        std::string variable = std::string("TERCET_") + key->name;
        for (char &c : variable) {
            c = static_cast<char>(toupper(c));
        }
        Loaded loaded = Load({"TERCET_JOURNAL=/k", variable + "=" + value});
        ASSERT_EQ(loaded.status, TERCET_OK) << loaded.error;
        EXPECT_EQ(loaded.config->origins[i].source, CONFIG_FROM_ENVIRONMENT) << key->name;
        loaded = Load({"TERCET_JOURNAL=/k"}, {{key->name, value}});
        ASSERT_EQ(loaded.status, TERCET_OK) << loaded.error;
        EXPECT_EQ(loaded.config->origins[i].source, CONFIG_FROM_FLAG) << key->name;
    }
}

TEST_F(ConfigSources, SayWhichVariableOrFlagIsWrong)
{
    Write("journal: /j\n");
    EXPECT_EQ(Load({"TERCET_TRY_TIMEOUT_MS=99999999"}).error,
              "TERCET_TRY_TIMEOUT_MS: 99999999 is more than 3600000 ms");
    EXPECT_EQ(Load({}, {{"try_timeout_ms", "soon"}}).error,
              "--try-timeout-ms: \"soon\" is not a whole number");
    EXPECT_EQ(Load({"TERCET_WINDOW="}).error, "TERCET_WINDOW: \"\" is not a whole number");
    EXPECT_EQ(Load({"TERCET_JOURNAL="}).error, "TERCET_JOURNAL: has no value");
    EXPECT_EQ(Load({}, {{"log_level", "Info"}}).error,
              "--log-level: \"Info\" is none of debug, info, warning, error");
}

TEST_F(ConfigSources, AreCheckedAlsoWhereALaterOneWins)
{
    Write("journal: /j\nwindow: no\n");
    EXPECT_EQ(Load({"TERCET_WINDOW=5"}).error, path_ + ":2: window: \"no\" is not a whole number");
}

TEST_F(ConfigSources, LeaveVariablesAloneThatOnlyBeginAlike)
{
    Write("journal: /j\n");
    EXPECT_EQ(Load({"TERCET_PORT=tcp://10.0.0.1:7100", "TERCET_SERVICE_HOST=x", "TERCET_WINDOWS=1",
                    "TERCET_", "odd"})
                  .status,
              TERCET_OK);
}

TEST_F(ConfigSources, ReplaceListsAsAWhole)
{
    Write("journal: /j\nlisten: [a:1, b:2]\nparticipants: [{name: a, target: t}]\n");
    const Loaded loaded =
        Load({"TERCET_LISTEN=c:3"}, {{"participants", "x=127.0.0.1:1,y=unix:/a=b"}});
    ASSERT_EQ(loaded.status, TERCET_OK) << loaded.error;
    ASSERT_EQ(loaded.config->listen_count, 1U);
    EXPECT_STREQ(loaded.config->listen[0], "c:3");
    ASSERT_EQ(loaded.config->participant_count, 2U);
    EXPECT_STREQ(loaded.config->participants[0].name, "x");
    EXPECT_STREQ(loaded.config->participants[1].target, "unix:/a=b");
    EXPECT_EQ(Load({"TERCET_PARTICIPANTS="}).config->participant_count, 0U);
}

TEST_F(ConfigSources, RefuseListsThatMakeNoSense)
{
    Write("journal: /j\n");
    EXPECT_EQ(Load({"TERCET_PARTICIPANTS=a"}).error,
              "TERCET_PARTICIPANTS: \"a\" is not name=target");
    EXPECT_EQ(Load({"TERCET_PARTICIPANTS=a=b,a=c"}).error,
              "TERCET_PARTICIPANTS: \"a\" is named twice");
    EXPECT_EQ(Load({"TERCET_PARTICIPANTS=a="}).error, "TERCET_PARTICIPANTS: has no value");
    EXPECT_EQ(Load({"TERCET_PARTICIPANTS==b"}).error, "TERCET_PARTICIPANTS: has no value");
    EXPECT_EQ(Load({"TERCET_PARTICIPANTS=a b=c"}).error,
              "TERCET_PARTICIPANTS: \"a b\" is not a name: use A-Z a-z 0-9 _ . -");
    EXPECT_EQ(Load({"TERCET_LISTEN="}).error, "TERCET_LISTEN: has no value");
    EXPECT_EQ(Load({"TERCET_LISTEN=a,,b"}).error, "TERCET_LISTEN: has no value");
}

TEST_F(ConfigSources, MustFitTogether)
{
    Write("journal: /j\nretry_base_ms: 500\n");
    EXPECT_EQ(Load({"TERCET_RETRY_CAP_MS=400"}).error,
              path_ + ":2: retry_base_ms: 500 is more than retry_cap_ms, which is 400");
    EXPECT_EQ(Load({"TERCET_RETRY_CAP_MS=500"}).status, TERCET_OK);
}

TEST_F(ConfigSources, AreNamedByTheirEndWhenThePathIsLong)
{
    path_ = directory_ + "/" + std::string(200, 'd') + ".yaml";
    Write("journal: /j\nwindow: no\n");
    const std::string error = Load().error;
    EXPECT_THAT(error, StartsWith("...ddd"));
    EXPECT_THAT(error, HasSubstr("d.yaml:2: window: \"no\" is not a whole number"));
}

TEST_F(ConfigSources, GiveAParticipantWhatHoldsForAll)
{
    Write("journal: /j\nopen_transactions_max: 1000\nparticipant_share: 10\nwindow: 5\n"
          "call_timeout_ms: 77\nparticipants:\n  - {name: a, target: t}\n"
          "  - {name: b, target: u, window: 6, call_timeout_ms: 78, open_transactions_max: 3}\n");
    const Loaded loaded = Load();
    ASSERT_EQ(loaded.status, TERCET_OK) << loaded.error;
    struct directory directory;
    directory_init(&directory);
    struct tercet_error error = {};
    ASSERT_EQ(config_make_directory(loaded.config.get(), &directory, &error), TERCET_OK);
    ASSERT_EQ(directory.count, 2U);
    EXPECT_STREQ(directory.entries[0].name, "a");
    EXPECT_STREQ(directory.entries[0].targets[0], "t");
    EXPECT_EQ(directory_seat_count(&directory.entries[0]), 1U);
    EXPECT_EQ(directory.entries[0].window, 5U);
    EXPECT_EQ(directory.entries[0].call_timeout_ms, 77U);
    EXPECT_EQ(directory.entries[0].open_transaction_max, 100U);
    EXPECT_EQ(directory.entries[1].window, 6U);
    EXPECT_EQ(directory.entries[1].call_timeout_ms, 78U);
    EXPECT_EQ(directory.entries[1].open_transaction_max, 3U);
    directory_deinit(&directory);
}

TEST_F(ConfigSources, GiveAParticipantItsSeats)
{
    Write("journal: /j\nparticipants: [{name: a, targets: [t, u], connections: 2}, "
          "{name: b, target: v, connections: 3}]\n");
    const Loaded loaded = Load();
    ASSERT_EQ(loaded.status, TERCET_OK) << loaded.error;
    struct directory directory;
    directory_init(&directory);
    struct tercet_error error = {};
    ASSERT_EQ(config_make_directory(loaded.config.get(), &directory, &error), TERCET_OK);
    ASSERT_EQ(directory_seat_count(&directory.entries[0]), 4U);
    EXPECT_STREQ(directory_seat_target(&directory.entries[0], 2), "t");
    EXPECT_STREQ(directory_seat_target(&directory.entries[0], 3), "u");
    ASSERT_EQ(directory_seat_count(&directory.entries[1]), 3U);
    EXPECT_STREQ(directory_seat_target(&directory.entries[1], 2), "v");
    directory_deinit(&directory);
}

TEST_F(ConfigSources, NeverGiveAParticipantNoShareAtAll)
{
    Write("journal: /j\nopen_transactions_max: 1\nparticipants: [{name: a, target: t}]\n");
    const Loaded loaded = Load();
    struct directory directory;
    directory_init(&directory);
    struct tercet_error error = {};
    ASSERT_EQ(config_make_directory(loaded.config.get(), &directory, &error), TERCET_OK);
    EXPECT_EQ(directory.entries[0].open_transaction_max, 1U);
    directory_deinit(&directory);
}
