/* The YAML file: every key at its bounds, and everything that a file may have wrong. */
#include "config_fixture.h"

using ::testing::HasSubstr;
using ::testing::StartsWith;

class ConfigFile : public ConfigTest
{
};

static const char kLeast[] = "journal: /j\n";

/* The field of a number key. */
static uint64_t NumberOf(const struct config *config, const struct config_key *key)
{
    const char *field = reinterpret_cast<const char *>(config) + key->offset;
    return key->kind == CONFIG_U32 ? *reinterpret_cast<const uint32_t *>(field)
                                   : *reinterpret_cast<const uint64_t *>(field);
}

static bool IsNumber(const struct config_key *key)
{
    return key->kind == CONFIG_U32 || key->kind == CONFIG_U64;
}

TEST_F(ConfigFile, NeedsNoMoreThanAJournal)
{
    const Loaded loaded = LoadText(kLeast);
    ASSERT_EQ(loaded.status, TERCET_OK) << loaded.error;
    EXPECT_STREQ(loaded.config->journal, "/j");
    EXPECT_EQ(loaded.config->open_transactions_max, 100000U);
    EXPECT_EQ(loaded.config->waiting_calls_max, 4000U);
    EXPECT_EQ(loaded.config->try_timeout_ms, 30000U);
    EXPECT_EQ(loaded.config->outcome_keep_bytes, UINT64_C(20) << 30);
    EXPECT_EQ(loaded.config->log_level, LOGGER_INFO);
    ASSERT_EQ(loaded.config->listen_count, 1U);
    EXPECT_STREQ(loaded.config->listen[0], "127.0.0.1:7100");
    EXPECT_EQ(loaded.config->participant_count, 0U);
}

TEST_F(ConfigFile, TakesEveryNumberAtItsBoundsAndRefusesItBeyond)
{
    for (size_t i = 0; i < CONFIG_KEY_COUNT; i++) {
        const struct config_key *key = config_key_at(i);
        if (!IsNumber(key)) {
            continue;
        }
        const std::string name = key->name;
        /* retry_cap_ms may not be below retry_base_ms. */
        const std::string rest = std::string(kLeast) +
                                 (name == "retry_cap_ms" ? "retry_base_ms: 1\n" : "") +
                                 (name == "retry_base_ms" ? "retry_cap_ms: 3600000\n" : "");
        for (const uint64_t value : {key->min, key->max}) {
            const Loaded loaded = LoadText(rest + name + ": " + std::to_string(value) + "\n");
            ASSERT_EQ(loaded.status, TERCET_OK) << loaded.error;
            EXPECT_EQ(NumberOf(loaded.config.get(), key), value) << name;
        }
        const std::string max = std::to_string(key->max);
        const std::string min = std::to_string(key->min);
        EXPECT_THAT(
            ErrorAt(1, name + ": " + std::to_string(key->max + 1) + "\n"),
            StartsWith(name + ": " + std::to_string(key->max + 1) + " is more than " + max));
        EXPECT_THAT(ErrorAt(1, name + ": 99999999999999999999999999\n"),
                    StartsWith(name + ": 99999999999999999999999999 is more than " + max));
        if (key->min > 0) {
            EXPECT_THAT(
                ErrorAt(1, name + ": " + std::to_string(key->min - 1) + "\n"),
                StartsWith(name + ": " + std::to_string(key->min - 1) + " is less than " + min));
        }
    }
}

TEST_F(ConfigFile, RefusesWhatIsNotANumberForEveryNumber)
{
    for (size_t i = 0; i < CONFIG_KEY_COUNT; i++) {
        const struct config_key *key = config_key_at(i);
        if (!IsNumber(key)) {
            continue;
        }
        const std::string name = key->name;
        for (const char *bad : {"many", "-1", "+1", "1.5", "0x10", "1 000", "1_000", "1e3", "5s"}) {
            EXPECT_THAT(ErrorAt(2, std::string(kLeast) + name + ": " + bad + "\n"),
                        HasSubstr("is not a whole number"));
        }
        EXPECT_THAT(ErrorAt(1, name + ": \"100\"\n"), HasSubstr("without quotes"));
        EXPECT_THAT(ErrorAt(1, name + ":\n"), HasSubstr("has no value"));
        EXPECT_THAT(ErrorAt(1, name + ": [1]\n"), HasSubstr("not a list or map"));
        EXPECT_THAT(ErrorAt(1, name + ": {a: 1}\n"), HasSubstr("not a list or map"));
    }
}

