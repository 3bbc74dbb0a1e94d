/* status.c -- the names of what tercet.h numbers. */
#include "tercet/tercet.h"

#define STRINGIFY(x)                      #x
#define VERSION_TEXT(major, minor, patch) STRINGIFY(major) "." STRINGIFY(minor) "." STRINGIFY(patch)

const char *tercet_version(void)
{
    return VERSION_TEXT(TERCET_VERSION_MAJOR, TERCET_VERSION_MINOR, TERCET_VERSION_PATCH);
}

static const char *name_of(const char *const *names, size_t count, int value)
{
    return value >= 0 && (size_t)value < count && names[value] != NULL ? names[value] : "?";
}

const char *tercet_status_name(enum tercet_status status)
{
    static const char *const names[] = {
        [TERCET_OK] = "OK",
        [TERCET_CALL_CANCELLED] = "CANCELLED",
        [TERCET_UNKNOWN] = "UNKNOWN",
        [TERCET_INVALID_ARGUMENT] = "INVALID_ARGUMENT",
        [TERCET_DEADLINE_EXCEEDED] = "DEADLINE_EXCEEDED",
        [TERCET_NOT_FOUND] = "NOT_FOUND",
        [TERCET_ALREADY_EXISTS] = "ALREADY_EXISTS",
        [TERCET_PERMISSION_DENIED] = "PERMISSION_DENIED",
        [TERCET_RESOURCE_EXHAUSTED] = "RESOURCE_EXHAUSTED",
        [TERCET_FAILED_PRECONDITION] = "FAILED_PRECONDITION",
        [TERCET_ABORTED] = "ABORTED",
        [TERCET_OUT_OF_RANGE] = "OUT_OF_RANGE",
        [TERCET_UNIMPLEMENTED] = "UNIMPLEMENTED",
        [TERCET_INTERNAL] = "INTERNAL",
        [TERCET_UNAVAILABLE] = "UNAVAILABLE",
        [TERCET_DATA_LOSS] = "DATA_LOSS",
        [TERCET_UNAUTHENTICATED] = "UNAUTHENTICATED",
    };
    return name_of(names, sizeof names / sizeof names[0], (int)status);
}

const char *tercet_phase_name(enum tercet_phase phase)
{
    static const char *const names[] = {
        [TERCET_PHASE_TRY] = "TRY",
        [TERCET_PHASE_CONFIRM] = "CONFIRM",
        [TERCET_PHASE_CANCEL] = "CANCEL",
    };
    return name_of(names, sizeof names / sizeof names[0], (int)phase);
}

const char *tercet_verdict_name(enum tercet_verdict verdict)
{
    static const char *const names[] = {
        [TERCET_VERDICT_UNSPECIFIED] = "UNSPECIFIED", [TERCET_VERDICT_DONE] = "DONE",
        [TERCET_VERDICT_REFUSED] = "REFUSED",         [TERCET_VERDICT_LATER] = "LATER",
        [TERCET_VERDICT_CONFLICT] = "CONFLICT",
    };
    return name_of(names, sizeof names / sizeof names[0], (int)verdict);
}
