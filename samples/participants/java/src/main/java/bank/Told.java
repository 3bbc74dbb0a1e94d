package bank;

import bank.Decision.Pair;
import bank.Decision.Seen;
import com.google.protobuf.ByteString;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import tercet.v1.ActionDescription;
import tercet.v1.BranchNumber;
import tercet.v1.DescribeReply;
import tercet.v1.FenceRow;
import tercet.v1.FenceState;
import tercet.v1.InspectReply;
import tercet.v1.InspectRequest;
import tercet.v1.RequestContext;
import tercet.v1.StoreDescription;

/** Describe and Inspect: asked on each new connection, and after a journal was restored from a backup. */
final class Told {
    private Told() {}

    /** From one snapshot: a mark that is read apart can be older than the rows that it has let go. */
    static DescribeReply describe(Connection db, String name, Map<String, Action> actions,
            RequestContext asker, Seen seen) throws SQLException {
        StoreDescription.Builder store = StoreDescription.newBuilder().setKind("postgresql")
                .setIncarnation(seen.epoch().incarnation()).setEpoch(seen.epoch().number());
        if (seen.age().incarnation() > 0) {
            store.setMark(seen.told());
        }
        try (PreparedStatement select = Participant.prepare(db, """
                SELECT (SELECT store_id FROM tercet_store), count(*) FROM tercet_fence
                WHERE participant = ? AND origin = ?""", name, asker.getOrigin().toByteArray());
                ResultSet row = select.executeQuery()) {
            row.next();
            store.setStoreId(ByteString.copyFrom(row.getBytes(1))).setRows(row.getLong(2));
        }
        try (PreparedStatement select = Participant.prepare(db, """
                SELECT incarnation, number FROM tercet_fence WHERE participant = ? AND origin = ?
                ORDER BY incarnation DESC, number DESC LIMIT 1""", name, asker.getOrigin().toByteArray());
                ResultSet row = select.executeQuery()) {
            if (row.next()) {
                store.setHighest(BranchNumber.newBuilder()
                        .setIncarnation(row.getLong(1)).setNumber(row.getLong(2)));
            }
        }
        DescribeReply.Builder reply = DescribeReply.newBuilder().setParticipant(name).addStores(store)
                .setProtocol(1).setSoftware("bank example in Java");
        actions.forEach((action, code) -> reply.addActions(
                ActionDescription.newBuilder().setName(action).setConfirmOnly(code.confirmOnly())));
        return reply.build();
    }

    static InspectReply inspect(Connection db, String name, InspectRequest request) throws SQLException {
        StringBuilder where = new StringBuilder();
        List<Object> values = new ArrayList<>();
        if (!request.getGid().isEmpty()) {
            where.append("gid = ?");
            values.add(request.getGidBytes().toByteArray());
            if (request.getBranch() != 0) {
                where.append(" AND branch = ?");
                values.add(request.getBranch());
            }
        } else {
            where.append("participant = ? AND origin = ?");
            values.add(name);
            values.add(request.getContext().getOrigin().toByteArray());
            if (request.hasFrom()) {
                bound(where, values, ">=", Pair.of(request.getFrom()));
            }
            if (request.hasBelow()) {
                bound(where, values, "<", Pair.of(request.getBelow()));
            }
            if (!request.getPageToken().isEmpty()) { // the last page's last row
                long[] last = Arrays.stream(request.getPageToken().split("\\.")).mapToLong(Long::parseLong).toArray();
                bound(where, values, ">", new Pair(last[0], last[1]));
            }
        }
        int size = request.getPageSize() == 0 ? 100 : Math.min(request.getPageSize(), 1000);
        InspectReply.Builder reply = InspectReply.newBuilder();
        try (PreparedStatement select = Participant.prepare(db, """
                SELECT gid, branch, state, origin, incarnation, number, digest, action, result
                FROM tercet_fence WHERE %s ORDER BY incarnation, number LIMIT %d""".formatted(where, size + 1),
                values.toArray()); ResultSet row = select.executeQuery()) {
            while (row.next()) {
                if (reply.getRowsCount() == size) { // there is more
                    BranchNumber last = reply.getRows(size - 1).getNumber();
                    reply.setNextPageToken(last.getIncarnation() + "." + last.getNumber());
                    break;
                }
                reply.addRows(FenceRow.newBuilder().setGidBytes(ByteString.copyFrom(row.getBytes(1)))
                        .setBranch(row.getInt(2)).setStateValue(row.getInt(3))
                        .setOrigin(ByteString.copyFrom(row.getBytes(4)))
                        .setNumber(BranchNumber.newBuilder()
                                .setIncarnation(row.getLong(5)).setNumber(row.getLong(6)))
                        .setDigest(ByteString.copyFrom(row.getBytes(7))).setAction(row.getString(8))
                        .setResult(ByteString.copyFrom(row.getBytes(9))));
            }
        }
        if (reply.getRowsCount() == 0 && !request.getGid().isEmpty() && request.getBranch() != 0) {
            reply.addRows(FenceRow.newBuilder().setGid(request.getGid()).setBranch(request.getBranch())
                    .setState(FenceState.FENCE_STATE_NONE));
        }
        return reply.build();
    }

    private static void bound(StringBuilder where, List<Object> values, String relation, Pair pair) {
        where.append(" AND (incarnation, number) ").append(relation).append(" (?, ?)");
        values.add(pair.incarnation());
        values.add(pair.number());
    }
}
