package bank;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
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
import tercet.v1.ActionDescription;
import tercet.v1.BranchReply;
import tercet.v1.BranchRequest;
import tercet.v1.DescribeReply;
import tercet.v1.DescribeRequest;
import tercet.v1.InspectReply;
import tercet.v1.InspectRequest;
import tercet.v1.ParticipantGrpc;
import tercet.v1.Phase;
import tercet.v1.Reason;
import tercet.v1.RequestContext;
import tercet.v1.StoreDescription;
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
    private final String name;
    private final DataSource source;
    private final Map<String, Action> actions;

    /** The connections of {@code source} commit by themselves (JDBC's auto-commit) until told otherwise. */
    Participant(String name, DataSource source, Map<String, Action> actions) {
        this.name = name;
        this.source = source;
        this.actions = actions;
    }

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

    private BranchReply serve(BranchRequest request, Phase phase) throws StatusException {
        RequestContext asker = request.getContext();
        if (request.getPhase() != phase) {
            throw Status.INVALID_ARGUMENT.withDescription("phase is not the method's").asException();
        }
        if (meansAnother(asker)) {
            return no(Verdict.VERDICT_LATER, "TERCET_WRONG_PARTICIPANT", "this is " + name);
        }
        Action action = actions.get(request.getAction());
        if (action == null) {
            throw Status.FAILED_PRECONDITION.withDescription("TERCET_UNKNOWN_ACTION").asException();
        }
        try {
            return ask(asker, () -> {
                if (asker.hasMark()) {
                    call("SELECT tercet_apply_mark(?::jsonb)", asker);
                }
                return once(request, action);
            });
        } catch (StatusException told) {
            throw told;
        } catch (Exception failed) { // a commit of unknown outcome, too: asked again, the row tells
            return no(Verdict.VERDICT_LATER, "TERCET_HANDLER_FAILED", failed.toString());
        }
    }

    /** One local transaction, committed before the answer; what is not DONE leaves nothing behind. */
    private BranchReply once(BranchRequest request, Action action) throws Exception {
        try (Connection db = source.getConnection()) {
            db.setAutoCommit(false);
            try {
                BranchReply reply = claimAndRun(db, request, action);
                if (reply.getVerdict() == Verdict.VERDICT_DONE) {
                    db.commit();
                }
                return reply;
            } finally {
                db.rollback(); // does nothing after a commit
            }
        }
    }

    /** The claim, and the business code if the claim says so. */
    private static BranchReply claimAndRun(Connection db, BranchRequest request, Action action) throws Exception {
        String json = inJson(request.toBuilder().clearPayload()); // the database has no use for it
        BranchReply.Builder reply = BranchReply.newBuilder();
        try (PreparedStatement claim = prepare(db, "SELECT run, reply FROM tercet_claim(?::jsonb, ?)",
                json, action.confirmOnly()); ResultSet row = claim.executeQuery()) {
            row.next();
            JsonFormat.parser().merge(row.getString("reply"), reply);
            if (!row.getBoolean("run")) {
                return reply.build();
            }
        }
        byte[] payload = request.getPayload().toByteArray();
        byte[] result = {};
        try {
            switch (request.getPhase()) {
                case PHASE_TRY -> result = action.reserve(db, payload);
                case PHASE_CONFIRM -> action.confirm(db, payload);
                default -> action.cancel(db, payload);
            }
        } catch (Action.Refused refused) {
            return request.getPhase() == Phase.PHASE_TRY
                    ? no(Verdict.VERDICT_REFUSED, refused.code, refused.getMessage())
                    : no(Verdict.VERDICT_LATER, "TERCET_REFUSED_TOO_LATE", refused.getMessage());
        }
        if (result.length > 0) {
            try (PreparedStatement keep = prepare(db, "SELECT tercet_keep_result(?::jsonb, ?)", json, result)) {
                keep.execute();
            }
        }
        return reply.setResult(ByteString.copyFrom(result)).build();
    }

    @Override
    public void describe(DescribeRequest request, StreamObserver<DescribeReply> to) {
        answer(to, () -> {
            // Asked under another name it tells its own.
            RequestContext asker = request.getContext().toBuilder().setParticipant(name).build();
            StoreDescription.Builder store = StoreDescription.newBuilder();
            JsonFormat.parser().merge(ask(asker, () -> call("SELECT tercet_describe(?::jsonb)", asker)), store);
            DescribeReply.Builder reply = DescribeReply.newBuilder().setParticipant(name).addStores(store)
                    .setProtocol(1).setSoftware("bank example in Java");
            actions.forEach((action, code) -> reply.addActions(
                    ActionDescription.newBuilder().setName(action).setConfirmOnly(code.confirmOnly())));
            return reply.build();
        });
    }

    @Override
    public void inspect(InspectRequest request, StreamObserver<InspectReply> to) {
        answer(to, () -> {
            RequestContext asker = request.getContext();
            if (meansAnother(asker)) {
                throw Status.FAILED_PRECONDITION.withDescription("this is " + name).asException();
            }
            InspectReply.Builder reply = InspectReply.newBuilder();
            JsonFormat.parser().merge(ask(asker, () -> call("SELECT tercet_inspect(?::jsonb)", request)), reply);
            return reply.build();
        });
    }

    /** Repeats what PostgreSQL has rolled back, and makes a start of the coordinator known that is new here. */
    private <T> T ask(RequestContext asker, Callable<T> work) throws Exception {
        for (int attempt = 1;; attempt++) {
            try {
                return work.call();
            } catch (PSQLException failed) {
                switch (String.valueOf(failed.getSQLState())) {
                    case "TC001" -> throw told(Status.FAILED_PRECONDITION, failed);
                    case "TC002" -> call("SELECT tercet_raise_epoch(?::jsonb)", asker);
                    case "TC003" -> throw told(Status.INVALID_ARGUMENT, failed);
                    case "40001", "40P01" -> { }
                    default -> throw failed;
                }
                if (attempt == 5) {
                    throw failed;
                }
            }
        }
    }

    /** The message as it was raised, without the "ERROR: " and the place that the driver adds. */
    private static StatusException told(Status status, PSQLException failed) {
        return status.withDescription(failed.getServerErrorMessage().getMessage()).asException();
    }

    /** One function of the database, outside of any transaction. */
    private String call(String sql, MessageOrBuilder asked) throws SQLException, InvalidProtocolBufferException {
        try (Connection db = source.getConnection();
                PreparedStatement select = prepare(db, sql, inJson(asked));
                ResultSet row = select.executeQuery()) {
            row.next();
            return row.getString(1);
        }
    }

    private boolean meansAnother(RequestContext asker) {
        return !asker.getParticipant().isEmpty() && !asker.getParticipant().equals(name);
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

    static PreparedStatement prepare(Connection db, String sql, Object... values) throws SQLException {
        PreparedStatement statement = db.prepareStatement(sql);
        for (int i = 0; i < values.length; i++) {
            statement.setObject(i + 1, values[i]);
        }
        return statement;
    }
}
