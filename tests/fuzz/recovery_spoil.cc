// recovery_spoil.cc -- what can be wrong with a journal; see recovery_journal.h.
//
// A message is taken apart into its fields, which are changed and put together again: by decoding and
// packing, as the writer does it.
#include <algorithm>
#include <iterator>
#include <vector>

#include "recovery_journal.h"

extern "C" {
#include "build_message.h"
#include "journal/record_key.h"
#include "journal/record_message.h"
#define try try_ // a method of the services, which protoc-c makes a member
#include "tercet/v1/record.pb-c.h"
#undef try
}

namespace recovery
{
namespace
{

constexpr uint32_t CHANGES_MAX = 8;
constexpr uint64_t NUMBER_MAX = (UINT64_C(1) << 53) - 1;
constexpr size_t KIND_AT = 10; // "t/", eight bytes of sequence
const uint8_t WIRE_VARINT = 0;
const uint8_t WIRE_BYTES = 2;

tercet_bytes BytesOf(const std::string &text)
{
    return tercet_bytes_of(text.data(), text.size());
}

// What the pair with this key holds; NULL: an outcome, or nothing that is read.
const ProtobufCMessageDescriptor *DescriptorOf(const std::string &key)
{
    if (key.size() > 2 && key[0] == 'p') {
        return &tercet__v1__record__known_participant__descriptor;
    }
    if (key.size() <= KIND_AT || key[0] != 't') {
        return nullptr;
    }
    switch (key[KIND_AT]) {
    case RECORD_KEY_BEGIN:
        return &tercet__v1__record__begin__descriptor;
    case RECORD_KEY_ADD_BRANCH:
        return &tercet__v1__record__add_branch__descriptor;
    case RECORD_KEY_DECIDE:
        return &tercet__v1__record__decide__descriptor;
    case RECORD_KEY_PROGRESS:
        return &tercet__v1__record__progress__descriptor;
    default:
        return nullptr;
    }
}

// The wire form as the writer would have packed it, whole; "" when it does not parse.
std::string Normal(const ProtobufCMessageDescriptor *descriptor, const std::string &wire)
{
    const auto *data = reinterpret_cast<const uint8_t *>(wire.data());
    ProtobufCMessage *message = protobuf_c_message_unpack(descriptor, nullptr, wire.size(), data);
    if (message == nullptr) {
        return "";
    }
    const ProtobufCFieldDescriptor *last = &descriptor->fields[descriptor->n_fields - 1];
    *reinterpret_cast<protobuf_c_boolean *>(reinterpret_cast<char *>(message) + last->offset) = 1;
    buffer packed{};
    record_message_pack(message, &packed);
    std::string value(reinterpret_cast<const char *>(packed.data), packed.size);
    buffer_deinit(&packed);
    protobuf_c_message_free_unpacked(message, nullptr);
    return value;
}

// ---- Fields -------------------------------------------------------------------------------------

struct Field {
    uint64_t tag;
    uint64_t number; // a varint's
    std::string bytes;
};

uint64_t TakeVarint(const std::string &wire, size_t &at)
{
    uint64_t value = 0;
    for (unsigned shift = 0; at < wire.size() && shift < 64; shift += 7) {
        const auto byte = static_cast<uint8_t>(wire[at++]);
        value |= uint64_t{byte & 0x7fU} << shift;
        if (byte < 0x80) {
            break;
        }
    }
    return value;
}

void AppendVarint(std::string &wire, uint64_t value)
{
    for (; value >= 0x80; value >>= 7U) {
        wire.push_back(static_cast<char>(value | 0x80U));
    }
    wire.push_back(static_cast<char>(value));
}

// Of what a coordinator has packed: varints, and bytes.
std::vector<Field> Apart(const std::string &wire)
{
    std::vector<Field> fields;
    size_t at = 0;
    while (at < wire.size()) {
        Field field{TakeVarint(wire, at), 0, ""};
        field.number = TakeVarint(wire, at);
        if ((field.tag & 7U) == WIRE_BYTES) {
            field.bytes = wire.substr(at, field.number);
            at += field.bytes.size();
        }
        fields.push_back(field);
    }
    return fields;
}

std::string Together(const std::vector<Field> &fields)
{
    std::string wire;
    for (const Field &field : fields) {
        AppendVarint(wire, field.tag);
        const bool is_bytes = (field.tag & 7U) == WIRE_BYTES;
        AppendVarint(wire, is_bytes ? field.bytes.size() : field.number);
        wire += field.bytes;
    }
    return wire;
}

// One of the places where a number is another thing than its neighbour.
uint64_t DrawNumber(tercet::Dice &dice)
{
    static const uint64_t edges[] = {64,
                                     65,
                                     1024,
                                     65537,
                                     UINT32_MAX,
                                     UINT64_C(1) << 53,
                                     INT64_MAX,
                                     UINT64_MAX,
                                     253402300799999,
                                     1790000000,
                                     uint64_t{tercet::EngineWorld::INCARNATION}};
    const uint32_t drawn = dice.Below(256);
    return drawn < 245 ? drawn : edges[drawn - 245];
}

// One field of `fields` changes; `others` are those of another message of the same kind.
void ChangeField(std::vector<Field> &fields, const std::vector<Field> &others, tercet::Dice &dice)
{
    const size_t at = dice.Below(256) % fields.size();
    Field &field = fields[at];
    switch (dice.Below(6)) {
    case 0:
        fields.erase(fields.begin() + static_cast<long>(at));
        return;
    case 1: {
        const Field copy = field;
        fields.insert(fields.begin() + static_cast<long>(at), copy);
        return;
    }
    case 2:
        std::swap(field, fields[dice.Below(256) % fields.size()]);
        return;
    case 3:
        for (const Field &other : others) {
            field = other.tag == field.tag ? other : field;
        }
        return;
    case 4:
        if (!others.empty()) {
            fields.push_back(others[dice.Below(256) % others.size()]);
        }
        return;
    default:
        break;
    }
    if ((field.tag & 7U) == WIRE_VARINT) {
        field.number = DrawNumber(dice);
    } else if (!field.bytes.empty()) {
        field.bytes[dice.Below(256) % field.bytes.size()] = static_cast<char>(dice.Below(256));
    } else {
        field.bytes = "x";
    }
}

// In the message itself, or in one of those in it.
std::string ChangeMessage(const ProtobufCMessageDescriptor *descriptor, const std::string &wire,
                          const std::string &other, tercet::Dice &dice)
{
    std::vector<Field> fields = Apart(wire);
    std::vector<Field> others = Apart(other);
    std::vector<size_t> inner;
    for (size_t i = 0; i < fields.size(); i++) {
        const ProtobufCFieldDescriptor *field = protobuf_c_message_descriptor_get_field(
            descriptor, static_cast<unsigned>(fields[i].tag >> 3U));
        if (field != nullptr && field->type == PROTOBUF_C_TYPE_MESSAGE) {
            inner.push_back(i);
        }
    }
    if (fields.empty()) {
        return wire;
    }
    const uint32_t drawn = dice.Below(256);
    if (inner.empty() || drawn % 4 == 0) {
        ChangeField(fields, others, dice);
        return Together(fields);
    }
    Field &within = fields[inner[drawn % inner.size()]];
    std::vector<Field> parts = Apart(within.bytes);
    std::vector<Field> other_parts;
    for (const Field &field : others) {
        other_parts = field.tag == within.tag ? Apart(field.bytes) : other_parts;
    }
    if (!parts.empty()) {
        ChangeField(parts, other_parts, dice);
    }
    within.bytes = Together(parts);
    return Together(fields);
}

// ---- Pairs --------------------------------------------------------------------------------------

using Pairs = std::map<std::string, std::string>;

Pairs::iterator DrawPair(Journal &journal, tercet::Dice &dice)
{
    return std::next(journal.pairs.begin(), dice.Below(256) % journal.pairs.size());
}

void ChangeOneField(Journal &journal, tercet::Dice &dice)
{
    const auto pair = DrawPair(journal, dice);
    const auto other = DrawPair(journal, dice);
    const ProtobufCMessageDescriptor *descriptor = DescriptorOf(pair->first);
    if (descriptor == nullptr || pair->second.empty()) {
        return;
    }
    const bool alike = DescriptorOf(other->first) == descriptor && !other->second.empty();
    const std::string changed =
        Normal(descriptor, ChangeMessage(descriptor, pair->second.substr(1),
                                         alike ? other->second.substr(1) : "", dice));
    pair->second = changed.empty() ? pair->second : changed;
}

// The transaction of this pair once more, or from now on, behind others; its BEGIN knows its place.
void MoveTransaction(Journal &journal, tercet::Dice &dice)
{
    const std::string key = DrawPair(journal, dice)->first;
    if (key[0] != 't' || key.size() <= KIND_AT) {
        return;
    }
    const uint32_t drawn = dice.Below(256);
    const std::string to = std::string("t/") + std::string(7, '\0') + static_cast<char>(drawn / 2);
    const Pairs all = journal.pairs;
    for (const auto &[name, value] : all) {
        if (name.compare(0, KIND_AT, key, 0, KIND_AT) != 0) {
            continue;
        }
        if (drawn % 2 == 0) {
            journal.pairs.erase(name);
        }
        journal.pairs[to + name.substr(KIND_AT)] = value;
    }
    const auto begin = journal.pairs.find(to + static_cast<char>(RECORD_KEY_BEGIN));
    if (begin != journal.pairs.end() && !begin->second.empty()) {
        std::vector<Field> fields = Apart(begin->second.substr(1));
        for (Field &field : fields) {
            field.number = field.tag == (2U << 3U) ? drawn / 2 : field.number;
        }
        const std::string changed =
            Normal(&tercet__v1__record__begin__descriptor, Together(fields));
        begin->second = changed.empty() ? begin->second : changed;
    }
}

// A record that nobody has written, of a kind and a transaction that the dice say.
void Invent(Journal &journal, tercet::Dice &dice)
{
    static const char kinds[] = {RECORD_KEY_BEGIN, RECORD_KEY_ADD_BRANCH, RECORD_KEY_DECIDE,
                                 RECORD_KEY_PROGRESS};
    const uint32_t drawn = dice.Below(256);
    std::string key = std::string("t/") + std::string(7, '\0') + static_cast<char>(drawn / 4 % 16) +
                      kinds[drawn % 4];
    if (drawn >= 240) {
        key = "p/p" + std::to_string(drawn % 4);
    } else if (drawn % 4 == 1) {
        key.push_back(static_cast<char>(dice.Below(8)));
    }
    std::string bytes;
    for (uint32_t left = dice.Below(128); left > 0; left--) {
        bytes.push_back(static_cast<char>(dice.Below(256)));
    }
    tercet_bytes source = BytesOf(bytes);
    buffer wire{};
    build_message(DescriptorOf(key), &source, &wire);
    journal.pairs[key] =
        Normal(DescriptorOf(key), {reinterpret_cast<const char *>(wire.data), wire.size});
    buffer_deinit(&wire);
}

void ChangeBytes(std::string &value, tercet::Dice &dice)
{
    if (!value.empty()) {
        const size_t at = dice.Below(1024) % value.size();
        value[at] = static_cast<char>(dice.Below(256));
    }
}

void SpoilOnce(Journal &journal, tercet::Dice &dice)
{
    switch (dice.Below(16)) {
    case 0:
        journal.pairs.erase(DrawPair(journal, dice));
        break;
    case 1:
        std::swap(DrawPair(journal, dice)->second, DrawPair(journal, dice)->second);
        break;
    case 2:
        DrawPair(journal, dice)->second = DrawPair(journal, dice)->second;
        break;
    case 3:
        ChangeBytes(DrawPair(journal, dice)->second, dice);
        break;
    case 4: {
        std::string &value = DrawPair(journal, dice)->second;
        value.resize(std::min<size_t>(value.size(), dice.Below(256)));
        break;
    }
    case 5:
    case 6:
        MoveTransaction(journal, dice);
        break;
    case 7:
        // The head is checked when it is read: journal_head_decode().
        journal.next_number =
            std::max<int64_t>(1, static_cast<int64_t>(DrawNumber(dice) & NUMBER_MAX));
        break;
    case 8:
        Invent(journal, dice);
        break;
    default:
        ChangeOneField(journal, dice);
        break;
    }
}

} // namespace

void Spoil(Journal &journal, tercet::Dice &dice)
{
    for (uint32_t left = dice.Below(CHANGES_MAX); left > 0; left--) {
        if (journal.pairs.empty()) {
            Invent(journal, dice);
        } else {
            SpoilOnce(journal, dice);
        }
    }
}

} // namespace recovery
