/* tcc.pml -- one transaction, two participants, one journal, one or two coordinators.
 *
 * Reading Promela: `do :: a -> x :: b -> y od` repeats; each time ANY option whose first statement
 * can run may be chosen, and SPIN tries all choices.  A bare expression waits until it is true.
 * atomic { } runs as one step.  So "a crash may happen here" is simply an option that is always open.
 *
 * The network is a set: a request or answer, once sent, may arrive never, late, twice or after
 * younger ones.  So a message is a bit that stays set, and loss is just not reading it.
 *
 * The journal is what survives a crash; `txn` is the coordinator's memory.  Every effect (request,
 * answer to the initiator) leaves only while memory and journal agree (what never breaks, 2: ARCHITECTURE.md).
 * A participant's step is one local database transaction: row and business change together.
 *
 * Every start of a coordinator, the first or after a crash, takes the next epoch; requests and
 * answers belong to the epoch that asked, so what the network holds is one bit for each epoch.
 *
 * Switches -D: CRASHES, DUPS (times a participant takes one request of the newest epoch), C=2 (a
 * second coordinator starts at any moment while the first still runs), GIVE_UP (the initiator may
 * stop asking), TOMBSTONE (Cancel of an unknown gid), CONFIRM_ONLY, OPTIONAL (branch 1), FOREIGN (branch 1 may meet another transaction's row),
 * UNSERVED (participant 1 may not serve the action), TRACE (print every move), MUTANT=<number>.
 */
#ifndef CRASHES
#define CRASHES 1
#endif
#ifndef DUPS
#define DUPS 2
#endif
#ifndef C
#define C 1
#endif
#ifndef MUTANT
#define MUTANT 0
#endif
#define BEGINS 2
#define N 2

/* The numbers are the product's: txn_state.h, branch_state.h, fence.h. */
#define T_NONE       0
#define T_TRYING     1
#define T_CONFIRMING 2
#define T_CANCELLING 3
#define T_CONFIRMED  4
#define T_CANCELLED  5
#define B_NONE       0
#define B_WAITING    1
#define B_TRYING     2
#define B_TRIED      3
#define B_REFUSED    4
#define B_CONFIRMING 5
#define B_CONFIRMED  6
#define B_CANCELLING 7
#define B_CANCELLED  8
#define B_SKIPPED    9
#define R_NONE       0
#define R_TRIED      1
#define R_CONFIRMED  2
#define R_CANCELLED  3
#define R_SUSPENDED  4

/* Every change of state goes through one of these three, so that -DTRACE (with pan's -DPRINTF)
 * prints all of them.  A restart is not a move: memory is loaded, a new life begins. */
#define TEXT_(...) #__VA_ARGS__
#define TEXT(...) TEXT_(__VA_ARGS__)
#ifdef TRACE
#define NOTE(kind, event, from, to) printf(TEXT(move kind event %d %d\n), from, to);
#else
#define NOTE(kind, event, from, to)
#endif
#define TXN(event, to)       NOTE(txn, event, txn, to) txn = to; dirty = true
#define BRANCH(i, event, to) NOTE(branch, event, branch[i], to) branch[i] = to
#define ROW(p, event, to)    NOTE(row, event, row[p], to) row[p] = to

#ifdef CONFIRM_ONLY
#define HAS_TRY(i) (i == 0)
#else
#define HAS_TRY(i) (true)
#endif
#ifdef OPTIONAL
#define IS_OPTIONAL(i) (i == 1)
#else
#define IS_OPTIONAL(i) (false)
#endif

/* ---- what survives, and the network ---- */
byte journal = T_NONE;
byte left_out = 0;                 /* bit i: the DECIDE record says optional branch i is cancelled */
byte undo_not = 0;                 /* bit i: ... that branch i needs no cancel */
byte told = T_NONE;                /* what the initiator has been told */
byte decided = T_NONE;             /* monitor: the first durable decision */
byte crashes = 0, begins = 0;
byte starts = 0;                   /* epochs given out; the newest holds the journal's lock */
byte living = 0;                   /* bit e: the coordinator of epoch e runs */
bool given_up = false;
/* Bit e: sent by the coordinator of epoch e; answered to it. */
byte try_sent[N], confirm_sent[N], cancel_sent[N];
byte said_tried[N], said_refused[N], said_foreign[N], said_unserved[N], said_done[N], said_undone[N];
byte said_stale = 0;               /* "a higher epoch was here" */
#define SEND(set, i)  set[i] = set[i] | (1 << epoch)
#define SENT(set, i)  ((set[i] & (1 << epoch)) != 0)
#define HEARD(set, i) ((set[i] & (1 << epoch)) != 0)
#define SAY(set, p)   set[p] = set[p] | ((1 << e) & living)
/* The process of this epoch is gone, and nobody reads what was answered to it. */
#define CLOSE(set)    set[0] = set[0] & living; set[1] = set[1] & living
#define DIE living = living & (15 - (1 << epoch)); said_stale = said_stale & living; \
  CLOSE(said_tried); CLOSE(said_refused); CLOSE(said_foreign); \
  CLOSE(said_unserved); CLOSE(said_done); CLOSE(said_undone); \
  txn = T_NONE; dirty = false; skipping = 0; adopted = false; branch[0] = B_NONE; branch[1] = B_NONE; \
  unserved[0] = false; unserved[1] = false

