// batch_facts.cc -- what a batch says, record by record; ReadBatch() of judge.h.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "simulation/judge.h"

extern "C" {
#include "journal/batch_read.h"
#include "journal/record_key.h"
}
#include "simulation/protos.h"

namespace simulation
{
namespace
{

// What protobuf-c takes for one message, out of one piece of memory: nothing is given back singly.
// Where that is too small, it is malloc's.
class Room
{
  public:
    ProtobufCAllocator *fresh() // for the next message
    {
        used_ = 0;
        return &allocator_;
    }
    ProtobufCAllocator *same()
    {
        return &allocator_;
    }

  private:
    static void *Take(void *self, size_t size)
    {
        auto *room = static_cast<Room *>(self);
        const size_t whole = (size + 15) / 16 * 16;
        if (whole > sizeof room->bytes_ - room->used_) {
            return malloc(size);
        }
        room->used_ += whole;
        return room->bytes_ + room->used_ - whole;
    }
    static void Give(void *self, void *taken)
    {
        const auto *room = static_cast<Room *>(self);
        const auto at = reinterpret_cast<uintptr_t>(taken);
        const auto first = reinterpret_cast<uintptr_t>(room->bytes_);
        if (at < first || at >= first + sizeof room->bytes_) {
            free(taken);
        }
    }
    alignas(16) unsigned char bytes_[4096];
    size_t used_ = 0;
    ProtobufCAllocator allocator_ = {Take, Give, this};
};

bool ReadBranch(const Tercet__V1__Record__BeginBranch *from, Fact *fact)
{
    const size_t size = from->payload_lost ? 0 : sizeof(Payload);
    if (fact->branch_count == ACT_BRANCHES_MAX || from->payload.len != size) {
        return false;
    }
    auto &branch = fact->branches[fact->branch_count++];
    branch.lost = from->payload_lost;
    branch.number = {from->incarnation, from->number};
    if (branch.lost) {
        branch.payload.branch = static_cast<uint8_t>(from->index);
        branch.payload.participant = static_cast<uint8_t>(from->participant[1] - '0');
    } else {
        memcpy(&branch.payload, from->payload.data, sizeof branch.payload);
    }
    return branch.payload.branch == from->index && from->index <= ACT_BRANCHES_MAX;
}

bool ReadBegin(Room *room, size_t size, const uint8_t *data, Fact *fact)
{
    auto *message = tercet__v1__record__begin__unpack(room->fresh(), size, data);
    if (message == nullptr) {
        return false;
    }
    fact->kind = Fact::BEGIN;
    fact->sequence = message->sequence;
    fact->by_steps = message->mode == TERCET__V1__RECORD__MODE__MODE_STEPS;
    bool fine = ReadGid(message->gid, strlen(message->gid), &fact->act);
    for (size_t i = 0; i < message->n_branches && fine; i++) {
        fine = ReadBranch(message->branches[i], fact);
    }
    tercet__v1__record__begin__free_unpacked(message, room->same());
    return fine;
}

bool ReadAddBranch(Room *room, size_t size, const uint8_t *data, Fact *fact)
{
    auto *message = tercet__v1__record__add_branch__unpack(room->fresh(), size, data);
    if (message == nullptr) {
        return false;
    }
    fact->kind = Fact::ADD_BRANCH;
    const bool fine = message->n_branches == 1 && ReadBranch(message->branches[0], fact);
    tercet__v1__record__add_branch__free_unpacked(message, room->same());
    return fine;
}

bool ReadDecide(Room *room, size_t size, const uint8_t *data, Fact *fact)
{
    auto *message = tercet__v1__record__decide__unpack(room->fresh(), size, data);
    if (message == nullptr) {
        return false;
    }
    fact->kind = Fact::DECIDE;
    fact->outcome = static_cast<txn_outcome>(message->outcome);
    tercet__v1__record__decide__free_unpacked(message, room->same());
    return true;
}

bool ReadProgress(Room *room, size_t size, const uint8_t *data, Fact *fact)
{
    auto *message = tercet__v1__record__progress__unpack(room->fresh(), size, data);
    if (message == nullptr) {
        return false;
    }
    fact->kind = Fact::PROGRESS;
    for (size_t i = 0; i < message->n_branches; i++) {
        const auto *branch = message->branches[i];
        fact->settled |= branch->resolved[0] != '\0' ? 1U << branch->index : 0;
    }
    tercet__v1__record__progress__free_unpacked(message, room->same());
    return true;
}

bool ReadPeer(Room *room, size_t size, const uint8_t *data, Fact *fact)
{
    auto *message = tercet__v1__record__known_participant__unpack(room->fresh(), size, data);
    if (message == nullptr) {
        return false;
    }
    fact->kind = Fact::PEER;
    fact->held = message->held[0] != '\0';
    fact->peer.mark_lsn = message->mark_lsn;
    fact->peer.branch = message->branch_number;
    if (message->n_stores > 0) {
        fact->peer.reach = message->stores[0]->reach_number;
        fact->peer.mark_lsn = std::max(fact->peer.mark_lsn, message->stores[0]->mark_lsn);
    }
    fact->participant = static_cast<uint32_t>(message->participant[1] - '0');
    tercet__v1__record__known_participant__free_unpacked(message, room->same());
    return true;
}

bool ReadEnded(Room *room, size_t size, const uint8_t *data, Fact *fact)
{
    auto *message = tercet__v1__record__ended__unpack(room->fresh(), size, data);
    if (message == nullptr) {
        return false;
    }
    const bool buried = message->mode == TERCET__V1__RECORD__MODE__MODE_TOMBSTONE;
    fact->kind = buried ? Fact::TOMBSTONE : Fact::END;
    fact->sequence = message->sequence;
    fact->outcome = txn_state_outcome(static_cast<txn_state>(message->state));
    for (size_t i = 0; i < message->n_branches; i++) {
        const auto *branch = message->branches[i];
        fact->settled |= branch->resolved[0] != '\0' ? 1U << branch->index : 0;
    }
    const bool fine = ReadGid(message->gid, strlen(message->gid), &fact->act);
    tercet__v1__record__ended__free_unpacked(message, room->same());
    return fine;
}

} // namespace

bool ReadBatch(const journal_batch *batch, std::vector<Fact> *facts)
{
    batch_reader reader = {batch, 0};
    batch_operation operation;
    Room room;
    while (batch_reader_next(&reader, &operation)) {
        const auto *key = static_cast<const char *>(operation.key.data);
        record_key name{};
        if (operation.kind == BATCH_DELETE) {
            continue;
        }
        const auto *data = static_cast<const uint8_t *>(operation.value.data) + 1;
        const size_t size = operation.value.size - 1;
        Fact fact{};
        bool fine = false;
        if (key[0] == 'a') {
            fine = ReadEnded(&room, size, data, &fact);
        } else if (key[0] == 'p') {
            fine = ReadPeer(&room, size, data, &fact);
        } else if (record_key_parse(operation.key, &name)) {
            fact.sequence = name.sequence;
            switch (name.kind) {
            case RECORD_KEY_BEGIN:
                fine = ReadBegin(&room, size, data, &fact);
                break;
            case RECORD_KEY_ADD_BRANCH:
                fine = ReadAddBranch(&room, size, data, &fact);
                break;
            case RECORD_KEY_DECIDE:
                fine = ReadDecide(&room, size, data, &fact);
                break;
            case RECORD_KEY_PROGRESS:
                fine = ReadProgress(&room, size, data, &fact);
                break;
            }
        }
        if (!fine) {
            return false;
        }
        facts->push_back(fact);
    }
    return true;
}

} // namespace simulation
