/* branch.c -- see branch.h.  A branch and its action are one allocation; the payload is another, because
 * it may leave memory earlier. */
#include "engine/branch.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/error.h"
#include "base/memory.h"

/* An operator is called after so many attempts, or after so long a time. */
enum { ATTENTION_ATTEMPTS = 10, ATTENTION_AGE_MS = 5 * 60 * 1000 };

struct branch *branch_create(const struct branch_spec *spec)
{
    tercet_assert(spec->index >= 1 && spec->index <= TERCET_BRANCH_COUNT_MAX);
    size_t action_size = strlen(spec->action) + 1;
    struct branch *branch = xcalloc(1, sizeof *branch + action_size);
    branch->spec = *spec;
    branch->spec.action = memcpy(branch + 1, spec->action, action_size);
    branch->spec.payload.data =
        spec->payload.size == 0 ? NULL : xmemdup(spec->payload.data, spec->payload.size);
    branch->refs = 1;
    branch->served = true;
    list_init(&branch->open_link);
    return branch;
}

struct branch *branch_ref(struct branch *branch)
{
    tercet_assert(branch->refs > 0 && branch->refs < UINT32_MAX);
    branch->refs++;
    return branch;
}

void branch_unref(struct branch *branch)
{
    if (branch == NULL) {
        return;
    }
    tercet_assert(branch->refs > 0);
    branch->refs--;
    if (branch->refs > 0) {
        return;
    }
    tercet_assert(branch->txn == NULL && !list_is_linked(&branch->open_link));
    branch_drop_payload(branch);
    free((void *)(uintptr_t)branch->result.data);
    free(branch->reason);
    free(branch->resolved);
    free(branch);
}

void branch_drop_payload(struct branch *branch)
{
    free((void *)(uintptr_t)branch->spec.payload.data);
    branch->spec.payload.data = NULL;
}

void branch_set_reason(struct branch *branch, const char *code, const char *text)
{
    if (code[0] == '\0' && text[0] == '\0') {
        free(branch->reason);
        branch->reason = NULL;
        return;
    }
    if (branch->reason == NULL) {
        branch->reason = xcalloc(1, sizeof *branch->reason);
    }
    reason_set(branch->reason, code, text);
}

void branch_set_result(struct branch *branch, struct tercet_bytes result)
{
    tercet_assert(result.size <= TERCET_RESULT_BYTES_MAX);
    free((void *)(uintptr_t)branch->result.data);
    branch->result = (struct tercet_bytes){0};
    if (result.size > 0) {
        branch->result.data = xmemdup(result.data, result.size);
        branch->result.size = result.size;
    }
}

void branch_set_payload(struct branch *branch, struct tercet_bytes payload)
{
    tercet_assert(branch->payload_lost && !branch_has_payload(branch));
    branch->payload_lost = false;
    if (payload.size > 0) {
        branch->spec.payload = tercet_bytes_of(xmemdup(payload.data, payload.size), payload.size);
    }
}

void reason_set(struct reason *reason, const char *code, const char *text)
{
    text_format(reason->code, sizeof reason->code, "%s", code);
    text_format(reason->text, sizeof reason->text, "%s", text);
}

void branch_note_handed(struct branch *branch)
{
    tercet_assert(branch->txn != NULL && branch->asked != 0);
    branch->handed |= 1U << branch->asked;
    if (branch->attempts < INT32_MAX) {
        branch->attempts++;
    }
}

bool branch_attention(const struct branch *branch, int64_t now_unix_ms, char *text_out)
{
    const size_t size = TERCET_REASON_TEXT_BYTES_MAX + 1;
    if (branch->resolved != NULL || branch_state_is_ended(branch->state)) {
        return false;
    }
    if (branch->held) {
        text_format(text_out, size,
                    "branch %u waits: its participant was rolled back or exchanged and is held",
                    branch->spec.index);
        return true;
    }
    if (branch->payload_lost && branch->asked != 0) {
        text_format(
            text_out, size,
            "branch %u waits: its payload was lost with the journal; repeat the transaction "
            "with the same content, or settle it",
            branch->spec.index);
        return true;
    }
    const char *text = branch->reason == NULL ? "" : branch->reason->text;
    if (branch->conflict != 0) {
        text_format(text_out, size, "branch %u contradicts what it was told: %s",
                    branch->spec.index, text);
        return true;
    }
    if (branch->attention) {
        text_format(text_out, size, "branch %u refuses what it may not refuse: %s",
                    branch->spec.index, text);
        return true;
    }
    if (!branch_state_is_phase_two(branch->state)) {
        return false;
    }
    if (branch->attempts >= ATTENTION_ATTEMPTS) {
        text_format(text_out, size, "branch %u was asked %u times: %s", branch->spec.index,
                    branch->attempts, text);
        return true;
    }
    int64_t age_ms = now_unix_ms - branch->asked_since_unix_ms;
    if (age_ms >= ATTENTION_AGE_MS) {
        text_format(text_out, size, "branch %u has not answered for %lld s: %s", branch->spec.index,
                    (long long)(age_ms / 1000), text);
        return true;
    }
    return false;
}

void branch_check(const struct branch *branch)
{
    tercet_assert(branch->asked == branch_state_asks(branch->state));
    tercet_assert(branch->spec.confirm_only ? !branch->spec.optional : true);
    if (branch->spec.confirm_only) {
        tercet_assert(branch->state != BRANCH_TRYING && branch->state != BRANCH_TRIED &&
                      branch->state != BRANCH_REFUSED && branch->state != BRANCH_CANCELLING);
    }
    tercet_assert(branch->number.number > 0);
    if (branch->state == BRANCH_CONFIRMED && branch->resolved == NULL) {
        tercet_assert((branch->handed & (1U << TERCET_PHASE_CONFIRM)) != 0);
    }
}
