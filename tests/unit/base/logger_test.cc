// One line an event, whatever is in it.
#include "base/logger.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <regex>
#include <string>
#include <thread>
#include <vector>

namespace
{

std::string Format(const std::vector<logger_field> &some, int size = 1024)
{
    std::vector<logger_field> fields = some;
    fields.push_back(logger_field{nullptr, nullptr, 0});
    std::string line(static_cast<size_t>(size), '#');
    const int used = logger_format("test.event", fields.data(), line.data(), size);
    line.resize(static_cast<size_t>(used));
    return line;
}

std::string Value(const char *text)
{
    return Format({logger_text("k", text)}).substr(std::string("test.event k=").size());
}

// Logs to a pipe and gives back what arrived.
class Pipe
{
  public:
    explicit Pipe(logger_level level)
    {
        EXPECT_EQ(pipe(ends_), 0);
        logger_configure(level, ends_[1]);
    }

    std::string ReadToEnd()
    {
        logger_configure(LOGGER_INFO, STDERR_FILENO);
        close(ends_[1]);
        std::string all;
        char part[4096];
        for (ssize_t got = read(ends_[0], part, sizeof part); got > 0;
             got = read(ends_[0], part, sizeof part)) {
            all.append(part, static_cast<size_t>(got));
        }
        close(ends_[0]);
        return all;
    }

  private:
    int ends_[2];
};

TEST(Logger, PlainValuesStandAsTheyAre)
{
    EXPECT_EQ(Format({logger_text("gid", "order-1"), logger_int("lsn", -42)}),
              "test.event gid=order-1 lsn=-42");
    EXPECT_EQ(Format({logger_int("n", INT64_MIN)}), "test.event n=-9223372036854775808");
    EXPECT_EQ(Value("caf\xc3\xa9"), "caf\xc3\xa9");
}

TEST(Logger, ValuesThatCouldBeMisreadAreQuoted)
{
    EXPECT_EQ(Value(""), "\"\"");
    EXPECT_EQ(Value("two words"), "\"two words\"");
    EXPECT_EQ(Value("a=b"), "\"a=b\"");
    EXPECT_EQ(Value("say \"no\""), "\"say \\\"no\\\"\"");
    EXPECT_EQ(Value("back\\slash"), "\"back\\\\slash\"");
}

TEST(Logger, ControlBytesAreSpelledOutSoThatNoOneCanForgeALine)
{
    EXPECT_EQ(Value("a\nlevel=error"), "\"a\\x0alevel=error\"");
    EXPECT_EQ(Value("\r\t\x1b[31m\x7f"), "\"\\x0d\\x09\\x1b[31m\\x7f\"");
}

TEST(Logger, AMissingTextIsEmptyNotANumber)
{
    EXPECT_EQ(Format({logger_text("reason", nullptr)}), "test.event reason=\"\"");
}

TEST(Logger, ALineNeverOverrunsItsSize)
{
    const std::string text(5000, '\n');
    for (int size = 1; size < 200; size++) {
        EXPECT_LT(static_cast<int>(Format({logger_text("k", text.c_str())}, size).size()), size);
    }
}

TEST(Logger, LevelsAreReadByTheirNames)
{
    logger_level level = LOGGER_INFO;
    EXPECT_TRUE(logger_level_parse("debug", &level));
    EXPECT_EQ(level, LOGGER_DEBUG);
    EXPECT_TRUE(logger_level_parse("error", &level));
    EXPECT_EQ(level, LOGGER_ERROR);
    EXPECT_FALSE(logger_level_parse("ERROR", &level));
    EXPECT_FALSE(logger_level_parse("", &level));
    EXPECT_EQ(level, LOGGER_ERROR) << "written only on success";
}

TEST(Logger, ALineBeginsWithTheTimeInUtcAndEndsInANewline)
{
    Pipe pipe(LOGGER_INFO);
    const logger_field fields[] = {logger_int("n", 1), {nullptr, nullptr, 0}};
    logger_write(LOGGER_WARNING, "test.event", fields);
    const std::regex line(
        R"(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z warning test\.event n=1\n)");
    const std::string written = pipe.ReadToEnd();
    EXPECT_TRUE(std::regex_match(written, line)) << written;
}

TEST(Logger, BelowItsLevelNothingIsWritten)
{
    Pipe pipe(LOGGER_WARNING);
    const logger_field none[] = {{nullptr, nullptr, 0}};
    logger_write(LOGGER_DEBUG, "one", none);
    logger_write(LOGGER_INFO, "two", none);
    logger_write(LOGGER_WARNING, "three", none);
    logger_write(LOGGER_ERROR, "four", none);
    const std::string written = pipe.ReadToEnd();
    EXPECT_EQ(written.find("one"), std::string::npos);
    EXPECT_EQ(written.find("two"), std::string::npos);
    EXPECT_NE(written.find("warning three\n"), std::string::npos);
    EXPECT_NE(written.find("error four\n"), std::string::npos);
}

TEST(Logger, AHugeLineIsCutAndStillOneLine)
{
    Pipe pipe(LOGGER_INFO);
    const std::string text(100000, 'x');
    const logger_field fields[] = {logger_text("k", text.c_str()), {nullptr, nullptr, 0}};
    logger_write(LOGGER_INFO, "test.event", fields);
    const std::string written = pipe.ReadToEnd();
    EXPECT_LT(written.size(), 4096U);
    EXPECT_EQ(written.find('\n'), written.size() - 1);
}

TEST(Logger, LinesOfManyThreadsDoNotMix)
{
    Pipe pipe(LOGGER_INFO);
    std::vector<std::thread> threads;
    for (int t = 0; t < 8; t++) {
        threads.emplace_back([] {
            const std::string text(100, 'y');
            const logger_field fields[] = {logger_text("k", text.c_str()), {nullptr, nullptr, 0}};
            for (int i = 0; i < 20; i++) {
                logger_write(LOGGER_INFO, "test.event", fields);
            }
        });
    }
    for (auto &thread : threads) {
        thread.join();
    }
    const std::string written = pipe.ReadToEnd();
    const std::regex line(R"([^ \n]+ info test\.event k=y{100}\n)");
    EXPECT_EQ(std::distance(std::sregex_iterator(written.begin(), written.end(), line),
                            std::sregex_iterator()),
              160);
    EXPECT_EQ(std::regex_replace(written, line, ""), "");
}

} // namespace
