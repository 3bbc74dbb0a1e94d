// disk.h -- a participant's database: the fence's key-value backend, with synced and unsynced apart.
//
// Whatever is committed can be read at once, and is on the disk only after Sync().  A crash takes
// back the newest commits that are not synced, as many as the world says; a commit is lost or kept as
// a whole, because that is what databases promise.
#pragma once

#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

extern "C" {
#include "fence/kv_fence.h"
}

namespace simulation
{

// How a commit ends.
enum class Commit : uint8_t { OK, FELL, FULL, UNKNOWN_KEPT, UNKNOWN_LOST };

class Disk
{
  public:
    Disk();
    ~Disk();
    Disk(const Disk &) = delete;
    Disk &operator=(const Disk &) = delete;

    static const kv_backend *Backend();

    // Decides how the next commit ends; by default well.
    std::function<Commit()> fate;

    size_t unsynced() const
    {
        return commits_.size();
    }
    // Calls `each` with every key that has changed since the last Sync() (once, or more often).
    template <typename Each> void Sync(Each each)
    {
        for (const Undo &undo : undo_) {
            each(byte_map_key(undo.key));
        }
        Forget();
    }
    // The first `kept` unsynced commits stay, the others never were.  Sync() follows.
    void Crash(size_t kept);

    // What stands there now; size 0 and data NULL: nothing.
    tercet_bytes Read(tercet_bytes key) const;
    void Put(tercet_bytes key, tercet_bytes value); // at the beginning of the world

    // Becomes what the other is, as after a restore; nothing of it is unsynced.
    void Restore(const Disk &other);

    const byte_map &map() const
    {
        return map_;
    }

  private:
    struct Undo {
        const byte_map_entry *key; // some entry of this key: of the map, of an undo, or `own`
        byte_map_entry *before;    // or NULL
        byte_map_entry *own;       // where there is no other; else NULL
    };
    static tercet_status Get(void *self, tercet_bytes key, tercet_bytes *value_out,
                             tercet_error *error_out);
    static tercet_status Scan(void *self, tercet_bytes from, tercet_bytes end, kv_scan_fn fn,
                              void *context, tercet_error *error_out);
    static tercet_status Apply(void *self, const byte_map *changes, tercet_error *error_out);
    static tercet_status Usable(void *self, tercet_error *error_out);
    void Write(const byte_map *changes);
    void Forget();

    byte_map map_{};
    std::vector<Undo> undo_;
    std::vector<size_t> commits_; // where in undo_ each unsynced commit begins
};

} // namespace simulation
