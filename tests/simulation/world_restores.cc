// world_restores.cc -- databases that are put back, at the end and amid everything; see world.h.
#include "simulation/world.h"

namespace simulation
{

// ---- Amid everything ----------------------------------------------------------------------------

// From now on there are two: the older one, whose disk takes nothing any more and who does not know,
// and one that has the journal, with a higher epoch.
void World::TakeOver()
{
    if (scene_.calm || zombie_ != nullptr) {
        return;
    }
    if (!coordinator_->is_up()) {
        scene_.timeline.Add(scene_.now_us() + 1000, What::TAKE_OVER, 0, 0, 0);
        return;
    }
    if (scene_.judge.OpenActs() > 0) {
        scene_.Hit(Mark::TAKEN_OVER_WITH_OPEN);
    }
    zombie_ = std::move(coordinator_);
    coordinator_ = std::make_unique<Coordinator>(*zombie_);
}

// A backup is of one moment of what is durable; the newest one counts.
void World::LoseJournal(const Happening &what)
{
    if (what.what == What::JOURNAL_BACK_UP) {
        coordinator_->BackUpJournal();
    } else if (!scene_.calm) {
        scene_.new_life = true;
        scene_.tally.journals_put_back++;
        coordinator_->PutBackJournal();
    }
}

void World::AddRestores()
{
    if (scene_.swarm.takes_over) {
        scene_.timeline.Add(scene_.dice.Between(0, calm_at_us_), What::TAKE_OVER, 0, 0, 0);
    }
    Dice &dice = scene_.dice;
    if (scene_.swarm.loses_journal) {
        const int64_t backup_us = dice.Between(0, calm_at_us_ / 2);
        scene_.timeline.Add(backup_us, What::JOURNAL_BACK_UP, 0, 0, 0);
        scene_.timeline.Add(dice.Between(backup_us + 1000, calm_at_us_), What::JOURNAL_PUT_BACK, 0,
                            0, 0);
    }
    if (!scene_.swarm.restores_open) {
        return;
    }
    const int64_t copied_us = dice.Between(0, calm_at_us_ / 2);
    const int64_t back_us = dice.Between(copied_us + 1000, calm_at_us_ + 2000);
    restored_ = dice.Below(scene_.swarm.participants);
    scene_.timeline.Add(copied_us, What::BACK_UP, restored_, 0, 0);
    scene_.timeline.Add(back_us, What::PUT_BACK, restored_, 0, 0);
}

void World::PutBackOpen(const Happening &what)
{
    Participant &participant = participants_[what.who];
    if (what.what == What::BACK_UP) {
        backed_up_ = participant.BackUp();
        if (!backed_up_) {
            scene_.timeline.Add(scene_.now_us() + 200, What::BACK_UP, what.who, 0, 0);
        }
        return;
    }
    if (!backed_up_ || scene_.calm) {
        return;
    }
    scene_.Note("its database is put back: p open", what.who, scene_.judge.OpenAt(what.who));
    scene_.restored = true;
    if (scene_.judge.OpenAt(what.who) > 0) {
        scene_.Hit(Mark::PUT_BACK_WITH_OPEN);
    }
    participant.Restore();
    scene_.tally.databases_put_back++;
    put_back_life_ = coordinator_->is_up() ? coordinator_->life() : 0;
}

// One that has died since knows less than the disk: after a start a branch may follow the first probe
// before that is answered, and hide what was lost.
void World::CheckNoticed()
{
    if (scene_.database[restored_] == 0 || !scene_.judge.MustHold(restored_)) {
        return;
    }
    if (put_back_life_ == coordinator_->life()) {
        scene_.judge.Fail("I6", "the database of p%u was put back, and nobody has noticed",
                          restored_);
    }
    scene_.Hit(Mark::PUT_BACK_UNNOTICED);
}

// ---- At the end ---------------------------------------------------------------------------------

// Anomaly 21: the backup is from before the last rounds.  Nothing is open; a coordinator that has been
// started since knows it from its journal alone.
void World::RestoreOne()
{
    enum { NOTICED_WITHIN_US = 10000000 };
    const int64_t until_us = scene_.now_us() + NOTICED_WITHIN_US;
    Happening next;
    scene_.restored = true;
    scene_.Note("its database is put back: p", restored_);
    coordinator_->Kill();
    participants_[restored_].Restore();
    while (!coordinator_->Holds(restored_) && !scene_.judge.failed() &&
           scene_.now_us() < until_us && scene_.timeline.Next(&next)) {
        Happen(next);
    }
    if (!coordinator_->Holds(restored_)) {
        scene_.judge.Fail("I6", "the database of p%u was put back, and nobody has noticed",
                          restored_);
        return;
    }
    scene_.Hit(Mark::RESTORED_DATABASE_HELD);
}

// Every round was confirmed, and fences hold the rows of the last two at most.
void World::CheckRows()
{
    /* The first one may be what a database was noticed by that was put back. */
    for (size_t id = acts_ + (scene_.restored ? 1 : 0); id < scene_.acts.size(); id++) {
        if (scene_.judge.DecidedAs(static_cast<uint32_t>(id)) != TXN_OUTCOME_CONFIRMED) {
            scene_.judge.Fail("I8", "g%zu was begun in a calm world and not confirmed", id);
        }
    }
    for (uint32_t i = 0; i < scene_.swarm.participants; i++) {
        if (participants_[i].CountRows() > 2 + scene_.judge.LeftBehind(i)) {
            scene_.judge.Fail("I7", "p%u holds %zu fence rows when all is over", i,
                              participants_[i].CountRows());
        }
    }
}

} // namespace simulation
