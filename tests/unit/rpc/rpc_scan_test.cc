/* The scan against bytes made by hand and by protobuf-c. */
#include "rpc_fixture.h"

#include <random>

#include "rpc/rpc_scan.h"

namespace
{

enum rpc_scan_verdict Scan(const std::string &bytes, struct rpc_scan_result *result,
                           const ProtobufCMessageDescriptor *descriptor = kRequest,
                           uint32_t limit = 100)
{
    return rpc_scan(descriptor, tercet_bytes_of(bytes.data(), bytes.size()), limit, result);
}

std::string Unknown(const std::string &bytes)
{
    struct rpc_scan_result result;
    EXPECT_EQ(Scan(bytes, &result), RPC_SCAN_FINE);
    EXPECT_EQ(result.has_unknown, result.unknown_path[0] != '\0');
    return result.unknown_path;
}

std::string Nested(int levels)
{
    std::string bytes;
    for (int level = 0; level < levels; level++) {
        bytes = std::string("\x0a") + static_cast<char>(bytes.size()) + bytes;
    }
    return bytes;
}

} // namespace

TEST(RpcScan, FindsNothingUnknownInWhatItKnows)
{
    EXPECT_EQ(Unknown(""), "");
    EXPECT_EQ(Unknown("\x0a\x02hi\x20\x01\x28\x05\x38\x01"), "");
    EXPECT_EQ(Unknown("\x1a\x04\x0a\x02hi"), "");
}

TEST(RpcScan, NamesTheFirstUnknownField)
{
    EXPECT_EQ(Unknown("\x78\x01"), "15");
    EXPECT_EQ(Unknown("\x1a\x02\x78\x01"), "parts.15");
    EXPECT_EQ(Unknown("\x1a\x04\x1a\x02\x78\x01\x70\x01"), "parts.leaf.15");
}

