/* temporary_directory.h -- a directory that goes with the test. */
#ifndef TESTS_UNIT_SDK_TEMPORARY_DIRECTORY_H
#define TESTS_UNIT_SDK_TEMPORARY_DIRECTORY_H

#include <string>

class TemporaryDirectory
{
  public:
    TemporaryDirectory();
    ~TemporaryDirectory();
    TemporaryDirectory(const TemporaryDirectory &) = delete;
    TemporaryDirectory &operator=(const TemporaryDirectory &) = delete;
    std::string Path(const std::string &name) const
    {
        return path_ + "/" + name;
    }

  private:
    std::string path_;
};

#endif
