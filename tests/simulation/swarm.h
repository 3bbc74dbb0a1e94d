// swarm.h -- which faults a world has, and how strong: drawn anew for each seed.
//
// With all faults on in every world the strong ones hide what the weak ones would find; so each seed
// leaves some out (swarm testing).
#pragma once

#include <cstdint>

#include "simulation/dice.h"

namespace simulation
{

// What happens to the messages of one direction; per mille.
struct LinkFaults {
    uint32_t loss = 0;
    uint32_t doubled = 0;
    int64_t delay_us = 100;
    bool reorders = false; // delays differ
};

struct Swarm {
    // the world
    uint32_t participants = 4;
    uint32_t acts = 100;
    int64_t between_acts_us = 1000;
    int64_t calm_after_us = 0; // all faults stop; set by the world when 0

    // network: initiators to and from the coordinator, coordinator to and from participants
    LinkFaults ask, told, call, answer;
    int64_t partition_every_us = 0;
    int64_t partition_us = 0;

    // the coordinator
    int64_t turn_us = 50;
    int64_t sync_us = 1000;
    int64_t crash_every_us = 0;
    uint32_t crash_at_point = 0; // per hundred thousand
    uint32_t crash_in_load = 0;  // per mille of pairs read
    uint32_t crash_again = 0;    // per mille of starts: dies soon
    uint32_t keep = 500;         // per mille: the unsynced batch is kept
    uint32_t reboot = 0;         // per mille of crashes
    bool takes_over = false;     // once a second one takes the journal while the first lives on
    bool loses_journal = false;  // once; its backup is put in its place
    int64_t freeze_every_us = 0;
    int64_t freeze_us = 0;
    int64_t upkeep_every_us = 0;
    int64_t outcome_keep_ms = 7LL * 24 * 3600 * 1000;
    uint32_t open_transactions_max = 1000;
    uint32_t waiting_calls_max = 1000;
    uint32_t share = 250;
    uint32_t window = 64;
    uint32_t try_timeout_ms = 1000;
    uint32_t call_timeout_ms = 200;
    uint32_t retry_base_ms = 10;
    uint32_t retry_cap_ms = 1000;
    uint32_t batch_bytes_max = 0;
    uint32_t resume_ahead = 0; // 0: as the daemon does
    uint32_t end_wait_ms = 0;

    // participants
    int64_t p_crash_every_us = 0;
    int64_t p_freeze_every_us = 0;
    int64_t p_freeze_us = 0;
    int64_t commit_us = 500;
    uint32_t group_max = 64;
    uint32_t slice_rows = 256;
    uint32_t refuse = 0;        // per mille of tries
    uint32_t later = 0;         // per mille of calls
    uint32_t handler_fails = 0; // per mille of calls: no verdict, or one that it may not give
    uint32_t dirty = 0;         // per mille of those that are not DONE: after changing something
    uint32_t garbage = 0;       // per mille of answers: an unknown verdict on the wire
    uint32_t store_fails = 0;   // per mille of commits
    uint32_t unserved = 0;      // per mille of calls: a process that does not know the action
    int64_t handler_us = 0;     // each takes so long; groups close at 20 ms

    // each has so many instances over its database, and now and then one is gone for a while
    uint32_t seats = 1;
    int64_t seat_lost_every_us = 0;
    int64_t seat_lost_us = 0;

    // when all is over, a participant's database is put back to what it was some rounds ago
    bool restores = false;
    // the same amid everything, with transactions open
    bool restores_open = false;

    // operators look around, and resolve what needs no resolving
    int64_t operate_every_us = 0;

    // clocks
    int64_t jump_every_us = 0;
    int64_t jump_ms = 0;

    // initiators; per mille of acts
    uint32_t steps = 200;
    uint32_t repeats = 0;         // a second client with the same content
    uint32_t other_content = 0;   // one with other content
    uint32_t cancels = 0;         // one that cancels at some moment
    uint32_t buried = 0;          // cancelled before it was asked for
    uint32_t asks = 0;            // one that asks how it stands
    uint32_t dies = 0;            // per mille of requests: its client is never seen again
    uint32_t goes_away = 0;       // per mille of waits that are over: tells the coordinator
    int64_t patience_us = 500000; // how long it waits for one answer
};

// Calm: no faults at all, every delay the same.
Swarm CalmSwarm();

Swarm DrawSwarm(Dice &dice);

} // namespace simulation
