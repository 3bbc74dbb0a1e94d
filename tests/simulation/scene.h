// scene.h -- what everybody in a world shares: chance, time, the network, what is on the wire.
//
// Nobody calls anybody: whoever wants something of another puts a message into a pool and its
// arrival on the timeline.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "simulation/act.h"
#include "simulation/clocks.h"
#include "simulation/judge.h"
#include "simulation/network.h"
#include "simulation/operator_ask.h"
#include "simulation/pool.h"
#include "simulation/timeline.h"
#include "simulation/trace.h"

extern "C" {
#include "tercet/fence.h"
}

namespace simulation
{

// Where a coordinator may die.
enum class Point : uint8_t {
    BEFORE_APPEND,
    AFTER_APPEND,
    BEFORE_SYNC,
    AFTER_SYNC,
    BEFORE_SEND,
    AFTER_SEND,
    BEFORE_ANSWER,
    AFTER_ANSWER,
    BEFORE_REPLY,
    AFTER_REPLY,
    BEFORE_LOAD,
    BETWEEN_PAIRS, // of the journal, while it is loaded
    AFTER_LOAD
};

// Who says what dies: chance, or the enumeration.
class Fate
{
  public:
    virtual ~Fate() = default;
    virtual bool DiesAt(Point point) = 0;
    // A batch is written and not synced: is it on the disk when the process is dead?
    virtual bool Keeps() = 0;
    // A participant has committed and not synced, or has synced and not answered.
    virtual bool ParticipantDies() = 0;
    // Of so many unsynced commits the first stay.
    virtual size_t KeepsOf(size_t commits) = 0;
    // All acts of the plan are over: from now on nothing dies.
    virtual void Rest() {}
};

enum : uint32_t { PARTICIPANTS_MAX = 8, SEATS_MAX = 2 };

// A connection to a participant, by one of its seats.
struct Connection {
    uint32_t database = 0; // how often that was put back
    uint32_t breaks = 0;   // how often the instance went away
    bool operator==(const Connection &other) const
    {
        return database == other.database && breaks == other.breaks;
    }
};

// From the coordinator to a participant.
struct CallMessage {
    uint64_t call = 0;     // the coordinator's number for it
    uint32_t life = 0;     // of the coordinator
    uint32_t seat = 0;     // by which it goes
    Connection connection; // over which
    bool probe = false;
    bool doubled = false; // the network delivers it twice
    char gid[24]{};
    uint32_t index = 0;
    tercet_phase phase = TERCET_PHASE_TRY;
    Payload payload{};
    digest16 digest{};
    branch_number number{};
    int64_t incarnation = 0;
    int64_t epoch = 0;
    std::shared_ptr<const mark> told;              // or nullptr
    std::shared_ptr<const effect_inspect> inspect; // or nullptr: it asks for no rows
};

// What Inspect tells: a page of a fence's rows, and where they go on ("": that was all).
struct Rows {
    std::vector<inspected_row> rows;
    std::string token;
};

// And back.
struct AnswerMessage {
    AnswerMessage() = default;
    explicit AnswerMessage(const CallMessage &asked)
        : call(asked.call), life(asked.life), seat(asked.seat), connection(asked.connection)
    {
    }
    uint64_t call = 0;
    uint32_t life = 0;
    uint32_t seat = 0;
    Connection connection;
    answer_kind kind = ANSWER_REPLY;
    uint32_t verdict = 0;
    uint32_t how = 0;
    uint32_t conflict = 0;
    uint32_t after_ms = 0;
    uint32_t result = 0; // of a try; 0: none
    int64_t mark_incarnation = 0;
    int64_t mark_lsn = 0;
    std::shared_ptr<const description> told; // of a probe
    std::shared_ptr<const tercet_mark> mark; // of a probe: the newest that is stored
    std::shared_ptr<const Rows> rows;        // of an Inspect
    int64_t epoch = 0;                       // of a probe: the highest that it has seen
    char code[32]{};
};

// From an initiator.
struct RequestMessage {
    uint32_t client = 0;
    uint32_t serial = 0;
    bool goes_away = false; // it no longer waits for the request `serial`
    request_kind kind = REQUEST_GET;
    uint32_t act = 0;
    uint32_t variant = 0;
    uint32_t branch = 0;
    wait_mode wait = WAIT_MODE_DECISION;
    uint32_t wait_ms = 0;
    int64_t created_at_unix_ms = 0;
    std::shared_ptr<const OperatorAsk> ask; // LIST, RESOLVE
};

// And back.
struct ReplyMessage {
    uint32_t client = 0;
    uint32_t serial = 0;
    tercet_status status = TERCET_OK;
    bool refused = false;
    bool last = true;
    txn_state state = TXN_NONE;
    tercet_verdict verdict = TERCET_VERDICT_UNSPECIFIED;
    std::shared_ptr<const Page> page; // LIST
};

struct Scene {
    Scene(const Swarm &drawn, uint64_t seed, bool print, Tally &totals);
    ~Scene();
    Scene(const Scene &) = delete;
    Scene &operator=(const Scene &) = delete;

    int64_t now_us() const
    {
        return timeline.now_us();
    }
    clock_now Now() const
    {
        return clocks.Read(timeline.now_us());
    }
    void Hit(Mark mark)
    {
        tally.Hit(mark);
    }
    void Note(const char *name, int64_t a = 0, int64_t b = 0, int64_t c = 0, int64_t d = 0)
    {
        trace.Note(timeline.now_us(), name, a, b, c, d);
    }

    Swarm swarm;
    Dice dice;
    Timeline timeline;
    Trace trace;
    Tally &tally;
    Clocks clocks;
    Network network;
    Judge judge;
    directory names{}; // of the participants
    std::vector<Act> acts;
    Fate *fate = nullptr;
    bool calm = false;     // no faults any more
    bool restored = false; // a database was put back
    bool new_life = false; // the journal was lost, and its backup put in its place
    // By participant, how often its database was put back.  Connections break then, and nothing that
    // was on its way to it arrives.
    std::array<uint32_t, PARTICIPANTS_MAX> database{};
    // By participant and seat: how often that instance went away, which breaks its connections, and until
    // when it is gone.  Whatever was on its way there or back is lost.
    struct Instance {
        uint32_t breaks = 0;
        int64_t gone_until_us = 0;
    };
    std::array<std::array<Instance, SEATS_MAX>, PARTICIPANTS_MAX> instances{};
    // As a connection that is made now.
    Connection ConnectionTo(uint32_t participant, uint32_t seat) const
    {
        return {database[participant], instances[participant][seat].breaks};
    }
    bool IsGone(uint32_t participant, uint32_t seat) const
    {
        return now_us() < instances[participant][seat].gone_until_us;
    }
    uint32_t coordinator_life = 0; // of the newest coordinator
    uint32_t zombie_life = 0;      // of one whose journal another has taken; 0: none

    Pool<CallMessage> calls;
    Pool<AnswerMessage> answers;
    Pool<RequestMessage> requests;
    Pool<ReplyMessage> replies;
};

// The participants as the daemon's configuration would name them.
void FillDirectory(directory *names, const Swarm &swarm);

} // namespace simulation
