// coordinator_life.cc -- how a coordinator starts and dies; see coordinator.h.
#include "simulation/coordinator.h"

#include <cstdio>
#include <cstring>

extern "C" {
#include "journal/journal_memory.h"
#include "journal/record.h"
}

namespace simulation
{

Coordinator::Coordinator(Scene &scene)
    : scene_(scene), moves_(spec::Relation::Model(), scene.judge, scene.tally)
{
    journal_ = journal_memory_create(scene.Now().unix_ms, scene.swarm.outcome_keep_ms);
    journal_memory_hold(journal_, true);
    list_init(&inbox_);
    snprintf(boot_id_, sizeof boot_id_, "boot-0");
}

// What is written and not synced is there for the next one, or not, as after a death.
Coordinator::Coordinator(Coordinator &before)
    : scene_(before.scene_), journal_(before.journal_),
      moves_(spec::Relation::Model(), before.scene_.judge, before.scene_.tally)
{
    list_init(&inbox_);
    memcpy(boot_id_, before.boot_id_, sizeof boot_id_);
    next_token_ = before.next_token_ + (1U << 20);
    described_ = before.described_;
    kept_before_ = before.SettleBatch();
    before.zombie_ = true;
    scene_.zombie_life = before.life_;
    journal_memory_crash(journal_);
    scene_.Note("another takes its journal: life", before.life_);
    scene_.timeline.Add(scene_.now_us() + 1000, What::START, 0, 0, 0);
}

Coordinator::~Coordinator()
{
    DestroyProcess();
    if (!zombie_) {
        journal_close(journal_);
    }
}

void Coordinator::EndZombie()
{
    scene_.Note("the older coordinator is dead: life", life_);
    DestroyProcess();
}

// ---- Start, as runtime.c ------------------------------------------------------------------------

void Coordinator::Adopt(txn *txn_take, void *context)
{
    auto *self = static_cast<Coordinator *>(context);
    self->scene_.Hit(txn_state_is_decided(txn_take->state) ? Mark::RECOVERED_DECIDED
                                                           : Mark::RECOVERED_UNDECIDED);
    self->moves_.Adopted(txn_take);
    open_gids_add(&self->open_, txn_take->gid, txn_take->sequence);
    engine_adopt_take(self->engine_, txn_take);
}

void Coordinator::Meet(const char *name, const acquaintance *known, void *context)
{
    auto *self = static_cast<Coordinator *>(context);
    engine_adopt_acquaintance(self->engine_, directory_find(&self->directory_, name, strlen(name)),
                              known);
}

namespace
{

struct Loading {
    Coordinator *self;
    record_loader *loader;
};

} // namespace

tercet_status Coordinator::TakePair(tercet_bytes key, tercet_bytes value, digest128 hash,
                                    void *context)
{
    const auto *loading = static_cast<Loading *>(context);
    Scene &scene = loading->self->scene_;
    tercet_error error;
    if (scene.fate->DiesAt(Point::BETWEEN_PAIRS)) {
        scene.Hit(Mark::CRASH_INSIDE_LOAD);
        return TERCET_UNAVAILABLE;
    }
    const tercet_status status = record_loader_pair(loading->loader, key, value, hash, &error);
    if (status != TERCET_OK) {
        scene.judge.Fail("I5", "the journal cannot be read: %s", error.text);
    }
    return status;
}

bool Coordinator::Recover()
{
    journal_read_head(journal_, &head_);
    engine_options options{};
    options.limits.open_transactions_max = scene_.swarm.open_transactions_max;
    options.limits.open_payload_bytes_max = 1 << 20;
    options.limits.waiting_calls_max = scene_.swarm.waiting_calls_max;
    options.limits.try_timeout_ms = scene_.swarm.try_timeout_ms;
    options.limits.retry_base_ms = scene_.swarm.retry_base_ms;
    options.limits.retry_cap_ms = scene_.swarm.retry_cap_ms;
    options.directory = &directory_;
    options.incarnation = head_.incarnation;
    options.next_number = head_.next_number;
    options.lost_from = {head_.lost_incarnation, head_.lost_number};
    options.greatest_ended_gid = head_.greatest_ended_gid;
    options.horizon_unix_ms = head_.horizon_unix_ms;
    options.newest_end_unix_ms = journal_newest_end_unix_ms(journal_);
    options.seed = scene_.dice.Number();
    snprintf(options.boot_id, sizeof options.boot_id, "%s", boot_id_);
    engine_ = engine_create(&options);

    Loading loading = {this, record_loader_create(&head_, &directory_, Adopt, this)};
    tercet_error error{};
    record_loader_tell_participants(loading.loader, Meet);
    tercet_status status = journal_load(journal_, TakePair, &loading, &error);
    if (status == TERCET_OK) {
        status = record_loader_finish(loading.loader, &error);
    }
    if (status == TERCET_OK) {
        status = open_gids_refuse_ended(&open_, journal_, &error);
    }
    open_gids_deinit(&open_);
    if (status == TERCET_DATA_LOSS) {
        scene_.judge.Fail("I5", "the journal does not load: %s", error.text);
    }
    record_loader_destroy(loading.loader);
    return status == TERCET_OK;
}

void Coordinator::Start()
{
    if (is_up()) {
        return;
    }
    life_ = ++scene_.coordinator_life;
    dying_ = false;
    recovering_ = true;
    FillDirectory(&directory_, scene_.swarm);
    acknowledged_lsn_.assign(scene_.swarm.participants, 0);
    for (uint32_t i = 0; i < PARTICIPANTS_MAX; i++) {
        for (uint32_t j = 0; j < SEATS_MAX; j++) {
            connected_[i][j] = scene_.ConnectionTo(i, j);
        }
    }
    unreached_.clear();
    told_.assign(scene_.swarm.participants, nullptr);
    told_off_.assign(scene_.swarm.participants * SEATS_MAX, false);
    scene_.Note("coordinator starts: life", life_);
    if (Dies(Point::BEFORE_LOAD) || !Recover() || Dies(Point::AFTER_LOAD)) {
        Die();
        return;
    }
    dispatch_options dispatching{};
    dispatching.directory = &directory_;
    dispatching.probe_base_ms = 10;
    dispatching.probe_cap_ms = 50;
    dispatching.seed = scene_.dice.Number();
    dispatch_ = dispatch_create(&dispatching);
    loop_options looping{};
    looping.engine = engine_;
    looping.dispatch = dispatch_;
    looping.directory = &directory_;
    looping.hands = {Submit, LookUp, Fetch, Reply, CarryOut, Inspect, Held, Fenced, this};
    looping.durable_lsn = head_.lsn;
    looping.end_wait_ms = scene_.swarm.end_wait_ms;
    looping.batch_bytes_max = scene_.swarm.batch_bytes_max;
    looping.resume_ahead = scene_.swarm.resume_ahead;
    loop_ = loop_create(&looping);
    {
        const Moves::Watch watch(moves_);
        loop_resume(loop_, scene_.Now());
    }
    frozen_until_us_ = 0;
    turn_at_us_ = INT64_MAX;
    WakeAt(scene_.now_us());
    if (!scene_.calm && scene_.dice.Chance(scene_.swarm.crash_again)) {
        scene_.timeline.Add(scene_.now_us() + scene_.dice.Between(0, 3 * scene_.swarm.sync_us),
                            What::CRASH, 1, life_, 0);
    }
}

// ---- Death --------------------------------------------------------------------------------------

bool Coordinator::Dies(Point point)
{
    if (!dying_ && scene_.fate->DiesAt(point)) {
        scene_.Note("coordinator dies: point life", static_cast<int64_t>(point), life_);
        dying_ = true;
    }
    return dying_;
}

// What a look from outside at this moment tells.
void Coordinator::NoteDeath()
{
    const Judge &judge = scene_.judge;
    for (const Act &act : scene_.acts) {
        if (!judge.IsBegun(act.id) || judge.IsEnded(act.id) ||
            judge.DecidedAs(act.id) == TXN_UNDECIDED) {
            continue;
        }
        uint32_t done = 0;
        uint32_t all = 0;
        judge.Progress(act.id, &done, &all);
        if (act.id < asked_two_.size() ? asked_two_[act.id] == 0 : true) {
            scene_.Hit(Mark::CRASH_BETWEEN_DECISION_AND_SEND);
        } else if (done > 0 && done < all) {
            scene_.Hit(judge.DecidedAs(act.id) == TXN_OUTCOME_CONFIRMED
                           ? Mark::CRASH_WITH_SOME_CONFIRMED
                           : Mark::CRASH_WITH_SOME_CANCELLED);
        }
    }
    if (engine_ != nullptr && engine_is_in_restored_mode(engine_)) {
        scene_.Hit(Mark::CRASH_WHILE_IT_ASKS);
    }
    if (recovering_ && life_ > 1) {
        scene_.tally.crashes_in_recovery++;
        scene_.Hit(Mark::CRASH_INSIDE_RECOVERY);
    }
}

// Is the batch on the disk that was written and not synced?
bool Coordinator::SettleBatch()
{
    Judge &judge = scene_.judge;
    bool kept = false;
    if (judge.HoldsUnsynced() && submitted_lsn_ != 0) {
        kept = scene_.fate->Keeps();
        scene_.Note(kept ? "its batch is kept: lsn" : "its batch is lost: lsn", submitted_lsn_);
        if (kept) {
            scene_.Hit(Mark::CRASH_KEPT_BATCH);
            for (const Fact &fact : judge.pending()) {
                if (fact.kind == Fact::DECIDE) {
                    scene_.Hit(Mark::CRASH_KEPT_DECISION);
                }
            }
            if (kept_before_) {
                scene_.Hit(Mark::SECOND_CRASH_KEPT_BATCH);
            }
            journal_memory_sync(journal_);
            judge.Durable();
            scene_.tally.batches_kept++;
        } else {
            judge.Lost();
            scene_.tally.batches_lost++;
        }
    }
    submitted_lsn_ = 0;
    return kept;
}

void Coordinator::Die()
{
    if (zombie_) {
        EndZombie();
        return;
    }
    scene_.Note("coordinator is dead: life", life_);
    scene_.tally.coordinator_crashes++;
    NoteDeath();
    kept_before_ = SettleBatch();
    DestroyProcess();
    journal_memory_crash(journal_);
    if (!scene_.calm && scene_.dice.Chance(scene_.swarm.reboot)) {
        scene_.clocks.Reboot(scene_.now_us());
        snprintf(boot_id_, sizeof boot_id_, "boot-%u", scene_.clocks.boots());
        scene_.Hit(Mark::REBOOT);
    }
    const int64_t down_us =
        scene_.swarm.crash_every_us > 0 && !scene_.calm ? scene_.dice.Delay(20000) : 1000;
    scene_.timeline.Add(scene_.now_us() + down_us, What::START, 0, life_, 0);
}

void Coordinator::DestroyProcess()
{
    loop_destroy(loop_);
    dispatch_destroy(dispatch_);
    engine_destroy(engine_);
    loop_ = nullptr;
    dispatch_ = nullptr;
    engine_ = nullptr;
    while (!list_is_empty(&inbox_)) {
        event_destroy(container_of(list_pop_front(&inbox_), struct event, link));
    }
    out_.GiveAll([](Out &one) { branch_unref(one.of); });
    fetches_.GiveAll([](Fetching &one) { branch_unref(one.of); });
    for (const auto &asker : askers_) {
        scene_.judge.Unanswered(asker.first);
    }
    askers_.clear();
    lookups_.clear();
    asked_two_.clear();
    moves_.Forget();
    for (uint32_t i = 0; i < scene_.swarm.participants; i++) {
        scene_.judge.Holds(i, false); /* until the next one says so */
    }
    directory_deinit(&directory_);
    directory_init(&directory_);
}

void Coordinator::BackUpJournal()
{
    scene_.Note("its journal is backed up: life", life_);
    journal_memory_back_up(journal_);
    scene_.judge.JournalIsBackedUp();
}

void Coordinator::PutBackJournal()
{
    scene_.Note("its journal is lost, the backup is put in its place: life", life_);
    Kill();
    journal_memory_restore(journal_, scene_.Now().unix_ms);
    scene_.judge.JournalIsPutBack();
}

void Coordinator::Kill()
{
    if (is_up()) {
        Die();
    }
}

// ---- The end ------------------------------------------------------------------------------------

namespace
{

// Of transactions: what is known of participants stays.
tercet_status CountPair(tercet_bytes key, tercet_bytes, digest128, void *context)
{
    *static_cast<int *>(context) += static_cast<const char *>(key.data)[0] == 't' ? 1 : 0;
    return TERCET_OK;
}

} // namespace

void Coordinator::Final()
{
    int pairs = 0;
    tercet_error error{};
    if (journal_load(journal_, CountPair, &pairs, &error) != TERCET_OK) {
        scene_.judge.Fail("I5", "the journal does not add up: %s", error.text);
    }
    if (pairs != 0) {
        scene_.judge.Fail("I7", "the journal holds %d live records of ended transactions", pairs);
    }
    if (out_.count() != 0) {
        scene_.judge.Fail("I7", "%zu calls never ended", out_.count());
    }
}

} // namespace simulation
