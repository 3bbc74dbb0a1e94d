/* survey.h -- Describe and Inspect. */
#ifndef CONFORMANCE_SURVEY_H
#define CONFORMANCE_SURVEY_H

#include "request.h"
#include "rpc/rpc_call.h"

struct survey {
    struct rpc_call *call; /* holds all below */
    enum tercet_status status;
    const char *text;
    const Tercet__V1__DescribeReply *describe; /* status OK, and it was asked for */
    const Tercet__V1__InspectReply *inspect;
};

/* Waits for a connection. */
void survey_describe(struct survey *survey_out, struct rpc_channel *channel,
                     const struct persona *persona);

/* Does anybody answer at this moment, whatever it is? */
bool survey_is_alive(struct rpc_channel *channel, const struct persona *persona);

/* One branch. */
void survey_inspect(struct survey *survey_out, struct rpc_channel *channel,
                    const struct branch *branch);

/* A page of the persona's numbers from `from` on. */
struct survey_range {
    struct tercet_branch_number from;
    struct tercet_branch_number below;
    uint32_t page_size;
    const char *page_token; /* "" : the first */
};
void survey_inspect_range(struct survey *survey_out, struct rpc_channel *channel,
                          const struct persona *persona, const struct survey_range *range);

void survey_close(struct survey *survey);

/* Of the stores of a description: the oldest mark's age, {0, 0} when one of them has none.  All share
 * the branches of one participant, so a mark counts when all have it. */
struct tercet_branch_number survey_mark_age(const Tercet__V1__DescribeReply *describe);

#endif
