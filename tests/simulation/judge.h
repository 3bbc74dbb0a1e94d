// judge.h -- what must hold, checked at every step on what is durable and on what was told.
//
// The judge knows nothing of engine, fence or network.  It sees what the coordinator's disk holds
// (batches, read record by record), what participants' disks hold (lines and accounts), what left the
// coordinator (calls, marks, answers), and keeps the simplest model of it: for each act whether it
// was begun, how it was decided, whether it has ended, and how often each phase of each branch took
// effect.
//
//   I1  no act has one mandatory branch confirmed and another cancelled
//   I2  what leaves is decided durably; a decision never changes; nothing is begun twice
//   I3  each phase of a branch takes effect at most once, at the end exactly once as decided
//   I4  accounts add up in every durable state, and are what the lines say
//   I5  an ended act has nothing reserved; nothing is reserved for it later
//   I6  whatever was told stays true
//   I7  marks pass nothing that is needed, rows go only when nothing of them is needed
// I8 is the world's: it knows when faults have stopped.
//
// The first violation stays; all calls after it do nothing.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "simulation/ledger.h"
#include "simulation/operator_ask.h"
#include "simulation/tally.h"

extern "C" {
#include "journal/journal.h"
}

namespace simulation
{

// What one record says.
struct Fact {
    enum Kind : uint8_t { BEGIN, ADD_BRANCH, DECIDE, PROGRESS, END, TOMBSTONE, PEER } kind;
    uint32_t act = 0; // DECIDE, ADD_BRANCH, PROGRESS: found by sequence
    int64_t sequence = 0;
    bool by_steps = false;
    txn_outcome outcome = TXN_UNDECIDED;
    uint32_t settled = 0; // PROGRESS, END: bit (1 << index) of branches that an operator has ended
    uint32_t participant = 0; // PEER
    bool held = false;        // PEER
    struct {
        int64_t mark_lsn; // the newest mark that it is known to hold
        int64_t branch;   // the highest that has answered DONE
        int64_t reach;    // all that it has ever held is below
    } peer = {0, 0, 0};
    uint32_t branch_count = 0;
    struct {
        Payload payload; // of one that is lost: its participant and its index
        branch_number number;
        bool lost; // the journal was restored, and knows of it only what its row says
    } branches[ACT_BRANCHES_MAX];
};

struct BelowNumber {
    bool operator()(branch_number a, branch_number b) const
    {
        return branch_number_compare(a, b) < 0;
    }
};

// A request that can begin something.
enum class Attempt : uint8_t { EXECUTE, EXECUTE_OTHER, BEGIN, NONE };

class Judge
{
  public:
    explicit Judge(Tally &tally);

    // ---- the coordinator's disk ----
    // Reads the batch and keeps its facts until one of the two below.
    void Submitted(const journal_batch *batch);
    void Note(const Fact &fact); // one fact of the batch that is submitted
    void NextNumber(int64_t next_number);
    void Durable();
    void Lost();
    bool HoldsUnsynced() const
    {
        return submitted_;
    }

    // ---- a journal that is restored (judge_new_life.cc) ----
    // What is durable now is what the backup holds.
    void JournalIsBackedUp();
    // The journal is lost, and the backup is a new life of it.
    void JournalIsPutBack();
    // What the books of the participants say of an outcome that nobody else knows.
    txn_outcome BooksSay(uint32_t act) const;

    // ---- what leaves the coordinator ----
    void Sent(uint32_t act, uint32_t branch, tercet_phase phase);
    void MarkTold(uint32_t participant, const mark &told);
    void Asked(uint64_t token, request_kind kind, uint32_t act, Attempt attempt, uint32_t branch);
    void Sends(uint32_t act, Attempt attempt); // an initiator sends such a request
    void Told(const effect_reply &reply);
    // ---- operators ----
    void AskedByOperator(uint64_t token, request_kind kind, uint32_t act, uint32_t branch,
                         std::shared_ptr<const OperatorAsk> ask);
    void ToldOutcome(const view &outcome); // on a page of List, from the journal
    // A walk through all pages without a filter, which began at that moment, has come to its end.
    void Walked(uint64_t began_at, const std::vector<bool> &listed);
    // Counts what has become durable.
    uint64_t moment() const
    {
        return moment_;
    }
    void Unanswered(uint64_t token); // its coordinator is dead
    void Forgets()                   // from now on outcomes expire
    {
        forgets_ = true;
    }

