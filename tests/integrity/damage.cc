// damage.cc -- see damage.h.
#include "integrity/damage.h"

#include <algorithm>

namespace tercet
{
namespace
{

constexpr size_t kPage = 4096;
constexpr size_t kLogBlock = 32768;
constexpr size_t kLogHeader = 7;

bool IsLog(const std::string &path)
{
    return path.find(".log") != std::string::npos || path.find("MANIFEST") != std::string::npos;
}

bool Matters(const std::string &path)
{
    return path.rfind("safety/", 0) != 0 && path.find("LOG") == std::string::npos &&
           path.find("LOCK") == std::string::npos;
}

// Most often one that matters, sometimes any.
std::string PickFile(const Image &image, Dice *dice, bool (*wanted)(const std::string &))
{
    const bool any = wanted == nullptr && dice->Below(8) == 0;
    std::vector<std::string> paths;
    for (const auto &file : image.files) {
        const bool fits = wanted != nullptr ? wanted(file.first) : Matters(file.first);
        if (any || (fits && Matters(file.first))) {
            paths.push_back(file.first);
        }
    }
    return paths.empty() ? "" : paths[dice->Below(paths.size())];
}

// Where the records of a LevelDB log begin, and where the last one ends.
std::vector<size_t> RecordStarts(const std::string &bytes)
{
    std::vector<size_t> starts;
    size_t at = 0;
    while (at + kLogHeader <= bytes.size()) {
        if (kLogBlock - at % kLogBlock < kLogHeader) {
            at += kLogBlock - at % kLogBlock;
            continue;
        }
        starts.push_back(at);
        at += kLogHeader + (static_cast<size_t>(static_cast<uint8_t>(bytes[at + 4])) |
                            static_cast<size_t>(static_cast<uint8_t>(bytes[at + 5])) << 8);
    }
    return starts;
}

std::string Noise(size_t size, Dice *dice)
{
    std::string noise(size, '\0');
    for (char &c : noise) {
        c = static_cast<char>(dice->Below(256));
    }
    return noise;
}

std::string Words(const char *what, const std::string &path, size_t at, size_t more = 0)
{
    return std::string(what) + " " + path + " at " + std::to_string(at) + ", " +
           std::to_string(more);
}

// At this place of the file of this path.
std::string Harm(Kind kind, const std::string &path, size_t at, Dice *dice, std::string *bytes_io)
{
    std::string &bytes = *bytes_io;
    const size_t size = bytes.size();
    const size_t bit = dice->Below(8);
    const size_t page = at / kPage * kPage;
    const size_t page_size = std::min(kPage, size - page);
    switch (kind) {
    case Kind::kLengthBit:
        at += 4 + dice->Below(3); // its type too
        [[fallthrough]];
    case Kind::kFlip:
        bytes[at] = static_cast<char>(bytes[at] ^ (1 << bit));
        return Words("flip", path, at, bit);
    case Kind::kByte:
        bytes[at] = static_cast<char>(bytes[at] + 1 + static_cast<int>(dice->Below(255)));
        return Words("byte", path, at);
    case Kind::kTruncate:
    case Kind::kTruncateRecord:
        bytes.resize(at);
        return Words("truncate", path, at);
    case Kind::kZeroPage:
        std::fill_n(bytes.begin() + static_cast<int64_t>(page), page_size, '\0');
        return Words("zero page", path, page);
    case Kind::kDuplicatePage: {
        const size_t to = dice->Below(size) / kPage * kPage; // over another, or put in between
        const std::string copy = bytes.substr(page, page_size);
        dice->Maybe() ? bytes.replace(to, copy.size(), copy) : bytes.insert(to, copy);
        return Words("duplicate page", path, page, to);
    }
    case Kind::kAppendGarbage:
        bytes += Noise(1 + dice->Below(dice->Maybe() ? 20 : 5000), dice);
        return Words("garbage behind", path, size, bytes.size());
    case Kind::kAppendZeros:
        bytes.append(1 + dice->Below(dice->Maybe() ? 20 : 40000), '\0');
        return Words("zeros behind", path, size, bytes.size());
    case Kind::kSwap:
    case Kind::kStaleFile:
    case Kind::kStaleStore:
    case Kind::kDelete:
    case Kind::kDeleteDirectory:
    case Kind::kCount:
        break; // not in one file
    }
    return "";
}

std::string InFile(Kind kind, Dice *dice, Image *image)
{
    const bool in_log = kind == Kind::kLengthBit || kind == Kind::kTruncateRecord;
    const std::string path = PickFile(*image, dice, in_log ? IsLog : nullptr);
    if (path.empty()) {
        return "";
    }
    std::string bytes = image->Bytes(path);
    const std::vector<size_t> starts = in_log ? RecordStarts(bytes) : std::vector<size_t>();
    const bool grows = kind == Kind::kAppendGarbage || kind == Kind::kAppendZeros;
    if ((bytes.empty() && !grows) || (in_log && starts.empty())) {
        return "";
    }
    const size_t at = in_log ? starts[dice->Below(starts.size())] : dice->Below(bytes.size());
    const std::string words = Harm(kind, path, at, dice, &bytes);
    if (!words.empty()) {
        image->AddFile(path, std::move(bytes));
    }
    return words;
}

std::string Swap(const std::string &left, const std::string &right, Image *image)
{
    if (image->Bytes(left) == image->Bytes(right)) {
        return "";
    }
    std::swap(image->files[left], image->files[right]);
    return "swap " + left + " and " + right;
}

// An older generation of the same file.
std::string StaleFile(const Shape &shape, size_t moment, const std::string &path, Image *image)
{
    const auto older = shape.before[moment].files.find(path);
    if (older == shape.before[moment].files.end() || *older->second == image->Bytes(path)) {
        return "";
    }
    image->files[path] = older->second;
    return "stale " + path + " of snapshot " + std::to_string(moment);
}

// A whole store (or everything but the witness) as it was.
std::string StaleStore(const Shape &shape, size_t moment, const std::string &store, Image *image)
{
    const Image &older = shape.before[moment];
    if (store.empty()) {
        const auto witness = image->files["witness"];
        *image = older;
        image->files["witness"] = witness;
        return "stale all but the witness, of snapshot " + std::to_string(moment);
    }
    if (older.directories.count(store) == 0) {
        return "";
    }
    image->RemoveBelow(store);
    image->AddDirectory(store);
    for (const auto &file : older.files) {
        if (file.first.rfind(store + "/", 0) == 0) {
            image->AddFile(file.first, *file.second);
        }
    }
    return "stale " + store + " of snapshot " + std::to_string(moment);
}

std::string OfManyFiles(const Shape &shape, Kind kind, Dice *dice, Image *image)
{
    const std::string path = PickFile(*image, dice, nullptr);
    switch (kind) {
    case Kind::kSwap:
        return Swap(path, PickFile(*image, dice, nullptr), image);
    case Kind::kStaleFile:
        return shape.before.empty()
                   ? ""
                   : StaleFile(shape, dice->Below(shape.before.size()), path, image);
    case Kind::kDelete:
        image->files.erase(path);
        return "delete " + path;
    case Kind::kFlip:
    case Kind::kByte:
    case Kind::kLengthBit:
    case Kind::kTruncate:
    case Kind::kTruncateRecord:
    case Kind::kZeroPage:
    case Kind::kDuplicatePage:
    case Kind::kAppendGarbage:
    case Kind::kAppendZeros:
    case Kind::kStaleStore:
    case Kind::kDeleteDirectory:
    case Kind::kCount:
        break; // in one file, or done once each
    }
    return "";
}

} // namespace

const char *KindName(Kind kind)
{
    static const char *const names[] = {"bit flipped",
                                        "byte changed",
                                        "record length bit flipped",
                                        "cut anywhere",
                                        "cut at a record",
                                        "4 KiB zeroed",
                                        "4 KiB doubled",
                                        "garbage appended",
                                        "zeros appended",
                                        "two files swapped",
                                        "file of an older moment",
                                        "store of an older moment",
                                        "file deleted",
                                        "directory deleted"};
    static_assert(sizeof names / sizeof names[0] == static_cast<size_t>(Kind::kCount));
    return names[static_cast<size_t>(kind)];
}

std::string Damage(const Shape &shape, Kind kind, Dice *dice, Image *image)
{
    const std::string words = InFile(kind, dice, image);
    return words.empty() ? OfManyFiles(shape, kind, dice, image) : words;
}

std::string DamageOnce(const Shape &shape, int64_t number, Kind *kind_out, Image *image)
{
    const Image &now = shape.now;
    std::vector<std::string> stores = {""};
    for (const std::string &directory : now.directories) {
        stores.push_back(directory);
    }
    *kind_out = Kind::kDeleteDirectory;
    for (const std::string &directory : now.directories) {
        if (number-- == 0) {
            image->RemoveBelow(directory);
            return "delete " + directory;
        }
    }
    *kind_out = Kind::kStaleStore;
    for (size_t moment = 0; moment < shape.before.size(); moment++) {
        for (const std::string &store : stores) {
            if (number-- == 0) {
                const std::string words = StaleStore(shape, moment, store, image);
                return words.empty() ? "nothing" : words;
            }
        }
    }
    for (const auto &file : now.files) {
        *kind_out = Kind::kDelete;
        if (number-- == 0) {
            image->files.erase(file.first);
            return "delete " + file.first;
        }
        *kind_out = Kind::kTruncate;
        if (number-- == 0) {
            image->AddFile(file.first, "");
            return "empty " + file.first;
        }
        *kind_out = Kind::kStaleFile;
        for (size_t moment = 0; moment < shape.before.size(); moment++) {
            if (number-- == 0) {
                const std::string words = StaleFile(shape, moment, file.first, image);
                return words.empty() ? "nothing" : words;
            }
        }
    }
    return "";
}

} // namespace tercet
