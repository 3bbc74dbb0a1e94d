// recovery_journal.h -- a small journal that is valid, and what can be wrong with one; see fuzz_recovery.cc.
#pragma once

#include <map>
#include <string>

#include "support/engine_world.h"
#include "unit/engine/random_dice.h"

namespace recovery
{

// What is on disk: live pairs and outcomes, and of the head what recovery reads.
struct Journal {
    std::map<std::string, std::string> pairs;
    int64_t next_number = 1;
};

// As the daemon writes a record: what it puts is there, what it removes was there.
void Write(const effect_record &made, const directory &names, Journal &journal);

// A short history of an engine, whose every byte decides what happens next; it ends where 0 is drawn.
// What it leaves is what a coordinator leaves that is killed there.
Journal MakeJournal(tercet::Dice &dice);

// Changes it as the dice say: pairs are lost, doubled, exchanged, cut; fields change, go, come twice or
// come from another record; whole records are invented.  Values stay in the form in which they are
// written, mostly, because anything else is refused at once.
void Spoil(Journal &journal, tercet::Dice &dice);

} // namespace recovery
