/* names.c -- the words for the numbers of client.h, and of the protocol's words that only the SDK
 * speaks. */
#include "tercet/client.h"

#define NAME_COUNT(names) (sizeof(names) / sizeof((names)[0]))

static const char *name_of(const char *const *names, size_t count, int number)
{
    return number >= 0 && (size_t)number < count && names[number] != NULL ? names[number] : "?";
}

const char *tercet_how_name(enum tercet_how how)
{
    static const char *const names[] = {
        [TERCET_HOW_UNSPECIFIED] = "UNSPECIFIED",
        [TERCET_HOW_RAN] = "RAN",
        [TERCET_HOW_REPEATED] = "REPEATED",
        [TERCET_HOW_EMPTY] = "EMPTY",
    };
    return name_of(names, NAME_COUNT(names), (int)how);
}

const char *tercet_conflict_name(enum tercet_conflict conflict)
{
    static const char *const names[] = {
        [TERCET_CONFLICT_NONE] = "NONE",
        [TERCET_CONFLICT_OTHER_TRANSACTION] = "OTHER_TRANSACTION",
        [TERCET_CONFLICT_NOT_TRIED] = "NOT_TRIED",
        [TERCET_CONFLICT_CONFIRMED] = "CONFIRMED",
        [TERCET_CONFLICT_CANCELLED] = "CANCELLED",
        [TERCET_CONFLICT_FORGOTTEN] = "FORGOTTEN",
    };
    return name_of(names, NAME_COUNT(names), (int)conflict);
}

const char *tercet_outcome_name(enum tercet_outcome outcome)
{
    static const char *const names[] = {
        [TERCET_OUTCOME_UNKNOWN] = "UNKNOWN",
        [TERCET_OUTCOME_CONFIRMED] = "CONFIRMED",
        [TERCET_OUTCOME_CANCELLED] = "CANCELLED",
        [TERCET_OUTCOME_NOT_STARTED] = "NOT_STARTED",
    };
    return name_of(names, NAME_COUNT(names), (int)outcome);
}

const char *tercet_cause_name(enum tercet_cause cause)
{
    static const char *const names[] = {
        [TERCET_CAUSE_NONE] = "NONE",         [TERCET_CAUSE_REFUSED] = "REFUSED",
        [TERCET_CAUSE_TIMEOUT] = "TIMEOUT",   [TERCET_CAUSE_INITIATOR] = "INITIATOR",
        [TERCET_CAUSE_OPERATOR] = "OPERATOR",
    };
    return name_of(names, NAME_COUNT(names), (int)cause);
}

const char *tercet_branch_state_name(enum tercet_branch_state state)
{
    static const char *const names[] = {
        [TERCET_BRANCH_UNSPECIFIED] = "UNSPECIFIED", [TERCET_BRANCH_WAITING] = "WAITING",
        [TERCET_BRANCH_TRYING] = "TRYING",           [TERCET_BRANCH_TRIED] = "TRIED",
        [TERCET_BRANCH_REFUSED] = "REFUSED",         [TERCET_BRANCH_CONFIRMING] = "CONFIRMING",
        [TERCET_BRANCH_CONFIRMED] = "CONFIRMED",     [TERCET_BRANCH_CANCELLING] = "CANCELLING",
        [TERCET_BRANCH_CANCELLED] = "CANCELLED",     [TERCET_BRANCH_SKIPPED] = "SKIPPED",
    };
    return name_of(names, NAME_COUNT(names), (int)state);
}
