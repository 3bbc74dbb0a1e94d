/* temporary_directory.cc -- see temporary_directory.h. */
#include "unit/sdk/temporary_directory.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

TemporaryDirectory::TemporaryDirectory()
{
    char name[] = "/tmp/tercet_sdk_XXXXXX";
    const char *made = mkdtemp(name);
    EXPECT_NE(made, nullptr);
    path_ = name;
}

TemporaryDirectory::~TemporaryDirectory()
{
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}
