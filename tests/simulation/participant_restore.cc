// participant_restore.cc -- somebody has lost the database and puts an older copy back; see participant.h.
#include <cstring>

#include "simulation/participant.h"

namespace simulation
{

bool Participant::BackUp()
{
    if (disk_.unsynced() > 0) {
        return false; /* what a crash could still take back is in no backup */
    }
    backup_.Restore(disk_);
    return true;
}

void Participant::Restore()
{
    Crash();
    disk_.Restore(backup_);
    scene_.database[number_]++; /* whoever was connected to the one before is no more */
    TellAll();
}

// The judge looks at all that stands there now.
void Participant::TellAll()
{
    const byte_map &map = disk_.map();
    const size_t prefix = sizeof ROW_CODEC_PREFIX - 1;
    scene_.judge.PutBack(number_);
    for (size_t i = 0; i < map.count; i++) {
        const tercet_bytes key = byte_map_key(map.entries[i]);
        const tercet_bytes value = byte_map_value(map.entries[i]);
        const auto *bytes = static_cast<const uint8_t *>(key.data);
        uint32_t act = 0;
        uint32_t index = 0;
        row_scope scope;
        if (ReadLineKey(key, &act, &index)) {
            Line line{};
            memcpy(&line, value.data, sizeof line);
            scene_.judge.LineWas(number_, act, index, line);
        } else if (key.size > prefix && bytes[0] == 0xff && bytes[prefix] == 'S' &&
                   row_scope_decode(value, &scope)) {
            scene_.judge.Remembers(number_, {scope.epoch.incarnation, scope.epoch.epoch},
                                   {scope.mark.as_of_incarnation, scope.mark.as_of_lsn});
        }
    }
    const uint8_t origin[TERCET_ORIGIN_BYTES] = {0};
    tercet_store_description found{};
    tercet_error error{};
    kv_fence looked{};
    if (kv_fence_open(&looked, Disk::Backend(), &disk_, &error) != TERCET_OK ||
        kv_fence_describe(&looked, name_, origin, &found, &error) != TERCET_OK) {
        scene_.judge.Fail("I5", "p%u cannot describe its backup: %s", number_, error.text);
    }
    kv_fence_close(&looked);
    const int64_t behind = found.highest.number != 0 ? found.highest.number + 1 : 0;
    scene_.judge.IsBack(number_, std::max<int64_t>(behind, found.mark.low.number));
    for (uint32_t i = 0; i < ACCOUNTS; i++) {
        const AccountKey key = KeyOfAccount(i);
        Account account{};
        memcpy(&account, disk_.Read(tercet_bytes_of(key.bytes, sizeof key.bytes)).data,
               sizeof account);
        scene_.judge.AccountIs(number_, i, account);
    }
}

} // namespace simulation
