/* marks.pml -- when may a participant forget a fence row?  One transaction, two participants, one
 * coordinator, among endless other traffic.  tcc.pml explains how to read this.
 *
 * A mark says: every branch with a number below `low` has ended, but for those in its open list,
 * which are decided and not ended.  With other traffic `low` rises as far as the rules let it, and
 * new marks come for ever; so of all marks only those count that pass this transaction's number:
 * with it in the open list (listing), or not (passing).  The rules, each a mutant below:
 *
 *   coordinator   passes only what has ended durably (1), lists only what is decided durably; never
 *                 passes what is not decided (2), nor what it lists (3), nor numbers that a crash
 *                 makes free again (4)
 *   participant   of two marks keeps the younger (5); looks at row and mark in one step (6); with
 *                 no row and passed, refuses a try (7) and contradicts a confirm (8, 9) or a cancel
 *                 (10); never drops a row that is TRIED (11); compares incarnations before numbers
 *                 (12); keeps rows and business data in one database, so that a restore takes back
 *                 both (13)
 *
 * Nothing can go wrong silently: a contradiction is an alarm for an operator, and there must be none
 * unless a journal or a database was restored.  Epochs, refusals and optional branches are
 * tcc.pml's; here every old request may arrive for ever, which is more than can happen.
 *
 * Switches -D: CRASHES, DUPS (times a request is taken in one life of the coordinator), CONFIRM_ONLY
 * (branch 1 has no try), LOST_BEGIN (another one's number is lost in a crash, and becomes this
 * one's), ANEW (an earlier incarnation gave this number to another one, which has ended),
 * P_RESTORE (participant 0's database goes back to a copy of itself, once), J_RESTORE (the journal
 * goes back, after the end, to when the transaction was undecided), MUTANT=<number>.
 */
#ifndef CRASHES
#define CRASHES 1
#endif
#ifndef DUPS
#define DUPS 2
#endif
#ifndef MUTANT
#define MUTANT 0
#endif

#define T_NONE       0
#define T_TRYING     1
#define T_CONFIRMING 2
#define T_CANCELLING 3
#define T_CONFIRMED  4
#define T_CANCELLED  5
#define R_NONE       0
#define R_TRIED      1
#define R_CONFIRMED  2
#define R_CANCELLED  3
#define M_ABOVE      0               /* of this branch's number and the participant's mark */
#define M_OPEN       1
#define M_BELOW      2

#ifdef CONFIRM_ONLY
#define HAS_TRY(i) (i == 0)
#else
#define HAS_TRY(i) (true)
#endif

/* ---- what survives, and the network ---- */
byte journal = T_NONE, told = T_NONE, crashes = 0;
bool try_sent[2], confirm_sent[2], cancel_sent[2], listing_sent[2], passing_sent[2];
bool said_tried[2], said_done[2], said_undone[2];
bool restored = false, journal_restored = false;
bool conflict = false;               /* somebody contradicts: an operator is called */

/* ---- the coordinator's memory ---- */
byte txn = T_NONE;
bool tried[2], ended[2];
bool taken = false;                  /* the number is another one's, whose BEGIN is not durable */

/* ---- participants: one database each ---- */
byte row[2], reserved[2], applied[2], mark[2];
byte tries[2], confirms[2], cancels[2];
bool reads[2], saw_below[2], has_copy = false;
byte copy_row, copy_reserved, copy_applied, copy_mark;

inline new_life() {
  tries[0] = 0; tries[1] = 0; confirms[0] = 0; confirms[1] = 0; cancels[0] = 0; cancels[1] = 0;
  said_tried[0] = false; said_tried[1] = false; said_done[0] = false; said_done[1] = false;
  said_undone[0] = false; said_undone[1] = false;
  tried[0] = false; tried[1] = false; ended[0] = false; ended[1] = false; taken = false }

#define DURABLE       (txn == journal)
#define DECIDED       (txn == T_CONFIRMING || txn == T_CANCELLING)
#define OVER          (txn == T_CONFIRMED || txn == T_CANCELLED)
#if MUTANT == 1       /* an END that is not durable counts */
#define MAY_PASS(i)   (OVER)
#elif MUTANT == 2     /* an undecided branch whose try has not left is passed */
#define MAY_PASS(i)   ((OVER && DURABLE) || (txn == T_TRYING && !try_sent[i]))
#elif MUTANT == 3 || MUTANT == 8 /* a branch that is decided and not ended is passed */
#define MAY_PASS(i)   ((OVER || DECIDED) && DURABLE)
#elif MUTANT == 4     /* `low` is the next number in memory, not that on the disk */
#define MAY_PASS(i)   ((OVER && DURABLE) || taken)
#else
#define MAY_PASS(i)   (OVER && DURABLE)
#endif

