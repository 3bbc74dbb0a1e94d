/* execute_stream.h -- a raw client of ExecuteStream. */
#ifndef TESTS_UNIT_SERVICE_EXECUTE_STREAM_H
#define TESTS_UNIT_SERVICE_EXECUTE_STREAM_H

#include "service_fixture.h"
#include "support/raw_stream.h"

class ExecuteStream : public RawStream<Answer>
{
  public:
    explicit ExecuteStream(struct rpc_channel *channel);

    /* One message; `calls` from `first` on name its elements.  False: the stream is over. */
    bool Send(const std::vector<ExecuteMessage *> &messages, int64_t first);
    /* One element as bytes, which may hold what protobuf-c does not know. */
    static std::string Element(const std::string &request);
};

#endif
