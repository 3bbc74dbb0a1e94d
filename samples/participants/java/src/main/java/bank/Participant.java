package bank;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import com.google.protobuf.MessageOrBuilder;
import com.google.protobuf.util.JsonFormat;
import io.grpc.Status;
import io.grpc.StatusException;
import io.grpc.stub.StreamObserver;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.Map;
import java.util.concurrent.Callable;
import javax.sql.DataSource;
import org.postgresql.util.PSQLException;
import tercet.v1.BranchReply;
import tercet.v1.BranchRequest;
import tercet.v1.DescribeReply;
import tercet.v1.DescribeRequest;
import tercet.v1.InspectReply;
import tercet.v1.InspectRequest;
import tercet.v1.ParticipantGrpc;
import tercet.v1.Reason;
import tercet.v1.Verdict;

/**
 * The protocol's half of a participant: docs/protocol.md, sections 2 to 7.
 *
 * <p>Whatever the network does to a call (twice, late, in the wrong order), its effect happens at most
 * once, because a row of tercet_fence is written in the same local transaction as the business change.
 * What is written and what is answered is decided by functions in the database (postgres_functions.sql),
 * to which requests go as they are, in protobuf's JSON.
 *
 * <p>Not here: the stream Work, without which every request is a call of its own.
 */
final class Participant extends ParticipantGrpc.ParticipantImplBase {
    /** Business code, in the transaction of the claim. */
    private interface Work {
        void run(Connection db) throws Exception;
    }

    private final String me;
    private final DataSource source;
    private final Map<String, Action> actions;

    /** The connections of {@code source} commit by themselves (JDBC's auto-commit) until told otherwise. */
    Participant(String name, DataSource source, Map<String, Action> actions) throws InvalidProtocolBufferException {
        DescribeReply.Builder description = DescribeReply.newBuilder().setParticipant(name)
                .setSoftware("bank example in Java");
        actions.forEach((action, code) -> description.addActionsBuilder().setName(action)
                .setConfirmOnly(code instanceof Action.ConfirmOnly));
        this.me = inJson(description);
        this.source = source;
        this.actions = actions;
    }

    @Override
    public void try_(BranchRequest request, StreamObserver<BranchReply> to) {
        answer(to, () -> serve("Try", request));
    }

    @Override
    public void confirm(BranchRequest request, StreamObserver<BranchReply> to) {
        answer(to, () -> serve("Confirm", request));
    }

    @Override
    public void cancel(BranchRequest request, StreamObserver<BranchReply> to) {
        answer(to, () -> serve("Cancel", request));
    }

    @Override
    public void describe(DescribeRequest request, StreamObserver<DescribeReply> to) {
        answer(to, () -> ask("Describe", inJson(request), DescribeReply.newBuilder(), db -> { }).build());
    }

    @Override
    public void inspect(InspectRequest request, StreamObserver<InspectReply> to) {
        answer(to, () -> ask("Inspect", inJson(request), InspectReply.newBuilder(), db -> { }).build());
    }

    private BranchReply serve(String method, BranchRequest request) throws Exception {
        String asked = inJson(request.toBuilder().clearPayload()); // the database has no use for it
        BranchReply.Builder reply = BranchReply.newBuilder();
        try {
            return ask(method, asked, reply, db -> {
                Action action = actions.get(request.getAction());
                byte[] payload = request.getPayload().toByteArray();
                byte[] result = {};
                switch (method) {
                    case "Try" -> result = action.reserve(db, payload);
                    case "Confirm" -> action.confirm(db, payload);
                    default -> action.cancel(db, payload);
                }
                if (result.length > 0) {
                    execute(db, "SELECT tercet_keep_result(?::jsonb, ?)", asked, result);
                    reply.setResult(ByteString.copyFrom(result));
                }
            }).build();
        } catch (StatusException told) {
            throw told;
        } catch (Action.Refused refused) {
            return method.equals("Try")
                    ? no(Verdict.VERDICT_REFUSED, refused.code, refused.getMessage())
                    : no(Verdict.VERDICT_LATER, "TERCET_REFUSED_TOO_LATE", refused.getMessage());
        } catch (Exception failed) { // a commit of unknown outcome, too: asked again, the row tells
            return no(Verdict.VERDICT_LATER, "TERCET_HANDLER_FAILED", failed.toString());
        }
    }

    /** Repeats what PostgreSQL has rolled back. */
    private <B extends Message.Builder> B ask(String method, String asked, B reply, Work work) throws Exception {
        for (int attempt = 1;; attempt++) {
            try {
                reply.clear();
                once(method, asked, reply, work);
                return reply;
            } catch (PSQLException failed) {
                String code = String.valueOf(failed.getSQLState());
                if (code.startsWith("TC")) { // as it was raised, without what the driver adds
                    throw Status.fromCodeValue(Integer.parseInt(code.substring(2)))
                            .withDescription(failed.getServerErrorMessage().getMessage()).asException();
                }
                if (attempt == 5 || !(code.equals("40001") || code.equals("40P01"))) {
                    throw failed;
                }
            }
        }
    }

    /** One local transaction: claim, business code if the claim says so, commit; then the answer. */
    private void once(String method, String asked, Message.Builder reply, Work work) throws Exception {
        try (Connection db = source.getConnection()) {
            // What is new in its context stays, whatever becomes of it.
            execute(db, "SELECT tercet_accept(?::jsonb, ?, ?::jsonb)", me, method, asked);
            db.setAutoCommit(false);
            try (PreparedStatement serve = prepare(db, "SELECT run, reply FROM tercet_serve(?::jsonb, ?, ?::jsonb)",
                    me, method, asked); ResultSet row = serve.executeQuery()) {
                row.next();
                JsonFormat.parser().merge(row.getString("reply"), reply);
                if (row.getBoolean("run")) {
                    work.run(db);
                }
                db.commit();
            } finally {
                db.rollback(); // does nothing after a commit
            }
        }
    }

    private static String inJson(MessageOrBuilder message) throws InvalidProtocolBufferException {
        return JsonFormat.printer().omittingInsignificantWhitespace().print(message);
    }

    private static <T> void answer(StreamObserver<T> to, Callable<T> work) {
        try {
            to.onNext(work.call());
            to.onCompleted();
        } catch (StatusException told) {
            to.onError(told);
        } catch (Exception failed) {
            to.onError(Status.UNKNOWN.withDescription(failed.toString()).asException());
        }
    }

    private static BranchReply no(Verdict verdict, String code, String text) {
        ByteBuffer cut = ByteBuffer.allocate(255); // the encoder stops before a character that does not fit
        StandardCharsets.UTF_8.newEncoder().encode(CharBuffer.wrap(text), cut, true);
        return BranchReply.newBuilder().setVerdict(verdict)
                .setReason(Reason.newBuilder().setCode(code).setTextBytes(ByteString.copyFrom(cut.flip()))).build();
    }

    private static void execute(Connection db, String sql, Object... values) throws SQLException {
        try (PreparedStatement statement = prepare(db, sql, values)) {
            statement.execute();
        }
    }

    static PreparedStatement prepare(Connection db, String sql, Object... values) throws SQLException {
        PreparedStatement statement = db.prepareStatement(sql);
        for (int i = 0; i < values.length; i++) {
            statement.setObject(i + 1, values[i]);
        }
        return statement;
    }
}
