#include "loop_world.h"

#include <gtest/gtest.h>
#include <unistd.h>

namespace tercet
{
namespace
{

void Submit(void *context, const journal_batch *batch)
{
    auto *world = static_cast<LoopWorld *>(context);
    EXPECT_EQ(nullptr, world->submitted) << "one batch at a time";
    world->submitted = batch;
    world->batch_lsns.push_back(batch->lsn);
    world->batch_sizes.push_back(batch->operation_count);
}

void LookUp(void *context, const char *gid)
{
    static_cast<LoopWorld *>(context)->lookups.emplace_back(gid);
}

void Fetch(void *context, branch *branch_take)
{
    auto *world = static_cast<LoopWorld *>(context);
    const std::string &payload = world->payloads.at(branch_take);
    event *made = event_create(EVENT_FETCHED);
    made->u.fetched.branch = branch_take;
    char *copy = static_cast<char *>(malloc(payload.size()));
    memcpy(copy, payload.data(), payload.size());
    made->u.fetched.payload = tercet_bytes_of(copy, payload.size());
    world->fetched.push_back(made);
}

void TakeReply(void *context, effect_reply *reply)
{
    auto *world = static_cast<LoopWorld *>(context);
    world->told.push_back({reinterpret_cast<uintptr_t>(reply->token), reply->status,
                           reply->view ? reply->view->state : TXN_NONE, reply->last,
                           world->durable_lsn, reply->verdict});
}

void CarryOut(void *context, order *todo, const mark *, clock_now)
{
    auto *world = static_cast<LoopWorld *>(context);
    if (todo->kind == ORDER_SEND) {
        world->sent.push_back({todo->branch->txn->gid, todo->branch->spec.index, todo->phase,
                               world->durable_lsn, todo->branch});
    } else if (todo->participant == 0) {
        world->probes++;
    }
}

void Inspect(void *context, const effect_inspect *asked)
{
    static_cast<LoopWorld *>(context)->inspected.push_back(asked->participant);
}

void Held(void *context, const effect_hold *hold)
{
    static_cast<LoopWorld *>(context)->holds.push_back({hold->participant, hold->held, hold->text});
}

void Fenced(void *)
{
    _exit(78);
}

} // namespace

LoopWorld::LoopWorld(size_t batch_bytes_max)
{
    directory_init(&names);
    for (int i = 0; i < 4; i++) {
        directory_entry entry{};
        snprintf(entry.name, sizeof entry.name, "p%d", i);
        std::string target = "unix:/p";
        entry.targets[0] = target.data();
        entry.target_count = 1;
        entry.call_timeout_ms = 5000;
        entry.window = 100;
        entry.open_transaction_max = 1000;
        EXPECT_EQ(TERCET_OK, directory_add(&names, &entry));
    }
    engine_options options{};
    options.limits = EngineWorld::DefaultLimits();
    options.directory = &names;
    options.incarnation = 1700000000000;
    options.next_number = 1;
    options.greatest_ended_gid = "~"; // any gid may have ended, so each is looked up
    options.seed = 1;
    engine = engine_create(&options);
    dispatch_options dispatching{};
    dispatching.directory = &names;
    dispatching.seed = 1;
    dispatch = dispatch_create(&dispatching);
    loop_options looping{};
    looping.engine = engine;
    looping.dispatch = dispatch;
    looping.directory = &names;
    looping.batch_bytes_max = batch_bytes_max;
    looping.hands = {Submit, LookUp, Fetch, TakeReply, CarryOut, Inspect, Held, Fenced, this};
    loop = loop_create(&looping);
    loop_resume(loop, now);
}

LoopWorld::~LoopWorld()
{
    loop_destroy(loop);
    dispatch_destroy(dispatch);
    engine_destroy(engine);
    for (event *one : fetched) {
        event_destroy(one);
    }
    for (auto &one : sent) {
        branch_unref(one.reference);
    }
    directory_deinit(&names);
}

event *LoopWorld::Execute(const std::string &gid, uint32_t branches, uintptr_t token)
{
    event *made = Ask(REQUEST_EXECUTE, gid, token);
    request *ask = &made->u.request;
    ask->branch_count = branches;
    ask->branches = static_cast<branch **>(calloc(branches, sizeof(branch *)));
    std::vector<digest16> digests;
    for (uint32_t i = 0; i < branches; i++) {
        ask->branches[i] = MakeBranch(i + 1, {i}, names);
        payloads[ask->branches[i]] = BranchPlan{i}.payload;
        digests.push_back(ask->branches[i]->spec.digest);
    }
    ask->content = digest_of_content(gid.c_str(), digests.data(), digests.size());
    return made;
}

event *LoopWorld::Try(const std::string &gid, uint32_t index, const BranchPlan &plan,
                      uintptr_t token)
{
    event *made = Ask(REQUEST_TRY, gid, token);
    request *ask = &made->u.request;
    ask->branch_index = index;
    ask->branch_count = 1;
    ask->branches = static_cast<branch **>(calloc(1, sizeof(branch *)));
    ask->branches[0] = MakeBranch(index, plan, names);
    payloads[ask->branches[0]] = plan.payload;
    return made;
}

event *LoopWorld::Ask(request_kind kind, const std::string &gid, uintptr_t token)
{
    event *made = event_create(EVENT_REQUEST);
    request *ask = &made->u.request;
    ask->kind = kind;
    ask->token = reinterpret_cast<void *>(token);
    ask->wait = kind == REQUEST_GET ? WAIT_MODE_BEGIN : WAIT_MODE_DECISION;
    ask->wait_ms = 60000;
    snprintf(ask->gid, sizeof ask->gid, "%s", gid.c_str());
    return made;
}

event *LoopWorld::Answer(const Sent &one, answer_kind kind, tercet_verdict verdict)
{
    event *made = event_create(EVENT_ANSWER);
    made->u.answer.branch = branch_ref(one.reference);
    made->u.answer.phase = one.phase;
    made->u.answer.kind = kind;
    made->u.answer.verdict = verdict;
    return made;
}

void LoopWorld::Turn(const std::vector<event *> &events)
{
    list_node list;
    list_init(&list);
    for (event *one : events) {
        list_push_back(&list, &one->link);
    }
    for (event *one : fetched) {
        list_push_back(&list, &one->link);
    }
    fetched.clear();
    loop_turn(loop, &list, now);
    Found();
}

// Whatever was looked for is not there.
void LoopWorld::Found()
{
    std::vector<std::string> gids;
    gids.swap(lookups);
    std::vector<event *> events;
    for (const auto &gid : gids) {
        event *made = event_create(EVENT_FOUND);
        snprintf(made->u.found.gid, sizeof made->u.found.gid, "%s", gid.c_str());
        events.push_back(made);
    }
    if (!events.empty()) {
        Turn(events);
    }
}

void LoopWorld::Advance(int64_t ms)
{
    now.boot_ms += ms;
    now.unix_ms += ms;
    Turn();
}

void LoopWorld::Sync()
{
    ASSERT_NE(nullptr, submitted);
    event *made = event_create(EVENT_DURABLE);
    made->u.durable.lsn = submitted->lsn;
    durable_lsn = submitted->lsn;
    submitted = nullptr;
    Turn({made});
}

void LoopWorld::Settle()
{
    for (int round = 0; round < 1000; round++) {
        Turn();
        if (submitted != nullptr) {
            Sync();
        } else if (answered < sent.size()) {
            Turn({Answer(sent[answered], ANSWER_REPLY, TERCET_VERDICT_DONE)});
            answered++;
        } else if (!loop_is_quiet(loop)) {
            Advance(10);
        } else {
            return;
        }
    }
    ADD_FAILURE() << "it does not settle";
}

} // namespace tercet
