// participant.h -- a service with its database, behind the SDK's fence.
//
// Groups, truth table, marks and the key-value fence are the product's own; what the SDK's lane does
// with threads is done here by the timeline: take what waits, run it as a group, commit, answer, and
// in between sweep a slice of a mark.
#pragma once

#include <deque>
#include <unordered_map>

#include "simulation/protos.h"
#include "simulation/scene.h"

extern "C" {
#include "fence/group.h"
#include "src/marks.h"
}

namespace simulation
{

class Participant
{
  public:
    Participant(Scene &scene, uint32_t number);
    ~Participant();
    Participant(const Participant &) = delete;
    Participant &operator=(const Participant &) = delete;

    void OnCall(const CallMessage &call);
    void OnWork(const Happening &what);
    void OnCommitted(const Happening &what);
    void Crash();
    void Start();
    void Freeze(int64_t until_us);
    void Calm();

    bool is_up() const
    {
        return up_;
    }
    uint32_t life() const
    {
        return life_;
    }
    bool IsQuiet() const
    {
        return up_ && !busy_ && queue_.empty() && answers_.empty();
    }
    // The try of this branch of the first act will be refused; 0: none.
    void Refuse(uint32_t index)
    {
        refuses_ = index;
    }
    // How many fence rows there are.
    size_t CountRows() const;
    // As they stand on the disk.
    void AddAccounts(std::vector<Account> *accounts) const;
    // Its database as it is now; put back later, by somebody who has lost the newer one.  False: not now.
    bool BackUp();
    void Restore();
    // Handlers put off every confirm and cancel from now on, also when all faults have stopped.
    void Stall()
    {
        stalls_ = true;
    }

  private:
    void WakeAt(int64_t at_us);
    bool OfferMark(const CallMessage &call);
    static bool IsSurvey(const CallMessage &call)
    {
        return call.probe || call.inspect != nullptr;
    }
    void AnswerSurvey();
    void AnswerProbe(const CallMessage &call);
    void AnswerInspect(const CallMessage &call);
    bool Describe(const CallMessage &call, AnswerMessage *answer);
    void SendAnswer(const AnswerMessage &answer);
    void RunGroup();
    void Answer(const CallMessage &call, const group_answer &said);
    void NoteAnswer(const CallMessage &call, const group_answer &said);
    bool SweepSlice();
    void Synced();
    void TellAll();
    Commit DrawFate();
    tercet_verdict Handle(const group_request *request, group_answer *answer);

    static tercet_status Connect(void *self, void **connection_out, tercet_error *error_out);
    static tercet_verdict Handler(const group_request *request, void *connection,
                                  tercet_bytes tried, group_answer *answer, void *context);
    static uint64_t NowUs(void *context);
    static void Pause(unsigned run, void *context);
    static const tercet_store_ops *Ops();

    Scene &scene_;
    const uint32_t number_;
    char name_[8]{};
    Disk disk_;
    Disk backup_;
    kv_fence fence_{};
    struct group group_ {
    };
    struct marks marks_ {
    };
    bool up_ = false;
    bool busy_ = false;   // a commit is under way
    uint64_t commit_ = 0; // the group that is committing, or was last
    uint32_t life_ = 0;
    int64_t work_at_us_ = INT64_MAX;
    int64_t frozen_until_us_ = 0;
    int64_t slice_ms_ = 0;
    uint64_t handler_us_ = 0;       // the clock that handlers are measured by
    uint32_t coordinator_life_ = 0; // the newest that has asked
    int64_t incarnation_ = 0;       // the newest life of the journal that has asked
    bool gate_ = false;             // commits may fail: they are the group's
    std::deque<CallMessage> queue_;
    std::vector<AnswerMessage> answers_; // leave when the commit is on disk
    uint32_t refuses_ = 0;               // the try of this branch of act 0
    bool stalls_ = false;
    struct Past { // what it has answered for one branch; for marks
        uint64_t calls[TERCET_PHASE_CANCEL + 1] = {0, 0, 0, 0}; // the last of each phase
        bool refused = false;
        bool empty = false;
    };
    std::unordered_map<uint32_t, Past> past_; // by act * 8 + index
};

} // namespace simulation
