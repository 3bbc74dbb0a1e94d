/* list.h -- List: open transactions from the engine, then outcomes from the journal.  Internal.
 *
 * A page token says where the next page begins: "o" and a sequence, behind which the open ones go
 * on; or "e" and the journal's cursor, behind which the ended ones go on ("e" alone: the newest).
 * When the open ones do not fill a page, ended ones follow in the same reply.
 *
 * A transaction that ends between two pages may be told twice, never left out for long: the open
 * ones come first. */
#ifndef COORDINATOR_SERVICE_LIST_H
#define COORDINATOR_SERVICE_LIST_H

#include "engine/effect.h"
#include "service/refusal.h"
#include "tercet/v1/coordinator.pb-c.h"

enum {
    LIST_PAGE_SIZE_MAX = 1000,
    LIST_PAGE_SIZE_DEFAULT = 100,
    /* So many transactions with 64 branches each, everything as long as it may be, stay below the
     * 4 MiB that clients accept. */
    LIST_PAGE_SIZE_WITH_BRANCHES = 32,
    LIST_TOKEN_BYTES_MAX = 1024
};

struct call;

/* One List in progress. */
struct list_page {
    uint32_t size;
    uint32_t state_mask; /* bit (1 << state); 0: all */
    bool attention_only;
    bool with_branches;
    char gid_prefix[TERCET_GID_BYTES_MAX + 1];
    bool in_outcomes;                      /* of where the page begins, and of where it has come */
    int64_t after_sequence;                /* open ones */
    char cursor[LIST_TOKEN_BYTES_MAX + 1]; /* outcomes */
    struct view **views;                   /* of this page so far; `size` places */
    uint32_t count;
};

/* Understands the request.  NULL: the refusal says why. */
struct list_page *list_page_create(const Tercet__V1__ListRequest *message, struct refusal *refusal);
void list_page_destroy(struct list_page *page); /* NULL is fine */

/* Asks for the page's first part.  Takes the call. */
void list_start(struct call *call);

/* The engine's part has come. */
void list_continue(struct call *call, struct effect_reply *reply);

/* The journal's part has come: keeps or frees the views, answers, closes the call. */
void list_finish(struct call *call, struct view **views, uint32_t count, const char *next_cursor,
                 enum tercet_status status);

#endif
