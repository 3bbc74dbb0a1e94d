// image.cc -- see image.h.
#include "integrity/image.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>

namespace tercet
{

namespace fs = std::filesystem;

void Image::AddDirectory(const std::string &path)
{
    for (size_t at = path.find('/'); at != std::string::npos; at = path.find('/', at + 1)) {
        directories.insert(path.substr(0, at));
    }
    directories.insert(path);
}

void Image::AddFile(const std::string &path, std::string bytes)
{
    const size_t slash = path.rfind('/');
    if (slash != std::string::npos) {
        AddDirectory(path.substr(0, slash));
    }
    files[path] = std::make_shared<const std::string>(std::move(bytes));
}

const std::string &Image::Bytes(const std::string &path) const
{
    return *files.at(path);
}

void Image::RemoveBelow(const std::string &directory)
{
    const std::string prefix = directory + "/";
    const auto is_below = [&](const std::string &path) { return path.rfind(prefix, 0) == 0; };
    for (auto it = files.begin(); it != files.end();) {
        it = is_below(it->first) ? files.erase(it) : std::next(it);
    }
    for (auto it = directories.begin(); it != directories.end();) {
        it = is_below(*it) || *it == directory ? directories.erase(it) : std::next(it);
    }
}

std::string ReadFile(const std::string &path)
{
    std::string bytes;
    const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    struct stat info = {};
    if (fd >= 0 && fstat(fd, &info) == 0) {
        bytes.resize(static_cast<size_t>(info.st_size));
        if (read(fd, bytes.data(), bytes.size()) != info.st_size) {
            bytes.clear();
        }
    }
    close(fd);
    return bytes;
}

Image ReadImage(const std::string &directory)
{
    Image image;
    if (!fs::exists(directory)) {
        return image;
    }
    for (const auto &entry : fs::recursive_directory_iterator(directory)) {
        const std::string path = entry.path().string().substr(directory.size() + 1);
        if (entry.is_directory()) {
            image.AddDirectory(path);
        } else {
            image.AddFile(path, ReadFile(entry.path()));
        }
    }
    return image;
}

void WriteImage(const Image &image, const std::string &directory)
{
    fs::remove_all(directory);
    bool good = mkdir(directory.c_str(), 0700) == 0;
    for (const std::string &path : image.directories) { // sorted: parents first
        good = mkdir((directory + "/" + path).c_str(), 0700) == 0 && good;
    }
    for (const auto &file : image.files) {
        const int fd = open((directory + "/" + file.first).c_str(),
                            O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        const std::string &bytes = *file.second;
        const auto size = static_cast<ssize_t>(bytes.size());
        good = fd >= 0 && write(fd, bytes.data(), bytes.size()) == size && good;
        close(fd);
    }
    if (!good) {
        fprintf(stderr, "cannot write a case to %s: is the disk full?\n", directory.c_str());
        _exit(70);
    }
}

} // namespace tercet
