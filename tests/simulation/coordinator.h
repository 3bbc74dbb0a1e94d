// coordinator.h -- the daemon, without its threads and sockets.
//
// Engine, dispatch, loop, directory and journal are the product's own objects, put together as
// runtime.c does it: one process is a set of them, and dies as a whole.  What the daemon's writer,
// reader, service and edge do with threads is done here by the timeline.
//
// Dying inside a turn: from that moment the hands do nothing more, and when the turn is over the
// objects are destroyed.  As hands are all that a turn does to the world, nobody can tell this from a
// process that was killed there.
#pragma once

#include <set>
#include <unordered_map>

#include "simulation/moves.h"
#include "simulation/scene.h"

extern "C" {
#include "journal/open_gids.h"
#include "loop.h"
}

namespace simulation
{

class Coordinator
{
  public:
    explicit Coordinator(Scene &scene);
    // Another one takes this one's journal, with a higher epoch, and this one does not know.
    explicit Coordinator(Coordinator &before);
    ~Coordinator();
    Coordinator(const Coordinator &) = delete;
    Coordinator &operator=(const Coordinator &) = delete;

    // What the timeline brings.
    void Start();
    void OnTurn(const Happening &what);
    void OnSynced(const Happening &what);
    void OnLookedUp(const Happening &what);
    void OnFetched(const Happening &what);
    void OnAnswer(const AnswerMessage &answer);
    // `unreachable`: there was nobody; else the connection broke, or nothing came in time.
    void OnCallOver(uint64_t call, uint32_t life, bool unreachable);
    void OnRequest(const RequestMessage &request);
    void OnUpkeep();
    void Kill();
    // An operator has noticed that this one lives on, or it has noticed itself.
    void EndZombie();
    bool is_zombie() const
    {
        return zombie_;
    }
    void Freeze(int64_t until_us);
    void Thaw();
    // Its journal is copied; it is lost with the process, and that copy is a new life of it.
    void BackUpJournal();
    void PutBackJournal();

    // Does this participant wait for an operator?
    bool Holds(uint32_t participant) const;
    bool is_up() const
    {
        return loop_ != nullptr;
    }
    uint32_t life() const
    {
        return life_;
    }
    // Nothing is open, nothing waits, nothing is under way.
    bool IsQuiet() const;
    // What must hold of the journal when all is over.
    void Final();

  private:
    struct Out {              // a call that has left and has not ended
        branch *of = nullptr; // NULL: a probe, or an Inspect
        tercet_phase phase = TERCET_PHASE_TRY;
        uint32_t participant = 0;
        uint32_t seat = 0;
        bool inspects = false;
    };
    struct Fetching {
        branch *of = nullptr;
        std::string key;
    };
    struct Asker {
        uint32_t client;
        uint32_t serial;
        bool after_crash;
        int64_t asked_us;
        int64_t wait_us; // INT64_MAX: as long as it takes
        resolution said; // RESOLVE
    };

    // coordinator_life.cc
    bool Recover();
    bool Dies(Point point);
    void Die();
    bool SettleBatch();
    void DestroyProcess();
    void NoteDeath();
    static tercet_status TakePair(tercet_bytes key, tercet_bytes value, digest128 hash,
                                  void *context);
    static void Adopt(txn *txn_take, void *context);

    // coordinator.cc
    void Push(event *made);
    void WakeAt(int64_t at_us);
    void NoteTurn(clock_now now);
    void CheckBounds();

    // coordinator_hands.cc
    static void Submit(void *context, const journal_batch *batch);
    static void LookUp(void *context, const char *gid);
    static void Fetch(void *context, branch *branch_take);
    static void Reply(void *context, effect_reply *reply);
    static void CarryOut(void *context, order *todo, const mark *told, clock_now);
    static void Meet(const char *name, const acquaintance *known, void *context);
    static void Inspect(void *context, const effect_inspect *asked);
    static void Held(void *context, const effect_hold *hold);
    static void Fenced(void *context);
    void SendReply(const effect_reply &reply);

    // coordinator_asks.cc
    event *ProbedEvent(const Out &out, const AnswerMessage &answer);
    uint32_t SeatToInspect(uint32_t participant);
    event *InspectedEvent(uint32_t participant, const AnswerMessage &answer);

    // coordinator_operators.cc
    void OnOperator(const RequestMessage &message);
    void AnswerOperator(const effect_reply &reply, const Asker &asker);
    void ListOutcomes(const RequestMessage &message);
    void SendPage(uint32_t client, uint32_t serial, std::shared_ptr<const Page> page);

    // Is there a connection by this seat over which a branch may go?
    bool IsMet(uint32_t participant, uint32_t seat) const;
    void NoteSeat(const order &todo, uint32_t act);
    static uint64_t KeyOf(uint32_t act, uint32_t index, tercet_phase phase)
    {
        return (static_cast<uint64_t>(act) << 32) + index * 8 + phase;
    }
    void SendCall(order *todo, const mark *told);
    std::shared_ptr<const mark> MarkToTell(uint32_t participant, const mark *told);

    Scene &scene_;
    struct journal *journal_;
    directory directory_{};
    struct engine *engine_ = nullptr;
    struct dispatch *dispatch_ = nullptr;
    struct loop *loop_ = nullptr;
    journal_head head_{};
    open_gids open_{}; // while it recovers
    list_node inbox_{};
    uint32_t life_ = 0;
    bool dying_ = false;
    bool zombie_ = false;     // another has its journal: it writes nothing any more
    bool recovering_ = false; // nothing was written in this life
    bool kept_before_ = false;
    int64_t turn_at_us_ = 0; // when the next turn is
    int64_t frozen_until_us_ = 0;
    int64_t submitted_lsn_ = 0;
    int64_t submitted_next_number_ = 0;
    char boot_id_[37]{};
    uint64_t next_token_ = 1;
    uint64_t next_lookup_ = 1;

    Pool<Out> out_;
    Pool<Fetching> fetches_;
    std::unordered_map<uint64_t, Asker> askers_;
    std::unordered_map<uint64_t, std::string> lookups_;
    std::vector<int64_t> acknowledged_lsn_; // by participant
    // By participant and seat: over which connection somebody has described himself.
    std::array<std::array<Connection, SEATS_MAX>, PARTICIPANTS_MAX> connected_{};
    std::array<uint32_t, PARTICIPANTS_MAX> inspected_by_{};
    std::unordered_map<uint64_t, uint32_t> unreached_; // by branch and phase: the seat it failed at
    std::vector<std::shared_ptr<const mark>> told_;
    std::set<uint32_t> described_;   // whose databases are known, over all lives
    std::vector<bool> told_off_;     // by participant, seat: the last probe said no
    std::vector<uint8_t> asked_two_; // by act: a confirm or cancel has left
    std::vector<uint64_t> confirm_turn_, cancel_turn_; // by act
    uint64_t turns_ = 0;
    Moves moves_;
    int64_t horizon_unix_ms_ = 0;
};

} // namespace simulation
