/* mark.c -- see mark.h and fence.h. */
#include "fence/mark.h"

#include <inttypes.h>

#include "base/error.h"

/* Integers of the protocol stay below this, so that they are exact in JavaScript. */
static const int64_t INTEGER_END = INT64_C(1) << 53;

bool mark_is_open(const struct tercet_mark *mark, struct tercet_branch_number number)
{
    uint32_t low = 0;
    uint32_t high = mark->open_count;
    while (low < high) {
        const uint32_t middle = low + (high - low) / 2;
        const int order = tercet_branch_number_compare(mark->open[middle], number);
        if (order == 0) {
            return true;
        }
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return false;
}

enum tercet_mark_relation tercet_mark_relation_of(const struct tercet_mark *mark,
                                                  struct tercet_branch_number number)
{
    if (mark == NULL || mark->as_of_incarnation == 0 ||
        tercet_branch_number_compare(number, mark->low) >= 0) {
        return TERCET_MARK_ABOVE;
    }
    return mark_is_open(mark, number) ? TERCET_MARK_OPEN : TERCET_MARK_BELOW;
}

static enum tercet_status check_positive(const char *field, int64_t value,
                                         struct tercet_error *error_out)
{
    if (value < 1 || value >= INTEGER_END) {
        return error_set(error_out, TERCET_INVALID_ARGUMENT,
                         "mark.%s: %" PRId64 ", must be 1 to %" PRId64, field, value,
                         INTEGER_END - 1);
    }
    return TERCET_OK;
}

static enum tercet_status check_number(const char *field, struct tercet_branch_number number,
                                       struct tercet_error *error_out)
{
    const enum tercet_status status = check_positive(field, number.incarnation, error_out);
    return status != TERCET_OK ? status : check_positive(field, number.number, error_out);
}

enum tercet_status tercet_mark_check(const struct tercet_mark *mark, struct tercet_error *error_out)
{
    if (mark == NULL) {
        return error_set(error_out, TERCET_INVALID_ARGUMENT, "mark: must not be NULL");
    }
    enum tercet_status status =
        check_positive("as_of_incarnation", mark->as_of_incarnation, error_out);
    if (status == TERCET_OK) {
        status = check_positive("as_of_lsn", mark->as_of_lsn, error_out);
    }
    if (status == TERCET_OK) {
        status = check_number("low", mark->low, error_out);
    }
    if (status == TERCET_OK && mark->open_count > TERCET_MARK_OPEN_MAX) {
        status = error_set(error_out, TERCET_INVALID_ARGUMENT,
                           "mark.open: %" PRIu32 " numbers, must be 0 to %d", mark->open_count,
                           TERCET_MARK_OPEN_MAX);
    }
    for (uint32_t i = 0; status == TERCET_OK && i < mark->open_count; i++) {
        status = check_number("open", mark->open[i], error_out);
        if (status == TERCET_OK && i > 0 &&
            tercet_branch_number_compare(mark->open[i - 1], mark->open[i]) >= 0) {
            status = error_set(error_out, TERCET_INVALID_ARGUMENT,
                               "mark.open[%" PRIu32 "]: is not above the one before it", i);
        }
    }
    return status;
}
