// The ordered map that the fence over bytes is made of.
#include <gtest/gtest.h>

#include <cstdlib>
#include <map>
#include <random>
#include <string>

#include "fence/byte_map.h"

namespace fence_test
{
namespace
{

std::map<std::string, std::string> Contents(const byte_map &map)
{
    std::map<std::string, std::string> contents;
    for (size_t i = 0; i < map.count; i++) {
        const tercet_bytes key = byte_map_key(map.entries[i]);
        const tercet_bytes value = byte_map_value(map.entries[i]);
        const std::string name(static_cast<const char *>(key.data), key.size);
        EXPECT_TRUE(contents.empty() || contents.rbegin()->first < name) << "out of order";
        contents.emplace(name, std::string(static_cast<const char *>(value.data), value.size));
    }
    return contents;
}

TEST(ByteMap, EntriesAreOrderedAsBytesAndAPrefixComesFirst)
{
    const std::pair<std::string, std::string> ordered[] = {
        {"", "a"}, {"a", "aa"}, {"a", "b"}, {std::string("a\0", 2), "aa"}, {"a\x7f", "a\x80"}};
    for (const auto &one : ordered) {
        const tercet_bytes low = tercet_bytes_of(one.first.data(), one.first.size());
        const tercet_bytes high = tercet_bytes_of(one.second.data(), one.second.size());
        EXPECT_LT(byte_map_compare(low, high), 0) << one.second;
        EXPECT_GT(byte_map_compare(high, low), 0) << one.second;
        EXPECT_EQ(byte_map_compare(low, low), 0);
    }
    byte_map map = {};
    const tercet_bytes value = tercet_bytes_of_text("v");
    const tercet_bytes none = tercet_bytes_of("", 0);
    EXPECT_EQ(byte_map_exchange(&map, none, nullptr), nullptr) << "nothing was there to take away";
    EXPECT_EQ(byte_map_exchange(&map, none, byte_map_entry_create(none, &value)), nullptr);
    ASSERT_NE(byte_map_find(&map, none), nullptr) << "a key may be empty";
    EXPECT_EQ(byte_map_value(byte_map_find(&map, none)).size, 1u);
    EXPECT_EQ(byte_map_find(&map, value), nullptr);
    free(byte_map_exchange(&map, none, nullptr));
    EXPECT_EQ(map.count, 0u);
    byte_map_deinit(&map);
}

// Goal: merging does what as many changes do one by one, far from each other or side by side, also to
// keys that are there already or are taken away without having been there.
TEST(ByteMap, MergingIsOneChangeAfterTheOther)
{
    std::mt19937 random(20261122);
    byte_map map = {};
    byte_map changes = {};
    std::map<std::string, std::string> model;
    for (int round = 0; round < 300; round++) {
        SCOPED_TRACE(round);
        const auto range = static_cast<unsigned>(round % 3 == 0 ? 12 : 400);
        const unsigned count = round % 7 == 0 ? 0 : random() % 24;
        for (unsigned i = 0; i < count; i++) {
            const std::string key = std::to_string(1000 + random() % range);
            const std::string value = std::to_string(random());
            const tercet_bytes name = tercet_bytes_of(key.data(), key.size());
            const tercet_bytes bytes = tercet_bytes_of(value.data(), value.size());
            const bool removed = random() % 3 == 0;
            free(byte_map_exchange(&changes, name,
                                   byte_map_entry_create(name, removed ? nullptr : &bytes)));
            model.erase(key);
            if (!removed) {
                model.emplace(key, value);
            }
        }
        byte_map_merge(&map, &changes);
        byte_map_clear(&changes);
        ASSERT_EQ(Contents(map), model);
    }
    ASSERT_GT(model.size(), 50u);
    byte_map_deinit(&changes);
    byte_map_deinit(&map);
}

} // namespace
} // namespace fence_test
