// image.h -- a directory tree held in memory.
#pragma once

#include <map>
#include <set>
#include <string>

namespace tercet
{

struct Image {
    std::set<std::string> directories; // relative, parents too
    std::map<std::string, std::string> files;

    void AddFile(const std::string &path, const std::string &bytes);
    void AddDirectory(const std::string &path);
    void RemoveBelow(const std::string &directory); // and itself
};

Image ReadImage(const std::string &directory);
void WriteImage(const Image &image, const std::string &directory); // what was there is removed
std::string ReadFile(const std::string &path);                     // "" when there is none

} // namespace tercet
