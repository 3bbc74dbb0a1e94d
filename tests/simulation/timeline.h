// timeline.h -- what will happen, and when.
//
// One heap of moments; whoever stands first is the present.  Two things at one moment happen in the
// order in which they were added, so that a history depends on nothing but the seed.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

namespace simulation
{

enum class What : uint8_t {
    // the coordinator
    TURN,
    SYNCED,           // its batch is on disk
    LOOKED_UP,        // its reader has found, or not
    FETCHED,          // its reader has the payload of a branch
    START,            // its process starts
    CRASH,            // its process ends
    FREEZE,           // it stands still for a while
    UPKEEP,           // its reader tidies the journal
    TAKE_OVER,        // another one has its journal, and it lives on
    JOURNAL_BACK_UP,  // its journal is copied
    JOURNAL_PUT_BACK, // it is lost, and the copy takes its place
    // between coordinator and participants
    CALL_ARRIVES,
    ANSWER_ARRIVES,
    CALL_FAILS, // no connection, or it broke
    CALL_TIMES_OUT,
    // a participant
    WORK,
    COMMITTED,
    P_START,
    P_CRASH,
    P_FREEZE,
    SEAT_LOST, // one of its instances goes away, and comes back
    BACK_UP,   // somebody copies its database
    PUT_BACK,  // and has lost the newer one
    // initiators
    BEGIN, // the clients of an act come
    ACT,   // a client does its next step
    REQUEST_ARRIVES,
    REPLY_ARRIVES,
    OPERATE, // an operator does something
    // the world
    PARTITION,
    CLOCK_JUMP,
    LOOK, // is it all over?
    CALM
};

struct Happening {
    int64_t at_us;
    uint64_t order;
    What what;
    uint32_t who;     // participant, link, client
    uint32_t life;    // of the process that it belongs to; 0: it does not matter
    uint64_t subject; // index into a pool
};

class Timeline
{
  public:
    void Add(int64_t at_us, What what, uint32_t who, uint32_t life, uint64_t subject)
    {
        uint32_t slot = static_cast<uint32_t>(slots_.size());
        if (free_.empty()) {
            slots_.push_back({});
        } else {
            slot = free_.back();
            free_.pop_back();
        }
        at_us = at_us < now_us_ ? now_us_ : at_us;
        slots_[slot] = {at_us, order_, what, who, life, subject};
        heap_.push_back({at_us, order_++, slot});
        std::push_heap(heap_.begin(), heap_.end(), Later());
    }
    bool Next(Happening *next)
    {
        if (heap_.empty()) {
            return false;
        }
        std::pop_heap(heap_.begin(), heap_.end(), Later());
        *next = slots_[heap_.back().slot];
        free_.push_back(heap_.back().slot);
        heap_.pop_back();
        now_us_ = next->at_us;
        return true;
    }
    int64_t now_us() const
    {
        return now_us_;
    }
    uint64_t added() const
    {
        return order_;
    }

  private:
    struct Moment { // what the heap moves about; small for that
        int64_t at_us;
        uint64_t order;
        uint32_t slot;
    };
    struct Later {
        bool operator()(const Moment &a, const Moment &b) const
        {
            return a.at_us != b.at_us ? a.at_us > b.at_us : a.order > b.order;
        }
    };
    std::vector<Moment> heap_;
    std::vector<Happening> slots_;
    std::vector<uint32_t> free_; // of slots_
    uint64_t order_ = 0;
    int64_t now_us_ = 0;
};

} // namespace simulation
