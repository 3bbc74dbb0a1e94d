#include "support/engine_world.h"

#include <gtest/gtest.h>

#include <set>

namespace tercet
{

engine_limits EngineWorld::DefaultLimits()
{
    engine_limits limits{};
    limits.open_transactions_max = 1000;
    limits.open_payload_bytes_max = 1 << 20;
    limits.waiting_calls_max = 1000;
    limits.try_timeout_ms = 30000;
    limits.retry_base_ms = 100;
    limits.retry_cap_ms = 60000;
    return limits;
}

EngineWorld::EngineWorld(uint32_t participants, engine_limits limits, uint32_t targets)
    : limits_(limits)
{
    directory_init(&names);
    for (uint32_t i = 0; i < participants; i++) {
        directory_entry entry{};
        std::string name = "p" + std::to_string(i);
        memcpy(entry.name, name.c_str(), name.size() + 1);
        std::vector<std::string> addresses;
        for (uint32_t j = 0; j < targets; j++) {
            addresses.push_back("unix:/" + name + (j == 0 ? "" : std::to_string(j)));
        }
        for (std::string &address : addresses) {
            entry.targets[entry.target_count++] = address.data();
        }
        entry.call_timeout_ms = 5000;
        entry.window = 100;
        entry.open_transaction_max = 250;
        EXPECT_EQ(TERCET_OK, directory_add(&names, &entry));
    }
    effects_init(&effects_);
    Create("boot-1", 1, 42);
    Resume(0);
}

EngineWorld::~EngineWorld()
{
    DropCalls();
    engine_destroy(engine);
    for (auto &pair : kept) {
        branch_unref(pair.second);
    }
    effects_deinit(&effects_);
    directory_deinit(&names);
}

void EngineWorld::Create(const char *boot_id, int64_t next_number, uint64_t seed)
{
    engine_options options{};
    options.limits = limits_;
    options.directory = &names;
    options.incarnation = INCARNATION;
    options.lost_from = lost_from;
    options.next_number = next_number;
    options.greatest_ended_gid = greatest_ended_gid;
    options.newest_end_unix_ms = newest_end_unix_ms;
    options.seed = seed;
    snprintf(options.boot_id, sizeof options.boot_id, "%s", boot_id);
    engine = engine_create(&options);
}

void EngineWorld::DropCalls()
{
    for (auto &call : calls) {
        branch_unref(call.branch);
    }
    calls.clear();
}

void EngineWorld::StartOver(const char *boot_id, clock_now moment, int64_t next_number)
{
    DropCalls();
    engine_destroy(engine);
    for (auto &pair : kept) {
        branch_unref(pair.second);
    }
    kept.clear();
    lookups.clear();
    Create(boot_id, next_number, 7);
    now = moment;
}

void EngineWorld::Resume(int64_t durable_lsn)
{
    ResumeUndecided(durable_lsn);
    for (uint32_t i = 0; i < names.count; i++) {
        ResumeMore(i, UINT32_MAX);
    }
}

void EngineWorld::ResumeUndecided(int64_t durable_lsn)
{
    lsn = durable_lsn + 1;
    engine_resume(engine, now, durable_lsn, &effects_);
    Collect();
}

void EngineWorld::ResumeMore(uint32_t participant, uint32_t count)
{
    engine_resume_more(engine, participant, count, lsn, now, &effects_);
    Collect();
}

void EngineWorld::Step(event *taken)
{
    engine_step(engine, taken, lsn, now, &effects_);
    Collect();
}

void EngineWorld::Tick()
{
    engine_tick(engine, lsn, now, &effects_);
    Collect();
}

void EngineWorld::TakeReply(effect_reply *told)
{
    Reply reply{};
    reply.to = told->to;
    reply.last = told->last;
    reply.status = told->status;
    reply.refused = told->refused;
    reply.code = told->code ? told->code : "";
    reply.text = told->text ? told->text : "";
    reply.told = std::shared_ptr<view>(told->view, view_destroy);
    told->view = nullptr;
    reply.verdict = told->verdict;
    reply.retry_after_ms = told->retry_after_ms;
    for (uint32_t i = 0; i < told->list_count; i++) {
        reply.list.emplace_back(told->list[i], view_destroy);
        told->list[i] = nullptr;
    }
    reply.list_next_sequence = told->list_next_sequence;
    replies[reinterpret_cast<uintptr_t>(told->token)].push_back(reply);
}

void EngineWorld::Collect()
{
    bool recorded = false;
    for (size_t i = 0; i < effects_.count; i++) {
        effect *made = &effects_.items[i];
        switch (made->kind) {
        case EFFECT_RECORD:
            recorded = true;
            records.push_back({made->u.record.kind,
                               made->u.record.txn ? made->u.record.txn->gid : "",
                               made->u.record.branch ? made->u.record.branch->spec.index : 0U});
            if (made->u.record.kind == RECORD_PARTICIPANT) {
                recorded_known[made->u.record.participant] = *made->u.record.known;
            }
            if (on_record) {
                on_record(made->u.record);
            }
            break;
        case EFFECT_CALL: {
            calls.push_back(made->u.call);
            branch *asked = made->u.call.branch;
            std::string name =
                std::string(asked->txn->gid) + "/" + std::to_string(asked->spec.index);
            if (kept.find(name) == kept.end()) {
                kept[name] = branch_ref(asked);
            }
            made->u.call.branch = nullptr;
            break;
        }
        case EFFECT_REPLY:
            TakeReply(&made->u.reply);
            break;
        case EFFECT_HOLD:
            holds.push_back({made->u.hold.participant, made->u.hold.held, made->u.hold.text});
            break;
        case EFFECT_INSPECT:
            inspections.push_back(made->u.inspect);
            break;
        case EFFECT_LOOKUP:
            lookups.emplace_back(made->u.lookup.gid);
            break;
        }
        effect_release(made);
    }
    effects_.count = 0;
    if (recorded) {
        lsn++;
    }
    if (!hold_lookups) {
        FindAll();
    }
}

void EngineWorld::FindAll()
{
    std::vector<std::string> asked;
    asked.swap(lookups);
    for (const auto &gid : asked) {
        event *found = event_create(EVENT_FOUND);
        snprintf(found->u.found.gid, sizeof found->u.found.gid, "%s", gid.c_str());
        auto outcome = outcomes.find(gid);
        if (outcome != outcomes.end()) {
            found->u.found.view = view_copy(outcome->second.get(), outcome->second->branches);
        }
        Step(found);
    }
}

void EngineWorld::HandAll()
{
    std::vector<effect_call> taken;
    taken.swap(calls);
    for (auto &call : taken) {
        if (call.branch->txn != nullptr && call.branch->asked != 0) {
            branch_note_handed(call.branch);
        }
        branch_unref(call.branch);
    }
}

void EngineWorld::RunToEnd()
{
    for (int round = 0; round < 1000 && !calls.empty(); round++) {
        std::vector<std::pair<branch *, tercet_phase>> asked;
        for (auto &call : calls) {
            if (call.branch->txn != nullptr && call.branch->asked != 0) {
                asked.emplace_back(branch_ref(call.branch), tercet_phase{call.branch->asked});
            }
        }
        HandAll();
        for (auto &pair : asked) {
            if (pair.first->txn != nullptr) {
                Answer(pair.first->txn->gid, pair.first->spec.index, pair.second,
                       TERCET_VERDICT_DONE, 1);
            }
            branch_unref(pair.first);
        }
    }
    EXPECT_TRUE(calls.empty());
}

void EngineWorld::Advance(int64_t ms)
{
    now.boot_ms += ms;
    now.unix_ms += ms;
    Tick();
}

void EngineWorld::Sync()
{
    if (lsn > 1) {
        engine_durable(engine, lsn - 1, engine_next_number(engine));
    }
}

const txn *EngineWorld::Find(const std::string &gid)
{
    return engine_find(engine, gid.c_str());
}

branch *EngineWorld::FindBranch(const std::string &gid, uint32_t index)
{
    auto found = kept.find(gid + "/" + std::to_string(index));
    return found == kept.end() ? nullptr : found->second;
}

const Reply &EngineWorld::LastReply(uintptr_t token)
{
    static const Reply none{};
    EXPECT_FALSE(replies[token].empty()) << "token " << token << " was not answered";
    return replies[token].empty() ? none : replies[token].back();
}

bool EngineWorld::HasReply(uintptr_t token)
{
    return !replies[token].empty();
}

int EngineWorld::CountRecords(const std::string &gid, record_kind kind) const
{
    int count = 0;
    for (const auto &made : records) {
        count += made.gid == gid && made.kind == kind ? 1 : 0;
    }
    return count;
}

int EngineWorld::CountCalls(const std::string &gid, tercet_phase phase) const
{
    std::set<const branch *> found; // a withdrawn try and its cancel are one branch
    for (const auto &call : calls) {
        const branch *asked = call.branch;
        if (asked->txn != nullptr && gid == asked->txn->gid && asked->asked == phase) {
            found.insert(asked);
        }
    }
    return static_cast<int>(found.size());
}

} // namespace tercet
