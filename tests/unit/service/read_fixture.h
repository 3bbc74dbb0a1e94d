/* read_fixture.h -- a request goes in; what is refused is told by field, what passes is looked at. */
#ifndef TESTS_UNIT_SERVICE_READ_FIXTURE_H
#define TESTS_UNIT_SERVICE_READ_FIXTURE_H

#include "service_fixture.h"

class ReadTest : public ServiceTest
{
  protected:
    void ExpectLimit(const char *method, const ProtobufCMessage *request, const std::string &field,
                     int64_t limit, int64_t value)
    {
        const Answer answer = Refused(method, request);
        EXPECT_EQ(answer.status, TERCET_INVALID_ARGUMENT) << answer.text;
        EXPECT_EQ(answer.code, "TERCET_LIMIT") << answer.text;
        EXPECT_EQ(answer.field, field);
        EXPECT_EQ(answer.limit, limit);
        EXPECT_EQ(answer.value, value);
        EXPECT_THAT(answer.text, ::testing::HasSubstr(field));
        EXPECT_THAT(answer.text, ::testing::HasSubstr(std::to_string(limit)));
        EXPECT_THAT(answer.text, ::testing::HasSubstr(std::to_string(value)));
    }

    void ExpectRefused(const char *method, const ProtobufCMessage *request,
                       const std::string &field, const std::string &code)
    {
        const Answer answer = Refused(method, request);
        EXPECT_EQ(answer.status, TERCET_INVALID_ARGUMENT) << answer.text;
        EXPECT_EQ(answer.code, code) << answer.text;
        EXPECT_EQ(answer.field, field) << answer.text;
        EXPECT_THAT(answer.text, ::testing::HasSubstr(field));
    }

    /* The request that arrives; it is answered afterwards. */
    void Arrives(const char *method, const ProtobufCMessage *request, enum request_kind kind,
                 const std::function<void(const struct request &)> &look,
                 uint32_t timeout_ms = TERCET_FOREVER)
    {
        Pending call = Call(method, request, timeout_ms);
        const EventPointer event = NextRequest(kind);
        ASSERT_NE(event, nullptr);
        look(event->u.request);
        Fail(event->u.request.token, kind, TERCET_ABORTED, false);
        EXPECT_EQ(call.Wait().status, TERCET_ABORTED);
    }
};

#endif
