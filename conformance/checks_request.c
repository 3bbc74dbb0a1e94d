/* checks_request.c -- requests that are not quite as usual: newer, malformed, misdirected. */
#include "checks.h"

#include "base/assert.h"

/* ---- Newer ------------------------------------------------------------------------------------- */

/* Field 100, which no version has. */
static ProtobufCMessageUnknownField newer_field(void)
{
    static uint8_t text[] = {5, 'n', 'e', 'w', 'e', 'r'};
    return (ProtobufCMessageUnknownField){.tag = 100,
                                          .wire_type = PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED,
                                          .len = sizeof text,
                                          .data = text};
}

static void ask_newer(struct check *check, const struct branch *branch, enum tercet_phase phase,
                      enum want want)
{
    ProtobufCMessageUnknownField field = newer_field();
    struct request request;
    struct answer answer;
    if (!check_is_well(check)) {
        return;
    }
    request_fill(&request, branch, phase);
    ProtobufCMessage *const messages[] = {&request.message.base, &request.number.base,
                                          &request.context.message.base};
    for (size_t i = 0; i < sizeof messages / sizeof messages[0]; i++) {
        messages[i]->n_unknown_fields = 1;
        messages[i]->unknown_fields = &field;
    }
    ask_message(check->run, phase, &request.message, &answer);
    check_expect(check, "a request with a field of a later version", want, &answer);
}

static void unknown_fields(struct check *check)
{
    const struct branch *branch = check_branch(check);
    ask_newer(check, branch, TERCET_PHASE_TRY, WANT_RAN);
    ask_newer(check, branch, TERCET_PHASE_CONFIRM, WANT_RAN);
    check_ask(check, branch, TERCET_PHASE_CONFIRM, WANT_REPEATED);
    check_effects(check, 1, 1, 0);
}

/* ---- Malformed --------------------------------------------------------------------------------- */

enum spoil {
    SPOIL_NO_GID,
    SPOIL_GID_129,
    SPOIL_BRANCH_ZERO,
    SPOIL_BRANCH_65,
    SPOIL_PHASE,
    SPOIL_NO_PHASE,
    SPOIL_DIGEST,
    SPOIL_NO_NUMBER,
    SPOIL_NUMBER_ZERO,
    SPOIL_INCARNATION_NEGATIVE,
    SPOIL_NO_CONTEXT,
    SPOIL_ORIGIN,
    SPOIL_EPOCH_ZERO,
    SPOIL_COUNT
};

static const char *const spoiled_names[SPOIL_COUNT] = {
    [SPOIL_NO_GID] = "a try without gid",
    [SPOIL_GID_129] = "a gid of 129 bytes",
    [SPOIL_BRANCH_ZERO] = "a try of branch 0",
    [SPOIL_BRANCH_65] = "a try of branch 65",
    [SPOIL_PHASE] = "a Try that says CONFIRM",
    [SPOIL_NO_PHASE] = "a Try without phase",
    [SPOIL_DIGEST] = "a digest of 15 bytes",
    [SPOIL_NO_NUMBER] = "a try without number",
    [SPOIL_NUMBER_ZERO] = "number 0",
    [SPOIL_INCARNATION_NEGATIVE] = "a negative incarnation",
    [SPOIL_NO_CONTEXT] = "a try without context",
    [SPOIL_ORIGIN] = "an origin of 19 bytes",
    [SPOIL_EPOCH_ZERO] = "epoch 0",
};

