// marks.h -- rare situations, by name.
//
// A simulator that never gets somewhere proves nothing about that place.  Each situation that the
// guards of the product are made for has a mark; world and judge hit it when they see it from
// outside.  A campaign run with --require-marks fails and names those that were never reached.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace simulation
{

// Name, and what was seen.
#define SIMULATION_MARKS(MARK)                                                                     \
    MARK(CANCEL_BEFORE_TRY)               /* a cancel found no row: empty rollback */              \
    MARK(CANCEL_BEFORE_TRY_REPEATED)      /* and was asked again */                                \
    MARK(TRY_AFTER_CANCEL_REFUSED)        /* suspension: the late try was refused */               \
    MARK(TRY_FORGOTTEN)                   /* a try below the mark was refused */                   \
    MARK(FORGOTTEN_ANSWERED)              /* a confirm or cancel below the mark */                 \
    MARK(TRY_REPEATED)                    /* the stored result was answered */                     \
    MARK(CONFIRM_REPEATED)                /* DONE REPEATED */                                      \
    MARK(CANCEL_REPEATED)                 /* DONE REPEATED */                                      \
    MARK(CANCEL_OF_REFUSED_RAN)           /* refused, yet an earlier attempt had reserved */       \
    MARK(OLD_EPOCH_REFUSED)               /* a call of a dead coordinator came late */             \
    MARK(MARK_REFUSED_AS_OLDER)           /* a store ignored a stale mark */                       \
    MARK(MARK_OF_OLD_EPOCH_REFUSED)       /* a mark of a dead coordinator */                       \
    MARK(MARK_WITH_OPEN_LIST)             /* told a mark that passes open branches */              \
    MARK(ROWS_SWEPT)                      /* a mark deleted rows */                                \
    MARK(SWEEP_IN_SLICES)                 /* one sweep took several slices */                      \
    MARK(GROUP_SHARED)                    /* branches shared a local transaction */                \
    MARK(GROUP_DEFERRED)                  /* some were put off to the next group */                \
    MARK(GROUP_RUN_ALONE)                 /* a transaction fell, its branches ran alone */         \
    MARK(COMMIT_UNKNOWN_KEPT)             /* outcome lost, and it had happened */                  \
    MARK(COMMIT_UNKNOWN_LOST)             /* outcome lost, and it had not */                       \
    MARK(HANDLER_CHANGED_AND_REFUSED)     /* its changes had to be taken back */                   \
    MARK(PARTICIPANT_CRASH_COMMIT_KEPT)   /* died after its commit, before the answer */           \
    MARK(PARTICIPANT_CRASH_COMMIT_LOST)   /* died before its commit */                             \
    MARK(PARTICIPANT_UNREACHABLE)         /* a call found nobody */                                \
    MARK(FAILED_OVER)                     /* the branch left by another seat */                    \
    MARK(ONE_SEAT_GONE)                   /* a branch left by the one that was there */            \
    MARK(BOTH_SEATS_GONE)                 /* the participant could not be reached */               \
    MARK(ACTION_NOT_SERVED)               /* an older process does not know it */                  \
    MARK(PROBE_BROUGHT_BACK)              /* a circuit closed by a probe */                        \
    MARK(DESCRIBED_AGAIN)                 /* a database was compared with what was known */        \
    MARK(RESTORED_DATABASE_HELD)          /* one that was put back was noticed */                  \
    MARK(CRASH_BEFORE_BEGIN_DURABLE)      /* a BEGIN was lost */                                   \
    MARK(CRASH_BEFORE_DECIDE_DURABLE)     /* a DECIDE was lost */                                  \
    MARK(CRASH_BEFORE_END_DURABLE)        /* an END was lost */                                    \
    MARK(CRASH_KEPT_BATCH)                /* a batch on disk that nobody had heard of */           \
    MARK(CRASH_KEPT_DECISION)             /* and it held a decision */                             \
    MARK(SECOND_CRASH_KEPT_BATCH)         /* kept in two lives running */                          \
    MARK(CRASH_BETWEEN_DECISION_AND_SEND) /* decided, durable, nobody told */                      \
    MARK(CRASH_WITH_SOME_CONFIRMED)       /* some branches confirmed, others not */                \
    MARK(CRASH_WITH_SOME_CANCELLED)       /* some branches cancelled, others not */                \
    MARK(CRASH_INSIDE_LOAD)               /* while the journal was read */                         \
    MARK(CRASH_INSIDE_RECOVERY)           /* before the first write of a life */                   \
    MARK(REBOOT)                          /* another boot clock */                                 \
    MARK(RECOVERED_UNDECIDED)             /* an open, undecided transaction was adopted */         \
    MARK(RECOVERED_DECIDED)               /* an open, decided one */                               \
    MARK(PAYLOAD_FETCHED)                 /* a parked branch's, when its turn came */              \
    MARK(DECIDED_OTHERWISE_AFTER_LOSS)    /* lost decision, then the other one */                  \
    MARK(DEADLINE_WITH_ANSWER)            /* deadline and a try's answer in one turn */            \
    MARK(DEADLINE_CANCELLED)              /* a transaction ran out of time */                      \
    MARK(CONFIRM_AND_CANCEL_IN_ONE_TURN)  /* both were asked at once */                            \
    MARK(ANSWER_OF_AN_OLD_PHASE)          /* a try's answer after the decision */                  \
    MARK(DUPLICATE_ANSWER_DROPPED)        /* an answer to a call that is over */                   \
    MARK(DUPLICATE_CALL_SERVED)           /* one call, served twice */                             \
    MARK(CALL_OF_THE_DEAD_SERVED)         /* a call of an earlier life was carried out */          \
    MARK(INQUIRY_AFTER_CRASH)             /* asked after an outcome of an earlier life */          \
    MARK(EXECUTE_REPEATED_AFTER_END)      /* same content, ended: told again */                    \
    MARK(EXECUTE_JOINED)                  /* same content, still open */                           \
    MARK(OTHER_CONTENT_REFUSED)           /* ALREADY_EXISTS */                                     \
    MARK(CANCEL_OF_UNKNOWN)               /* a tombstone was written */                            \
    MARK(LATE_EXECUTE_CANCELLED)          /* and the late Execute joined it */                     \
    MARK(NOT_STARTED)                     /* every attempt was refused */                          \
    MARK(CONFIRM_TOO_EARLY)               /* FAILED_PRECONDITION naming the branch */              \
    MARK(CONFIRM_WHILE_STARTING)          /* UNAVAILABLE: asked again after a restart */           \
    MARK(BRANCH_AFTER_DECISION_REFUSED)   /* nothing can be added any more */                      \
    MARK(OPTIONAL_LEFT_OUT)               /* confirmed without an optional branch */               \
    MARK(INITIATOR_DIED_AFTER_BEGIN)      /* and its deadline cancelled it */                      \
    MARK(REFUSED_BUSY)                    /* a bound was reached */                                \
    MARK(REFUSED_UNREACHABLE)             /* named a participant whose circuit is open */          \
    MARK(FORGOTTEN_CALL)                  /* the initiator went away while it was waiting */       \
    MARK(GARBAGE_ANSWER)                  /* an answer with a verdict that nobody knows */         \
    MARK(CLOCK_JUMPED_WITH_OPEN)          /* with undecided transactions open */                   \
    MARK(FROZEN_PAST_A_DEADLINE)          /* it stood still while a deadline passed */             \
    MARK(OUTCOMES_EXPIRED)                /* the horizon rose */                                   \
    MARK(TOO_OLD_REFUSED)                 /* older than the horizon */                             \
    MARK(LIST_GOES_ON)                    /* a page of open ones, and more behind it */            \
    MARK(LISTED_WITH_ATTENTION)           /* one of them needs an operator */                      \
    MARK(LISTED_ALL)                      /* somebody walked through all pages */                  \
    MARK(LISTED_ALL_ACROSS_A_CRASH)       /* and the coordinator was another at their end */       \
    MARK(LISTED_OPEN_AND_ENDED)           /* it ended between two pages, and is on both */         \
    MARK(RESOLVED)                        /* Resolve did something */                              \
    MARK(RESOLVE_FOUND_NOTHING)           /* a branch that waits for nothing */                    \
    MARK(RESOLVE_WITHOUT_CONFLICT)        /* settled, and not in conflict: refused */              \
    MARK(RESOLVE_OF_ENDED)                /* refused */                                            \
    MARK(RESOLVE_OF_UNKNOWN)              /* refused */                                            \
    MARK(PUT_BACK_WITH_OPEN)              /* a database, while transactions were open there */     \
    MARK(PUT_BACK_HELD)                   /* and it was noticed */                                 \
    MARK(PUT_BACK_UNNOTICED)              /* it was not, and nothing could prove it */             \
    MARK(HELD_OVER_A_CRASH)               /* the next coordinator holds it, too */                 \
    MARK(HELD_UNDECIDED_CANCELLED)        /* what named it and was not decided */                  \
    MARK(HELD_NEW_REFUSED)                /* what would begin there */                             \
    MARK(HELD_RELEASED)                   /* by an operator */                                     \
    MARK(CONFLICT_LISTED)                 /* what it had forgotten */                              \
    MARK(CONFLICT_SETTLED)                /* by an operator */                                     \
    MARK(TAKEN_OVER_WITH_OPEN)            /* a second coordinator, while the first lives on */     \
    MARK(ZOMBIE_WOULD_WRITE)              /* the first one would decide, and cannot */             \
    MARK(ZOMBIE_SERVED)                   /* by one that had not heard of the second */            \
    MARK(ZOMBIE_REFUSED)                  /* by one that had */                                    \
    MARK(ZOMBIE_FENCED)                   /* and it ended by that */                               \
    MARK(JOURNAL_LOST_A_TRANSACTION)      /* begun after the backup that was put back */           \
    MARK(JOURNAL_LOST_A_DECISION)         /* taken after it */                                     \
    MARK(JOURNAL_LOST_AN_END)             /* decided and ended after it */                         \
    MARK(RECOVERING_REFUSED)              /* asked while it asks the participants */               \
    MARK(CRASH_WHILE_IT_ASKS)             /* and the next one asks again */                        \
    MARK(INSPECT_GOES_ON)                 /* a page of rows, and more behind it */                 \
    MARK(DESCRIBE_FAILED)                 /* its store could not be asked */                       \
    MARK(INSPECT_REPEATED)                /* a question that was not answered */                   \
    MARK(CONFIRMED_IN_A_NEW_LIFE)         /* as the lost one had decided */                        \
    MARK(CANCELLED_IN_A_NEW_LIFE)         /* as the lost one had decided */                        \
    MARK(DECIDED_OTHERWISE_IN_A_NEW_LIFE) /* no participant had heard of the lost decision */      \
    MARK(LOST_TRANSACTION_ADOPTED)        /* found by its rows */                                  \
    MARK(LOST_BRANCH_ADOPTED)             /* of one that the journal knows */                      \
    MARK(LOST_PAYLOAD_IS_BACK)            /* its initiator has repeated it */                      \
    MARK(LOST_PAYLOAD_LISTED)             /* nobody has, yet */                                    \
    MARK(LOST_PAYLOAD_SETTLED)            /* an operator does it by hand */                        \
    MARK(UNKNOWN_OUTCOME_REFUSED)         /* somebody would decide it */                           \
    MARK(UNKNOWN_OUTCOME_LISTED)          /* an operator looks it up */                            \
    MARK(UNKNOWN_WAS_CONFIRMED)           /* and says so */                                        \
    MARK(UNKNOWN_WAS_CANCELLED)           /* and says so */                                        \
    MARK(OLD_LIFE_REFUSED)                /* a call of the lost life came after the question */

enum class Mark : uint8_t {
#define SIMULATION_MARK_ITEM(name) name,
    SIMULATION_MARKS(SIMULATION_MARK_ITEM)
#undef SIMULATION_MARK_ITEM
        COUNT
};

constexpr size_t MARK_COUNT = static_cast<size_t>(Mark::COUNT);

const char *MarkName(Mark mark);

using MarkCounts = std::array<uint64_t, MARK_COUNT>;

} // namespace simulation
