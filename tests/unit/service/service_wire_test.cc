/* Bytes that are no requests, to every method. */
#include "service_fixture.h"

using ::testing::HasSubstr;

class ServiceWire : public ServiceTest
{
  protected:
    Answer RefusedBytes(const char *method, const std::string &bytes)
    {
        Answer answer = CallBytes(method, bytes);
        EXPECT_NE(answer.status, TERCET_OK) << method;
        EXPECT_TRUE(NoEvent()) << method;
        return answer;
    }
};

TEST_F(ServiceWire, GarbageIsMalformedForEveryMethod)
{
    for (const char *method : kUnaryMethods) {
        for (const std::string &bytes :
             {std::string("\xff\xff\xff\xff\xff", 5), std::string("\x0a\x7f", 2),
              std::string(1000, '\xff'), std::string("\x0b", 1)}) {
            const Answer answer = RefusedBytes(method, bytes);
            EXPECT_EQ(answer.status, TERCET_INVALID_ARGUMENT) << method << answer.text;
            EXPECT_TRUE(answer.refused);
            EXPECT_EQ(answer.code, "TERCET_MALFORMED");
        }
    }
}

TEST_F(ServiceWire, AnUnknownFieldIsRefusedByEveryMethod)
{
    for (const char *method : kUnaryMethods) {
        const Answer answer = RefusedBytes(method, std::string("\xf8\x07\x01", 3)); /* 127: 1 */
        EXPECT_EQ(answer.status, TERCET_INVALID_ARGUMENT) << method;
        EXPECT_EQ(answer.code, "TERCET_NOT_UNDERSTOOD") << answer.text;
        EXPECT_TRUE(answer.refused);
        EXPECT_THAT(answer.text, HasSubstr("127"));
    }
}

TEST_F(ServiceWire, AnUnknownEnumValueIsRefused)
{
    /* wait = 9 in each of these. */
    const std::pair<const char *, std::string> requests[] = {
        {"Execute", std::string("\x18\x09", 2)},
        {"Confirm", std::string("\x0a\x01g\x10\x09", 5)},
        {"Cancel", std::string("\x0a\x01g\x10\x09", 5)},
        {"Get", std::string("\x0a\x01g\x10\x09", 5)},
        {"Resolve", std::string("\x0a\x01g\x18\x09", 5)},
        {"List", std::string("\x1a\x01\x09", 3)},
        {"Execute", std::string("\x12\x02\x28\x09", 4)}}; /* branches.kind */
    for (const auto &request : requests) {
        const Answer answer = RefusedBytes(request.first, request.second);
        EXPECT_EQ(answer.status, TERCET_INVALID_ARGUMENT) << request.first;
        EXPECT_EQ(answer.code, "TERCET_NOT_UNDERSTOOD") << request.first << answer.text;
        EXPECT_TRUE(answer.refused);
    }
}

TEST_F(ServiceWire, AnEmptyMessageIsAnsweredByEveryMethod)
{
    for (const char *method : {"Execute", "Try", "Confirm", "Cancel", "Get", "Resolve"}) {
        const Answer answer = RefusedBytes(method, "");
        EXPECT_EQ(answer.status, TERCET_INVALID_ARGUMENT) << method;
        EXPECT_TRUE(answer.refused) << method;
    }
}

TEST_F(ServiceWire, AHugeMessageIsRefusedByEveryMethod)
{
    const std::string huge(5 << 20, 'h');
    for (const char *method : kUnaryMethods) {
        EXPECT_EQ(RefusedBytes(method, huge).status, TERCET_RESOURCE_EXHAUSTED) << method;
    }
}

TEST_F(ServiceWire, TenThousandBranchesAreRefusedBeforeTheyCostMemory)
{
    std::string many;
    for (int i = 0; i < 10000; i++) {
        many += std::string("\x12\x00", 2);
    }
    const Answer answer = RefusedBytes("Execute", many);
    EXPECT_EQ(answer.status, TERCET_RESOURCE_EXHAUSTED);
    EXPECT_EQ(answer.code, "TERCET_LIMIT");
    EXPECT_TRUE(answer.refused);
}

TEST_F(ServiceWire, MethodsThatAreNotServedSaySo)
{
    for (const char *method : {"Undo", "execute"}) {
        const Answer answer = CallBytes(method, "");
        EXPECT_EQ(answer.status, TERCET_UNIMPLEMENTED) << method;
        EXPECT_TRUE(answer.refused);
        EXPECT_EQ(answer.code, "TERCET_UNIMPLEMENTED");
    }
}

TEST_F(ServiceWire, RandomBytesNeverReachTheEngineUnchecked)
{
    uint64_t state = 1;
    for (int i = 0; i < 300; i++) {
        std::string bytes;
        for (int k = 0; k < i % 40; k++) {
            state = state * 6364136223846793005U + 1442695040888963407U;
            bytes += static_cast<char>(state >> 56);
        }
        /* A Try needs a gid, a number and a branch: chance does not make these. */
        const Answer answer = CallBytes("Try", bytes);
        EXPECT_NE(answer.status, TERCET_OK);
        EXPECT_TRUE(answer.refused);
    }
    EXPECT_TRUE(NoEvent());
}
