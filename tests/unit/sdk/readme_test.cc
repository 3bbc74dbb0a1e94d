/* What the manual shows is what the build compiles. */
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <string>

namespace
{

std::string ReadFile(const std::string &name)
{
    std::ifstream file(std::string(TERCET_SDK_DIR) + "/" + name);
    EXPECT_TRUE(file.good()) << name;
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
}

TEST(Readme, ShowsTheExamplesAsTheyAreCompiled)
{
    const std::string readme = ReadFile("README.md");
    for (const char *example : {"participant_40_lines.c", "pay.c", "async.c"}) {
        EXPECT_NE(readme.find(std::string("examples/") + example), std::string::npos) << example;
    }
    const std::string block = "```c\n" + ReadFile("examples/participant_40_lines.c") + "```";
    EXPECT_NE(readme.find(block), std::string::npos)
        << "the code block differs from examples/participant_40_lines.c";
}

} // namespace
