// stage.h -- the processes: a coordinator with its journal, four participants with their books.
#pragma once

#include <array>
#include <string>

#include "campaign/child.h"
#include "campaign/crowd.h"
#include "campaign/ledger.h"
#include "campaign/plan.h"

namespace campaign
{

class Stage
{
  public:
    // In a directory of its own under `parent`; `self` is this program, which is also the participant.
    Stage(const std::string &parent, const std::string &self);
    ~Stage(); // stops what runs; the directory stays when keep is set
    Stage(const Stage &) = delete;
    Stage &operator=(const Stage &) = delete;

    void StartCoordinator(const std::string &failpoints = "");
    void StartParticipant(int i, const std::string &failpoints = "");
    void StartInitiator(const std::string &failpoints, uint64_t seed, int cycle);

    // What the plan wants before the payments, and at its moment.
    void Arm(const Plan &plan);
    void Strike(const Plan &plan);

    // Starts again, without failpoints, whoever has died.  A sentence when somebody died who should
    // not have, or in another way than planned; else "".
    std::string Revive(const Plan &plan);

    // Of everybody who runs: what Child::End() says.
    std::vector<int> Ends() const;

    // It was told to end, and has not yet.
    bool CoordinatorIsDying()
    {
        return coordinator_struck_ && coordinator_.Runs();
    }

    // Starts again, without failpoints, whoever is armed and has not died.
    void Disarm();

    // Waits for a backup that nothing was to keep from being made, and ends any other; a sentence when
    // one that is finished is not sound.
    std::string JudgeBackups(const Plan &plan);

    Books Read(int i, const std::string &prefix);

    std::string Listen() const
    {
        return "unix:" + directory + "/tercetd";
    }
    std::string Backups() const
    {
        return directory + "/backups";
    }
    std::string Told() const
    {
        return directory + "/told";
    }

    std::string directory;
    bool keep = false;
    Child initiator;
    int kills = 0, deaths_at_failpoint = 0, failed_writes = 0, backups = 0;

  private:
    std::string Database(int i) const;
    bool IsBackingUp() const;
    std::string JudgeDeath(Child *child, const std::string &name, bool struck, const Plan &plan);

    std::string self_;
    std::string next_; // failpoints of the coordinator that is started next
    Child coordinator_;
    std::array<Child, PARTICIPANTS> participants_;
    bool coordinator_struck_ = false;
    std::array<bool, PARTICIPANTS> struck_{};
};

} // namespace campaign