    // ---- participants' disks ----
    void LineIs(uint32_t participant, uint32_t act, uint32_t branch, const Line &line);
    void AccountIs(uint32_t participant, uint32_t account, const Account &now);
    // What its fence remembers of the coordinator: the highest epoch (incarnation first), and the age
    // of its mark.
    void Remembers(uint32_t participant, branch_number epoch, branch_number mark);
    // It has carried out, or answered from its fence, a call of this epoch.
    void Serves(uint32_t participant, branch_number epoch);
    // An older copy of its database was put back: PutBack(), every line, Remembers(), then IsBack().
    void PutBack(uint32_t participant);
    void LineWas(uint32_t participant, uint32_t act, uint32_t branch, const Line &line);
    void IsBack(uint32_t participant, int64_t reach);
    // Must the coordinator notice?  It may have done so already.
    bool MustHold(uint32_t participant) const;
    void Holds(uint32_t participant, bool held);
    bool IsSilent(uint32_t participant) const; // it is held
    bool IsAnySilent() const;
    uint32_t OpenAt(uint32_t participant) const;
    uint32_t LeftBehind(uint32_t participant) const;
    void RowSwept(uint32_t act, uint32_t branch);
    void RowWritten(uint32_t act, uint32_t branch);

    // ---- all is over ----
    void Final(const std::vector<Account> &accounts);
    uint32_t OpenActs() const
    {
        return open_;
    }
    uint32_t OpenAdopted() const; // found by their rows: nobody asked whether there is room

    // ---- what it knows; for the world ----
    txn_outcome DecidedAs(uint32_t act) const;
    bool IsBegun(uint32_t act) const;
    bool IsEnded(uint32_t act) const;
    // How many branches of it have taken the decided phase, and how many were registered.
    void Progress(uint32_t act, uint32_t *done, uint32_t *all) const;
    const std::vector<Fact> &pending() const
    {
        return pending_;
    }

    void Fail(const char *invariant, const char *format, ...)
        __attribute__((__format__(__printf__, 3, 4)));
    bool failed() const
    {
        return !fault_.empty();
    }
    const std::string &fault() const
    {
        return fault_;
    }

  private:
    // What lost lives of the journal have done, and the journal does not know.
    struct Past {
        bool known = false; // begun or buried
        bool begun = false;
        bool ended = false;
        bool confirmed = false; // decided so
        bool cancelled = false;
        bool undone = false; // the journal knows less of it
    };
    struct JudgedBranch {
        Payload payload{}; // also where only a lost life has registered it
        branch_number number = {0, 0};
        bool registered = false;
        bool lost = false;  // registered without its payload
        bool swept = false; // its row is gone
        bool told_done = false;
        bool told_refused = false;
        bool forgot = false;      // its participant's database was put back since it was registered
        bool settled = false;     // an operator has ended it, durably
        uint32_t settle_asks = 0; // so often that was asked for
        Line line{};
    };
    struct JudgedAct {
        bool begun = false;
        bool ended = false;
        bool buried = false;
        bool by_steps = false;
        uint8_t variant = 0;
        txn_outcome decided = TXN_UNDECIDED;
        txn_outcome lost = TXN_UNDECIDED; // a decision that a crash undid
        int64_t sequence = 0;
        uint64_t known_at = 0; // begun or buried, decided, ended: the moments
        uint64_t decided_at = 0;
        uint64_t ended_at = 0;
        uint32_t attempts[3] = {0, 0, 0}; // sent and not refused
        Past past;
        bool adopted = false; // begun in a lost life, and found by its rows
        JudgedBranch branches[ACT_BRANCHES_MAX];
    };
    struct Memory {
        branch_number epoch = {0, 0};
        branch_number mark = {0, 0};
    };
    struct Peer {
        bool held = false;       // durably
        uint64_t since = 0;      // the moment
        bool noted_held = false; // with the batch that is submitted
        bool silent = false;     // the coordinator says so
        bool must_hold = false;  // it went back, and the disk can prove it
        int64_t mark_lsn = 0;
        int64_t branch = 0;
        int64_t reach = 0;
    };
    struct Token {
        request_kind kind;
        uint32_t act;
        Attempt attempt;
        uint32_t branch;
        bool was_known;    // durable when it was asked
        uint64_t asked_at; // the moment
        std::shared_ptr<const OperatorAsk> ask;
    };

