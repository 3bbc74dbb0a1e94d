// engine_world_events.cc -- what engine_world.h sends: requests, and what participants answer.
#include "support/engine_world.h"

#include <gtest/gtest.h>

namespace tercet
{

branch *MakeBranch(uint32_t index, const BranchPlan &plan, const directory &names)
{
    digest_branch content{};
    content.participant = names.entries[plan.participant].name;
    content.action = plan.action.c_str();
    content.payload = tercet_bytes_of(plan.payload.data(), plan.payload.size());
    content.stage = plan.stage;
    content.flags = static_cast<uint32_t>(plan.confirm_only ? DIGEST_FLAG_CONFIRM_ONLY : 0) |
                    static_cast<uint32_t>(plan.optional ? DIGEST_FLAG_OPTIONAL : 0);
    branch_spec spec{};
    spec.index = index;
    spec.participant = plan.participant;
    spec.action = plan.action.c_str();
    spec.payload = content.payload;
    spec.stage = plan.stage;
    spec.confirm_only = plan.confirm_only;
    spec.optional = plan.optional;
    spec.digest = digest_of_branch(&content);
    return branch_create(&spec);
}

event *EngineWorld::MakeRequest(request_kind kind, const std::string &gid)
{
    event *made = event_create(EVENT_REQUEST);
    request *ask = &made->u.request;
    ask->kind = kind;
    snprintf(ask->gid, sizeof ask->gid, "%s", gid.c_str());
    ask->wait = WAIT_MODE_DECISION;
    ask->wait_ms = 60000;
    return made;
}

uintptr_t EngineWorld::Send(event *made)
{
    uintptr_t token = next_token_++;
    made->u.request.token = reinterpret_cast<void *>(token);
    Step(made);
    return token;
}

uintptr_t EngineWorld::Execute(const std::string &gid, const std::vector<BranchPlan> &branches,
                               wait_mode wait, uint32_t wait_ms)
{
    event *made = MakeRequest(REQUEST_EXECUTE, gid);
    request *ask = &made->u.request;
    ask->wait = wait;
    ask->wait_ms = wait_ms;
    ask->branch_count = static_cast<uint32_t>(branches.size());
    ask->branches = static_cast<branch **>(calloc(branches.size(), sizeof(branch *)));
    std::vector<digest16> digests;
    for (uint32_t i = 0; i < branches.size(); i++) {
        ask->branches[i] = MakeBranch(i + 1, branches[i], names);
        digests.push_back(ask->branches[i]->spec.digest);
    }
    ask->content = digest_of_content(gid.c_str(), digests.data(), digests.size());
    return Send(made);
}

uintptr_t EngineWorld::Begin(const std::string &gid, uint32_t try_timeout_ms)
{
    event *made = MakeRequest(REQUEST_BEGIN, gid);
    made->u.request.wait = WAIT_MODE_BEGIN;
    made->u.request.try_timeout_ms = try_timeout_ms;
    made->u.request.content = digest_of_content(gid.c_str(), nullptr, 0);
    return Send(made);
}

uintptr_t EngineWorld::Try(const std::string &gid, uint32_t index, const BranchPlan &plan)
{
    event *made = MakeRequest(REQUEST_TRY, gid);
    request *ask = &made->u.request;
    ask->branch_index = index;
    ask->branch_count = 1;
    ask->branches = static_cast<branch **>(calloc(1, sizeof(branch *)));
    ask->branches[0] = MakeBranch(index, plan, names);
    return Send(made);
}

uintptr_t EngineWorld::Ask(request_kind kind, const std::string &gid, wait_mode wait,
                           uint32_t wait_ms)
{
    event *made = MakeRequest(kind, gid);
    made->u.request.wait = wait;
    made->u.request.wait_ms = wait_ms;
    if (kind == REQUEST_CANCEL) {
        reason_set(&made->u.request.reason, "TEST", "the test wants it");
    }
    return Send(made);
}

uintptr_t EngineWorld::List(int64_t after, uint32_t page_size, const std::string &gid_prefix)
{
    event *made = MakeRequest(REQUEST_LIST, "");
    request *ask = &made->u.request;
    ask->after_sequence = after;
    ask->page_size = page_size;
    snprintf(ask->gid_prefix, sizeof ask->gid_prefix, "%s", gid_prefix.c_str());
    return Send(made);
}

uintptr_t EngineWorld::Resolve(const std::string &gid, uint32_t index, resolution what)
{
    event *made = MakeRequest(REQUEST_RESOLVE, gid);
    made->u.request.branch_index = index;
    made->u.request.resolution = what;
    reason_set(&made->u.request.reason, "", "settled by hand");
    return Send(made);
}

uintptr_t EngineWorld::ResolveParticipant(uint32_t participant)
{
    event *made = MakeRequest(REQUEST_RESOLVE, "");
    made->u.request.participant = participant;
    made->u.request.resolution = RESOLUTION_ASK;
    reason_set(&made->u.request.reason, "", "its books were compared");
    return Send(made);
}

description EngineWorld::Store(char id, int64_t mark_lsn, int64_t reach)
{
    description told{};
    told.store_count = 1;
    memset(told.stores[0].id, id, sizeof told.stores[0].id);
    if (mark_lsn > 0) {
        told.stores[0].mark = {INCARNATION, mark_lsn};
    }
    if (reach > 0) {
        told.stores[0].reach = {INCARNATION, reach};
    }
    return told;
}

void EngineWorld::Describe(uint32_t participant, const description &told, uint32_t seat)
{
    engine_probe_leaves(engine, participant, seat);
    Described(participant, told, seat);
}

void EngineWorld::Described(uint32_t participant, const description &told, uint32_t seat)
{
    event *made = event_create(EVENT_PROBED);
    made->u.probed.participant = participant;
    made->u.probed.seat = seat;
    made->u.probed.reachable = true;
    made->u.probed.actions = static_cast<action_kind *>(calloc(1, sizeof(action_kind)));
    snprintf(made->u.probed.actions[0].name, sizeof made->u.probed.actions[0].name, "act");
    made->u.probed.action_count = 1;
    made->u.probed.description = static_cast<description *>(malloc(sizeof told));
    *made->u.probed.description = told;
    Step(made);
}

void EngineWorld::Inspected(uint32_t participant, const std::vector<inspected_row> &rows)
{
    event *made = event_create(EVENT_INSPECTED);
    made->u.inspected.participant = participant;
    made->u.inspected.answered = true;
    made->u.inspected.rows =
        static_cast<inspected_row *>(calloc(rows.size() + 1, sizeof(inspected_row)));
    for (const inspected_row &row : rows) {
        made->u.inspected.rows[made->u.inspected.row_count++] = row;
    }
    Step(made);
}

void EngineWorld::SendAnswer(const std::string &gid, uint32_t index, event *made)
{
    auto found = kept.find(gid + "/" + std::to_string(index));
    ASSERT_NE(kept.end(), found) << "branch " << index << " of " << gid << " was never asked";
    made->u.answer.branch = branch_ref(found->second);
    Step(made);
}

void EngineWorld::Answer(const std::string &gid, uint32_t index, tercet_phase phase,
                         tercet_verdict verdict, uint32_t how, const std::string &result,
                         uint32_t conflict)
{
    event *made = event_create(EVENT_ANSWER);
    answer *told = &made->u.answer;
    told->phase = phase;
    told->kind = ANSWER_REPLY;
    told->verdict = verdict;
    told->how = how;
    told->conflict = conflict;
    if (!result.empty()) {
        void *copy = malloc(result.size());
        memcpy(copy, result.data(), result.size());
        told->result = tercet_bytes_of(copy, result.size());
    }
    reason_set(&told->reason, "CODE", "because");
    SendAnswer(gid, index, made);
}

void EngineWorld::Fail(const std::string &gid, uint32_t index, tercet_phase phase, answer_kind kind,
                       const std::string &words)
{
    event *made = event_create(EVENT_ANSWER);
    made->u.answer.phase = phase;
    made->u.answer.kind = kind;
    reason_set(&made->u.answer.reason,
               kind == ANSWER_NOT_SERVED ? "TERCET_NOT_SERVED" : "TRANSPORT", words.c_str());
    SendAnswer(gid, index, made);
}

void EngineWorld::FindNobody(const std::string &gid, uint32_t index, tercet_phase phase)
{
    event *made = event_create(EVENT_ANSWER);
    made->u.answer.phase = phase;
    made->u.answer.kind = ANSWER_UNREACHABLE;
    made->u.answer.unsent = true;
    SendAnswer(gid, index, made);
}

void EngineWorld::Reachable(uint32_t participant, bool reachable)
{
    event *made = event_create(EVENT_PARTICIPANT);
    made->u.participant.index = participant;
    made->u.participant.reachable = reachable;
    Step(made);
}

} // namespace tercet