/* ---- participants ---- */
byte row[N], epoch_seen[N], reserved[N], applied[N];
byte tries[N], confirms[N], cancels[N];
bool foreign[N];

#define READY(i) (branch[i] == B_TRIED || (branch[i] == B_WAITING && !HAS_TRY(i)) || \
                  (branch[i] == B_REFUSED && IS_OPTIONAL(i)))
#define ENDED(i) (branch[i] == B_CONFIRMED || branch[i] == B_CANCELLED || branch[i] == B_SKIPPED)
#define HANDED(i) (adopted || SENT(try_sent, i))

#if MUTANT == 1   /* effects leave before their record is durable */
#define DURABLE (true)
#elif MUTANT == 2 /* tries leave before BEGIN is durable */
#define DURABLE (!dirty || txn == T_TRYING)
#else
#define DURABLE (!dirty)
#endif
#if MUTANT == 3   /* confirm with one branch tried */
#define ALL_READY (READY(0))
#else
#define ALL_READY (READY(0) && READY(1))
#endif
#if MUTANT == 4   /* end with one answer */
#define ALL_ENDED (ENDED(0))
#else
#define ALL_ENDED (ENDED(0) && ENDED(1))
#endif

/* What memory holds after reading the journal: nothing is known but the record.  While it is
 * undecided every branch waits for its stage again, and its try may have left. */
inline load_branch(i) {
  if
  :: journal == T_TRYING -> branch[i] = B_WAITING
  :: journal == T_CONFIRMING && (left_out & (1 << i)) == 0 -> branch[i] = B_CONFIRMING
  :: journal == T_CONFIRMING && (left_out & (1 << i)) != 0 -> branch[i] = B_CANCELLING
  :: journal == T_CANCELLING && (undo_not & (1 << i)) == 0 -> branch[i] = B_CANCELLING
  :: journal == T_CANCELLING && (undo_not & (1 << i)) != 0 -> branch[i] = B_SKIPPED
  :: else -> branch[i] = B_NONE
  fi }

inline confirm_branch(i) {
  if
  :: branch[i] == B_REFUSED && unserved[i] -> BRANCH(i, decide_left_out_unserved, B_CANCELLED); skipping = skipping | (1 << i)
  :: branch[i] == B_REFUSED && !unserved[i] -> BRANCH(i, decide_left_out, B_CANCELLING); skipping = skipping | (1 << i)
  :: branch[i] == B_TRIED || branch[i] == B_WAITING -> BRANCH(i, decide_confirm, B_CONFIRMING)
  :: else -> skip
  fi }

/* Who is cancelled: every branch whose try may have left, whatever it answered. */
inline cancel_branch(i) {
  if
  :: branch[i] == B_WAITING && HANDED(i) && HAS_TRY(i) -> BRANCH(i, decide_cancel, B_CANCELLING)
  :: branch[i] == B_WAITING && !(HANDED(i) && HAS_TRY(i)) -> BRANCH(i, decide_cancel, B_SKIPPED); skipping = skipping | (1 << i)
#if MUTANT == 5 /* a refused branch is not cancelled */
  :: branch[i] == B_REFUSED -> BRANCH(i, decide_cancel, B_CANCELLED); skipping = skipping | (1 << i)
#elif MUTANT == 6 /* a branch that has not answered is not cancelled */
  :: branch[i] == B_TRYING -> BRANCH(i, decide_cancel, B_CANCELLED); skipping = skipping | (1 << i)
  :: branch[i] == B_REFUSED -> BRANCH(i, decide_cancel, B_CANCELLING)
#else
  :: (branch[i] == B_TRYING || branch[i] == B_REFUSED) && HANDED(i) && !unserved[i] -> BRANCH(i, decide_cancel, B_CANCELLING)
  :: (branch[i] == B_TRYING || branch[i] == B_REFUSED) && !(HANDED(i) && !unserved[i]) -> BRANCH(i, decide_cancel_no_call, B_CANCELLED); skipping = skipping | (1 << i)
#endif
  :: branch[i] == B_TRIED -> BRANCH(i, decide_cancel, B_CANCELLING)
  :: else -> skip
  fi }

