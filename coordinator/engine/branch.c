/* branch.c -- see branch.h.  A branch and its action are one allocation; the payload is another, because
 * it may leave memory earlier, and so is what few have, or not for long. */
#include "engine/branch.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/error.h"
#include "base/memory.h"
#include "engine/txn.h"

/* An operator is called after so many attempts, or after so long a time. */
enum { ATTENTION_ATTEMPTS = 10, ATTENTION_AGE_MS = 5 * 60 * 1000 };

static_assert(sizeof(struct branch) <= BRANCH_BYTES_MAX, "a million transactions have to fit");
static_assert(sizeof(struct trouble) <= TROUBLE_BYTES_MAX, "a million transactions have to fit");
static_assert(TERCET_STAGE_MAX == 63, "six bits");

const struct trouble *branch_trouble(const struct branch *branch)
{
    static const struct trouble none;
    return branch->trouble != NULL ? branch->trouble : &none;
}

static struct trouble *make_trouble(struct branch *branch)
{
    if (branch->trouble == NULL) {
        branch->trouble = xcalloc(1, sizeof *branch->trouble);
    }
    return branch->trouble;
}

static bool has_rare(const struct branch *branch)
{
    return branch_trouble(branch)->rare != NULL;
}

const struct rare *branch_rare(const struct branch *branch)
{
    static const struct rare none;
    return has_rare(branch) ? branch->trouble->rare : &none;
}

struct rare *branch_rare_make(struct branch *branch)
{
    struct trouble *trouble = make_trouble(branch);
    if (trouble->rare == NULL) {
        trouble->rare = xcalloc(1, sizeof *trouble->rare);
    }
    return trouble->rare;
}

static void destroy_trouble(struct trouble *trouble)
{
    if (trouble == NULL) {
        return;
    }
    if (trouble->rare != NULL) {
        free((void *)(uintptr_t)trouble->rare->result.data);
        free(trouble->rare->resolved);
        free(trouble->rare);
    }
    said_unref(trouble->reason);
    free(trouble);
}

struct branch *branch_create(const struct branch_spec *spec)
{
    tercet_assert(spec->index >= 1 && spec->index <= TERCET_BRANCH_COUNT_MAX);
    tercet_assert(spec->stage <= TERCET_STAGE_MAX && spec->participant <= UINT16_MAX &&
                  spec->payload.size <= TERCET_PAYLOAD_BYTES_MAX);
    const size_t action_size = strlen(spec->action) + 1;
    const size_t size = offsetof(struct branch, action) + action_size;
    struct branch *branch = xcalloc(1, size < sizeof *branch ? sizeof *branch : size);
    branch->spec = (struct branch_traits){.digest = spec->digest,
                                          .participant = (uint16_t)spec->participant,
                                          .index = (uint8_t)spec->index,
                                          .stage = spec->stage & TERCET_STAGE_MAX,
                                          .confirm_only = spec->confirm_only,
                                          .optional = spec->optional};
    memcpy(branch->action, spec->action, action_size);
    branch->payload_size = (uint32_t)spec->payload.size;
    if (spec->payload.size > 0) {
        branch->payload = xmemdup(spec->payload.data, spec->payload.size);
    }
    if (spec->call_timeout_ms != 0) {
        branch_rare_make(branch)->call_timeout_ms = spec->call_timeout_ms;
    }
    branch->refs = 1;
    branch->served = true;
    list_init(&branch->open_link);
    return branch;
}

struct branch *branch_ref(struct branch *branch)
{
    tercet_assert(branch->refs > 0 && branch->refs < UINT16_MAX);
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
    destroy_trouble(branch->trouble);
    free(branch);
}

void branch_drop_payload(struct branch *branch)
{
    free(branch->payload);
    branch->payload = NULL;
}

void branch_set_reason(struct branch *branch, const char *code, const char *text)
{
    struct said *said = said_create(code, text);
    if (said != NULL || branch->trouble != NULL) {
        struct trouble *trouble = make_trouble(branch);
        said_unref(trouble->reason);
        trouble->reason = said;
    }
}

void branch_share_reason(struct branch *branch, struct said **newest_io)
{
    if (branch->trouble != NULL) {
        said_share(&branch->trouble->reason, newest_io);
    }
}

void branch_set_conflict(struct branch *branch, uint32_t conflict)
{
    if (conflict != 0 || has_rare(branch)) {
        branch_rare_make(branch)->conflict = conflict;
    }
}

void branch_set_next_attempt(struct branch *branch, int64_t boot_ms)
{
    if (boot_ms != 0 || branch->trouble != NULL) {
        make_trouble(branch)->next_attempt_boot_ms = boot_ms;
    }
}

void branch_set_resolved(struct branch *branch, const char *text)
{
    if (text[0] != '\0' || has_rare(branch)) {
        struct rare *rare = branch_rare_make(branch);
        free(rare->resolved);
        rare->resolved = text[0] == '\0' ? NULL : xstrdup(text);
    }
}

void branch_set_result(struct branch *branch, struct tercet_bytes result)
{
    tercet_assert(result.size <= TERCET_RESULT_BYTES_MAX);
    if (result.size == 0 && !has_rare(branch)) {
        return;
    }
    struct rare *rare = branch_rare_make(branch);
    free((void *)(uintptr_t)rare->result.data);
    rare->result = (struct tercet_bytes){0};
    if (result.size > 0) {
        rare->result = tercet_bytes_of(xmemdup(result.data, result.size), result.size);
    }
}

void branch_set_payload(struct branch *branch, struct tercet_bytes payload)
{
    tercet_assert(branch->payload_lost && !branch_has_payload(branch));
    branch->payload_lost = false;
    branch->payload_size = (uint32_t)payload.size;
    if (payload.size > 0) {
        branch->payload = xmemdup(payload.data, payload.size);
    }
}

void branch_note_handed(struct branch *branch)
{
    tercet_assert(branch->txn != NULL && branch->asked != 0);
    branch->handed = (uint8_t)(branch->handed | (1U << branch->asked));
    if (branch->attempts < INT32_MAX) {
        branch->attempts++;
    }
}

bool branch_attention(const struct branch *branch, int64_t now_unix_ms, char *text_out)
{
    const size_t size = TERCET_REASON_TEXT_BYTES_MAX + 1;
    const struct rare *rare = branch_rare(branch);
    if (rare->resolved != NULL || branch_state_is_ended(branch->state)) {
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
    const char *text = said_text(branch_trouble(branch)->reason);
    if (rare->conflict != 0) {
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
    int64_t age_ms = now_unix_ms - branch->txn->decided_unix_ms;
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
    if (branch->state == BRANCH_CONFIRMED && branch_rare(branch)->resolved == NULL) {
        tercet_assert((branch->handed & (1U << TERCET_PHASE_CONFIRM)) != 0);
    }
}
