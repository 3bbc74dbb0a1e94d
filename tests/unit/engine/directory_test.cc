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
        entry.targets[0] = const_cast<char *>(target); // NOLINT: it is copied
        entry.target_count = target == nullptr ? 0 : 1;
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
    EXPECT_EQ(0U, directory_seat_count(&directory_.entries[1]));
    ASSERT_EQ(TERCET_OK, Add("bare", nullptr));
    EXPECT_EQ(0U, directory_seat_count(&directory_.entries[2]));
}

TEST_F(Directory, NeighbouringSeatsLeadToDifferentInstances)
{
    char first[] = "127.0.0.1:1";
    char second[] = "127.0.0.1:2";
    directory_entry entry{};
    snprintf(entry.name, sizeof entry.name, "order");
    entry.targets[0] = first;
    entry.targets[1] = second;
    entry.target_count = 2;
    entry.connections = 3;
    ASSERT_EQ(TERCET_OK, directory_add(&directory_, &entry));
    ASSERT_EQ(6U, directory_seat_count(&directory_.entries[0]));
    for (uint32_t seat = 0; seat < 6; seat++) {
        EXPECT_STREQ(seat % 2 == 0 ? "127.0.0.1:1" : "127.0.0.1:2",
                     directory_seat_target(&directory_.entries[0], seat));
    }
    snprintf(entry.name, sizeof entry.name, "account");
    entry.connections = 0;
    ASSERT_EQ(TERCET_OK, directory_add(&directory_, &entry));
    EXPECT_EQ(2U, directory_seat_count(&directory_.entries[1])) << "one connection to each";
}

TEST_F(Directory, SeatsAreBounded)
{
    char target[] = "127.0.0.1:1";
    directory_entry entry{};
    snprintf(entry.name, sizeof entry.name, "order");
    for (uint32_t i = 0; i < 3; i++) {
        entry.targets[i] = target;
    }
    entry.target_count = 3;
    entry.connections = 6;
    EXPECT_EQ(TERCET_INVALID_ARGUMENT, directory_add(&directory_, &entry));
    entry.connections = 5;
    EXPECT_EQ(TERCET_OK, directory_add(&directory_, &entry));
}

} // namespace
