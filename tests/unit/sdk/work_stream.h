/* work_stream.h -- a raw client of Participant.Work. */
#ifndef TESTS_UNIT_SDK_WORK_STREAM_H
#define TESTS_UNIT_SDK_WORK_STREAM_H

#include <vector>

#include "support/raw_stream.h"
#include "unit/sdk/wire.h"

/* The only branch of a transaction of its own. */
Ask Branch(int number, const std::string &payload = "done");

class WorkStream : public RawStream<Told>
{
  public:
    explicit WorkStream(Wire *wire);

    /* One message; `calls` from `first` on name its requests.  The context is that of `context`. */
    void Send(const std::vector<Ask> &asks, int64_t first, const Ask &context = Ask());
};

#endif
