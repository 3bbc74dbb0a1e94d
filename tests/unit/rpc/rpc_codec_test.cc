/* Messages in one piece of memory, and in pieces. */
#include "rpc_fixture.h"

#include "rpc/rpc_scan.h"

namespace
{

struct tercet_bytes Bytes(const std::string &text)
{
    return tercet_bytes_of(text.data(), text.size());
}

std::string Packed(const ProtobufCMessage *message)
{
    size_t size = 0;
    void *bytes = rpc_codec_pack(message, &size);
    std::string text(static_cast<char *>(bytes), size);
    free(bytes);
    return text;
}

ProtobufCMessage *UnpackScanned(const std::string &bytes)
{
    struct rpc_scan_result scan;
    EXPECT_EQ(rpc_scan(kRequest, Bytes(bytes), RPC_SCAN_ELEMENT_COUNT_DEFAULT, &scan),
              RPC_SCAN_FINE);
    return rpc_codec_unpack(kRequest, Bytes(bytes), scan.element_count);
}

/* A request whose only part has a leaf that stands there `count` times, each with one mood: a decoder
 * merges them. */
std::string ManyTimesTheSameLeaf(size_t count)
{
    std::string part;
    for (size_t i = 0; i < count; i++) {
        part.append("\x1a\x03\x12\x01\x01", 5);
    }
    std::string bytes = "\x1a";
    for (size_t size = part.size(); size > 0; size >>= 7) {
        bytes.push_back(static_cast<char>((size & 0x7f) | (size > 0x7f ? 0x80 : 0)));
    }
    return bytes + part;
}

} // namespace

TEST(RpcCodec, WhatIsUnpackedPacksToTheSame)
{
    for (size_t count : {0, 1, 100, 3000}) {
        const std::string text(count, 'x');
        std::vector<Tercet__Test__EchoPart> parts(count);
        std::vector<Tercet__Test__EchoPart *> pointers;
        for (Tercet__Test__EchoPart &part : parts) {
            tercet__test__echo_part__init(&part);
            part.name = const_cast<char *>(text.c_str());
            part.mood = TERCET__TEST__MOOD__MOOD_LOUD;
            pointers.push_back(&part);
        }
        Request request = TERCET__TEST__ECHO_REQUEST__INIT;
        request.text = const_cast<char *>(text.c_str());
        request.n_parts = count;
        request.parts = pointers.data();
        const std::string bytes = Packed(&request.base);
        ProtobufCMessage *message = UnpackScanned(bytes);
        ASSERT_NE(message, nullptr) << count;
        EXPECT_EQ(Packed(message), bytes);
        rpc_codec_free(message);
        message = rpc_codec_unpack_pieces(kRequest, Bytes(bytes));
        ASSERT_NE(message, nullptr);
        EXPECT_EQ(Packed(message), bytes);
        rpc_codec_free_pieces(message);
    }
    rpc_codec_free(nullptr);
    rpc_codec_free_pieces(nullptr);
}

TEST(RpcCodec, WhatIsNoMessageIsNone)
{
    EXPECT_EQ(rpc_codec_unpack(kRequest, Bytes("\x0a\x7f"), 0), nullptr);
    EXPECT_EQ(rpc_codec_unpack_pieces(kRequest, Bytes("\x0a\x7f")), nullptr);
}

TEST(RpcCodec, PartsOfOneInPiecesMayBeKept)
{
    ProtobufCMessage *message = rpc_codec_unpack_pieces(kRequest, Bytes("\x0a\x02hi"));
    ASSERT_NE(message, nullptr);
    char *kept = reinterpret_cast<Request *>(message)->text;
    reinterpret_cast<Request *>(message)->text = const_cast<char *>(protobuf_c_empty_string);
    rpc_codec_free_pieces(message);
    EXPECT_STREQ(kept, "hi");
    free(kept);
}

/* protobuf-c merges them one by one, into a longer list each time: with nothing given back meanwhile,
 * 40 KB would take more than 100 MB. */
TEST(RpcCodec, MemoryDoesNotGrowWithTheSquareOfTheBytes)
{
    ProtobufCMessage *message = UnpackScanned(ManyTimesTheSameLeaf(8));
    ASSERT_NE(message, nullptr);
    EXPECT_EQ(reinterpret_cast<Request *>(message)->parts[0]->leaf->n_moods, 8U);
    rpc_codec_free(message);
    EXPECT_EQ(UnpackScanned(ManyTimesTheSameLeaf(8000)), nullptr);
}