TEST(RpcScan, NamesUnknownEnumValues)
{
    EXPECT_EQ(Unknown("\x20\x02"), "mood=2");
    EXPECT_EQ(Unknown("\x20\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), "mood=-1");
    EXPECT_EQ(Unknown("\x1a\x02\x10\x07"), "parts.mood=7");
    EXPECT_EQ(Unknown(std::string("\x1a\x06\x1a\x04\x12\x02\x01\x05", 8)), "parts.leaf.moods=5");
    EXPECT_EQ(Unknown(std::string("\x1a\x04\x1a\x02\x10\x05", 6)), "parts.leaf.moods=5");
}

// C would see only what stands before it: a gid that is cut names another transaction.
TEST(RpcScan, RefusesAStringThatHoldsANulAndNamesIt)
{
    struct rpc_scan_result result;
    EXPECT_EQ(Scan(std::string("\x0a\x03h\x00i", 5), &result), RPC_SCAN_NUL);
    EXPECT_STREQ(result.unknown_path, "text");
    EXPECT_EQ(Scan(std::string("\x1a\x03\x0a\x01\x00", 5), &result), RPC_SCAN_NUL);
    EXPECT_STREQ(result.unknown_path, "parts.name");
    EXPECT_EQ(Scan(std::string("\x12\x03h\x00i", 5), &result), RPC_SCAN_FINE) << "bytes may";
}

TEST(RpcScan, CountsWhatCostsMemory)
{
    struct rpc_scan_result result;
    EXPECT_EQ(Scan(std::string("\x1a\x02\x1a\x00\x78\x01\x32\x00\x0a\x00", 10), &result),
              RPC_SCAN_FINE);
    EXPECT_EQ(result.element_count, 4u); /* part, leaf, unknown, word */
}

TEST(RpcScan, StopsAtTheLimitOfElements)
{
    struct rpc_scan_result result;
    std::string bytes;
    for (int i = 0; i < 100; i++) {
        bytes += std::string("\x1a\x00", 2);
    }
    EXPECT_EQ(Scan(bytes, &result), RPC_SCAN_FINE);
    EXPECT_EQ(Scan(bytes + std::string("\x1a\x00", 2), &result), RPC_SCAN_TOO_MANY);
    EXPECT_EQ(Scan(bytes + "\x78\x01", &result), RPC_SCAN_TOO_MANY);
}

TEST(RpcScan, StopsAtTheLimitOfCheapFields)
{
    struct rpc_scan_result result;
    std::string bytes;
    for (int i = 0; i < 800; i++) {
        bytes += "\x28\x01";
    }
    EXPECT_EQ(Scan(bytes, &result), RPC_SCAN_FINE);
    EXPECT_EQ(Scan(bytes + "\x28\x01", &result), RPC_SCAN_TOO_MANY);
    /* A packed field is charged by its size. */
    const std::string packed = "\x12\xff\x7f" + std::string(16383, '\x01');
    EXPECT_EQ(Scan(packed, &result, &tercet__test__echo_leaf__descriptor), RPC_SCAN_TOO_MANY);
}

TEST(RpcScan, StopsAtTheDepthThatItHolds)
{
    struct rpc_scan_result result;
    const ProtobufCMessageDescriptor *deep = &tercet__test__deep1__descriptor;
    EXPECT_EQ(Scan(Nested(7), &result, deep), RPC_SCAN_FINE);
    EXPECT_EQ(Scan(Nested(8), &result, deep), RPC_SCAN_TOO_DEEP);
}

TEST(RpcScan, TakesNestedBytesOfUnknownFieldsForBytes)
{
    struct rpc_scan_result result;
    std::string bytes;
    for (int level = 0; level < 60; level++) {
        bytes = std::string("\x7a") + static_cast<char>(bytes.size()) + bytes;
    }
    EXPECT_EQ(Scan(bytes, &result), RPC_SCAN_FINE);
    EXPECT_EQ(result.element_count, 1u);
}

TEST(RpcScan, RefusesWhatIsNotProtobuf)
{
    struct rpc_scan_result result;
    for (const std::string &bytes :
         {std::string("\x0a"), std::string("\x0a\x01"), std::string("\x28"),
          std::string("\x28\x80"), std::string("\x0b"), std::string("\x0f\x01"),
          std::string("\x00\x01", 2), std::string("\x29\x01\x02\x03\x04\x05\x06\x07"),
          std::string("\x2d\x01\x02\x03"), std::string("\x18\x01"),
          std::string("\x1a\x05\x0a\x09hi12345678"),
          std::string("\x28\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01"),
          std::string("\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01")}) {
        EXPECT_EQ(Scan(bytes, &result), RPC_SCAN_MALFORMED) << testing::PrintToString(bytes);
    }
}

TEST(RpcScan, CutsALongPath)
{
    struct rpc_scan_result result;
    /* Thirty-odd names deep would be needed; depth eight of short names always fits. */
    std::string bytes = "\xf8\xff\xff\xff\x0f\x01";
    for (int level = 0; level < 7; level++) {
        bytes = std::string("\x0a") + static_cast<char>(bytes.size()) + bytes;
    }
    EXPECT_EQ(Scan(bytes, &result, &tercet__test__deep1__descriptor), RPC_SCAN_FINE);
    EXPECT_STREQ(result.unknown_path, "next.next.next.next.next.next.next.536870911");
}

/* Goal: no input makes the scan or, after it, protobuf-c misbehave; and what protobuf-c made is fine
 * to the scan. */
TEST(RpcScan, SurvivesDamagedMessages)
{
    Request request = TERCET__TEST__ECHO_REQUEST__INIT;
    Tercet__Test__EchoPart part = TERCET__TEST__ECHO_PART__INIT;
    Tercet__Test__EchoLeaf leaf = TERCET__TEST__ECHO_LEAF__INIT;
    Tercet__Test__Mood moods[] = {TERCET__TEST__MOOD__MOOD_LOUD, TERCET__TEST__MOOD__MOOD_CALM};
    char text[] = "some text";
    char *words[] = {text, text};
    leaf.text = text;
    leaf.moods = moods;
    leaf.n_moods = 2;
    part.name = text;
    part.leaf = &leaf;
    Tercet__Test__EchoPart *parts[] = {&part, &part, &part};
    request.text = text;
    request.parts = parts;
    request.n_parts = 3;
    request.words = words;
    request.n_words = 2;
    size_t size = 0;
    void *packed = rpc_codec_pack(&request.base, &size);
    const std::string good(static_cast<char *>(packed), size);
    free(packed);
    EXPECT_EQ(Unknown(good), "");

    const char *seed_text = getenv("TERCET_SEED");
    const unsigned seed =
        seed_text != nullptr ? static_cast<unsigned>(strtoul(seed_text, nullptr, 0)) : 20240611u;
    SCOPED_TRACE("TERCET_SEED=" + std::to_string(seed));
    std::mt19937 random(seed);
    int fine = 0;
    for (int round = 0; round < 100000; round++) {
        std::string bytes = good;
        const unsigned flips = 1 + random() % 3;
        for (unsigned i = 0; i < flips; i++) {
            bytes[random() % bytes.size()] = static_cast<char>(random());
        }
        bytes.resize(bytes.size() - random() % 3);
        struct rpc_scan_result result;
        if (Scan(bytes, &result) == RPC_SCAN_FINE) {
            fine++;
            rpc_codec_free(rpc_codec_unpack(kRequest, tercet_bytes_of(bytes.data(), bytes.size()),
                                            RPC_SCAN_ELEMENT_COUNT_DEFAULT));
        }
    }
    EXPECT_GT(fine, 0);
}
