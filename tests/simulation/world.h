// world.h -- one seed's world: a coordinator, participants, initiators, and the faults between them.
//
// It runs in three parts: faults; calm, in which everything must come to its end within a stated
// time; and two rounds in which every participant is told its newest mark, after which fences hold
// next to nothing.  Then the judge looks at the whole.
#pragma once

#include <deque>
#include <string>

#include "simulation/coordinator.h"
#include "simulation/crowd.h"
#include "simulation/operators.h"
#include "simulation/participant.h"

namespace simulation
{

class World
{
  public:
    // `fate` NULL: chance.
    World(const Swarm &swarm, uint64_t seed, bool print, Tally &tally, Fate *fate = nullptr);
    ~World();

    // The seed's own acts.
    void PlanActs();
    // One act of so many branches, for the enumeration.
    void PlanOne(const Act &act, int64_t cancel_after_us);
    // Its client tries all branches and is never heard of again.
    void LeaveUndecided()
    {
        crowd_.NeverConfirm();
    }
    const directory &names() const
    {
        return scene_.names;
    }
    Participant &participant(uint32_t number)
    {
        return participants_[number];
    }

    // True: nothing was found.
    bool Run();
    const std::string &fault() const
    {
        return scene_.judge.fault();
    }
    uint64_t hash() const
    {
        return scene_.trace.hash();
    }
    Judge &judge()
    {
        return scene_.judge;
    }

  private:
    void Happen(const Happening &what);
    Coordinator &CoordinatorOf(uint32_t life)
    {
        return zombie_ != nullptr && zombie_->life() == life ? *zombie_ : *coordinator_;
    }
    void HappenToCoordinator(const Happening &what);
    void HappenToParticipant(const Happening &what);
    void Arrive(const Happening &what);
    void Calm();
    void Look();
    bool IsQuiet() const;
    void CheckRows();

    // world_faults.cc
    void AddFaults();
    void Fault(const Happening &what);
    int64_t Strike(const Happening &what);
    void LoseSeat();

    // world_restores.cc
    void RestoreOne();
    void AddRestores();
    void PutBackOpen(const Happening &what);
    void TakeOver();
    void CheckNoticed();
    void LoseJournal(const Happening &what);

    Scene scene_;
    std::unique_ptr<Fate> chance_;
    std::unique_ptr<Coordinator> coordinator_;
    std::unique_ptr<Coordinator> zombie_; // or nullptr: one whose journal was taken
    std::deque<Participant> participants_;
    Crowd crowd_;
    Operators operators_;
    uint32_t rounds_ = 0;        // begun
    uint32_t restored_ = 0;      // whose database is put back
    uint32_t put_back_life_ = 0; // of the coordinator that lived then
    bool backed_up_ = false;
    uint32_t acts_ = 0; // of the plan
    int64_t calm_at_us_ = 0;
    int64_t quiet_since_us_ = 0;
    bool over_ = false;
};

} // namespace simulation
