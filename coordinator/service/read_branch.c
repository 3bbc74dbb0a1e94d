/* read_branch.c -- see read_branch.h. */
#include "service/read_branch.h"

#include "base/assert.h"
#include "service/check.h"

uint32_t read_participant_find(const struct directory *directory, const char *name)
{
    const uint32_t index = directory_find(directory, name, strlen(name));
    if (index == UINT32_MAX || directory->entries[index].target_count == 0) {
        return UINT32_MAX;
    }
    return index;
}

bool read_participant_check(const struct read *read, const char *field, const char *name)
{
    if (!check_name(read->refusal, field, name)) {
        return false;
    }
    if (read_participant_find(read->directory, name) != UINT32_MAX) {
        return true;
    }
    return refusal_set(read->refusal, TERCET_FAILED_PRECONDITION, "TERCET_UNKNOWN_PARTICIPANT",
                       field,
                       "%s: participant \"%s\" is not configured at the coordinator; correct the "
                       "name, or add it to participants: in its configuration and start it again",
                       field, name);
}

static bool check_kind(const struct read *read, const Tercet__V1__Branch *branch)
{
    switch (branch->kind) {
    case TERCET__V1__BRANCH_KIND__BRANCH_KIND_UNSPECIFIED:
    case TERCET__V1__BRANCH_KIND__BRANCH_KIND_TCC:
        return true;
    case TERCET__V1__BRANCH_KIND__BRANCH_KIND_CONFIRM_ONLY:
        return !branch->optional ||
               refusal_set(read->refusal, TERCET_INVALID_ARGUMENT, "TERCET_MALFORMED", "optional",
                           "optional: a CONFIRM_ONLY branch cannot refuse, so it cannot be "
                           "optional");
    case _TERCET__V1__BRANCH_KIND_IS_INT_SIZE:
        break;
    }
    return refusal_set(read->refusal, TERCET_INVALID_ARGUMENT, "TERCET_NOT_UNDERSTOOD", "kind",
                       "kind is %d, which this version does not know", (int)branch->kind);
}

bool read_branch_check(const struct read *read, const Tercet__V1__Branch *branch,
                       uint32_t stage_max)
{
    struct refusal *refusal = read->refusal;
    return read_participant_check(read, "participant", branch->participant) &&
           check_name(refusal, "action", branch->action) &&
           check_bytes(refusal, "payload", branch->payload.len, 0, TERCET_PAYLOAD_BYTES_MAX) &&
           check_range(refusal, "stage", branch->stage, 0, stage_max) && check_kind(read, branch) &&
           (branch->call_timeout_ms == 0 ||
            check_range(refusal, "call_timeout_ms", branch->call_timeout_ms,
                        TERCET_CALL_TIMEOUT_MS_MIN, TERCET_CALL_TIMEOUT_MS_MAX));
}

struct branch *read_branch_make(const struct read *read, const Tercet__V1__Branch *branch,
                                uint32_t index)
{
    const bool confirm_only = branch->kind == TERCET__V1__BRANCH_KIND__BRANCH_KIND_CONFIRM_ONLY;
    const bool optional = branch->optional != 0;
    struct branch_spec spec = {
        .index = index,
        .participant = read_participant_find(read->directory, branch->participant),
        .action = branch->action,
        .payload = {branch->payload.data, branch->payload.len},
        .stage = branch->stage,
        .call_timeout_ms = branch->call_timeout_ms,
        .confirm_only = confirm_only,
        .optional = optional,
    };
    tercet_assert(spec.participant != UINT32_MAX);
    const struct digest_branch content = {
        .participant = branch->participant,
        .action = branch->action,
        .payload = spec.payload,
        .stage = spec.stage,
        .flags = (confirm_only ? (uint32_t)DIGEST_FLAG_CONFIRM_ONLY : 0U) |
                 (optional ? (uint32_t)DIGEST_FLAG_OPTIONAL : 0U),
    };
    spec.digest = digest_of_branch(&content);
    return branch_create(&spec);
}
