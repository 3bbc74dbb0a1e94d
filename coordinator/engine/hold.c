/* hold.c -- a participant that was rolled back or exchanged waits for an operator.
 *
 * From the moment its Describe shows it (acquaintance.h) nothing is sent to it.  Nobody can know what
 * it has lost, so nothing is decided by what it had said: undecided transactions that name it are
 * cancelled, new ones are refused before they begin, and what is decided waits, with attention.  The
 * hold is recorded and outlives the coordinator.  An operator compares its books, and Resolve, with a
 * reason that is recorded too, lets it go on: what waits is asked then, and where the database
 * contradicts, it says so by its fence, which is attention of the branch's own.
 *
 * Also here: what is noted of its replies, so that the comparison has something to compare with.
 * It is recorded at most once a second; a coordinator that dies knows what it knew a second ago,
 * which is only less, never wrong. */
#include "base/assert.h"
#include "base/error.h"
#include "base/memory.h"
#include "engine/restored.h"

enum { RECORD_EVERY_MS = 1000 };

void hold_record(struct step *step, uint32_t participant)
{
    struct peer *peer = &step->engine->peers[participant];
    struct effect *effect = effects_add(step->effects, EFFECT_RECORD);
    effect->u.record = (struct effect_record){
        .kind = RECORD_PARTICIPANT, .participant = participant, .known = &peer->known};
    peer->record_after_boot_ms = step->now.boot_ms + RECORD_EVERY_MS;
}

static void tell_hold(struct step *step, uint32_t participant, bool held, const char *text)
{
    struct effect *effect = effects_add(step->effects, EFFECT_HOLD);
    effect->u.hold.participant = participant;
    effect->u.hold.held = held;
    effect->u.hold.text = xstrdup(text);
}

bool hold_is_on(const struct peer *peer)
{
    return peer->known.held[0] != '\0';
}

static void set_held(struct peer *peer, bool held)
{
    for (struct list_node *node = peer->open.next; node != &peer->open; node = node->next) {
        container_of(node, struct branch, open_link)->held = held;
    }
}

/* Nobody has been told anything yet, and what this participant reserved may be gone. */
static void cancel_undecided(struct step *step, struct peer *peer)
{
    struct reason reason;
    reason_set(&reason, "TERCET_ROLLED_BACK", peer->known.held);
    for (struct list_node *node = peer->open.next; node != &peer->open; node = node->next) {
        const struct branch *branch = container_of(node, struct branch, open_link);
        if (!txn_state_is_decided(branch->txn->state) && !branch->txn->in_doubt) {
            branch->txn->refused_branch = branch->spec.index;
            decide_to_cancel(step, branch->txn, TXN_CAUSE_REFUSED, &reason);
        }
    }
}

void hold_resume(struct step *step, uint32_t participant)
{
    struct peer *peer = &step->engine->peers[participant];
    if (hold_is_on(peer)) {
        tell_hold(step, participant, true, peer->known.held);
        set_held(peer, true);
        cancel_undecided(step, peer);
    }
}

/* ---- What it tells ----------------------------------------------------------------------------- */

/* The seats of this participant. */
static uint32_t seat_count(const struct engine *engine, uint32_t participant)
{
    return directory_seat_count(&engine->options.directory->entries[participant]);
}

void hold_probe_leaves(struct engine *engine, uint32_t participant, uint32_t seat)
{
    struct peer *peer = &engine->peers[participant];
    tercet_assert(seat < seat_count(engine, participant));
    peer->before[seat] =
        (struct known_before){.told = peer->known.told, .replied = peer->known.replied};
}

/* Where there are several instances it says which one tells it. */
static void say_held(const struct engine *engine, uint32_t participant, uint32_t seat,
                     const char *text)
{
    const struct directory_entry *entry = &engine->options.directory->entries[participant];
    struct peer *peer = &engine->peers[participant];
    const bool several = entry->target_count > 1;
    text_format(peer->known.held, sizeof peer->known.held, "%s%s%s",
                several ? directory_seat_target(entry, seat) : "", several ? ": " : "", text);
}

void hold_described(struct step *step, uint32_t participant, uint32_t seat,
                    const struct description *description)
{
    struct peer *peer = &step->engine->peers[participant];
    tercet_assert(seat < seat_count(step->engine, participant));
    struct tercet_error text = {0};
    if (description->store_count == 0 || hold_is_on(peer)) {
        return; /* what it was is kept until an operator says that it may be another */
    }
    const enum finding finding =
        acquaintance_judge(&peer->known, &peer->before[seat], description, &text);
    if (finding == FINDING_SAME) {
        acquaintance_note(&peer->known, description);
        hold_record(step, participant);
        return;
    }
    say_held(step->engine, participant, seat, text.text);
    hold_record(step, participant);
    hold_resume(step, participant);
}

void hold_note_answer(struct step *step, const struct answer *answer)
{
    const struct branch *branch = answer->branch;
    struct peer *peer = &step->engine->peers[branch->spec.participant];
    struct replied *replied = &peer->known.replied;
    if (answer->kind != ANSWER_REPLY || hold_is_on(peer)) {
        return; /* it may be younger than the question whose answer put it on hold */
    }
    const struct action_kind *action = peer_action(peer, branch->action);
    bool news = false;
    if (branch_number_compare(answer->mark, replied->mark) > 0) {
        replied->mark = answer->mark;
        news = true;
    }
    if (answer->verdict == TERCET_VERDICT_DONE && action != NULL && !action->unfenced &&
        branch_number_compare(branch->number, replied->branch) > 0) {
        replied->branch = branch->number;
        news = true;
    }
    if (news && peer->known.told.store_count > 0 &&
        step->now.boot_ms >= peer->record_after_boot_ms) {
        hold_record(step, branch->spec.participant);
    }
}

/* ---- An operator's word ------------------------------------------------------------------------ */

void hold_resolve(struct step *step, const struct request *request)
{
    const struct directory_entry *entry =
        &step->engine->options.directory->entries[request->participant];
    struct peer *peer = &step->engine->peers[request->participant];
    const struct view nothing = {.gid = "", .reason_code = "", .reason_text = "", .attention = ""};
    if (restored_skip(step, request->participant)) {
        reply_view(step, request, &nothing);
        return;
    }
    if (!hold_is_on(peer)) {
        reply_refused(step, request, TERCET_FAILED_PRECONDITION, "TERCET_NOTHING_TO_RESOLVE",
                      "participant \"%s\" is not held", entry->name);
        return;
    }
    /* It is met anew: the database that it has now is the one that counts from here on, for a probe
     * that is out, too. */
    for (uint32_t i = 0; i < seat_count(step->engine, request->participant); i++) {
        peer->before[i] = (struct known_before){0};
    }
    peer->known = (struct acquaintance){.asked_incarnation = peer->known.asked_incarnation,
                                        .record = peer->known.record};
    text_format(peer->known.released, sizeof peer->known.released, "%s", request->reason.text);
    set_held(peer, false);
    hold_record(step, request->participant);
    if (!restored_is_on(step->engine)) {
        tell_hold(step, request->participant, false, request->reason.text);
    }
    reply_view(step, request, &nothing);
}
