#include "unit/dispatch/dispatch_world.h"

#include <climits>
#include <cstdlib>
#include <cstring>

World::World(std::vector<Participant> participants, uint64_t seed)
{
    Create(participants, {}, seed);
}

World::World(const Options &options)
{
    Create({{"a", 16, true}}, options, 1);
}

void World::Create(const std::vector<Participant> &participants, const Options &chosen,
                   uint64_t seed)
{
    directory_init(&directory_);
    for (const Participant &participant : participants) {
        if (!participant.configured) {
            (void)directory_intern(&directory_, participant.name.c_str());
            continue;
        }
        struct directory_entry entry = {};
        char target[] = "unix:/nowhere";
        memcpy(entry.name, participant.name.c_str(), participant.name.size() + 1);
        for (uint32_t i = 0; i < participant.targets; i++) {
            entry.targets[i] = target;
        }
        entry.target_count = participant.targets;
        entry.connections = participant.connections;
        entry.window = participant.window;
        entry.call_timeout_ms = chosen.call_timeout_ms;
        if (directory_add(&directory_, &entry) != TERCET_OK) {
            abort();
        }
    }
    txn_ = txn_create("gid", "", "");
    struct dispatch_options options = {};
    options.directory = &directory_;
    options.seed = seed;
    options.probe_base_ms = chosen.probe_base_ms;
    options.probe_cap_ms = chosen.probe_cap_ms;
    options.unanswered_limit = chosen.unanswered_limit;
    dispatch = dispatch_create(&options);
}

World::~World()
{
    dispatch_destroy(dispatch);
    for (struct branch *branch : branches_) {
        branch->txn = nullptr;
        branch_unref(branch);
    }
    txn_destroy(txn_);
    directory_deinit(&directory_);
}

struct branch *World::Branch(enum tercet_phase phase, uint32_t participant)
{
    struct branch_spec spec = {};
    spec.index = 1;
    spec.participant = participant;
    spec.action = "act";
    struct branch *branch = branch_create(&spec);
    branch->txn = txn_;
    branch->asked = phase;
    branches_.push_back(branch);
    return branch;
}

struct branch *World::Parked(enum tercet_phase phase, uint32_t participant)
{
    struct branch *branch = Branch(phase, participant);
    branch->payload_size = 7;
    return branch;
}

void World::Fetched(struct branch *branch)
{
    branch->payload = calloc(1, branch->payload_size);
    dispatch_fetched(dispatch, branch);
}

struct branch *World::Call(enum tercet_phase phase, uint32_t participant,
                           int64_t not_before_boot_ms)
{
    struct branch *branch = Branch(phase, participant);
    CallAgain(branch, not_before_boot_ms);
    return branch;
}

void World::CallAgain(struct branch *branch, int64_t not_before_boot_ms)
{
    dispatch_call(dispatch, branch_ref(branch), branch->asked, not_before_boot_ms, now);
}

void World::Ask(struct branch *branch, int phase)
{
    branch->asked = static_cast<enum tercet_phase>(phase);
    branch->attempts = 0;
}

void World::Close(struct branch *branch)
{
    branch->txn = nullptr;
}

void World::Step()
{
    struct orders made;
    orders_init(&made);
    dispatch_step(dispatch, now, &made);
    orders.assign(made.items, made.items + made.count);
    orders_deinit(&made);
}

void World::Advance(int64_t milliseconds)
{
    now.boot_ms += milliseconds;
    now.unix_ms += milliseconds;
}

int64_t World::WakeIn() const
{
    const int64_t wake_at = dispatch_wake_at_boot_ms(dispatch);
    if (wake_at == INT64_MAX) {
        return INT64_MAX;
    }
    return wake_at <= now.boot_ms ? 0 : wake_at - now.boot_ms;
}

std::vector<struct order> World::Sends() const
{
    std::vector<struct order> sends;
    for (const struct order &order : orders) {
        if (order.kind == ORDER_SEND) {
            sends.push_back(order);
        }
    }
    return sends;
}

std::vector<struct branch *> World::Sent() const
{
    std::vector<struct branch *> sent;
    for (const struct order &order : Sends()) {
        sent.push_back(order.branch);
    }
    return sent;
}

std::vector<struct branch *> World::Fetches() const
{
    std::vector<struct branch *> fetches;
    for (const struct order &order : orders) {
        if (order.kind == ORDER_FETCH) {
            fetches.push_back(order.branch);
        }
    }
    return fetches;
}

size_t World::Count(enum order_kind kind) const
{
    size_t count = 0;
    for (const struct order &order : orders) {
        count += order.kind == kind ? 1 : 0;
    }
    return count;
}

void World::Answer(struct branch *branch, enum tercet_phase phase, enum answer_kind kind,
                   enum tercet_verdict verdict)
{
    struct answer answer = {};
    answer.branch = branch;
    answer.phase = phase;
    answer.kind = kind;
    answer.verdict = verdict;
    dispatch_answered(dispatch, &answer, now);
}

void World::AnswerAll(enum answer_kind kind, enum tercet_verdict verdict)
{
    for (const struct order &order : Sends()) {
        Answer(order.branch, order.phase, kind, verdict);
    }
}

void World::Probed(bool reachable, uint32_t participant, uint32_t seat)
{
    Probed(reachable ? PROBE_DESCRIBED : PROBE_UNANSWERED, participant, seat);
}

void World::Probed(enum probe_end end, uint32_t participant, uint32_t seat)
{
    dispatch_probed(dispatch, participant, seat, end, now);
}

void World::Open(uint32_t participant)
{
    Step();
    Probed(false, participant);
    Step();
}

int64_t World::RunToProbe(uint32_t participant)
{
    const int64_t from = now.boot_ms;
    for (int i = 0; i < 100000; i++) {
        Step();
        for (const struct order &order : orders) {
            if (order.kind == ORDER_PROBE && order.participant == participant) {
                return now.boot_ms - from;
            }
        }
        Advance(1);
    }
    return -1;
}

struct dispatch_stats World::Stats(uint32_t participant) const
{
    struct dispatch_stats stats;
    dispatch_read_stats(dispatch, participant, &stats);
    return stats;
}
