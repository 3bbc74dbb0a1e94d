// power_model.cc -- see power_model.h.
#include "integrity/power_model.h"

#include <cstring>

#include "integrity/power_disk.h"

namespace tercet
{
namespace
{

size_t Padded(size_t size)
{
    return (size + 7) / 8 * 8;
}

// A record of the log, taken apart.
struct Call {
    shim_record record;
    std::string path; // below the root
    std::string second;
    std::string bytes;
};

std::string BelowRoot(const std::string &path, const std::string &root)
{
    return path.size() <= root.size() ? "" : path.substr(root.size() + 1);
}

Call ReadCall(const std::string &log, size_t at, const std::string &root)
{
    Call call;
    memcpy(&call.record, log.data() + at, sizeof call.record);
    at += Padded(sizeof call.record);
    call.path = BelowRoot(log.substr(at, call.record.path_bytes), root);
    at += Padded(call.record.path_bytes);
    call.second = BelowRoot(log.substr(at, call.record.second_bytes), root);
    at += Padded(call.record.second_bytes);
    call.bytes = log.substr(at, call.record.data_bytes);
    return call;
}

size_t SizeOf(const shim_record &record)
{
    return Padded(sizeof record) + Padded(record.path_bytes) + Padded(record.second_bytes) +
           Padded(record.data_bytes);
}

void Play(const Call &call, PowerDisk *disk)
{
    switch (static_cast<shim_op>(call.record.op)) {
    case SHIM_OPEN:
        disk->Open(call.record.fd, call.path, call.record.flags);
        break;
    case SHIM_WRITE:
        disk->Write(call.record.fd, -1, call.bytes);
        break;
    case SHIM_PWRITE:
        disk->Write(call.record.fd, call.record.offset, call.bytes);
        break;
    case SHIM_SYNC:
        disk->Sync(call.record.fd);
        break;
    case SHIM_RENAME:
        disk->Rename(call.path, call.second);
        break;
    case SHIM_UNLINK:
    case SHIM_RMDIR:
        disk->Remove(call.path);
        break;
    case SHIM_TRUNCATE:
        disk->Truncate(call.record.fd, call.record.offset);
        break;
    case SHIM_CLOSE:
        disk->Close(call.record.fd);
        break;
    case SHIM_MKDIR:
        disk->MakeDirectory(call.path);
        break;
    case SHIM_LINK:
        disk->Link(call.path, call.second);
        break;
    case SHIM_READ:
    case SHIM_LOOK:
    case SHIM_ACK:
        break;
    }
}

} // namespace

const char *DataName(Data data)
{
    static const char *const names[] = {"dropped", "kept", "torn", "zeros", "garbage", "mixed"};
    return names[static_cast<size_t>(data)];
}

const char *NamesName(Names names)
{
    static const char *const all[] = {"names in order", "any names", "names by POSIX"};
    return all[static_cast<size_t>(names)];
}

History::History(Image base, std::string root, std::string log)
    : base_(std::move(base)), root_(std::move(root)), log_(std::move(log))
{
    for (size_t at = 0; at < log_.size();) {
        shim_record record;
        memcpy(&record, log_.data() + at, sizeof record);
        records_.push_back(at);
        at += SizeOf(record);
    }
}

Disk History::At(size_t moment, Data data, Names names, Dice *dice) const
{
    PowerDisk disk(base_, names);
    Disk result;
    for (size_t i = 0; i < moment; i++) {
        const Call call = ReadCall(log_, records_[i], root_);
        Play(call, &disk);
        if (call.record.op == SHIM_ACK) {
            result.acknowledged = call.record.offset;
        }
        if (i + 1 == moment) {
            result.words = std::string("behind ") + shim_op_name(static_cast<int>(call.record.op)) +
                           " " + call.path + " " + call.second;
        }
    }
    result.image = disk.LosePower(data, dice);
    return result;
}

} // namespace tercet