TEST_F(ConfigFile, SaysFileLineAndKeyOfAnUnknownKey)
{
    EXPECT_EQ(ErrorAt(3, "# comment\njournal: /j\ntry_timeout: 5\n"),
              "try_timeout: unknown key; did you mean try_timeout_ms?");
    EXPECT_EQ(ErrorAt(2, "journal: /j\nzebra: 5\n"),
              "zebra: unknown key; tercetd --help lists all");
}

TEST_F(ConfigFile, RefusesAKeyThatIsThereTwice)
{
    EXPECT_EQ(ErrorAt(3, "journal: /j\nwindow: 5\njournal: /k\n"), "journal: is there twice");
}

TEST_F(ConfigFile, NeedsAJournal)
{
    EXPECT_THAT(LoadText("").error, StartsWith("journal: is not set"));
    EXPECT_THAT(LoadText("# nothing\n\n").error, StartsWith("journal: is not set"));
    EXPECT_THAT(LoadText("window: 3\n").error, StartsWith("journal: is not set"));
    EXPECT_EQ(ErrorAt(1, "journal:\n"), "journal: has no value");
    EXPECT_EQ(ErrorAt(1, "journal: \"\"\n"), "journal: has no value");
    EXPECT_EQ(ErrorAt(1, "journal: [a, b]\n"),
              "journal: must be a single value, not a list or map");
}

TEST_F(ConfigFile, KeepsTextsWithinTheirLimits)
{
    EXPECT_EQ(LoadText("journal: " + std::string(1023, 'j') + "\n").status, TERCET_OK);
    EXPECT_EQ(ErrorAt(1, "journal: " + std::string(1024, 'j') + "\n"),
              "journal: 1024 bytes are more than the limit of 1023");
    EXPECT_EQ(ErrorAt(1, "journal: \"a\\tb\"\n"), "journal: holds a control character (0x09)");
    EXPECT_EQ(ErrorAt(1, "journal: \"a\\0b\"\n"), "a text holds a zero byte");
}

// What config_print() could not write as YAML again.
TEST_F(ConfigFile, RefusesTextsThatNoFileCouldHoldAsTheyStand)
{
    for (const char *bad : {"\\N", "\\L", "\\P", "\\u0080", "\\uFEFF", "\\uFFFE", "\\uFFFF"}) {
        EXPECT_THAT(ErrorAt(1, std::string("journal: \"a") + bad + "b\"\n"),
                    StartsWith("journal: holds a control character"))
            << bad;
    }
    EXPECT_EQ(LoadText("journal: \"\\u00a0\\u00e4\\u20ac\\U0001F600\"\n").status, TERCET_OK);
    Write("");
    EXPECT_EQ(Load({"TERCET_JOURNAL=/\xa4z"}).error, "TERCET_JOURNAL: is not UTF-8 (0xa4)");
}

TEST_F(ConfigFile, TakesOneAddressOrAList)
{
    Loaded loaded = LoadText("journal: /j\nlisten: 127.0.0.1:1\n");
    ASSERT_EQ(loaded.status, TERCET_OK) << loaded.error;
    ASSERT_EQ(loaded.config->listen_count, 1U);
    EXPECT_STREQ(loaded.config->listen[0], "127.0.0.1:1");
    loaded = LoadText("journal: /j\nlisten: [127.0.0.1:1, \"[::1]:2\", 'unix:/x']\n");
    ASSERT_EQ(loaded.status, TERCET_OK) << loaded.error;
    ASSERT_EQ(loaded.config->listen_count, 3U);
    EXPECT_STREQ(loaded.config->listen[1], "[::1]:2");
    EXPECT_STREQ(loaded.config->listen[2], "unix:/x");
}

TEST_F(ConfigFile, TakesOneToSixteenAddresses)
{
    std::string list = "listen:\n";
    for (int i = 0; i < 16; i++) {
        list += "  - a:" + std::to_string(i) + "\n";
    }
    EXPECT_EQ(LoadText("journal: /j\n" + list).status, TERCET_OK);
    EXPECT_EQ(ErrorAt(18, list + "  - a:16\n"), "listen: more than 16 addresses");
    EXPECT_EQ(ErrorAt(1, "listen: []\n"), "listen: is an empty list");
    EXPECT_EQ(ErrorAt(1, "listen: [[a]]\n"), "listen: an address must be a single value");
    EXPECT_EQ(ErrorAt(1, "listen: {a: b}\n"), "listen: an address must be a single value");
    EXPECT_EQ(ErrorAt(1, "listen: ['']\n"), "listen: has no value");
    EXPECT_EQ(ErrorAt(1, "listen: [a:1, b:1, a:1]\n"), "listen: \"a:1\" is there twice");
    EXPECT_EQ(LoadText("journal: /j\nlisten: [a:0, a:0]\n").status, TERCET_OK);
}

