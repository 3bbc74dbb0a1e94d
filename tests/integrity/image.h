// image.h -- a directory tree held in memory.
//
// Images that are copies of one another share the bytes of their files until one of them changes a file:
// a case copies a whole journal, and harms one file of it.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>

namespace tercet
{

struct Image {
    std::set<std::string> directories; // relative, parents too
    std::map<std::string, std::shared_ptr<const std::string>> files;

    void AddFile(const std::string &path, std::string bytes);
    const std::string &Bytes(const std::string &path) const; // of a file that is there
    void AddDirectory(const std::string &path);
    void RemoveBelow(const std::string &directory); // and itself
};

Image ReadImage(const std::string &directory);
void WriteImage(const Image &image, const std::string &directory); // what was there is removed
std::string ReadFile(const std::string &path);                     // "" when there is none

} // namespace tercet
