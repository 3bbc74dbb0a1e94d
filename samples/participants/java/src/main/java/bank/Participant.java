package bank;

import bank.Decision.Pair;
import bank.Decision.Row;
import bank.Decision.Seen;
import com.google.protobuf.ByteString;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.StreamObserver;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import javax.sql.DataSource;
import tercet.v1.BranchNumber;
import tercet.v1.BranchReply;
import tercet.v1.BranchRequest;
import tercet.v1.DescribeReply;
import tercet.v1.DescribeRequest;
import tercet.v1.How;
import tercet.v1.InspectReply;
import tercet.v1.InspectRequest;
import tercet.v1.Mark;
import tercet.v1.ParticipantGrpc;
import tercet.v1.Phase;
import tercet.v1.RequestContext;
import tercet.v1.Verdict;

/**
 * The protocol's half of a participant, over PostgreSQL: docs/protocol.md, sections 3 to 7.
 *
 * <p>Whatever the network does to a call (twice, late, in the wrong order), its effect happens at most
 * once, because a row of tercet_fence is written in the same local transaction as the business change.
 * The table of what to answer is in Decision, Describe and Inspect are in Told, business code is in
 * Bank and knows nothing of this.
 *
 * <p>Not here: the stream Work, without which every request is a call of its own.
 */
final class Participant extends ParticipantGrpc.ParticipantImplBase {
    private final String name;
    private final DataSource source;
    private final Map<String, Action> actions;
    /** By origin: the (incarnation, epoch) that tercet_mark is known to hold. */
    private final Map<ByteString, Pair> raised = new ConcurrentHashMap<>();

    Participant(String name, DataSource source, Map<String, Action> actions) {
        this.name = name;
        this.source = source;
        this.actions = actions;
    }

    /** Another transaction held the row and rolled back. */
    private static final class BeginAgain extends Exception {}

    @Override
    public void try_(BranchRequest request, StreamObserver<BranchReply> to) {
        answer(to, () -> serve(request, Phase.PHASE_TRY));
    }

    @Override
    public void confirm(BranchRequest request, StreamObserver<BranchReply> to) {
        answer(to, () -> serve(request, Phase.PHASE_CONFIRM));
    }

    @Override
    public void cancel(BranchRequest request, StreamObserver<BranchReply> to) {
        answer(to, () -> serve(request, Phase.PHASE_CANCEL));
    }

    @Override
    public void describe(DescribeRequest request, StreamObserver<DescribeReply> to) {
        answer(to, () -> {
            check(request.getContext()); // asked under another name it tells its own
            raiseEpoch(request.getContext()); // durable before anything is told
            return inTransaction(Connection.TRANSACTION_REPEATABLE_READ, db -> Told.describe(
                    db, name, actions, request.getContext(), readMark(db, request.getContext(), "")));
        });
    }

    @Override
    public void inspect(InspectRequest request, StreamObserver<InspectReply> to) {
        answer(to, () -> {
            check(request.getContext());
            if (!request.getContext().getParticipant().equals(name)) {
                throw Status.FAILED_PRECONDITION.withDescription("this is " + name).asRuntimeException();
            }
            return inTransaction(Connection.TRANSACTION_READ_COMMITTED, db -> Told.inspect(db, name, request));
        });
    }

    private static <T> void answer(StreamObserver<T> to, Callable<T> work) {
        try {
            T reply = work.call();
            to.onNext(reply);
            to.onCompleted();
        } catch (StatusRuntimeException status) {
            to.onError(status);
        } catch (Exception error) {
            to.onError(Status.UNAVAILABLE.withDescription(error.getMessage()).asRuntimeException());
        }
    }

    private static void check(RequestContext asker) {
        String wrong = Decision.whatIsWrong(asker);
        if (wrong != null) {
            throw Status.INVALID_ARGUMENT.withDescription(wrong).asRuntimeException();
        }
    }

