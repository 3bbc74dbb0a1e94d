/* config_fixture.h -- configurations from text. */
#ifndef TESTS_UNIT_CONFIG_CONFIG_FIXTURE_H
#define TESTS_UNIT_CONFIG_CONFIG_FIXTURE_H

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <utility>
#include <vector>

extern "C" {
#include "config_keys.h"
#include "config_print.h"
}

struct ConfigDelete {
    void operator()(struct config *config) const
    {
        config_destroy(config);
    }
};
using ConfigPointer = std::unique_ptr<struct config, ConfigDelete>;

/* What config_load() made of it. */
struct Loaded {
    enum tercet_status status = TERCET_OK;
    std::string error;
    ConfigPointer config;
};

class ConfigTest : public ::testing::Test
{
  protected:
    void SetUp() override
    {
        char name[] = "/tmp/tercet_config_XXXXXX";
        directory_ = mkdtemp(name);
        path_ = directory_ + "/tercetd.yaml";
    }

    void TearDown() override
    {
        (void)std::remove(path_.c_str());
        (void)rmdir(directory_.c_str());
    }

    void Write(const std::string &text)
    {
        FILE *file = std::fopen(path_.c_str(), "wb");
        ASSERT_NE(file, nullptr);
        ASSERT_EQ(std::fwrite(text.data(), 1, text.size(), file), text.size());
        ASSERT_EQ(std::fclose(file), 0);
    }

    /* Loads path_ (unless empty) with these variables and flags. */
    Loaded Load(const std::vector<std::string> &environment = {},
                const std::vector<std::pair<std::string, std::string>> &flags = {})
    {
        std::vector<const char *> variables;
        for (const std::string &variable : environment) {
            variables.push_back(variable.c_str());
        }
        variables.push_back(nullptr);
        std::vector<struct config_flag> flag_list;
        for (const auto &flag : flags) {
            flag_list.push_back({flag.first.c_str(), flag.second.c_str()});
        }
        struct config_sources sources = {};
        sources.file = path_.empty() ? nullptr : path_.c_str();
        sources.environment = variables.data();
        sources.flags = flag_list.data();
        sources.flag_count = flag_list.size();
        struct config *config = nullptr;
        struct tercet_error error = {};
        Loaded loaded;
        loaded.status = config_load(&sources, &config, &error);
        loaded.error = error.text;
        loaded.config.reset(config);
        EXPECT_EQ(loaded.status == TERCET_OK, config != nullptr);
        EXPECT_EQ(loaded.status == TERCET_OK, loaded.error.empty()) << loaded.error;
        return loaded;
    }

    Loaded LoadText(const std::string &text)
    {
        Write(text);
        return Load();
    }

    /* The sentence behind "PATH:LINE: ", when it begins so. */
    std::string ErrorAt(int line, const std::string &text)
    {
        const Loaded loaded = LoadText(text);
        EXPECT_EQ(loaded.status, TERCET_INVALID_ARGUMENT);
        const std::string begin = path_ + ":" + std::to_string(line) + ": ";
        EXPECT_EQ(loaded.error.rfind(begin, 0), 0U) << loaded.error;
        return loaded.error.size() > begin.size() ? loaded.error.substr(begin.size()) : "";
    }

    std::string directory_;
    std::string path_;
};

/* What a function prints. */
template <typename Print> std::string Printed(Print print)
{
    char *text = nullptr;
    size_t size = 0;
    FILE *file = open_memstream(&text, &size);
    print(file);
    (void)std::fclose(file);
    std::string printed(text, size);
    std::free(text);
    return printed;
}

#endif
