/* checks_identity.c -- whose row it is: origin, number and digest; and the key, byte by byte. */
#include "checks.h"

#include <ctype.h>
#include <string.h>

#include "base/assert.h"

/* ---- Another identity under the same key ------------------------------------------------------- */

/* No phase of the stranger touches the row, in any of its states. */
static void keep_apart(struct check *check, const struct branch *branch,
                       const struct branch *stranger)
{
    check_ask(check, branch, TERCET_PHASE_TRY, WANT_RAN);
    check_ask(check, stranger, TERCET_PHASE_TRY, WANT_OTHER_TRANSACTION);
    check_ask(check, stranger, TERCET_PHASE_CONFIRM, WANT_OTHER_TRANSACTION);
    check_ask(check, stranger, TERCET_PHASE_CANCEL, WANT_OTHER_TRANSACTION);
    check_effects(check, 1, 0, 0);
    check_ask(check, branch, TERCET_PHASE_CONFIRM, WANT_RAN);
    check_ask(check, stranger, TERCET_PHASE_TRY, WANT_OTHER_TRANSACTION);
    check_ask(check, stranger, TERCET_PHASE_CONFIRM, WANT_OTHER_TRANSACTION);
    check_ask(check, branch, TERCET_PHASE_CONFIRM, WANT_REPEATED);
    check_effects(check, 1, 1, 0);
}

/* Nor where the row only says that it was cancelled. */
static void keep_apart_suspended(struct check *check, const struct branch *branch,
                                 const struct branch *stranger)
{
    check_ask(check, branch, TERCET_PHASE_CANCEL, WANT_EMPTY);
    check_ask(check, stranger, TERCET_PHASE_TRY, WANT_OTHER_TRANSACTION);
    check_ask(check, stranger, TERCET_PHASE_CANCEL, WANT_OTHER_TRANSACTION);
    check_ask(check, branch, TERCET_PHASE_TRY, WANT_REFUSED);
}

static void other_digest(struct check *check)
{
    struct branch *branch = check_branch(check);
    struct branch *stranger = check_twin(check, branch);
    stranger->digest[sizeof stranger->digest - 1] ^= 1;
    keep_apart(check, branch, stranger);

    branch = check_branch(check);
    stranger = check_twin(check, branch);
    stranger->digest[0] ^= 0x80;
    keep_apart_suspended(check, branch, stranger);
}

static void other_origin(struct check *check)
{
    struct branch *branch = check_branch(check);
    struct branch *stranger = check_twin(check, branch);
    stranger->persona = check_persona(check);
    keep_apart(check, branch, stranger);

    branch = check_branch(check);
    stranger = check_twin(check, branch);
    stranger->persona = check_persona(check);
    keep_apart_suspended(check, branch, stranger);
}

static void other_number(struct check *check)
{
    struct branch *branch = check_branch(check);
    struct branch *stranger = check_twin(check, branch);
    stranger->number.number += 1000000;
    keep_apart(check, branch, stranger);

    branch = check_branch(check);
    stranger = check_twin(check, branch);
    stranger->number.incarnation -= 1;
    keep_apart_suspended(check, branch, stranger);
}

/* ---- Keys that look alike ---------------------------------------------------------------------- */

static void append(struct branch *branch, const char *text)
{
    const size_t size = strlen(branch->gid);
    tercet_assert(size + strlen(text) < sizeof branch->gid);
    memcpy(branch->gid + size, text, strlen(text) + 1);
}

/* Has the other's gid, and what is a row's own is its own. */
static struct branch *neighbour(struct check *check, const struct branch *branch)
{
    struct branch *other = check_branch(check);
    memcpy(other->gid, branch->gid, sizeof other->gid);
    other->index = branch->index;
    return other;
}

static void similar_keys(struct check *check)
{
    struct branch *branch = check_branch(check);
    struct branch *longer = neighbour(check, branch);
    struct branch *upper = neighbour(check, branch);
    struct branch *beside = neighbour(check, branch);
    append(longer, "0");
    for (char *at = upper->gid; *at != '\0'; at++) {
        *at = (char)toupper((unsigned char)*at);
    }
    beside->index = branch->index == 1 ? 2 : branch->index - 1;

    check_ask(check, branch, TERCET_PHASE_TRY, WANT_RAN);
    check_ask(check, longer, TERCET_PHASE_TRY, WANT_RAN);
    check_ask(check, upper, TERCET_PHASE_TRY, WANT_RAN);
    check_ask(check, beside, TERCET_PHASE_TRY, WANT_RAN);
    check_ask(check, branch, TERCET_PHASE_CANCEL, WANT_RAN);
    check_ask(check, upper, TERCET_PHASE_CONFIRM, WANT_RAN);
    check_ask(check, longer, TERCET_PHASE_CANCEL, WANT_RAN);
    check_ask(check, beside, TERCET_PHASE_CANCEL, WANT_RAN);
    check_effects(check, 4, 1, 3);
}

/* 128 bytes, and two of them differ in the last one only. */
static void longest_keys(struct check *check)
{
    struct branch *branch = check_branch(check);
    size_t size = strlen(branch->gid);
    while (size < TERCET_GID_BYTES_MAX) {
        branch->gid[size] =
            (char)('!' + (int)(size % ('~' - '!' + 1))); /* all that may stand there */
        size++;
    }
    branch->gid[size] = '\0';
    branch->gid[size - 1] = 'a';
    struct branch *other = neighbour(check, branch);
    other->gid[size - 1] = 'b';

    check_ask(check, branch, TERCET_PHASE_CANCEL, WANT_EMPTY);
    check_ask(check, other, TERCET_PHASE_TRY, WANT_RAN);
    check_ask(check, branch, TERCET_PHASE_TRY, WANT_REFUSED);
    check_ask(check, other, TERCET_PHASE_TRY, WANT_REPEATED);
    check_ask(check, other, TERCET_PHASE_CANCEL, WANT_RAN);
    check_effects(check, 1, 0, 1);
}

static const struct check_kind kinds[] = {
    {"other_digest",
     "A request with another digest than the row's is CONFLICT OTHER_TRANSACTION and touches "
     "nothing.",
     other_digest},
    {"other_origin",
     "A request of another origin than the row's is CONFLICT OTHER_TRANSACTION and touches "
     "nothing.",
     other_origin},
    {"other_number",
     "A request with another number than the row's is CONFLICT OTHER_TRANSACTION and touches "
     "nothing.",
     other_number},
    {"similar_keys",
     "A gid that is another's beginning, or differs in case, and another branch are rows of their "
     "own.",
     similar_keys},
    {"longest_keys",
     "Gids of 128 bytes with every character that is allowed are told apart to the last.",
     longest_keys},
};

const struct check_group checks_identity = {"identity", kinds, sizeof kinds / sizeof kinds[0]};