/* What one branch does when its transaction goes on; a try goes out stage by stage. */
#define DRIVE(i) \
  :: atomic { txn == T_TRYING && DURABLE && branch[i] == B_WAITING && HAS_TRY(i) -> BRANCH(i, stage_start, B_TRYING) } \
  :: atomic { txn == T_TRYING && DURABLE && branch[i] == B_TRYING && !SENT(try_sent, i) -> SEND(try_sent, i) } \
  :: atomic { txn == T_TRYING && branch[i] == B_TRYING && HEARD(said_tried, i) -> BRANCH(i, answer_done, B_TRIED) } \
  :: atomic { txn == T_TRYING && branch[i] == B_TRYING && HEARD(said_refused, i) -> BRANCH(i, answer_refused, B_REFUSED) } \
  :: atomic { txn == T_TRYING && branch[i] == B_TRYING && HEARD(said_unserved, i) && !adopted -> unserved[i] = true; BRANCH(i, answer_unserved, B_REFUSED) } \
  :: atomic { txn == T_TRYING && branch[i] == B_TRYING && HEARD(said_foreign, i) -> TXN(decide_cancel, T_CANCELLING); \
       BRANCH(i, foreign_row, B_SKIPPED); skipping = skipping | (1 << i); cancel_branch(0); cancel_branch(1) } \
  :: atomic { (txn == T_CONFIRMING) && DURABLE && branch[i] == B_CONFIRMING && !SENT(confirm_sent, i) -> SEND(confirm_sent, i) } \
  :: atomic { (txn == T_CANCELLING || txn == T_CONFIRMING) && DURABLE && branch[i] == B_CANCELLING && !SENT(cancel_sent, i) -> SEND(cancel_sent, i) } \
  :: atomic { branch[i] == B_CONFIRMING && HEARD(said_done, i) -> BRANCH(i, answer_done, B_CONFIRMED) } \
  :: atomic { branch[i] == B_CANCELLING && HEARD(said_undone, i) -> BRANCH(i, answer_done, B_CANCELLED) }