#define DRIVE(i) \
  :: atomic { txn == T_TRYING && DURABLE && HAS_TRY(i) && !try_sent[i] -> try_sent[i] = true } \
  :: atomic { txn == T_TRYING && said_tried[i] && !tried[i] -> tried[i] = true } \
  :: atomic { txn == T_CONFIRMING && DURABLE && !confirm_sent[i] -> confirm_sent[i] = true } \
  :: atomic { txn == T_CANCELLING && DURABLE && HAS_TRY(i) && !cancel_sent[i] -> cancel_sent[i] = true } \
  :: atomic { txn == T_CONFIRMING && said_done[i] && !ended[i] -> ended[i] = true } \
  :: atomic { txn == T_CANCELLING && (said_undone[i] || !HAS_TRY(i)) && !ended[i] -> ended[i] = true } \
  :: atomic { DECIDED && DURABLE && !listing_sent[i] -> listing_sent[i] = true } \
  :: atomic { MAY_PASS(i) && !passing_sent[i] -> passing_sent[i] = true }

proctype Coordinator()
{
  do
  :: conflict -> break
  :: atomic { txn == T_NONE && !taken -> txn = T_TRYING }
  DRIVE(0)
  DRIVE(1)
  :: atomic { txn == T_TRYING && DURABLE && tried[0] && (tried[1] || !HAS_TRY(1)) -> txn = T_CONFIRMING }
  :: atomic { txn == T_TRYING && DURABLE -> txn = T_CANCELLING }
  :: atomic { DECIDED && DURABLE && ended[0] && ended[1] -> txn = txn + 2 }
  :: atomic { !DURABLE -> journal = txn }
  :: atomic { OVER && DURABLE && told != txn -> assert(told == T_NONE); told = txn }
  :: atomic { crashes < CRASHES && (txn != T_NONE || taken) -> crashes++; txn = journal; new_life() }
#ifdef LOST_BEGIN
  :: atomic { txn == T_NONE && !taken && crashes < CRASHES -> taken = true }
#endif
#ifdef J_RESTORE
  :: atomic { OVER && DURABLE && !journal_restored -> journal_restored = true; restored = true;
       journal = T_TRYING; txn = T_TRYING; new_life();
       confirm_sent[0] = false; confirm_sent[1] = false; cancel_sent[0] = false; cancel_sent[1] = false }
#endif
  :: OVER && DURABLE && told == txn && passing_sent[0] && passing_sent[1] -> break
  od
}

/* The answer CONFLICT.  Nobody reads it for what has ended. */
#define CONTRADICT(phase) \
  if :: txn == phase -> assert(restored); conflict = true :: else -> skip fi
#if MUTANT == 7
#define REFUSES(p) (false)
#else
#define REFUSES(p) (row[p] == R_NONE && mark[p] == M_BELOW)
#endif

/* The truth table of fence_decide.c. */
inline take_try(p) {
  if
  :: REFUSES(p) -> skip
  :: !REFUSES(p) && row[p] == R_NONE -> row[p] = R_TRIED; reserved[p]++; said_tried[p] = true
  :: !REFUSES(p) && row[p] == R_NONE -> skip                              /* the business says no */
  :: row[p] == R_TRIED || row[p] == R_CONFIRMED -> said_tried[p] = true
  :: row[p] == R_CANCELLED -> skip
  fi }

inline take_confirm(p) {
  if
  :: row[p] == R_TRIED -> row[p] = R_CONFIRMED; reserved[p]--; applied[p]++; said_done[p] = true
  :: row[p] == R_CONFIRMED -> said_done[p] = true
  :: row[p] == R_CANCELLED -> CONTRADICT(T_CONFIRMING)
#if MUTANT == 8       /* what is passed has been done: alone harmless, but (3) is then silent */
  :: row[p] == R_NONE && mark[p] == M_BELOW -> said_done[p] = true
#elif MUTANT == 9     /* a confirm-only branch does not look at the mark */
  :: row[p] == R_NONE && mark[p] == M_BELOW && HAS_TRY(p) -> CONTRADICT(T_CONFIRMING)
  :: row[p] == R_NONE && mark[p] == M_BELOW && !HAS_TRY(p) -> row[p] = R_CONFIRMED; applied[p]++; said_done[p] = true
#else
  :: row[p] == R_NONE && mark[p] == M_BELOW -> CONTRADICT(T_CONFIRMING)   /* FORGOTTEN */
#endif
  :: row[p] == R_NONE && mark[p] != M_BELOW && HAS_TRY(p) -> CONTRADICT(T_CONFIRMING) /* NOT_TRIED */
  :: row[p] == R_NONE && mark[p] != M_BELOW && !HAS_TRY(p) -> row[p] = R_CONFIRMED; applied[p]++; said_done[p] = true
  fi }

