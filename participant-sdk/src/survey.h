/* survey.h -- Describe and Inspect: a question to every store of the participant.
 *
 * A store may be asked only by one of its own workers, because the connections are theirs.  So a
 * survey is a job that goes from lane to lane, gathers each store's part, and is answered by the
 * last.  It is answered as a failure when one of the stores cannot be asked: half an inventory would
 * be taken for a whole one. */
#ifndef TERCET_SRC_SURVEY_H
#define TERCET_SRC_SURVEY_H

#include "src/job.h"

TERCET_BEGIN_DECLS

/* Start a survey for a call that request_check.h has passed. */
void survey_describe(struct tercet_participant *participant, struct rpc_unary *call,
                     const Tercet__V1__DescribeRequest *request);
void survey_inspect(struct tercet_participant *participant, struct rpc_unary *call,
                    const Tercet__V1__InspectRequest *request);

/* A worker's part: asks the store over `group`'s connection, then hands the job on or answers
 * it. */
void survey_visit(struct job *job, struct group *group);

/* Ends it with an error (the store cannot be asked, the participant stops). */
void survey_fail(struct job *job, enum tercet_status status, const char *text);

TERCET_END_DECLS

#endif