TEST_F(ConfigFile, TakesParticipantsWithTheirOwnValues)
{
    const Loaded loaded = LoadText("journal: /j\n"
                                   "participants:\n"
                                   "  - name: order\n"
                                   "    target: 127.0.0.1:7101\n"
                                   "    call_timeout_ms: 10\n"
                                   "    window: 7\n"
                                   "    open_transactions_max: 9\n"
                                   "  - {name: account, target: \"unix:/a\"}\n");
    ASSERT_EQ(loaded.status, TERCET_OK) << loaded.error;
    ASSERT_EQ(loaded.config->participant_count, 2U);
    const struct config_participant *order = &loaded.config->participants[0];
    EXPECT_STREQ(order->name, "order");
    EXPECT_STREQ(order->target, "127.0.0.1:7101");
    EXPECT_EQ(order->call_timeout_ms, 10U);
    EXPECT_EQ(order->window, 7U);
    EXPECT_EQ(order->open_transactions_max, 9U);
    EXPECT_EQ(order->origin.line, 3U);
    EXPECT_STREQ(loaded.config->participants[1].target, "unix:/a");
    EXPECT_EQ(loaded.config->participants[1].window, 0U);
}

TEST_F(ConfigFile, RefusesParticipantsThatMakeNoSense)
{
    const std::string one = "participants:\n  - {name: a, target: b}\n";
    EXPECT_EQ(ErrorAt(3, one + "  - {name: a, target: c}\n"), "participants: \"a\" is named twice");
    EXPECT_EQ(ErrorAt(3, one + "  - {target: c}\n"), "participants: a participant has no name");
    EXPECT_EQ(ErrorAt(3, one + "  - {name: c}\n"),
              "participants: \"c\" has no target: give one, or targets of its instances");
    EXPECT_EQ(ErrorAt(3, one + "  - {name: c, target: }\n"), "target: has no value");
    EXPECT_EQ(ErrorAt(3, one + "  - {name: c d, target: e}\n"),
              "participants: \"c d\" is not a name: use A-Z a-z 0-9 _ . -");
    EXPECT_EQ(ErrorAt(3, one + "  - {name: " + std::string(65, 'n') + ", target: e}\n"),
              "name: 65 bytes are more than the limit of 64");
    EXPECT_EQ(ErrorAt(3, one + "  - {name: c, target: " + std::string(256, 't') + "}\n"),
              "target: 256 bytes are more than the limit of 255");
    EXPECT_EQ(ErrorAt(4, one + "  - name: c\n    name: d\n"), "name: is there twice");
    EXPECT_THAT(ErrorAt(4, one + "  - name: c\n    port: 5\n"),
                StartsWith("port: unknown key of a participant"));
    EXPECT_EQ(ErrorAt(4, one + "  - name: c\n    window: 0\n"), "window: 0 is less than 1 calls");
    EXPECT_EQ(ErrorAt(4, one + "  - name: c\n    call_timeout_ms: 9\n"),
              "call_timeout_ms: 9 is less than 10 ms");
    EXPECT_EQ(ErrorAt(3, one + "  - word\n"),
              "participants: each must be a map with name and target");
    EXPECT_EQ(ErrorAt(3, one + "  - {[x]: y}\n"), "participants: a key must be a word");
    EXPECT_EQ(ErrorAt(1, "participants: word\n"), "participants: must be a list of maps");
    EXPECT_EQ(ErrorAt(1, "participants: {a: b}\n"), "participants: must be a list of maps");
    EXPECT_EQ(ErrorAt(1, "participants:\n"), "participants: must be a list of maps");
}