    private BranchReply serve(BranchRequest request, Phase phase) {
        String wrong = Decision.whatIsWrong(request, phase);
        if (wrong != null) {
            throw Status.INVALID_ARGUMENT.withDescription(wrong).asRuntimeException();
        }
        if (!request.getContext().getParticipant().equals(name)) {
            return Decision.no(Verdict.VERDICT_LATER, "TERCET_WRONG_PARTICIPANT", "this is " + name);
        }
        Action action = actions.get(request.getAction());
        if (action == null) {
            throw Status.FAILED_PRECONDITION.withDescription("TERCET_UNKNOWN_ACTION").asRuntimeException();
        }
        if (phase == Phase.PHASE_TRY && action.confirmOnly()) {
            throw Status.INVALID_ARGUMENT.withDescription("this action is not tried").asRuntimeException();
        }
        // Deadlocks are rolled back by PostgreSQL and run again.  Everything else that fails, a commit
        // of unknown outcome too, is LATER: the coordinator asks again, and then the row tells.
        Exception last = null;
        for (int attempt = 0; attempt < 5; attempt++) {
            try {
                raiseEpoch(request.getContext());
                if (request.getContext().hasMark()) {
                    applyMark(request.getContext());
                }
                return inTransaction(Connection.TRANSACTION_READ_COMMITTED, db -> branch(db, request, action));
            } catch (StatusRuntimeException status) {
                throw status;
            } catch (Exception error) {
                last = error;
                boolean again = error instanceof BeginAgain || error instanceof SQLException failed
                        && ("40001".equals(failed.getSQLState()) || "40P01".equals(failed.getSQLState()));
                if (!again) {
                    break;
                }
            }
        }
        raised.remove(request.getContext().getOrigin()); // the database may be another one by now
        return Decision.no(Verdict.VERDICT_LATER, "TERCET_HANDLER_FAILED", String.valueOf(last));
    }

    private interface Work<T> {
        T in(Connection db) throws Exception;
    }

    /** Commits when the work is done, except a reply that is not DONE: it leaves nothing behind. */
    private <T> T inTransaction(int isolation, Work<T> work) throws Exception {
        try (Connection db = source.getConnection()) {
            db.setAutoCommit(false);
            db.setTransactionIsolation(isolation);
            try {
                T made = work.in(db);
                if (!(made instanceof BranchReply reply) || reply.getVerdict() == Verdict.VERDICT_DONE) {
                    db.commit();
                }
                return made; // after the commit, and not before
            } finally {
                db.rollback(); // nothing, after a commit
            }
        }
    }

    /** Insert or lock the row, then read epoch and mark, then decide, then run. */
    private BranchReply branch(Connection db, BranchRequest request, Action action) throws Exception {
        int wanted = Decision.wantedState(request.getPhase(), action.confirmOnly());
        Row row = null;
        if (wanted == Decision.NONE || !insert(db, request, wanted)) {
            row = lockRow(db, request);
            if (row == null && wanted != Decision.NONE) {
                throw new BeginAgain();
            }
        }
        Seen seen = readMark(db, request.getContext(), "FOR SHARE");
        Decision decision = Decision.of(row, seen.isPast(request.getNumber()), request, action.confirmOnly());
        BranchReply reply = decision.reply() != null ? decision.reply() : run(db, request, action, decision.run());
        return reply.toBuilder().setMarkIncarnation(seen.age().incarnation())
                .setMarkLsn(seen.age().number()).build();
    }

    private static BranchReply run(Connection db, BranchRequest request, Action action, int state)
            throws Exception {
        byte[] payload = request.getPayload().toByteArray();
        ByteString result = ByteString.EMPTY;
        try {
            switch (request.getPhase()) {
                case PHASE_TRY -> result = ByteString.copyFrom(action.reserve(db, payload));
                case PHASE_CONFIRM -> action.confirm(db, payload);
                default -> action.cancel(db, payload);
            }
        } catch (Action.Refused no) {
            return state == Decision.TRIED
                    ? Decision.no(Verdict.VERDICT_REFUSED, no.code, no.getMessage())
                    : Decision.no(Verdict.VERDICT_LATER, "TERCET_REFUSED_TOO_LATE", no.getMessage());
        }
        if (state == Decision.TRIED) { // its repeats are answered with the same result
            update(db, "UPDATE tercet_fence SET result = ? WHERE gid = ? AND branch = ?",
                    result.toByteArray(), gid(request), request.getBranch());
        } else {
            update(db, "UPDATE tercet_fence SET state = ? WHERE gid = ? AND branch = ?",
                    state, gid(request), request.getBranch());
        }
        return Decision.done(How.HOW_RAN, result);
    }

    private static byte[] gid(BranchRequest request) {
        return request.getGidBytes().toByteArray();
    }

    /** False: there is a row.  Another transaction of the same key is waited for. */
    private boolean insert(Connection db, BranchRequest request, int state) throws SQLException {
        return update(db, """
                INSERT INTO tercet_fence
                  (gid, branch, participant, origin, incarnation, number, digest, action, state, result)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, '') ON CONFLICT (gid, branch) DO NOTHING""",
                gid(request), request.getBranch(), name, request.getContext().getOrigin().toByteArray(),
                request.getNumber().getIncarnation(), request.getNumber().getNumber(),
                request.getDigest().toByteArray(), request.getAction(), state) == 1;
    }

