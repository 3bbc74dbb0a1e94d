/* request.h -- what a coordinator says: who it is, which branch, which phase.
 *
 * A persona is one coordinator that we play: an origin of its own, so that epochs and marks of one check
 * are nobody else's.  All fields may be spoiled by a check that wants to see what comes of it. */
#ifndef CONFORMANCE_REQUEST_H
#define CONFORMANCE_REQUEST_H

#include "tercet/fence.h"
#include "tercet/v1/participant.pb-c.h"

struct persona {
    const char *participant; /* whom it means */
    uint8_t origin[TERCET_ORIGIN_BYTES];
    struct tercet_epoch epoch;
    int64_t next_number;
    const struct tercet_mark *mark; /* told with every request; NULL: none */
};

struct branch {
    struct persona *persona;
    char gid[TERCET_GID_BYTES_MAX + 1];
    uint32_t index;
    const char *action;
    struct tercet_bytes payload;
    struct tercet_branch_number number;
    uint8_t digest[TERCET_DIGEST_BYTES];
};

/* A context and all that it points at.  Borrows the persona. */
struct request_context {
    Tercet__V1__RequestContext message;
    Tercet__V1__Mark mark;
    Tercet__V1__BranchNumber low;
    Tercet__V1__BranchNumber open[TERCET_MARK_OPEN_MAX];
    Tercet__V1__BranchNumber *open_pointers[TERCET_MARK_OPEN_MAX];
};

void request_context_fill(struct request_context *context, const struct persona *persona);

/* One phase of one branch, as it is sent.  Borrows the branch. */
struct request {
    Tercet__V1__BranchRequest message;
    Tercet__V1__BranchNumber number;
    struct request_context context;
};

/* Unary: the context stands in it. */
void request_fill(struct request *request, const struct branch *branch, enum tercet_phase phase);

/* "/tercet.v1.Participant/Try", ... */
const char *request_method(enum tercet_phase phase);

Tercet__V1__BranchNumber request_number(struct tercet_branch_number number);

#endif
