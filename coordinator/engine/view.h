/* view.h -- a transaction as it stood at one moment: what is told to initiators and stored as an
 * outcome.
 *
 * One allocation, made on the loop's thread and then passed on; whoever holds it frees it by
 * view_destroy().  All strings are NUL-terminated and never NULL. */
#ifndef COORDINATOR_ENGINE_VIEW_H
#define COORDINATOR_ENGINE_VIEW_H

#include "engine/directory.h"
#include "engine/txn.h"

struct view_branch {
    uint32_t index;
    enum branch_state state;
    const char *participant;
    const char *action;
    uint32_t stage;
    bool confirm_only;
    bool optional;
    struct digest16 digest;
    struct tercet_bytes result;
    const char *reason_code;
    const char *reason_text;
    uint32_t attempts;
    int64_t next_attempt_unix_ms;
    uint32_t conflict;
    const char *resolved;
};

struct view {
    const char *gid;
    int64_t sequence;
    enum txn_state state;
    enum txn_mode mode;
    enum txn_cause cause;
    uint32_t refused_branch;
    const char *reason_code;
    const char *reason_text;
    const char *attention;
    struct digest16 content;
    int64_t begun_unix_ms;
    int64_t decided_unix_ms;
    int64_t ended_unix_ms;
    int64_t deadline_unix_ms;
    uint32_t branch_count;
    struct view_branch branches[];
};

struct view *view_of_txn(const struct txn *txn, const struct directory *directory,
                         struct clock_now now);

/* For decoding: copies a view whose strings and bytes are borrowed from elsewhere, such as one
 * decoded from an outcome record.  `branches` are `view->branch_count` many; the struct's own
 * flexible array is not looked at. */
struct view *view_copy(const struct view *view, const struct view_branch *branches);

void view_destroy(struct view *view); /* NULL is fine */

const struct view_branch *view_find_branch(const struct view *view, uint32_t index); /* or NULL */

#endif
