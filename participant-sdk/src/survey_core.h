/* survey_core.h -- what a survey has gathered, and how it becomes an answer. */
#ifndef TERCET_SRC_SURVEY_CORE_H
#define TERCET_SRC_SURVEY_CORE_H

#include "src/participant_core.h"
#include "src/survey.h"

TERCET_BEGIN_DECLS

/* One row that a store has told, with room of its own. */
struct found_row {
    char gid[TERCET_GID_BYTES_MAX + 1];
    uint32_t branch;
    struct tercet_fence_row row;
};

struct survey {
    struct rpc_unary *call;
    struct tercet_fence_caller caller;
    size_t lane; /* whose turn it is */

    /* Describe */
    bool describes;
    struct tercet_store_description descriptions[PARTICIPANT_STORE_COUNT_MAX];

    /* Inspect: one key, all branches of a gid, or a range */
    const Tercet__V1__InspectRequest *inspect; /* valid until answered; NULL: describes */
    struct tercet_branch_number from;
    struct tercet_branch_number below;
    uint32_t page_size;
    struct found_row *rows; /* room for page_size of every store, or all branches */
    size_t row_count;
    size_t row_count_max;
};

/* Answer the call and free the job. */
void survey_answer_describe(struct job *job);
void survey_answer_inspect(struct job *job);

/* After the call was answered. */
void survey_free(struct job *job);

TERCET_END_DECLS

#endif