proctype Coordinator()
{
  byte txn = T_NONE, skipping = 0, epoch = 0;
  bool dirty = false;              /* memory is ahead of the journal */
  byte branch[N];
  bool adopted = false, unserved[N];
start:
  atomic {
    epoch = starts; starts++; living = living | (1 << epoch);        /* C=2: from now on the old one's writes fail */
    if :: journal != T_NONE -> adopted = true :: else -> skip fi;
    txn = journal; dirty = false; skipping = 0;
    load_branch(0); load_branch(1)
  }
  do
  /* Begin or Execute arrives (again); a known gid joins. */
  :: atomic { txn == T_NONE && begins < BEGINS && !given_up -> begins++;
       TXN(begin, T_TRYING); BRANCH(0, registered, B_WAITING); BRANCH(1, registered, B_WAITING) }
#ifdef TOMBSTONE
  :: atomic { txn == T_NONE -> TXN(cancel_unknown, T_CANCELLED) }
#endif
  DRIVE(0)
  DRIVE(1)
  :: atomic { txn == T_TRYING && ALL_READY ->
       TXN(decide_confirm, T_CONFIRMING); confirm_branch(0); confirm_branch(1) }
  /* Deadline, refusal or Cancel: at any moment. */
  :: atomic { txn == T_TRYING -> TXN(decide_cancel, T_CANCELLING); cancel_branch(0); cancel_branch(1) }
  :: atomic { txn == T_CONFIRMING && DURABLE && ALL_ENDED -> TXN(ended, T_CONFIRMED) }
  :: atomic { txn == T_CANCELLING && DURABLE && ALL_ENDED -> TXN(ended, T_CANCELLED) }
  /* fsync.  The journal takes a record only from the one that holds its lock. */
  :: atomic { dirty ->
       if
#if MUTANT == 7 /* a second coordinator's journal writes are not stopped */
       :: true ->
#else
       :: epoch + 1 == starts ->
#endif
          journal = txn; dirty = false;
          if
          :: txn == T_CONFIRMING -> left_out = skipping
          :: txn == T_CANCELLING -> undo_not = skipping
          :: else -> skip
          fi;
          skipping = 0;
          if
          :: decided == T_NONE && (txn == T_CONFIRMING || txn == T_CANCELLING) -> decided = txn
          :: decided == T_NONE && txn == T_CANCELLED -> decided = T_CANCELLING
          :: decided == T_CONFIRMING -> assert(txn == T_CONFIRMING || txn == T_CONFIRMED) /* I2 */
          :: decided == T_CANCELLING -> assert(txn == T_CANCELLING || txn == T_CANCELLED) /* I2 */
          :: else -> skip
          fi
#if MUTANT != 7
       :: else -> goto stopped                       /* failed write: exits without answering */
#endif
       fi }
  :: atomic { (txn == T_CONFIRMED || txn == T_CANCELLED) && DURABLE -> told = txn; goto stopped } /* the initiator is told */
#if MUTANT == 8 /* "confirmed" is said at the decision in memory */
  :: atomic { txn == T_CONFIRMING && told == T_NONE -> told = T_CONFIRMED }
#endif
  /* Mutant 9: an outlived coordinator goes on. */
  :: atomic { MUTANT != 9 && (said_stale & (1 << epoch)) != 0 -> goto stopped } /* outlived: exits */
  :: atomic { crashes < CRASHES && txn != T_NONE && epoch + 1 == starts ->
       crashes++; DIE;
#if MUTANT == 10 /* the newest record was acknowledged but not durable */
       if :: journal == T_CONFIRMING -> journal = T_TRYING :: else -> skip fi;
#elif MUTANT == 11 /* undecided after a restart: presumed confirmed */
       if :: journal == T_TRYING -> journal = T_CONFIRMING; decided = T_CONFIRMING :: else -> skip fi;
#elif MUTANT == 12 /* BEGIN was acknowledged but not durable, and the initiator gives up */
       if :: journal == T_TRYING -> journal = T_NONE; given_up = true :: else -> skip fi;
#elif MUTANT == 13 /* no recovery */
       goto stopped;
#endif
       goto start }
#ifdef GIVE_UP
  :: atomic { txn == T_NONE && !given_up -> given_up = true }
#endif
  :: atomic { txn == T_NONE && (given_up || begins >= BEGINS || epoch + 1 != starts) -> goto stopped } /* idle, and nobody will come */
  od;
stopped: atomic { DIE; epoch = 0 }
}

/* One request of epoch e is fresh when no higher epoch was seen.  A stale one has no effect. */
#if MUTANT == 14 /* participants do not look at epochs */
#define STALE(p, e) (false)
#else
#define STALE(p, e) (e < epoch_seen[p])
#endif

/* Tries, confirms and cancels of epoch e arrive at participant p: the truth table of fence_decide.c.
 * DUPS is counted anew for each epoch, and only while it is the newest: later its requests are stale. */
#define ARRIVES(set, count, take, p, e) \
  :: atomic { (set[p] & (1 << e)) != 0 && !STALE(p, e) && (count[p] < DUPS || e > epoch_seen[p]) -> \
       if :: e > epoch_seen[p] -> epoch_seen[p] = e; tries[p] = 0; confirms[p] = 0; cancels[p] = 0 \
          :: else -> skip fi; \
       count[p]++; take(p, e) }
#define SERVE(p, e) \
  ARRIVES(try_sent, tries, take_try, p, e) \
  ARRIVES(confirm_sent, confirms, take_confirm, p, e) \
  ARRIVES(cancel_sent, cancels, take_cancel, p, e) \
  :: atomic { ((try_sent[p] | confirm_sent[p] | cancel_sent[p]) & (1 << e)) != 0 && STALE(p, e) && \
              (said_stale & (1 << e)) == 0 && (living & (1 << e)) != 0 -> said_stale = said_stale | (1 << e) }

inline take_try(p, e) {
  if
  :: foreign[p] -> SAY(said_foreign, p)
  :: !foreign[p] && row[p] == R_NONE ->
       if
#if MUTANT == 15 /* row and business change are two commits */
       :: reserved[p]++; SAY(said_tried, p)
#endif
       :: ROW(p, try, R_TRIED); reserved[p]++; SAY(said_tried, p)
       :: SAY(said_refused, p)
#ifdef UNSERVED
       :: p == 1 && tries[p] == 1 -> SAY(said_unserved, p); tries[p] = DUPS
#endif
#ifdef FOREIGN
       :: p == 1 -> foreign[p] = true; SAY(said_foreign, p)
#endif
       fi
#if MUTANT == 16 /* a repeated try runs again */
  :: row[p] == R_TRIED -> reserved[p]++; SAY(said_tried, p)
  :: row[p] == R_CONFIRMED -> SAY(said_tried, p)
#else
  :: row[p] == R_TRIED || row[p] == R_CONFIRMED -> SAY(said_tried, p)
#endif
#if MUTANT == 17 /* a try after its cancel runs */
  :: row[p] == R_CANCELLED || row[p] == R_SUSPENDED -> reserved[p]++; SAY(said_tried, p)
#else
  :: row[p] == R_CANCELLED || row[p] == R_SUSPENDED -> SAY(said_refused, p)
#endif
  fi }