TEST_F(ConfigFile, TakesSeveralInstancesOfAParticipantAndConnectionsToEach)
{
    const Loaded loaded =
        LoadText("journal: /j\n"
                 "participants:\n"
                 "  - {name: a, targets: [\"127.0.0.1:1\", \"unix:/b\"], connections: 8}\n"
                 "  - name: b\n"
                 "    targets: one\n"
                 "  - {name: c, target: two, connections: 2}\n");
    ASSERT_EQ(loaded.status, TERCET_OK) << loaded.error;
    const struct config_participant *all = loaded.config->participants;
    ASSERT_EQ(all[0].target_count, 2U);
    EXPECT_EQ(all[0].target, nullptr);
    EXPECT_STREQ(all[0].targets[0], "127.0.0.1:1");
    EXPECT_STREQ(all[0].targets[1], "unix:/b");
    EXPECT_EQ(all[0].connections, 8U);
    ASSERT_EQ(all[1].target_count, 1U);
    EXPECT_STREQ(all[1].targets[0], "one");
    EXPECT_EQ(all[1].connections, 0U) << "what is not given is one";
    EXPECT_EQ(all[2].connections, 2U);
}

TEST_F(ConfigFile, RefusesSeatsThatMakeNoSense)
{
    const std::string head = "participants:\n  - {name: c, ";
    EXPECT_EQ(ErrorAt(2, head + "targets: []}\n"), "targets: is an empty list");
    EXPECT_EQ(ErrorAt(2, head + "targets: [a, b, a]}\n"), "targets: \"a\" is there twice");
    EXPECT_EQ(ErrorAt(2, head + "target: a, targets: [b]}\n"),
              "participants: \"c\" has both target and targets: keep one of them");
    EXPECT_EQ(ErrorAt(2, head + "targets: [a, '']}\n"), "targets: has no value");
    EXPECT_EQ(ErrorAt(2, head + "targets: [a, [b]]}\n"),
              "targets: an address must be a single value");
    EXPECT_EQ(ErrorAt(2, head + "targets: {a: b}}\n"),
              "targets: an address must be a single value");
    EXPECT_EQ(ErrorAt(2, head + "targets: [" + std::string(256, 't') + "]}\n"),
              "targets: 256 bytes are more than the limit of 255");
    EXPECT_EQ(ErrorAt(2, head + "target: a, connections: 9}\n"),
              "connections: 9 is more than 8 connections");
    EXPECT_EQ(ErrorAt(2, head + "target: a, connections: 0}\n"),
              "connections: 0 is less than 1 connections");
    EXPECT_EQ(ErrorAt(2, head + "targets: [a, b, d], connections: 6}\n"),
              "participants: \"c\" has 3 targets and 6 connections to each, which are more than 16 "
              "in all");
    std::string many;
    for (int i = 0; i < 16; i++) {
        many += (i == 0 ? "h" : ", h") + std::to_string(i);
    }
    EXPECT_EQ(ErrorAt(2, head + "targets: [" + many + ", one-more]}\n"),
              "targets: more than 16 addresses");
    EXPECT_EQ(LoadText("journal: /j\n" + head + "targets: [" + many + "]}\n").status, TERCET_OK);
}

TEST_F(ConfigFile, TakesAThousandAndTwentyFourParticipants)
{
    std::string list = "journal: /j\nparticipants:\n";
    for (int i = 0; i < 1024; i++) {
        list += "  - {name: p" + std::to_string(i) + ", target: t}\n";
    }
    EXPECT_EQ(LoadText(list).status, TERCET_OK);
    EXPECT_EQ(ErrorAt(1027, list + "  - {name: q, target: t}\n"), "participants: more than 1024");
}

TEST_F(ConfigFile, TakesTheFourLogLevels)
{
    EXPECT_TRUE(LoadText("journal: /j\n").config->participant_stream);
    EXPECT_FALSE(LoadText("journal: /j\nparticipant_stream: false\n").config->participant_stream);
    EXPECT_EQ(ErrorAt(1, "participant_stream: no\n"),
              "participant_stream: \"no\" is neither true nor false");
    EXPECT_EQ(LoadText("journal: /j\nlog_level: debug\n").config->log_level, LOGGER_DEBUG);
    EXPECT_EQ(LoadText("journal: /j\nlog_level: \"error\"\n").config->log_level, LOGGER_ERROR);
    EXPECT_EQ(ErrorAt(1, "log_level: loud\n"),
              "log_level: \"loud\" is none of debug, info, warning, error");
}