    JudgedAct &Of(uint32_t act);
    static Attempt BegunBy(const JudgedAct &act);
    void Check(const Fact &fact);
    void ApplyFact(const Fact &fact);
    void ApplyBegin(JudgedAct &act, const Fact &fact);
    void CheckConfirmed(const Fact &fact, const JudgedAct &act);
    void CheckEnd(uint32_t id, const JudgedAct &act);
    void CheckEffects(uint32_t id, const JudgedAct &act);
    void CheckBegin(const Fact &fact, const JudgedAct &act);
    void Register(JudgedAct &act, const Fact &fact);
    void ToldRefused(const effect_reply &reply, const Token &token);
    void ToldView(const effect_reply &reply, const Token &token);
    void ToldBranch(uint32_t id, const view_branch &branch);
    void ToldVerdict(const effect_reply &reply, const Token &token);
    void ToldOutcomeOf(uint32_t id, txn_state state);
    void ToldOperator(const effect_reply &reply, const Token &token);
    void ToldResolved(const effect_reply &reply, const Token &token);
    void ToldReleased(const effect_reply &reply, const Token &token);
    void ToldNothingToResolve(const Token &token);
    void ToldList(const effect_reply &reply, const Token &token);
    uint32_t ToldListed(const view &told, const Token &token, int64_t after);
    bool MustBeListed(const JudgedAct &act, uint32_t id, const Token &token) const;
    void CheckSettled(const Fact &fact, const JudgedAct &act);
    void CheckHeld(const Fact &fact, const JudgedAct &act);
    void NotePeer(const Fact &fact);
    void ApplyPeer(const Fact &fact);
    void TakeBack(JudgedAct &act, const JudgedAct &then);
    static bool CompletesLost(const Fact &fact, const JudgedAct &act);
    bool IsCompletedInBatch(const Fact &fact) const;
    bool IsAdoptedInBatch(uint32_t act, uint32_t branch) const;
    void CheckLostBranches(const Fact &fact, const JudgedAct &act);
    void CheckAgainstPast(const Fact &fact, const JudgedAct &act);
    void NoteNewLife(const Fact &fact, const JudgedAct &act);
    static bool MayBeSettled(const JudgedAct &act, const JudgedBranch &branch);
    static bool IsOver(const JudgedAct &act);
    void FinalOfLost(uint32_t id, const JudgedAct &act);
    void FinalOf(uint32_t id, const JudgedAct &act);

    Tally &tally_;
    std::vector<JudgedAct> acts_;
    std::unordered_map<int64_t, uint32_t> by_sequence_;
    // By participant: number -> act, not ended.
    std::vector<std::map<branch_number, uint32_t, BelowNumber>> live_;
    std::vector<Account> accounts_; // as the lines say
    std::vector<Memory> memories_;  // by participant
    std::vector<Peer> peers_;       // by participant, as the coordinator's disk says
    uint64_t moment_ = 1;
    std::vector<Fact> pending_;
    bool submitted_ = false;
    int64_t submitted_next_number_ = 0;
    int64_t next_number_ = 1; // durable
    uint32_t open_ = 0;       // begun and not ended
    bool forgets_ = false;
    struct Backup; // what the journal's backup holds
    std::shared_ptr<const Backup> backup_;
    uint64_t put_back_at_ = 0; // the moment
    std::unordered_map<uint64_t, Token> tokens_;
    std::string fault_;
};

// The facts of a batch.  False: something in it cannot be read.
bool ReadBatch(const journal_batch *batch, std::vector<Fact> *facts);

} // namespace simulation
