// Everything that these tests make lies below one directory, which goes with the program.  A death
// test's process ends in the middle of its test and removes nothing: it makes its own below ours.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <string>

namespace
{

class TemporaryRoot : public ::testing::Environment
{
  public:
    void SetUp() override
    {
        before_ = std::filesystem::temp_directory_path().string();
        path_ = before_ + "/journal-tests-XXXXXX";
        ASSERT_NE(mkdtemp(path_.data()), nullptr);
        ASSERT_EQ(setenv("TMPDIR", path_.c_str(), 1), 0);
    }
    void TearDown() override
    {
        std::filesystem::remove_all(path_);
        EXPECT_EQ(setenv("TMPDIR", before_.c_str(), 1), 0);
    }

  private:
    std::string before_;
    std::string path_;
};

const ::testing::Environment *const root = ::testing::AddGlobalTestEnvironment(new TemporaryRoot);

TEST(JournalTests, KeepWhatTheyMakeBelowOneDirectoryThatGoesWithThem)
{
    ASSERT_NE(root, nullptr);
    EXPECT_NE(std::filesystem::temp_directory_path().string().find("/journal-tests-"),
              std::string::npos);
}

} // namespace
