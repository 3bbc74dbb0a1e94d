/* view.c -- see view.h.  Everything a view points at lies behind it in the same allocation. */
#include "engine/view.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/error.h"
#include "base/memory.h"

/* Where the next string goes; everything was counted before. */
struct packer {
    char *next;
    size_t left;
};

static const void *pack(struct packer *packer, const void *data, size_t size)
{
    tercet_assert(packer->left >= size + 1);
    char *at = packer->next;
    if (size > 0) {
        memcpy(at, data, size);
    }
    at[size] = '\0';
    packer->next += size + 1;
    packer->left -= size + 1;
    return at;
}

static const char *pack_text(struct packer *packer, const char *text)
{
    return pack(packer, text, strlen(text));
}

static size_t text_size(const char *text)
{
    return strlen(text) + 1;
}

static size_t size_of_strings(const struct view *view, const struct view_branch *branches)
{
    size_t size = text_size(view->gid) + text_size(view->reason_code) +
                  text_size(view->reason_text) + text_size(view->attention);
    for (uint32_t i = 0; i < view->branch_count; i++) {
        const struct view_branch *branch = &branches[i];
        size += text_size(branch->participant) + text_size(branch->action) +
                text_size(branch->reason_code) + text_size(branch->reason_text) +
                text_size(branch->resolved) + branch->result.size + 1;
    }
    return size;
}

struct view *view_copy(const struct view *view, const struct view_branch *branches)
{
    const size_t branches_size = view->branch_count * sizeof branches[0];
    const size_t strings_size = size_of_strings(view, branches);
    struct view *copy = xmalloc(sizeof *copy + branches_size + strings_size);
    *copy = *view;
    struct packer packer = {(char *)copy->branches + branches_size, strings_size};
    copy->gid = pack_text(&packer, view->gid);
    copy->reason_code = pack_text(&packer, view->reason_code);
    copy->reason_text = pack_text(&packer, view->reason_text);
    copy->attention = pack_text(&packer, view->attention);
    for (uint32_t i = 0; i < view->branch_count; i++) {
        const struct view_branch *from = &branches[i];
        struct view_branch *branch = &copy->branches[i];
        *branch = *from;
        branch->participant = pack_text(&packer, from->participant);
        branch->action = pack_text(&packer, from->action);
        branch->reason_code = pack_text(&packer, from->reason_code);
        branch->reason_text = pack_text(&packer, from->reason_text);
        branch->resolved = pack_text(&packer, from->resolved);
        branch->result.data = pack(&packer, from->result.data, from->result.size);
    }
    tercet_assert(packer.left == 0);
    return copy;
}

static struct view_branch view_of_branch(const struct branch *branch,
                                         const struct directory *directory, struct clock_now now)
{
    const struct branch_traits *spec = &branch->spec;
    const struct trouble *trouble = branch_trouble(branch);
    const struct rare *rare = branch_rare(branch);
    struct view_branch view = {
        .index = spec->index,
        .state = branch->state,
        .participant = directory->entries[spec->participant].name,
        .action = branch->action,
        .stage = spec->stage,
        .confirm_only = spec->confirm_only,
        .optional = spec->optional,
        .digest = spec->digest,
        .result = rare->result,
        .reason_code = said_code(trouble->reason),
        .reason_text = said_text(trouble->reason),
        .attempts = branch->attempts,
        .conflict = rare->conflict,
        .resolved = rare->resolved == NULL ? "" : rare->resolved,
    };
    if (trouble->next_attempt_boot_ms > now.boot_ms) {
        view.next_attempt_unix_ms = now.unix_ms + (trouble->next_attempt_boot_ms - now.boot_ms);
    }
    return view;
}

struct view *view_of_txn(const struct txn *txn, const struct directory *directory,
                         struct clock_now now)
{
    struct view_branch branches[TERCET_BRANCH_COUNT_MAX];
    char attention[TERCET_REASON_TEXT_BYTES_MAX + 1] = "";
    bool found = false;
    for (uint32_t i = 0; i < txn->branch_count; i++) {
        branches[i] = view_of_branch(txn->branches[i], directory, now);
        found = found || branch_attention(txn->branches[i], now.unix_ms, attention);
    }
    if (!found && txn->in_doubt) {
        text_format(attention, sizeof attention,
                    "the journal was restored, and its outcome is not known");
    }
    const struct view view = {
        .gid = txn->gid,
        .sequence = txn->sequence,
        .state = txn->state,
        .mode = txn->mode,
        .cause = txn->cause,
        .refused_branch = txn->refused_branch,
        .reason_code = said_code(txn->reason),
        .reason_text = said_text(txn->reason),
        .attention = attention,
        .content = txn->content,
        .begun_unix_ms = txn->begun_unix_ms,
        .decided_unix_ms = txn->decided_unix_ms,
        .ended_unix_ms = txn->ended_unix_ms,
        .deadline_unix_ms = txn->deadline.unix_ms,
        .branch_count = txn->branch_count,
    };
    return view_copy(&view, branches);
}

void view_destroy(struct view *view)
{
    free(view);
}

const struct view_branch *view_find_branch(const struct view *view, uint32_t index)
{
    for (uint32_t i = 0; i < view->branch_count; i++) {
        if (view->branches[i].index == index) {
            return &view->branches[i];
        }
    }
    return NULL;
}
