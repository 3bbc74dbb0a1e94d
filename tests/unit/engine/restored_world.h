// restored_world.h -- an engine whose journal was restored, and what two participants tell it.
#pragma once

#include <string>
#include <vector>

#include "support/engine_world.h"

namespace tercet
{

enum : uint32_t { TRIED = 1, CONFIRMED = 2, CANCELLED = 3, SUSPENDED = 4 };
enum : uint32_t { FORGOTTEN = 5 };

constexpr int64_t OLD_LIFE = EngineWorld::INCARNATION - 1000;
constexpr int64_t LOST_FROM = 50; // numbers of the old life from here on are not in the journal

// Two participants and a journal that was restored; Adopt() what it holds, then Ask().
class RestoredWorld : public EngineWorld
{
  public:
    RestoredWorld() : EngineWorld(2)
    {
        lost_from = {OLD_LIFE, LOST_FROM};
        StartOver("boot-2", now, LOST_FROM);
    }

    // Undecided, one branch at each participant, numbers `first` and `first` + 1.
    txn *Adopt(const std::string &gid, int64_t first, txn_mode mode = TXN_MODE_EXECUTE,
               const std::vector<BranchPlan> &plans = {{0}, {1}}, uint32_t conflict = 0)
    {
        txn *made = txn_create(gid.c_str(), "boot-1", "");
        made->sequence = first;
        made->mode = mode;
        made->state = TXN_TRYING;
        made->begun_unix_ms = now.unix_ms;
        made->deadline = {now.boot_ms + 20000, now.unix_ms + 20000};
        made->timeout_ms = 30000;
        for (uint32_t i = 0; i < plans.size(); i++) {
            branch *part = MakeBranch(i + 1, plans[i], names);
            part->number = {OLD_LIFE, first + i};
            part->state = BRANCH_WAITING;
            branch_set_conflict(part, conflict);
            txn_add_branch_take(made, part);
        }
        engine_adopt_take(engine, made);
        return made;
    }

    void Ask(int64_t mark_low = 0)
    {
        Resume(100);
        description told = Store('a', 0, 0);
        told.stores[0].low = {OLD_LIFE, mark_low};
        Describe(0, told);
        Describe(1, told);
    }

    // Its mark has closed what is below `below`, but for `open`.
    void DescribeClosed(uint32_t participant, int64_t below, int64_t open = 0)
    {
        event *made = event_create(EVENT_PROBED);
        description told = Store('a', 0, 0);
        told.stores[0].low = {OLD_LIFE, below};
        made->u.probed.participant = participant;
        made->u.probed.reachable = true;
        made->u.probed.description = static_cast<description *>(malloc(sizeof told));
        *made->u.probed.description = told;
        made->u.probed.closed.below = {OLD_LIFE, below};
        made->u.probed.closed.open = static_cast<branch_number *>(calloc(1, sizeof(branch_number)));
        made->u.probed.closed.open[0] = {OLD_LIFE, open};
        made->u.probed.closed.open_count = open != 0 ? 1 : 0;
        Step(made);
    }

    static inspected_row Row(const std::string &gid, uint32_t index, int64_t number, uint32_t state,
                             const BranchPlan &plan, const directory &names)
    {
        branch *like = MakeBranch(index, plan, names);
        inspected_row row{};
        snprintf(row.gid, sizeof row.gid, "%s", gid.c_str());
        snprintf(row.action, sizeof row.action, "%s", plan.action.c_str());
        row.branch = index;
        row.state = state;
        row.number = {OLD_LIFE, number};
        row.digest = like->spec.digest;
        branch_unref(like);
        return row;
    }

    inspected_row RowAt(uint32_t participant, const std::string &gid, int64_t number,
                        uint32_t state)
    {
        return Row(gid, participant + 1, number, state, {participant}, names);
    }

    std::string AttentionOf(const std::string &gid)
    {
        return LastReply(EngineWorld::Ask(REQUEST_GET, gid, WAIT_MODE_BEGIN)).told->attention;
    }

    uintptr_t ResolveAs(const std::string &gid, resolution what)
    {
        return Resolve(gid, 1, what);
    }
};

} // namespace tercet
