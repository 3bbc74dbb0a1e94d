package bank;

import com.google.protobuf.ByteString;
import tercet.v1.BranchNumber;
import tercet.v1.BranchReply;
import tercet.v1.BranchRequest;
import tercet.v1.ConflictKind;
import tercet.v1.FenceState;
import tercet.v1.How;
import tercet.v1.Mark;
import tercet.v1.Phase;
import tercet.v1.Reason;
import tercet.v1.RequestContext;
import tercet.v1.Verdict;

/**
 * What is answered to a request: a pure function of the row, the mark and the request.
 *
 * @param run the state to write when the business code has done it; NONE: it is not called
 * @param reply what is answered, when nothing is run
 */
record Decision(int run, BranchReply reply) {
    /** As in the table, and as FenceState has them. */
    static final int NONE = 0;
    static final int TRIED = 1;
    static final int CONFIRMED = 2;
    static final int CANCELLED = 3;
    static final int SUSPENDED = 4;

    /** Whatever is compared incarnation first: a number, an epoch, a mark's age. */
    record Pair(long incarnation, long number) implements Comparable<Pair> {
        static Pair of(BranchNumber number) {
            return new Pair(number.getIncarnation(), number.getNumber());
        }

        @Override
        public int compareTo(Pair other) {
            int order = Long.compare(incarnation, other.incarnation);
            return order != 0 ? order : Long.compare(number, other.number);
        }
    }

    /** A row of tercet_fence. */
    record Row(ByteString origin, Pair number, ByteString digest, int state, ByteString result) {}

    /** A row of tercet_mark. */
    record Seen(Pair epoch, Pair age, Pair low, Mark told) {
        boolean isPast(BranchNumber number) {
            return Pair.of(number).compareTo(low) < 0 && !told.getOpenList().contains(number);
        }
    }

    /** What is inserted where no row is; a confirm after a try may not make one. */
    static int wantedState(Phase phase, boolean confirmOnly) {
        return switch (phase) {
            case PHASE_TRY -> TRIED;
            case PHASE_CANCEL -> SUSPENDED;
            default -> confirmOnly ? CONFIRMED : NONE;
        };
    }

    /** The table of section 5.  The request's phase is the method's. */
    static Decision of(Row row, boolean past, BranchRequest request, boolean confirmOnly) {
        Phase phase = request.getPhase();
        if (row == null) {
            return past ? ofForgotten(phase) : ofNone(phase, confirmOnly);
        }
        int state = row.state();
        if (!row.origin().equals(request.getContext().getOrigin())
                || !row.number().equals(Pair.of(request.getNumber()))
                || !row.digest().equals(request.getDigest())) {
            return conflict(ConflictKind.CONFLICT_KIND_OTHER_TRANSACTION, "TERCET_OTHER_TRANSACTION", state);
        }
        if (phase == Phase.PHASE_TRY) {
            return state == TRIED || state == CONFIRMED
                    ? answer(done(How.HOW_REPEATED, row.result()))
                    : answer(no(Verdict.VERDICT_REFUSED, "TERCET_TRY_AFTER_CANCEL", ""));
        }
        if (state == TRIED) {
            return new Decision(phase == Phase.PHASE_CONFIRM ? CONFIRMED : CANCELLED, null);
        }
        if (phase == Phase.PHASE_CONFIRM) {
            return state == CONFIRMED
                    ? answer(done(How.HOW_REPEATED, ByteString.EMPTY))
                    : conflict(ConflictKind.CONFLICT_KIND_CANCELLED, "TERCET_CONFIRM_AFTER_CANCEL", state);
        }
        if (state == CONFIRMED) {
            return conflict(ConflictKind.CONFLICT_KIND_CONFIRMED, "TERCET_CANCEL_AFTER_CONFIRM", state);
        }
        return answer(done(state == CANCELLED ? How.HOW_REPEATED : How.HOW_EMPTY, ByteString.EMPTY));
    }

    private static Decision ofNone(Phase phase, boolean confirmOnly) {
        if (phase == Phase.PHASE_CANCEL) { // the row that says SUSPENDED is kept
            return answer(done(How.HOW_EMPTY, ByteString.EMPTY));
        }
        int run = wantedState(phase, confirmOnly);
        return run != NONE
                ? new Decision(run, null)
                : conflict(ConflictKind.CONFLICT_KIND_NOT_TRIED, "TERCET_CONFIRM_WITHOUT_TRY",
                        FenceState.FENCE_STATE_NONE_VALUE);
    }

    /** It ended, and its row was let go. */
    private static Decision ofForgotten(Phase phase) {
        return phase == Phase.PHASE_TRY
                ? answer(no(Verdict.VERDICT_REFUSED, "TERCET_FORGOTTEN", ""))
                : conflict(ConflictKind.CONFLICT_KIND_FORGOTTEN, "TERCET_FORGOTTEN",
                        FenceState.FENCE_STATE_NONE_VALUE);
    }

    private static Decision answer(BranchReply reply) {
        return new Decision(NONE, reply);
    }

    private static Decision conflict(ConflictKind kind, String code, int found) {
        return answer(no(Verdict.VERDICT_CONFLICT, code, "").toBuilder()
                .setConflict(kind).setFoundValue(found).build());
    }

    static BranchReply done(How how, ByteString result) {
        return BranchReply.newBuilder().setVerdict(Verdict.VERDICT_DONE).setHow(how).setResult(result).build();
    }

    static BranchReply no(Verdict verdict, String code, String text) {
        String ascii = text.replaceAll("[^\\x20-\\x7e]", "?"); // 255 bytes, not characters
        return BranchReply.newBuilder().setVerdict(verdict)
                .setReason(Reason.newBuilder().setCode(code)
                        .setText(ascii.substring(0, Math.min(255, ascii.length()))))
                .build();
    }

    /** What makes a request one that nobody can serve; null: nothing. */
    static String whatIsWrong(BranchRequest request, Phase phase) {
        if (request.getPhase() != phase) {
            return "phase is not the method's";
        }
        if (!request.getGid().matches("[!-~]{1,128}")) {
            return "gid: 1 to 128 of 0x21 to 0x7e";
        }
        if (request.getBranch() < 1 || request.getBranch() > 64 || request.getDigest().size() != 16) {
            return "branch: 1 to 64; digest: 16 bytes";
        }
        if (request.getNumber().getIncarnation() <= 0 || request.getNumber().getNumber() <= 0) {
            return "number: positive";
        }
        return whatIsWrong(request.getContext());
    }

    static String whatIsWrong(RequestContext asker) {
        return asker.getParticipant().isEmpty() || asker.getOrigin().size() != 20
                        || asker.getIncarnation() <= 0 || asker.getEpoch() <= 0
                ? "context: participant, 20 bytes of origin, a positive incarnation and epoch are required"
                : null;
    }
}