inline take_confirm(p, e) {
  if
  :: row[p] == R_TRIED -> ROW(p, confirm, R_CONFIRMED); reserved[p]--; applied[p]++; SAY(said_done, p)
#if MUTANT == 18 /* a repeated confirm runs again */
  :: row[p] == R_CONFIRMED -> applied[p]++; SAY(said_done, p)
#else
  :: row[p] == R_CONFIRMED -> SAY(said_done, p)
#endif
#ifdef CONFIRM_ONLY
  :: row[p] == R_NONE && p == 1 -> ROW(p, confirm_only, R_CONFIRMED); applied[p]++; SAY(said_done, p)
  :: row[p] == R_NONE && p == 0 -> assert(false)
#else
  :: row[p] == R_NONE -> assert(false)                       /* CONFLICT(NOT_TRIED) without a restore */
#endif
  :: row[p] == R_CANCELLED || row[p] == R_SUSPENDED -> assert(false) /* CONFLICT(CANCELLED) */
  fi }

inline take_cancel(p, e) {
  if
#if MUTANT == 19 /* an empty rollback leaves no row */
  :: row[p] == R_NONE -> SAY(said_undone, p)
#else
  :: row[p] == R_NONE -> ROW(p, empty_rollback, R_SUSPENDED); SAY(said_undone, p)
#endif
#if MUTANT == 20 /* cancel answers without undoing */
  :: row[p] == R_TRIED -> ROW(p, cancel, R_CANCELLED); SAY(said_undone, p)
#else
  :: row[p] == R_TRIED -> ROW(p, cancel, R_CANCELLED); reserved[p]--; SAY(said_undone, p)
#endif
  :: row[p] == R_CANCELLED || row[p] == R_SUSPENDED -> SAY(said_undone, p)
  :: row[p] == R_CONFIRMED -> assert(false)                  /* CONFLICT(CONFIRMED) */
  fi }

proctype Participant(byte id)
{
end: do
  SERVE(id, 0)
#if C + CRASHES > 1
  SERVE(id, 1)
  SERVE(id, 2)
  SERVE(id, 3)
#endif
  od
}

/* Safety, looked at in every state. */
#define ANY_CONFIRMED (row[0] == R_CONFIRMED || row[1] == R_CONFIRMED)
#ifdef OPTIONAL
#define SPLIT (row[0] == R_CANCELLED && row[1] == R_CONFIRMED)
#else
#define SPLIT (ANY_CONFIRMED && (row[0] == R_CANCELLED || row[1] == R_CANCELLED || \
                                 row[0] == R_SUSPENDED || row[1] == R_SUSPENDED))
#endif
proctype Monitor()
{
  atomic {
    SPLIT ||                                                              /* I1 */
    reserved[0] > 1 || reserved[1] > 1 || applied[0] > 1 || applied[1] > 1 || /* I3, I4 */
    (told == T_CONFIRMED && applied[0] != 1) ||                           /* I6 */
    (told == T_CANCELLED && (applied[0] > 0 || applied[1] > 0)) -> assert(false)
  }
}

/* Liveness: when nothing can move any more, the transaction has ended (or was never begun, which
 * only an initiator that stopped asking may bring about) and nothing is reserved: I5, I8. */
proctype Final()
{
  atomic { timeout ->
    assert(living == 0);                                 /* outlived ones have stopped */
    assert(reserved[0] == 0 && reserved[1] == 0);
    assert(journal == T_CONFIRMED || journal == T_CANCELLED || (journal == T_NONE && (given_up || begins >= BEGINS)));
    assert((journal == T_CONFIRMED) == (applied[0] == 1));
#ifndef OPTIONAL
    assert((journal == T_CONFIRMED) == (applied[1] == 1));
#endif
    assert(told == T_NONE || told == journal) }
}

init { atomic { run Coordinator(); if :: C == 2 -> run Coordinator() :: else fi;
  run Participant(0); run Participant(1); run Monitor(); run Final() } }