    private static Row lockRow(Connection db, BranchRequest request) throws SQLException {
        try (PreparedStatement select = prepare(db, """
                SELECT origin, incarnation, number, digest, state, result
                FROM tercet_fence WHERE gid = ? AND branch = ? FOR UPDATE""", gid(request), request.getBranch());
                ResultSet row = select.executeQuery()) {
            return !row.next() ? null : new Row(ByteString.copyFrom(row.getBytes(1)),
                    new Pair(row.getLong(2), row.getLong(3)), ByteString.copyFrom(row.getBytes(4)),
                    row.getInt(5), ByteString.copyFrom(row.getBytes(6)));
        }
    }

    /** A locking read: after the row, never before it. */
    private Seen readMark(Connection db, RequestContext asker, String lock) throws Exception {
        try (PreparedStatement select = prepare(db, """
                SELECT incarnation, epoch, mark_incarnation, mark_lsn, low_incarnation, low_number, open
                FROM tercet_mark WHERE participant = ? AND origin = ?\s""" + lock,
                name, asker.getOrigin().toByteArray()); ResultSet row = select.executeQuery()) {
            if (!row.next()) {
                throw new SQLException("the epoch that was stored is gone");
            }
            Pair epoch = new Pair(row.getLong(1), row.getLong(2));
            if (epoch.compareTo(new Pair(asker.getIncarnation(), asker.getEpoch())) > 0) {
                throw Status.FAILED_PRECONDITION.withDescription("TERCET_OLD_EPOCH: a newer start was seen")
                        .asRuntimeException();
            }
            // The open list is stored as the Mark that told it.
            return new Seen(epoch, new Pair(row.getLong(3), row.getLong(4)),
                    new Pair(row.getLong(5), row.getLong(6)), Mark.parseFrom(row.getBytes(7)));
        }
    }

    /** Once for each start of the coordinator, and durable before anything else is done for it. */
    private void raiseEpoch(RequestContext asker) throws Exception {
        Pair asks = new Pair(asker.getIncarnation(), asker.getEpoch());
        Pair known = raised.get(asker.getOrigin());
        if (known != null && known.compareTo(asks) >= 0) {
            return;
        }
        inTransaction(Connection.TRANSACTION_READ_COMMITTED, db -> update(db, """
                INSERT INTO tercet_mark (participant, origin, incarnation, epoch) VALUES (?, ?, ?, ?)
                ON CONFLICT (participant, origin) DO UPDATE
                SET incarnation = excluded.incarnation, epoch = excluded.epoch
                WHERE (tercet_mark.incarnation, tercet_mark.epoch) < (excluded.incarnation, excluded.epoch)""",
                name, asker.getOrigin().toByteArray(), asker.getIncarnation(), asker.getEpoch()));
        raised.put(asker.getOrigin(), asks);
    }

    /** Lets rows go: no call for them can come any more that would not be refused. */
    private void applyMark(RequestContext asker) throws Exception {
        Mark told = asker.getMark();
        Pair age = new Pair(told.getAsOfIncarnation(), told.getAsOfLsn());
        Pair low = Pair.of(told.getLow());
        byte[] origin = asker.getOrigin().toByteArray();
        inTransaction(Connection.TRANSACTION_READ_COMMITTED, db -> {
            if (readMark(db, asker, "FOR UPDATE").age().compareTo(age) >= 0) {
                return 0; // older, or known: an older open list would open what is closed
            }
            update(db, """
                    UPDATE tercet_mark SET mark_incarnation = ?, mark_lsn = ?, low_incarnation = ?,
                      low_number = ?, open = ? WHERE participant = ? AND origin = ?""",
                    age.incarnation(), age.number(), low.incarnation(), low.number(), told.toByteArray(),
                    name, origin);
            // A TRIED row holds a reservation: it stays, and an operator looks.
            return update(db, """
                    DELETE FROM tercet_fence WHERE participant = ? AND origin = ?
                      AND (incarnation, number) < (?, ?) AND state <> 1
                      AND (incarnation, number) NOT IN (SELECT * FROM unnest(?::bigint[], ?::bigint[]))""",
                    name, origin, low.incarnation(), low.number(),
                    told.getOpenList().stream().map(BranchNumber::getIncarnation).toArray(Long[]::new),
                    told.getOpenList().stream().map(BranchNumber::getNumber).toArray(Long[]::new));
        });
    }

    static int update(Connection db, String sql, Object... values) throws SQLException {
        try (PreparedStatement statement = prepare(db, sql, values)) {
            return statement.executeUpdate();
        }
    }

    static PreparedStatement prepare(Connection db, String sql, Object... values) throws SQLException {
        PreparedStatement statement = db.prepareStatement(sql);
        for (int i = 0; i < values.length; i++) {
            if (values[i] instanceof Long[] array) {
                statement.setArray(i + 1, db.createArrayOf("bigint", array));
            } else {
                statement.setObject(i + 1, values[i]);
            }
        }
        return statement;
    }
}