static void spoil(struct request *request, enum spoil how)
{
    Tercet__V1__BranchRequest *message = &request->message;
    static char no_gid[] = "";
    static char long_gid[] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
                             "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef-";
    static_assert(sizeof long_gid == TERCET_GID_BYTES_MAX + 2, "one byte too long");
    switch (how) {
    case SPOIL_NO_GID:
        message->gid = no_gid;
        return;
    case SPOIL_GID_129:
        message->gid = long_gid;
        return;
    case SPOIL_BRANCH_ZERO:
        message->branch = 0;
        return;
    case SPOIL_BRANCH_65:
        message->branch = TERCET_BRANCH_COUNT_MAX + 1;
        return;
    case SPOIL_PHASE:
        message->phase = TERCET__V1__PHASE__PHASE_CONFIRM;
        return;
    case SPOIL_NO_PHASE:
        message->phase = TERCET__V1__PHASE__PHASE_UNSPECIFIED;
        return;
    case SPOIL_DIGEST:
        message->digest.len--;
        return;
    case SPOIL_NO_NUMBER:
        message->number = NULL;
        return;
    case SPOIL_NUMBER_ZERO:
        request->number.number = 0;
        return;
    case SPOIL_INCARNATION_NEGATIVE:
        request->number.incarnation = -1;
        return;
    case SPOIL_NO_CONTEXT:
        message->context = NULL;
        return;
    case SPOIL_ORIGIN:
        request->context.message.origin.len--;
        return;
    case SPOIL_EPOCH_ZERO:
        request->context.message.epoch = 0;
        return;
    case SPOIL_COUNT:
        return;
    }
}

static void malformed(struct check *check)
{
    const struct branch *branch = check_branch(check);
    for (int i = 0; i < SPOIL_COUNT && check_is_well(check); i++) {
        struct request request;
        struct answer answer;
        request_fill(&request, branch, TERCET_PHASE_TRY);
        spoil(&request, (enum spoil)i);
        ask_message(check->run, TERCET_PHASE_TRY, &request.message, &answer);
        check_expect(check, spoiled_names[i], WANT_INVALID, &answer);
    }
    check_ask(check, branch, TERCET_PHASE_CANCEL, WANT_EMPTY);
    check_effects(check, 0, 0, 0);
}

/* ---- Misdirected ------------------------------------------------------------------------------- */

static void ask_once(struct check *check, const struct branch *branch, enum tercet_phase phase,
                     enum want want)
{
    struct request request;
    struct answer answer;
    if (check_is_well(check)) {
        request_fill(&request, branch, phase);
        ask_message(check->run, phase, &request.message, &answer);
        check_expect(check, tercet_phase_name(phase), want, &answer);
    }
}

static void wrong_participant(struct check *check)
{
    struct branch *branch = check_branch(check);
    struct branch *astray = check_twin(check, branch);
    astray->persona = check_persona(check);
    const struct persona same = check->run->persona;
    *astray->persona = same;
    astray->persona->participant = "tercet-conformance.nobody";

    ask_once(check, astray, TERCET_PHASE_TRY, WANT_WRONG_PARTICIPANT);
    ask_once(check, astray, TERCET_PHASE_CONFIRM, WANT_WRONG_PARTICIPANT);
    ask_once(check, astray, TERCET_PHASE_CANCEL, WANT_WRONG_PARTICIPANT);
    check_effects(check, 0, 0, 0);
    check_ask(check, branch, TERCET_PHASE_CANCEL, WANT_EMPTY);
}

static void unknown_action(struct check *check)
{
    struct branch *branch = check_branch(check);
    struct branch *astray = check_twin(check, branch);
    astray->action = "tercet-conformance.nothing";
    ask_once(check, astray, TERCET_PHASE_TRY, WANT_NOT_SERVED);
    check_ask(check, branch, TERCET_PHASE_CANCEL, WANT_EMPTY);
    check_effects(check, 0, 0, 0);
}

static const struct check_kind kinds[] = {
    {"unknown_fields", "Fields that it does not know, in every message, are ignored.",
     unknown_fields},
    {"malformed",
     "A required field that is missing or out of range is INVALID_ARGUMENT and leaves no row.",
     malformed},
    {"wrong_participant",
     "A request for another participant is LATER with TERCET_WRONG_PARTICIPANT and leaves no row.",
     wrong_participant},
    {"unknown_action",
     "A try of an action that is not served is status FAILED_PRECONDITION and leaves no row.",
     unknown_action},
};

const struct check_group checks_request = {"requests", kinds, sizeof kinds / sizeof kinds[0]};
