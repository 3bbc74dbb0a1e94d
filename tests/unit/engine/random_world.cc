// random_world.cc -- the coordinator of random_world.h: life and death, its loop, and the history as a whole.
#include "unit/engine/random_world.h"

#include <gtest/gtest.h>

extern "C" {
#include "journal/batch_read.h"
}

namespace tercet
{

namespace
{

std::string TextOf(tercet_bytes bytes)
{
    return {static_cast<const char *>(bytes.data), bytes.size};
}

} // namespace

RandomWorld::RandomWorld(Dice dice, engine_stats &totals) : dice_(dice), totals_(totals)
{
    directory_init(&names_);
    for (uint32_t i = 0; i < PARTICIPANTS; i++) {
        directory_entry entry{};
        snprintf(entry.name, sizeof entry.name, "p%u", i);
        std::string target = "unix:/p";
        entry.targets[0] = target.data();
        entry.target_count = 1;
        entry.open_transaction_max = SHARE;
        EXPECT_EQ(TERCET_OK, directory_add(&names_, &entry));
    }
    effects_init(&effects_);
    journal_batch_init(&open_);
    Start();
}

RandomWorld::~RandomWorld()
{
    Kill();
    effects_deinit(&effects_);
    journal_batch_deinit(&open_);
    directory_deinit(&names_);
}

// ---- Life and death -----------------------------------------------------------------------------

void RandomWorld::Start()
{
    engine_options options{};
    options.limits = EngineWorld::DefaultLimits();
    options.limits.waiting_calls_max = 60;
    options.limits.open_transactions_max = 80;
    options.limits.try_timeout_ms = 20000;
    options.limits.retry_base_ms = 2;
    options.limits.retry_cap_ms = 30;
    options.directory = &names_;
    options.incarnation = INCARNATION;
    options.next_number = durable_next_number_;
    const auto behind_outcomes = disk_.lower_bound("b");
    if (behind_outcomes != disk_.begin()) {
        options.greatest_ended_gid = std::prev(behind_outcomes)->first.c_str() + 2;
    }
    options.seed = Below(1 << 16);
    snprintf(options.boot_id, sizeof options.boot_id, "boot-%u", Below(2));
    engine_ = engine_create(&options);
    journal_head head{};
    head.incarnation = INCARNATION;
    head.next_number = durable_next_number_;
    record_loader *loader = record_loader_create(
        &head, &names_,
        [](txn *taken, void *context) { engine_adopt_take(static_cast<engine *>(context), taken); },
        engine_);
    for (const auto &pair : disk_) {
        if (pair.first[0] == 't') {
            tercet_error error{};
            tercet_bytes key = tercet_bytes_of(pair.first.data(), pair.first.size());
            tercet_bytes value = tercet_bytes_of(pair.second.data(), pair.second.size());
            ASSERT_EQ(TERCET_OK,
                      record_loader_pair(loader, key, value, digest128_of_pair(key, value), &error))
                << error.text;
        }
    }
    tercet_error error{};
    ASSERT_EQ(TERCET_OK, record_loader_finish(loader, &error)) << error.text;
    record_loader_destroy(loader);
    journal_batch_clear(&open_);
    open_.lsn = durable_lsn_ + 1;
    engine_resume(engine_, now_, durable_lsn_, &effects_);
    for (uint32_t i = 0; i < PARTICIPANTS; i++) {
        engine_resume_more(engine_, i, UINT32_MAX, open_.lsn, now_, &effects_);
        shares_[i] = engine_open_branches_of(engine_, i);
    }
    TakeEffects();
}

void RandomWorld::Kill()
{
    for (auto &one : pending_) {
        effect_release(&one.made);
    }
    pending_.clear();
    for (auto &one : due_) {
        branch_unref(one.branch);
    }
    due_.clear();
    out_.clear();
    lookups_.clear();
    asked_.clear();
    for (auto &flight : flights_) {
        branch_unref(flight.out); // what is on the wire still arrives
        flight.out = nullptr;
    }
    engine_stats stats{};
    engine_read_stats(engine_, &stats);
    totals_.begun += stats.begun;
    totals_.confirmed += stats.confirmed;
    totals_.cancelled += stats.cancelled;
    totals_.refused += stats.refused;
    engine_destroy(engine_);
    engine_ = nullptr;
}

void RandomWorld::Crash()
{
    if (submitted_ && Below(2) == 0) {
        Durable(); // written, and nobody was told
    }
    submitted_ = false;
    Kill();
    for (auto one = decided_.begin(); one != decided_.end();) {
        one = one->second.lsn > durable_lsn_ ? decided_.erase(one) : std::next(one);
    }
    now_.unix_ms += static_cast<int64_t>(Below(3)) * 1000;
    Start();
}

// ---- The coordinator's loop ---------------------------------------------------------------------

void RandomWorld::Step(event *made)
{
    bool many_requests = made->kind == EVENT_FOUND; // all that waited for this look-up
    engine_step(engine_, made, open_.lsn, now_, &effects_);
    TakeEffects(many_requests);
}

void RandomWorld::Tick()
{
    engine_tick(engine_, open_.lsn, now_, &effects_);
    TakeEffects();
}

void RandomWorld::NoteRecord(const effect_record &made)
{
    CheckRecord(made);
    if (made.kind == RECORD_DECIDE || made.kind == RECORD_TOMBSTONE) {
        auto fresh =
            decided_.insert({made.txn->gid, {txn_state_outcome(made.txn->state), open_.lsn}});
        EXPECT_TRUE(fresh.second) << "I2: " << made.txn->gid << " is decided twice";
    }
    record_write(&made, &names_, &open_);
}

void RandomWorld::TakeEffects(bool many_requests)
{
    CheckStep(many_requests);
    for (size_t i = 0; i < effects_.count; i++) {
        effect *made = &effects_.items[i];
        if (made->kind == EFFECT_RECORD) {
            NoteRecord(made->u.record);
        } else if (made->kind == EFFECT_CALL && made->u.call.phase != TERCET_PHASE_TRY) {
            EXPECT_EQ(1U, decided_.count(made->u.call.branch->txn->gid)) << "I2: order of effects";
        }
    }
    int64_t lsn = open_.operation_count > 0 ? open_.lsn : open_.lsn - 1;
    for (size_t i = 0; i < effects_.count; i++) {
        effect *made = &effects_.items[i];
        if (made->kind == EFFECT_LOOKUP) {
            lookups_.emplace_back(made->u.lookup.gid);
        } else if (made->kind != EFFECT_RECORD) {
            pending_.push_back({lsn, *made});
        }
    }
    effects_.count = 0;
}

void RandomWorld::Submit()
{
    if (submitted_ || open_.operation_count == 0) {
        return;
    }
    const auto *data = static_cast<const uint8_t *>(buffer_bytes(&open_.operations).data);
    submitted_operations_.assign(data, data + open_.operations.size);
    submitted_next_number_ = engine_next_number(engine_);
    submitted_ = true;
    int64_t next = open_.lsn + 1;
    journal_batch_clear(&open_);
    open_.lsn = next;
}

void RandomWorld::Durable()
{
    if (!submitted_) {
        return;
    }
    journal_batch batch;
    journal_batch_init(&batch);
    buffer_append(&batch.operations, submitted_operations_.data(), submitted_operations_.size());
    batch_reader reader{&batch, 0};
    batch_operation operation;
    while (batch_reader_next(&reader, &operation)) {
        if (operation.kind == BATCH_PUT) {
            disk_[TextOf(operation.key)] = TextOf(operation.value);
        } else {
            EXPECT_EQ(1U, disk_.erase(TextOf(operation.key))) << "removes what is not there";
        }
    }
    journal_batch_deinit(&batch);
    submitted_ = false;
    durable_lsn_++;
    durable_next_number_ = submitted_next_number_;
    engine_durable(engine_, durable_lsn_, durable_next_number_);
}

void RandomWorld::Release()
{
    while (!pending_.empty() && pending_.front().lsn <= durable_lsn_) {
        effect made = pending_.front().made;
        pending_.pop_front();
        if (made.kind == EFFECT_CALL) {
            due_.push_back(made.u.call);
        } else {
            TakeReply(made.u.reply);
            effect_release(&made);
        }
    }
}

// Dispatch in short: what may still be sent and whose time has come, one call of a phase at a time.
void RandomWorld::SendDue()
{
    std::vector<effect_call> later;
    for (auto &call : due_) {
        if (call.branch->txn == nullptr || call.branch->asked != call.phase) {
            branch_unref(call.branch);
        } else if (call.not_before_boot_ms > now_.boot_ms || Chance(20) ||
                   out_.count({call.branch, call.phase}) != 0) {
            later.push_back(call);
        } else {
            TakeCall(call);
        }
    }
    due_.swap(later);
}

void RandomWorld::TakeCall(effect_call &call)
{
    branch *out = call.branch;
    if (call.phase != TERCET_PHASE_TRY) {
        auto decision = decided_.find(out->txn->gid);
        ASSERT_NE(decided_.end(), decision) << "I2: " << out->txn->gid;
        EXPECT_LE(decision->second.lsn, durable_lsn_) << "I2: " << out->txn->gid;
        bool confirmed = decision->second.outcome == TXN_OUTCOME_CONFIRMED;
        EXPECT_TRUE(confirmed == (call.phase == TERCET_PHASE_CONFIRM) || out->spec.optional);
    }
    branch_note_handed(out);
    out_.insert({out, call.phase});
    Wire ask;
    ask.gid = out->txn->gid;
    ask.index = out->spec.index;
    ask.participant = out->spec.participant;
    ask.phase = call.phase;
    ask.confirm_only = out->spec.confirm_only;
    ask.number = out->number.number;
    const mark *told = engine_mark(engine_, ask.participant);
    ask.mark_as_of = told->as_of.number;
    ask.mark_low = told->low.number;
    for (uint32_t i = 0; i < told->open_count; i++) {
        ask.mark_open.insert(told->open[i].number);
    }
    flights_.push_back({out, ask});
}

void RandomWorld::Find()
{
    if (lookups_.empty()) {
        return;
    }
    size_t at = Below(static_cast<uint32_t>(lookups_.size()));
    std::string gid = lookups_[at];
    lookups_.erase(lookups_.begin() + static_cast<long>(at));
    event *made = event_create(EVENT_FOUND);
    snprintf(made->u.found.gid, sizeof made->u.found.gid, "%s", gid.c_str());
    auto found = disk_.find("a/" + gid);
    if (found != disk_.end()) {
        EXPECT_EQ(TERCET_OK,
                  record_read_outcome(tercet_bytes_of(found->second.data(), found->second.size()),
                                      &made->u.found.view));
    }
    Step(made);
}

// ---- The history --------------------------------------------------------------------------------

// The wall may go either way; the clock since the machine's start forward only, as after a sleep.
void RandomWorld::JumpClocks()
{
    now_.boot_ms += Below(30000);
    now_.unix_ms += static_cast<int64_t>(Below(60000)) - 30000;
    Tick();
}

// What seldom happens.
void RandomWorld::Interfere()
{
    const uint32_t what = Below(2400);
    if (what >= 2376) {
        Reach(Below(PARTICIPANTS), Below(4) > 0);
    } else if (what >= 2372) {
        busy_ = Below(2 * PARTICIPANTS); // one of them, or none
    } else if (what >= 2366) {
        Crash();
    } else if (what >= 2364) {
        JumpClocks();
    }
}

void RandomWorld::Turn()
{
    if (faults_) {
        Interfere();
    }
    switch (Below(8)) {
    case 0:
    case 1:
        Deliver();
        Deliver();
        break;
    case 2:
        Submit();
        break;
    case 3:
        Durable();
        break;
    case 4:
        Find();
        break;
    case 5:
        now_.boot_ms += Below(40);
        now_.unix_ms += Below(40);
        Tick();
        break;
    default:
        if (faults_) {
            Initiator();
        }
        break;
    }
    Release();
    SendDue();
}

void RandomWorld::Reach(uint32_t participant, bool reachable)
{
    event *made = event_create(EVENT_PARTICIPANT);
    made->u.participant.index = participant;
    made->u.participant.reachable = reachable;
    Step(made);
}

// No faults and no new work: everything comes to its end in bounded time.
void RandomWorld::Calm()
{
    faults_ = false;
    engine_stats stats{};
    for (int round = 0; round < 20000; round++) {
        Deliver();
        Find();
        Submit();
        Durable();
        Release();
        SendDue();
        if (flights_.empty()) {
            now_.boot_ms += 50;
            now_.unix_ms += 50;
            Tick();
        }
        engine_read_stats(engine_, &stats);
        if (stats.open_transactions == 0 && pending_.empty() && flights_.empty() && due_.empty() &&
            lookups_.empty() && open_.operation_count == 0 && !submitted_) {
            break;
        }
    }
    event *stop = event_create(EVENT_STOP);
    Step(stop);
    Release();
}

void RandomWorld::Run(int turns, int transactions)
{
    for (int i = 0; i < turns && begun_ < transactions && !dice_.is_used_up() &&
                    !::testing::Test::HasFailure();
         i++) {
        Turn();
    }
    Calm();
    Judge();
}

} // namespace tercet
