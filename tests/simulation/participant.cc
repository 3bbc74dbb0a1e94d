// participant.cc -- see participant.h.
#include "simulation/participant.h"

#include <cinttypes>
#include <cstdio>
#include <cstring>

namespace simulation
{

// ---- Life ---------------------------------------------------------------------------------------

Participant::Participant(Scene &scene, uint32_t number) : scene_(scene), number_(number)
{
    snprintf(name_, sizeof name_, "p%u", number);
    for (uint32_t i = 0; i < ACCOUNTS; i++) {
        const AccountKey key = KeyOfAccount(i);
        const Account account = AccountAtFirst();
        disk_.Put(tercet_bytes_of(key.bytes, sizeof key.bytes),
                  tercet_bytes_of(&account, sizeof account));
    }
    disk_.fate = [this] { return DrawFate(); };
    Start();
}

Participant::~Participant()
{
    kv_fence_close(&fence_);
}

tercet_status Participant::Connect(void *self, void **connection_out, tercet_error *)
{
    *connection_out = &static_cast<Participant *>(self)->fence_;
    return TERCET_OK;
}

const tercet_store_ops *Participant::Ops()
{
    static const tercet_store_ops ops = [] {
        tercet_store_ops made{};
        made.size = sizeof made;
        made.name = "simulated";
        made.connect = Connect;
        made.disconnect = kv_fence_disconnect;
        made.begin = kv_fence_begin;
        made.savepoint = kv_fence_savepoint;
        made.rewind = kv_fence_rewind;
        made.claim = kv_fence_claim;
        made.raise_epoch = kv_fence_raise_epoch;
        made.write = kv_fence_write;
        made.check = kv_fence_check;
        made.commit = kv_fence_commit;
        made.rollback = kv_fence_rollback;
        made.apply_mark = kv_fence_apply_mark;
        made.describe = kv_fence_describe;
        made.find = kv_fence_find;
        made.list = kv_fence_list;
        made.close = [](void *) {};
        return made;
    }();
    return &ops;
}

void Participant::Start()
{
    if (up_) {
        return;
    }
    tercet_error error{};
    life_++;
    if (kv_fence_open(&fence_, Disk::Backend(), &disk_, &error) != TERCET_OK) {
        scene_.judge.Fail("I3", "p%u cannot open its fence: %s", number_, error.text);
        return;
    }
    Synced();
    group_ = {};
    group_.ops = Ops();
    group_.self = this;
    group_.handler = Handler;
    group_.now_us = NowUs;
    group_.pause = Pause;
    group_.context = this;
    marks_ = {};
    coordinator_life_ = 0;
    work_at_us_ = INT64_MAX;
    frozen_until_us_ = 0;
    up_ = true;
    busy_ = false;
    scene_.Note("participant starts: p life", number_, life_);
}

void Participant::Crash()
{
    if (!up_) {
        return;
    }
    const size_t unsynced = disk_.unsynced();
    const size_t kept = unsynced == 0 ? 0 : scene_.fate->KeepsOf(unsynced);
    scene_.Note("participant dies: p unsynced kept", number_, static_cast<int64_t>(unsynced),
                static_cast<int64_t>(kept));
    scene_.tally.participant_crashes++;
    if (unsynced > 0) {
        scene_.Hit(kept > 0 ? Mark::PARTICIPANT_CRASH_COMMIT_KEPT
                            : Mark::PARTICIPANT_CRASH_COMMIT_LOST);
    }
    disk_.Crash(kept);
    Synced();
    group_disconnect(&group_);
    kv_fence_close(&fence_);
    queue_.clear();
    answers_.clear();
    up_ = false;
    busy_ = false;
    const int64_t down_us = scene_.swarm.p_crash_every_us > 0 ? scene_.dice.Delay(50000) : 1000;
    scene_.timeline.Add(scene_.now_us() + down_us, What::P_START, number_, life_, 0);
}

void Participant::Freeze(int64_t until_us)
{
    scene_.tally.freezes += until_us > scene_.now_us() ? 1 : 0;
    frozen_until_us_ = until_us;
}

// Also a commit that a slow disk or a freeze has put off is over soon.
void Participant::Calm()
{
    frozen_until_us_ = 0;
    if (busy_) {
        scene_.timeline.Add(scene_.now_us() + 10, What::COMMITTED, number_, life_, commit_);
    }
}

// ---- Work ---------------------------------------------------------------------------------------

void Participant::WakeAt(int64_t at_us)
{
    at_us = at_us < frozen_until_us_ ? frozen_until_us_ : at_us;
    if (at_us < work_at_us_) {
        work_at_us_ = at_us;
        scene_.timeline.Add(at_us, What::WORK, number_, life_, 0);
    }
}

// As service.c: the newest mark of a coordinator waits to be applied.
bool Participant::OfferMark(const CallMessage &call)
{
    if (call.told == nullptr) {
        return false;
    }
    const mark &told = *call.told;
    tercet_fence_caller caller{};
    Tercet__V1__BranchNumber low = TERCET__V1__BRANCH_NUMBER__INIT;
    Tercet__V1__BranchNumber open[MARK_OPEN_MAX];
    Tercet__V1__BranchNumber *pointers[MARK_OPEN_MAX];
    Tercet__V1__Mark message = TERCET__V1__MARK__INIT;
    caller.participant = name_;
    caller.epoch = {told.as_of.incarnation, call.epoch};
    message.as_of_incarnation = told.as_of.incarnation;
    message.as_of_lsn = told.as_of.number;
    low.incarnation = told.low.incarnation;
    low.number = told.low.number;
    message.low = &low;
    for (uint32_t i = 0; i < told.open_count; i++) {
        open[i] = TERCET__V1__BRANCH_NUMBER__INIT;
        open[i].incarnation = told.open[i].incarnation;
        open[i].number = told.open[i].number;
        pointers[i] = &open[i];
    }
    message.n_open = told.open_count;
    message.open = pointers;
    return marks_offer(&marks_, &caller, &message, scene_.now_us() / 1000);
}

void Participant::SendAnswer(const AnswerMessage &answer)
{
    const Copies copies = scene_.network.Send(Link::ANSWER, number_, answer.seat, scene_.now_us());
    for (uint32_t i = 0; i < copies.count; i++) {
        scene_.timeline.Add(copies.at_us[i], What::ANSWER_ARRIVES, number_, 0,
                            scene_.answers.Take(answer));
    }
}

void Participant::OnCall(const CallMessage &call)
{
    scene_.Note("call arrives: p act branch phase", number_, call.payload.act, call.index,
                call.probe ? 0 : call.phase);
    if (call.life < coordinator_life_ && !call.probe) {
        scene_.Hit(Mark::CALL_OF_THE_DEAD_SERVED);
    }
    coordinator_life_ = call.life > coordinator_life_ ? call.life : coordinator_life_;
    incarnation_ = call.incarnation > incarnation_ ? call.incarnation : incarnation_;
    (void)OfferMark(call);
    if (call.probe || call.inspect != nullptr) {
        queue_.push_back(call);
    } else if (!call.doubled && !scene_.calm && scene_.dice.Chance(scene_.swarm.unserved)) {
        /* It says that nothing ran.  A copy of the same call that another process carried out would
         * make that a lie; the transport never delivers one call to two processes. */
        AnswerMessage answer(call);
        answer.kind = ANSWER_NOT_SERVED;
        scene_.Hit(Mark::ACTION_NOT_SERVED);
        SendAnswer(answer);
    } else {
        queue_.push_back(call);
    }
    if (!busy_) {
        WakeAt(scene_.now_us() + 10);
    }
}

void Participant::OnWork(const Happening &what)
{
    if (what.life != life_ || !up_ || what.at_us != work_at_us_) {
        return;
    }
    work_at_us_ = INT64_MAX;
    if (busy_) {
        return;
    }
    const int64_t handlers_before = static_cast<int64_t>(handler_us_);
    if (!queue_.empty() && IsSurvey(queue_.front())) {
        AnswerSurvey();
    } else if (!queue_.empty()) {
        RunGroup();
    }
    const int64_t now_ms = scene_.now_us() / 1000;
    if (queue_.empty() || now_ms - slice_ms_ >= 20) {
        (void)SweepSlice();
    }
    const bool writes = disk_.unsynced() > 0;
    const int64_t mean_us = writes ? scene_.swarm.commit_us : 10;
    const int64_t took_us = (scene_.calm ? mean_us : scene_.dice.Delay(mean_us)) +
                            static_cast<int64_t>(handler_us_) - handlers_before;
    busy_ = true;
    commit_++;
    scene_.timeline.Add(scene_.now_us() + took_us, What::COMMITTED, number_, life_, commit_);
}

void Participant::OnCommitted(const Happening &what)
{
    if (what.life != life_ || !up_ || !busy_ || what.subject != commit_) {
        return;
    }
    if (scene_.now_us() < frozen_until_us_) {
        scene_.timeline.Add(frozen_until_us_, What::COMMITTED, number_, life_, commit_);
        return;
    }
    if (disk_.unsynced() > 0 && scene_.fate->ParticipantDies()) {
        Crash();
        return;
    }
    Synced();
    if (scene_.fate->ParticipantDies()) {
        Crash();
        return;
    }
    for (const AnswerMessage &answer : answers_) {
        SendAnswer(answer);
    }
    answers_.clear();
    busy_ = false;
    if (!queue_.empty()) {
        WakeAt(scene_.now_us() + 10);
        return;
    }
    for (const marks_entry &entry : marks_.entries) {
        if (entry.due) {
            const int64_t due_us = entry.not_before_ms * 1000;
            WakeAt(due_us > scene_.now_us() ? due_us : scene_.now_us() + 10);
        }
    }
}

// Whatever is committed is on the disk now; the judge looks at what has changed.
void Participant::Synced()
{
    uint32_t accounts = 0;
    struct Row {
        uint32_t act;
        uint32_t index;
        bool swept;
    };
    std::vector<Row> rows;
    disk_.Sync([&](tercet_bytes key) {
        uint32_t account = 0;
        uint32_t act = 0;
        uint32_t index = 0;
        const tercet_bytes now = disk_.Read(key);
        const auto *bytes = static_cast<const uint8_t *>(key.data);
        const size_t prefix = sizeof ROW_CODEC_PREFIX - 1;
        if (ReadAccountKey(key, &account)) {
            accounts |= 1U << account;
        } else if (ReadLineKey(key, &act, &index)) {
            Line line{};
            memcpy(&line, now.data, now.data == nullptr ? 0 : sizeof line);
            scene_.judge.LineIs(number_, act, index, line);
        } else if (key.size > prefix && bytes[prefix] == 'S') {
            row_scope scope;
            if (row_scope_decode(now, &scope)) {
                scene_.judge.Remembers(number_, {scope.epoch.incarnation, scope.epoch.epoch},
                                       {scope.mark.as_of_incarnation, scope.mark.as_of_lsn});
            } else {
                scene_.judge.Fail("I7", "what p%u remembers cannot be read", number_);
            }
        } else if (key.size > prefix + 7 && bytes[prefix] == 'F' &&
                   ReadGid(reinterpret_cast<const char *>(bytes) + prefix + 3,
                           key.size - prefix - 7, &act)) {
            rows.push_back({act, bytes[key.size - 1], now.data == nullptr});
        }
    });
    for (uint32_t i = 0; i < ACCOUNTS; i++) {
        if ((accounts & (1U << i)) != 0) {
            const AccountKey key = KeyOfAccount(i);
            Account account{};
            memcpy(&account, disk_.Read(tercet_bytes_of(key.bytes, sizeof key.bytes)).data,
                   sizeof account);
            scene_.judge.AccountIs(number_, i, account);
        }
    }
    for (const Row &row : rows) {
        if (row.swept) {
            scene_.judge.RowSwept(row.act, row.index);
        } else {
            scene_.judge.RowWritten(row.act, row.index);
        }
    }
}

// ---- The end ------------------------------------------------------------------------------------

size_t Participant::CountRows() const
{
    size_t rows = 0;
    const size_t prefix = sizeof ROW_CODEC_PREFIX - 1;
    for (size_t i = 0; i < disk_.map().count; i++) {
        const tercet_bytes key = byte_map_key(disk_.map().entries[i]);
        const auto *bytes = static_cast<const uint8_t *>(key.data);
        rows += key.size > prefix && bytes[0] == 0xff && bytes[prefix] == 'F' ? 1 : 0;
    }
    return rows;
}

void Participant::AddAccounts(std::vector<Account> *accounts) const
{
    for (uint32_t i = 0; i < ACCOUNTS; i++) {
        const AccountKey key = KeyOfAccount(i);
        Account account{};
        memcpy(&account, disk_.Read(tercet_bytes_of(key.bytes, sizeof key.bytes)).data,
               sizeof account);
        accounts->push_back(account);
    }
}

} // namespace simulation
