// engine_world.h -- an engine on a table: events in, effects collected, time and disk in the test's
// hands.
//
// Look-ups are answered at once from `outcomes` (none by default), unless they are held back.  Every step that made a record
// counts as one batch; Sync() makes all of them durable.
#pragma once

#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

extern "C" {
#include "engine/engine.h"
}

namespace tercet
{

struct BranchPlan {
    uint32_t participant = 0;
    std::string action = "act";
    std::string payload = "payload";
    uint32_t stage = 0;
    bool confirm_only = false;
    bool optional = false;
};

struct Record {
    record_kind kind;
    std::string gid;
    uint32_t branch;
};

struct Hold {
    uint32_t participant;
    bool held;
    std::string text;
};

struct Reply {
    request_kind to;
    bool last;
    tercet_status status;
    bool refused;
    std::string code;
    std::string text;
    std::shared_ptr<view> told;
    tercet_verdict verdict;
    uint32_t retry_after_ms;
    std::vector<std::shared_ptr<view>> list;
    int64_t list_next_sequence;
};

class EngineWorld
{
  public:
    // `targets`: of each participant.
    explicit EngineWorld(uint32_t participants = 4, engine_limits limits = DefaultLimits(),
                         uint32_t targets = 1);
    ~EngineWorld();
    EngineWorld(const EngineWorld &) = delete;
    EngineWorld &operator=(const EngineWorld &) = delete;

    static engine_limits DefaultLimits();
    static constexpr int64_t INCARNATION = 1700000000000;

    // ---- requests; each gets a token of its own, whose replies are in `replies` ----
    uintptr_t Execute(const std::string &gid, const std::vector<BranchPlan> &branches,
                      wait_mode wait = WAIT_MODE_DECISION, uint32_t wait_ms = 60000);
    uintptr_t Begin(const std::string &gid, uint32_t try_timeout_ms = 0);
    uintptr_t Try(const std::string &gid, uint32_t index, const BranchPlan &branch);
    uintptr_t Ask(request_kind kind, const std::string &gid, wait_mode wait = WAIT_MODE_DECISION,
                  uint32_t wait_ms = 60000);
    // A page of open transactions behind `after`.
    uintptr_t List(int64_t after, uint32_t page_size, const std::string &gid_prefix = "");
    uintptr_t Resolve(const std::string &gid, uint32_t index, resolution what);
    event *MakeRequest(request_kind kind, const std::string &gid);
    uintptr_t Send(event *request);

    // ---- participants ----
    // Hands all calls that were asked for to the network.
    void HandAll();
    // The call of this branch must have been handed; answers it.
    void Answer(const std::string &gid, uint32_t index, tercet_phase phase, tercet_verdict verdict,
                uint32_t how = 0, const std::string &result = "", uint32_t conflict = 0);
    // There was no connection to give the call to.
    void FindNobody(const std::string &gid, uint32_t index, tercet_phase phase);
    void Fail(const std::string &gid, uint32_t index, tercet_phase phase, answer_kind kind,
              const std::string &words = "broken");
    void Reachable(uint32_t participant, bool reachable);
    // A probe leaves and comes back with this description; its only action is "act".
    void Describe(uint32_t participant, const description &told, uint32_t seat = 0);
    // Its probe left before.
    void Described(uint32_t participant, const description &told, uint32_t seat = 0);
    // One store: its id's letter, its newest mark's LSN, and the number behind all that it has held.
    static description Store(char id, int64_t mark_lsn, int64_t reach);
    uintptr_t ResolveParticipant(uint32_t participant);
    // It tells these rows of its fence, all that it has.
    void Inspected(uint32_t participant, const std::vector<inspected_row> &rows);
    // Hands and answers everything with DONE until nothing more is asked.
    void RunToEnd();

    // ---- time and disk ----
    void Advance(int64_t ms);
    void Sync();
    void Step(event *taken);
    void Tick();

    // ---- life ----
    // Another engine takes the place of this one, as after a restart; what it adopts is the test's.
    void StartOver(const char *boot_id, clock_now moment, int64_t next_number);
    void Resume(int64_t durable_lsn); // and asks for all that is parked
    void ResumeUndecided(int64_t durable_lsn);
    void ResumeMore(uint32_t participant, uint32_t count);
    // Answers the look-ups that were held back.
    void FindAll();

    const txn *Find(const std::string &gid);
    branch *FindBranch(const std::string &gid, uint32_t index);
    const Reply &LastReply(uintptr_t token);
    bool HasReply(uintptr_t token);
    int CountRecords(const std::string &gid, record_kind kind) const;
    int CountCalls(const std::string &gid, tercet_phase phase) const;

    directory names;
    struct engine *engine = nullptr;
    clock_now now{1000000, 1790000000000};
    branch_number lost_from{};      // of the next engine that is made, as is the next
    int64_t newest_end_unix_ms = 0; // its journal's
    int64_t lsn = 1;
    std::vector<Record> records;
    std::vector<effect_call> calls; // asked for, not handed; each holds a reference
    std::map<uintptr_t, std::vector<Reply>> replies;
    std::vector<effect_inspect> inspections;
    std::vector<Hold> holds;                         // in the order of effects
    std::map<uint32_t, acquaintance> recorded_known; // by participant, the newest
    const char *greatest_ended_gid =
        "~";                          // at a start: any gid may have ended, so each is looked up
    bool hold_lookups = false;        // until FindAll()
    std::vector<std::string> lookups; // held back
    std::function<void(const effect_record &)> on_record; // as soon as its step is over
    std::map<std::string, std::shared_ptr<view>> outcomes;
    std::map<std::string, branch *> kept; // "gid/index": a reference, so that late answers can come

  private:
    void Create(const char *boot_id, int64_t next_number, uint64_t seed);
    void DropCalls();
    void Collect();
    void TakeReply(effect_reply *told);
    void SendAnswer(const std::string &gid, uint32_t index, event *answer);
    engine_limits limits_;
    effects effects_{};
    uintptr_t next_token_ = 1;
};

branch *MakeBranch(uint32_t index, const BranchPlan &plan, const directory &names);

} // namespace tercet
