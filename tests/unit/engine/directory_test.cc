// The participants that a coordinator knows by name.
#include <gtest/gtest.h>

#include <cstring>
#include <string>

extern "C" {
#include "engine/directory.h"
}

namespace
{

class Directory : public ::testing::Test
{
  protected:
    Directory()
    {
        directory_init(&directory_);
    }
    ~Directory() override
    {
        directory_deinit(&directory_);
    }

    tercet_status Add(const std::string &name, const char *target = "unix:/somewhere")
    {
        directory_entry entry{};
        memcpy(entry.name, name.data(), std::min(name.size(), sizeof entry.name - 1));
        entry.target = const_cast<char *>(target); // NOLINT: it is copied
        return directory_add(&directory_, &entry);
    }

    directory directory_{};
};

TEST_F(Directory, ANameHasALengthAndAnAlphabet)
{
    EXPECT_EQ(TERCET_OK, Add("AZaz09_.-"));
    EXPECT_EQ(TERCET_OK, Add(std::string(TERCET_NAME_BYTES_MAX, 'a')));
    EXPECT_EQ(TERCET_INVALID_ARGUMENT, Add(""));
    const std::string long_name(TERCET_NAME_BYTES_MAX + 1, 'a');
    EXPECT_FALSE(directory_is_name(long_name.data(), long_name.size()));
    for (const char *name : {"a b", "a/b", "a@", "a[", "a`", "a{", "a:", "a\x01", "\xc3\xa4"}) {
        EXPECT_EQ(TERCET_INVALID_ARGUMENT, Add(name)) << name;
    }
    EXPECT_EQ(2U, directory_.count);
}

TEST_F(Directory, ANameIsTakenOnceAndFoundWhole)
{
    ASSERT_EQ(TERCET_OK, Add("order"));
    EXPECT_EQ(TERCET_ALREADY_EXISTS, Add("order"));
    EXPECT_EQ(0U, directory_find(&directory_, "orders", 5)) << "not NUL-terminated";
    EXPECT_EQ(UINT32_MAX, directory_find(&directory_, "orders", 6));
    EXPECT_EQ(UINT32_MAX, directory_find(&directory_, "ordes", 5));
}

TEST_F(Directory, IsBounded)
{
    for (int i = 0; i < DIRECTORY_PARTICIPANT_COUNT_MAX; i++) {
        ASSERT_EQ(TERCET_OK, Add("p" + std::to_string(i)));
    }
    EXPECT_EQ(TERCET_RESOURCE_EXHAUSTED, Add("one-more"));
}

TEST_F(Directory, RecoveryFindsANameOrAddsItWithoutATarget)
{
    ASSERT_EQ(TERCET_OK, Add("order"));
    EXPECT_EQ(0U, directory_intern(&directory_, "order"));
    EXPECT_EQ(1U, directory_intern(&directory_, "gone"));
    EXPECT_EQ(nullptr, directory_.entries[1].target);
    ASSERT_EQ(TERCET_OK, Add("bare", nullptr));
    EXPECT_EQ(nullptr, directory_.entries[2].target);
}

} // namespace
