// disk.cc -- see disk.h.
#include "simulation/disk.h"

#include <cstdio>
#include <cstdlib>

namespace simulation
{
namespace
{

tercet_status Fail(tercet_error *error, tercet_status status, const char *text)
{
    if (error != nullptr) {
        error->status = status;
        snprintf(error->text, sizeof error->text, "%s", text);
    }
    return status;
}

} // namespace

Disk::Disk() = default;

Disk::~Disk()
{
    Forget();
    byte_map_deinit(&map_);
}

tercet_status Disk::Get(void *self, tercet_bytes key, tercet_bytes *value_out, tercet_error *)
{
    *value_out = static_cast<const Disk *>(self)->Read(key);
    return TERCET_OK;
}

tercet_status Disk::Scan(void *self, tercet_bytes from, tercet_bytes end, kv_scan_fn fn,
                         void *context, tercet_error *)
{
    const auto *disk = static_cast<Disk *>(self);
    const size_t stop = byte_map_lower_bound(&disk->map_, end);
    for (size_t i = byte_map_lower_bound(&disk->map_, from); i < stop; i++) {
        const byte_map_entry *entry = disk->map_.entries[i];
        if (!fn(byte_map_key(entry), byte_map_value(entry), context)) {
            break;
        }
    }
    return TERCET_OK;
}

void Disk::Write(const byte_map *changes)
{
    commits_.push_back(undo_.size());
    for (size_t i = 0; i < changes->count; i++) {
        const byte_map_entry *change = changes->entries[i];
        const tercet_bytes key = byte_map_key(change);
        const tercet_bytes value = byte_map_value(change);
        byte_map_entry *now = change->removed ? nullptr : byte_map_entry_create(key, &value);
        byte_map_entry *before = byte_map_exchange(&map_, key, now);
        const bool none = now == nullptr && before == nullptr;
        byte_map_entry *own = none ? byte_map_entry_create(key, nullptr) : nullptr;
        undo_.push_back({now != nullptr ? now : none ? own : before, before, own});
    }
}

tercet_status Disk::Apply(void *self, const byte_map *changes, tercet_error *error)
{
    auto *disk = static_cast<Disk *>(self);
    switch (disk->fate ? disk->fate() : Commit::OK) {
    case Commit::OK:
        break;
    case Commit::FELL:
        return Fail(error, TERCET_ABORTED, "the transaction fell");
    case Commit::FULL:
        return Fail(error, TERCET_RESOURCE_EXHAUSTED, "the disk is full");
    case Commit::UNKNOWN_KEPT:
        disk->Write(changes);
        return Fail(error, TERCET_UNKNOWN, "the connection broke in the commit");
    case Commit::UNKNOWN_LOST:
        return Fail(error, TERCET_UNKNOWN, "the connection broke before the commit");
    }
    disk->Write(changes);
    return TERCET_OK;
}

tercet_status Disk::Usable(void *, tercet_error *)
{
    return TERCET_OK;
}

const kv_backend *Disk::Backend()
{
    static const kv_backend backend = {Get, Scan, Apply, Usable};
    return &backend;
}

void Disk::Forget()
{
    for (const Undo &undo : undo_) {
        free(undo.before);
        free(undo.own);
    }
    undo_.clear();
    commits_.clear();
}

void Disk::Crash(size_t kept)
{
    const size_t from = kept < commits_.size() ? commits_[kept] : undo_.size();
    while (undo_.size() > from) {
        const Undo undo = undo_.back();
        undo_.pop_back();
        free(byte_map_exchange(&map_, byte_map_key(undo.key), undo.before));
        free(undo.own);
    }
    commits_.resize(kept < commits_.size() ? kept : commits_.size());
}

tercet_bytes Disk::Read(tercet_bytes key) const
{
    const byte_map_entry *entry = byte_map_find(&map_, key);
    return entry == nullptr ? tercet_bytes_of(nullptr, 0) : byte_map_value(entry);
}

void Disk::Restore(const Disk &other)
{
    Forget();
    byte_map_clear(&map_);
    for (size_t i = 0; i < other.map_.count; i++) {
        Put(byte_map_key(other.map_.entries[i]), byte_map_value(other.map_.entries[i]));
    }
}

void Disk::Put(tercet_bytes key, tercet_bytes value)
{
    free(byte_map_exchange(&map_, key, byte_map_entry_create(key, &value)));
}

} // namespace simulation