TEST_F(ConfigFile, RefusesWhatIsNotYaml)
{
    EXPECT_THAT(ErrorAt(2, "journal: /j\nwindow: 5: 6\n"), StartsWith("is not YAML: "));
    EXPECT_THAT(ErrorAt(2, "journal: /j\n\tlisten: x\n"), StartsWith("is not YAML: "));
    EXPECT_THAT(ErrorAt(2, "journal: /j\nlisten: \xff\xfe\n"), StartsWith("is not YAML: "));
    EXPECT_THAT(ErrorAt(1, std::string("\0\1\2\3garbage\x80\x81", 13)),
                StartsWith("is not YAML: "));
    EXPECT_THAT(LoadText("journal: /j\nlisten: [a\n").error, HasSubstr("is not YAML: "));
    EXPECT_THAT(LoadText("journal: \"/j\n").error, HasSubstr("is not YAML: "));
}

TEST_F(ConfigFile, RefusesWhatAConfigurationDoesNotNeedOfYaml)
{
    EXPECT_EQ(ErrorAt(1, "just words\n"), "must hold \"key: value\" lines");
    EXPECT_EQ(ErrorAt(1, "- a\n- b\n"), "must hold \"key: value\" lines");
    EXPECT_EQ(ErrorAt(1, "[a]: b\n"), "a key must be a word");
    EXPECT_EQ(ErrorAt(1, "journal: &x /j\n"), "anchors and aliases are not accepted");
    EXPECT_EQ(ErrorAt(1, "journal: *x\n"), "anchors and aliases are not accepted");
    EXPECT_EQ(ErrorAt(1, "listen: &x [a]\n"), "anchors and aliases are not accepted");
    EXPECT_EQ(ErrorAt(1, "window: !!int 5\n"), "tags are not accepted");
    EXPECT_EQ(ErrorAt(2, "journal: /j\n---\njournal: /k\n"), "a second document is not accepted");
}

TEST_F(ConfigFile, SurvivesDeepNesting)
{
    EXPECT_EQ(LoadText("journal: " + std::string(500000, '[') + "\n").status,
              TERCET_INVALID_ARGUMENT);
    EXPECT_EQ(LoadText(std::string(500000, '{')).status, TERCET_INVALID_ARGUMENT);
}

TEST_F(ConfigFile, SurvivesEveryCutOfAGoodFile)
{
    const std::string whole = "listen: [127.0.0.1:1, \"[::1]:2\"]\njournal: '/j'\nparticipants:\n"
                              "  - {name: a, target: b, window: 5}\nlog_level: debug\n";
    ASSERT_EQ(LoadText(whole).status, TERCET_OK);
    for (size_t size = 0; size < whole.size(); size++) {
        const Loaded loaded = LoadText(whole.substr(0, size));
        EXPECT_TRUE(loaded.status == TERCET_OK || loaded.status == TERCET_INVALID_ARGUMENT);
    }
}

TEST_F(ConfigFile, RefusesAFileThatIsTooLarge)
{
    const std::string line = "# filler filler filler filler\n";
    std::string text = kLeast;
    while (text.size() + line.size() <= CONFIG_FILE_BYTES_MAX) {
        text += line;
    }
    text.resize(CONFIG_FILE_BYTES_MAX, '#');
    EXPECT_EQ(LoadText(text).status, TERCET_OK);
    const Loaded loaded = LoadText(text + "#");
    EXPECT_EQ(loaded.status, TERCET_INVALID_ARGUMENT);
    EXPECT_EQ(loaded.error, path_ + ": is larger than 1048576 bytes: not a configuration");
}

TEST_F(ConfigFile, SaysWhyAFileCannotBeRead)
{
    path_ = directory_ + "/none.yaml";
    Loaded loaded = Load();
    EXPECT_EQ(loaded.status, TERCET_NOT_FOUND);
    EXPECT_EQ(loaded.error, path_ + ": cannot be opened: No such file or directory");
    path_ = directory_;
    loaded = Load();
    EXPECT_EQ(loaded.status, TERCET_UNAVAILABLE);
    EXPECT_EQ(loaded.error, path_ + ": cannot be read: Is a directory");
    path_ = directory_ + "/locked.yaml";
    Write(kLeast);
    ASSERT_EQ(chmod(path_.c_str(), 0), 0);
    loaded = Load();
    if (geteuid() != 0) { /* root reads everything */
        EXPECT_EQ(loaded.status, TERCET_UNAVAILABLE);
        EXPECT_EQ(loaded.error, path_ + ": cannot be opened: Permission denied");
    }
}
