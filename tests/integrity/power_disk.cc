// power_disk.cc -- see power_disk.h.
#include "integrity/power_disk.h"

#include <fcntl.h>

#include <algorithm>

namespace tercet
{
namespace
{

constexpr int64_t kSector = 512;

void Apply(std::string *bytes, int64_t offset, const std::string &from)
{
    const auto end = static_cast<size_t>(offset) + from.size();
    if (bytes->size() < end) {
        bytes->resize(end, '\0');
    }
    std::copy(from.begin(), from.end(), bytes->begin() + offset);
}

// One write, sector by sector, as chance has it.
void ApplyTorn(std::string *bytes, int64_t offset, std::string from, Data data, Dice *dice)
{
    const auto old_size = static_cast<int64_t>(bytes->size());
    for (size_t at = 0; at < from.size();) {
        const int64_t place = offset + static_cast<int64_t>(at);
        const size_t size =
            std::min(from.size() - at, static_cast<size_t>(kSector - place % kSector));
        const bool fresh = place >= old_size; // nothing was there: a size without its bytes
        const uint64_t fate = data == Data::kMixed ? dice->Below(4) : data == Data::kZeros ? 2 : 3;
        for (size_t i = at; i < at + size; i++) {
            const bool overwrites = place + static_cast<int64_t>(i - at) < old_size;
            if (overwrites && fate != 0) {
                from[i] = (*bytes)[static_cast<size_t>(offset) + i];
            } else if (fresh && fate == 2) {
                from[i] = '\0';
            } else if (fresh && fate == 3) {
                from[i] = static_cast<char>(dice->Below(256));
            }
        }
        at += size;
    }
    Apply(bytes, offset, from);
}

} // namespace

PowerDisk::PowerDisk(const Image &base, Names names) : names_(names)
{
    MakeNode(true);
    for (const std::string &path : base.directories) {
        const int node = MakeNode(true);
        now_[PlaceOf(path)] = node;
    }
    for (const auto &file : base.files) {
        const int node = MakeNode(false);
        now_[PlaceOf(file.first)] = node;
        nodes_.back().durable = *file.second;
        nodes_.back().size = static_cast<int64_t>(file.second->size());
    }
    first_ = now_;
}

int PowerDisk::MakeNode(bool is_directory)
{
    nodes_.emplace_back();
    nodes_.back().is_directory = is_directory;
    return static_cast<int>(nodes_.size()) - 1;
}

PowerDisk::Place PowerDisk::PlaceOf(const std::string &path) const
{
    const size_t slash = path.rfind('/');
    return slash == std::string::npos ? Place(0, path)
                                      : Place(Find(path.substr(0, slash)), path.substr(slash + 1));
}

int PowerDisk::Find(const std::string &path) const
{
    int node = 0;
    for (size_t at = 0; at < path.size();) {
        const size_t end = std::min(path.find('/', at), path.size());
        const auto found = now_.find(Place(node, path.substr(at, end - at)));
        if (found == now_.end()) {
            return -1;
        }
        node = found->second;
        at = end + 1;
    }
    return node;
}

void PowerDisk::Rename(const std::vector<std::pair<Place, int>> &effects)
{
    for (const auto &effect : effects) {
        if (effect.second < 0) {
            now_.erase(effect.first);
        } else {
            now_[effect.first] = effect.second;
        }
    }
    NameChange change;
    change.effects = effects;
    name_changes_.push_back(change);
}

void PowerDisk::Open(int fd, const std::string &path, int flags)
{
    int node = Find(path);
    if (node < 0 && (flags & O_CREAT) != 0) {
        node = MakeNode(false);
        Rename({{PlaceOf(path), node}});
    }
    if (node < 0) {
        descriptors_.erase(fd);
        return; // outside
    }
    descriptors_[fd] = {node, 0};
    if ((flags & O_TRUNC) != 0) {
        Truncate(fd, 0);
    }
    if ((flags & O_APPEND) != 0) {
        descriptors_[fd].at = nodes_[static_cast<size_t>(node)].size;
    }
}

void PowerDisk::Write(int fd, int64_t offset, const std::string &bytes)
{
    const auto found = descriptors_.find(fd);
    if (found == descriptors_.end()) {
        return;
    }
    Node &node = nodes_[static_cast<size_t>(found->second.node)];
    const int64_t at = offset < 0 ? found->second.at : offset;
    const int64_t end = at + static_cast<int64_t>(bytes.size());
    node.changes.push_back({at, bytes, false});
    node.size = std::max(node.size, end);
    if (offset < 0) {
        found->second.at = end;
    }
}

void PowerDisk::Truncate(int fd, int64_t size)
{
    const auto found = descriptors_.find(fd);
    if (found != descriptors_.end()) {
        Node &node = nodes_[static_cast<size_t>(found->second.node)];
        if (node.size != size) {
            node.changes.push_back({size, "", true});
            node.size = size;
        }
    }
}

// What the sync of a file or directory does to names.
void PowerDisk::SyncNames(int node)
{
    const bool is_directory = nodes_[static_cast<size_t>(node)].is_directory;
    size_t last = 0;
    for (size_t i = 0; i < name_changes_.size(); i++) {
        for (const auto &effect : name_changes_[i].effects) {
            if ((is_directory && effect.first.first == node) ||
                (names_ != Names::kStrict && effect.second == node)) {
                name_changes_[i].durable = true;
                last = i;
            }
        }
    }
    for (size_t i = 0; i < last && names_ == Names::kOrdered; i++) {
        name_changes_[i].durable = true;
    }
    // And the directories on the way to it.
    for (const auto &name : now_) {
        if (names_ != Names::kStrict && name.second == node && name.first.first != 0) {
            for (NameChange &change : name_changes_) {
                for (const auto &effect : change.effects) {
                    change.durable = change.durable || effect.second == name.first.first;
                }
            }
        }
    }
}

void PowerDisk::Sync(int fd)
{
    const auto found = descriptors_.find(fd);
    if (found == descriptors_.end()) {
        return;
    }
    Node &node = nodes_[static_cast<size_t>(found->second.node)];
    for (const Change &change : node.changes) {
        if (change.truncates) {
            node.durable.resize(static_cast<size_t>(change.offset), '\0');
        } else {
            Apply(&node.durable, change.offset, change.bytes);
        }
    }
    node.changes.clear();
    SyncNames(found->second.node);
}

void PowerDisk::Close(int fd)
{
    descriptors_.erase(fd);
}

void PowerDisk::MakeDirectory(const std::string &path)
{
    const int node = MakeNode(true);
    Rename({{PlaceOf(path), node}});
}

void PowerDisk::Remove(const std::string &path)
{
    Rename({{PlaceOf(path), -1}});
}

void PowerDisk::Link(const std::string &from, const std::string &to)
{
    Rename({{PlaceOf(to), Find(from)}});
}

void PowerDisk::Rename(const std::string &from, const std::string &to)
{
    const int node = Find(from);
    Rename({{PlaceOf(from), -1}, {PlaceOf(to), node}});
}

std::map<PowerDisk::Place, int> PowerDisk::NamesAfter(Dice *dice) const
{
    std::map<Place, int> names = first_;
    enum : uint64_t { kNone, kAll, kRemovals, kChance, kMoodCount };
    const uint64_t mood = dice->Below(kMoodCount);
    const size_t until = dice->Below(name_changes_.size() + 1);
    for (size_t i = 0; i < name_changes_.size(); i++) {
        const NameChange &change = name_changes_[i];
        bool kept = mood == kAll || (names_ == Names::kOrdered ? i < until : dice->Maybe());
        if (mood == kRemovals && names_ != Names::kOrdered) {
            kept = change.effects.size() == 1 && change.effects[0].second < 0;
        }
        if (!change.durable && (mood == kNone || !kept)) {
            continue;
        }
        for (const auto &effect : change.effects) {
            if (effect.second < 0) {
                names.erase(effect.first);
            } else {
                names[effect.first] = effect.second;
            }
        }
    }
    return names;
}

std::string PowerDisk::BytesAfter(const Node &node, Data data, Dice *dice) const
{
    std::string bytes = node.durable;
    const size_t whole = data == Data::kKept      ? node.changes.size()
                         : data == Data::kDropped ? 0
                                                  : dice->Below(node.changes.size() + 1);
    for (size_t i = 0; i < node.changes.size(); i++) {
        const Change &change = node.changes[i];
        if (i < whole && change.truncates) {
            bytes.resize(static_cast<size_t>(change.offset), '\0');
        } else if (i < whole) {
            Apply(&bytes, change.offset, change.bytes);
        } else if (change.truncates || data == Data::kDropped) {
            break; // the order of a file's size is kept
        } else if (data == Data::kTorn) {
            const auto cut = static_cast<int64_t>(dice->Below(change.bytes.size() + 1));
            const int64_t end = (change.offset + cut) / kSector * kSector;
            if (end > change.offset) {
                Apply(&bytes, change.offset,
                      change.bytes.substr(0, static_cast<size_t>(end - change.offset)));
            }
            break;
        } else {
            ApplyTorn(&bytes, change.offset, change.bytes, data, dice);
        }
    }
    return bytes;
}

Image PowerDisk::LosePower(Data data, Dice *dice) const
{
    Image image;
    const std::map<Place, int> names = NamesAfter(dice);
    std::vector<std::pair<int, std::string>> directories = {{0, ""}};
    std::vector<bool> seen(nodes_.size());
    for (size_t i = 0; i < directories.size(); i++) {
        const std::pair<int, std::string> directory = directories[i];
        for (auto it = names.lower_bound(Place(directory.first, ""));
             it != names.end() && it->first.first == directory.first; ++it) {
            const Node &node = nodes_[static_cast<size_t>(it->second)];
            const std::string path = directory.second + it->first.second;
            if (!node.is_directory) {
                image.AddFile(path, BytesAfter(node, data, dice));
            } else if (!seen[static_cast<size_t>(it->second)]) { // a directory has one name
                seen[static_cast<size_t>(it->second)] = true;
                image.AddDirectory(path);
                directories.emplace_back(it->second, path + "/");
            }
        }
    }
    return image;
}

} // namespace tercet
