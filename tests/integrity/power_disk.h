// power_disk.h -- a file system that knows what is durable of it (power_model.h).
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "integrity/power_model.h"

namespace tercet
{

class PowerDisk
{
  public:
    PowerDisk(const Image &base, Names names);

    void Open(int fd, const std::string &path, int flags);
    void Write(int fd, int64_t offset, const std::string &bytes); // offset < 0: where it stands
    void Truncate(int fd, int64_t size);
    void Sync(int fd);
    void Close(int fd);
    void MakeDirectory(const std::string &path);
    void Remove(const std::string &path);
    void Link(const std::string &from, const std::string &to);
    void Rename(const std::string &from, const std::string &to);

    Image LosePower(Data data, Dice *dice) const;

  private:
    using Place = std::pair<int, std::string>; // directory, name
    struct Change {                            // of a file's bytes; not synced
        int64_t offset;
        std::string bytes;
        bool truncates; // to `offset`
    };
    struct Node {
        bool is_directory = false;
        std::string durable;
        int64_t size = 0;
        std::vector<Change> changes;
    };
    struct NameChange {                             // atomic
        std::vector<std::pair<Place, int>> effects; // -1: removed
        bool durable = false;
    };
    struct Descriptor {
        int node;
        int64_t at;
    };

    int Find(const std::string &path) const; // -1: not there
    Place PlaceOf(const std::string &path) const;
    int MakeNode(bool is_directory);
    void Rename(const std::vector<std::pair<Place, int>> &effects);
    void SyncNames(int node);
    std::map<Place, int> NamesAfter(Dice *dice) const;
    std::string BytesAfter(const Node &node, Data data, Dice *dice) const;

    Names names_;
    std::vector<Node> nodes_; // the first is the root
    std::map<Place, int> first_;
    std::map<Place, int> now_;
    std::vector<NameChange> name_changes_;
    std::map<int, Descriptor> descriptors_;
};

} // namespace tercet