inline take_cancel(p) {
  if
  :: row[p] == R_TRIED -> row[p] = R_CANCELLED; reserved[p]--; said_undone[p] = true
  :: row[p] == R_CANCELLED -> said_undone[p] = true
  :: row[p] == R_CONFIRMED -> CONTRADICT(T_CANCELLING)
#if MUTANT == 10      /* what is passed has been undone */
  :: row[p] == R_NONE && mark[p] == M_BELOW -> said_undone[p] = true
#else
  :: row[p] == R_NONE && mark[p] == M_BELOW -> CONTRADICT(T_CANCELLING)   /* FORGOTTEN */
#endif
  :: row[p] == R_NONE && mark[p] != M_BELOW -> row[p] = R_CANCELLED; said_undone[p] = true /* SUSPENDED */
  fi }

proctype Participant(byte p)
{
end: do
#if MUTANT == 6       /* the mark is read before the row is locked */
  :: atomic { try_sent[p] && !reads[p] && tries[p] < DUPS -> tries[p]++; reads[p] = true; saw_below[p] = mark[p] == M_BELOW }
  :: atomic { reads[p] -> reads[p] = false;
       if :: row[p] == R_NONE && !saw_below[p] -> row[p] = R_TRIED; reserved[p]++; said_tried[p] = true
          :: row[p] == R_TRIED || row[p] == R_CONFIRMED -> said_tried[p] = true
          :: else -> skip fi }
#else
  :: atomic { try_sent[p] && tries[p] < DUPS -> tries[p]++; take_try(p) }
#endif
  :: atomic { confirm_sent[p] && confirms[p] < DUPS -> confirms[p]++; take_confirm(p) }
  :: atomic { cancel_sent[p] && cancels[p] < DUPS -> cancels[p]++; take_cancel(p) }
  /* Marks: doubled and late like all else, and ever new ones say the same. */
#if MUTANT == 5       /* an older mark is taken for a newer one */
  :: atomic { listing_sent[p] && mark[p] != M_OPEN -> mark[p] = M_OPEN }
#else
  :: atomic { listing_sent[p] && mark[p] == M_ABOVE -> mark[p] = M_OPEN }
#endif
  :: atomic { passing_sent[p] && mark[p] != M_BELOW -> mark[p] = M_BELOW }
#if defined(ANEW) && MUTANT == 12
  :: atomic { mark[p] == M_ABOVE -> mark[p] = M_BELOW }  /* a mark of the earlier incarnation */
#endif
  /* The sweep comes later, in slices. */
  :: atomic { mark[p] == M_BELOW && (row[p] == R_CONFIRMED || row[p] == R_CANCELLED) -> row[p] = R_NONE }
#if MUTANT == 11      /* the sweep drops what is reserved */
  :: atomic { mark[p] == M_BELOW && row[p] == R_TRIED -> row[p] = R_NONE }
#else
  :: atomic { mark[p] == M_BELOW && row[p] == R_TRIED && !conflict -> assert(restored); conflict = true }
#endif
#ifdef P_RESTORE
  :: atomic { p == 0 && !has_copy -> has_copy = true;
       copy_row = row[0]; copy_reserved = reserved[0]; copy_applied = applied[0]; copy_mark = mark[0] }
  :: atomic { p == 0 && has_copy && !restored -> restored = true;
#if MUTANT != 13      /* the rows alone go back: all else stands elsewhere */
       reserved[0] = copy_reserved; applied[0] = copy_applied; mark[0] = copy_mark;
#endif
       row[0] = copy_row; reads[0] = false }
#endif
  od
}

/* When nothing can move any more.  A restored database has lost what it had done since its copy;
 * that is seen in what it reports of itself, not by marks: so `told` is not compared with it. */
#ifdef P_RESTORE
#define HONEST(i) (i == 0 || (told == T_CONFIRMED) == (applied[i] == 1))
#else
#define HONEST(i) ((told == T_CONFIRMED) == (applied[i] == 1))
#endif
proctype Final()
{
  atomic { timeout ->
    assert(applied[0] <= 1 && applied[1] <= 1);
    if
    :: conflict -> assert(restored)
    :: else -> assert(told == T_CONFIRMED || told == T_CANCELLED);
         assert(reserved[0] == 0 && reserved[1] == 0);
         assert(HONEST(0) && HONEST(1))
    fi }
}

init { atomic { run Coordinator(); run Participant(0); run Participant(1); run Final() } }
