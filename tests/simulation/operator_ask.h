// operator_ask.h -- what an operator asks a coordinator, and what List answers.
//
// One ask is one request: a page of List, or a Resolve.  A page is what somebody would read off it:
// who is in trouble, at which branch, and of which kind.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

extern "C" {
#include "engine/event.h"
}

namespace simulation
{

constexpr uint32_t NOBODY = UINT32_MAX;

struct OperatorAsk {
    // Resolve: of a branch of the request's act, or of a participant.
    resolution what = RESOLUTION_ASK;
    uint32_t participant = NOBODY;
    // List
    uint32_t page_size = 0;
    uint32_t state_mask = 0; // bit (1 << state); 0: all
    std::string gid_prefix;
    bool attention_only = false;
    int64_t after_sequence = 0;
    bool in_outcomes = false; // it has come to those that have ended
    std::string cursor;       // behind which they go on
};

// What the attention of a transaction says.
enum class Trouble : uint8_t { NONE, HELD, PAYLOAD_LOST, OUTCOME_UNKNOWN, CONFLICT, OTHER };

struct Listed {
    uint32_t act = 0;
    uint32_t branch = 0; // where the trouble is
    Trouble trouble = Trouble::NONE;
};

struct Page {
    std::vector<Listed> listed;
    int64_t next_sequence = 0; // open ones go on behind it; 0: these were the last
    std::string next_cursor;   // of those that have ended; "": these were the last
};

} // namespace simulation
