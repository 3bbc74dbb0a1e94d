package bank;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.Executors;

/**
 * A bank that takes part in Tercet's transactions: accounts with a balance and what is reserved.
 *
 * <pre>
 * debit   try: balance -> reserved   confirm: reserved -> gone   cancel: reserved -> balance
 * credit  confirm only: adds to the balance, and needs no try, because it cannot be refused
 * </pre>
 *
 * <p>The payload is JSON: {"account": "ann", "amount": 30}.
 */
final class Bank {
    private static final int CONNECTIONS = 16;

    private Bank() {}

    private record Order(String account, long amount) {
        static Order read(byte[] payload) throws Action.Refused {
            try {
                JsonObject json = JsonParser.parseString(new String(payload, StandardCharsets.UTF_8)).getAsJsonObject();
                Order order = new Order(json.get("account").getAsString(),
                        json.get("amount").getAsBigDecimal().longValueExact());
                if (order.amount > 0 && order.amount < 1L << 53) {
                    return order;
                }
            } catch (RuntimeException malformed) {
                // the same answer
            }
            throw new Action.Refused("BAD_PAYLOAD", "account is a text, amount a positive whole number");
        }
    }

    private static final class Debit implements Action {
        @Override
        public byte[] reserve(Connection db, byte[] payload) throws Exception {
            Order order = Order.read(payload);
            try (PreparedStatement update = Participant.prepare(db, """
                    UPDATE account SET balance = balance - ?, reserved = reserved + ?
                    WHERE id = ? AND balance >= ? RETURNING balance""",
                    order.amount, order.amount, order.account, order.amount);
                    ResultSet left = update.executeQuery()) {
                if (!left.next()) {
                    throw new Refused("BALANCE_TOO_LOW", order.account + " does not have " + order.amount);
                }
                return "{\"balance\": %d}".formatted(left.getLong(1)).getBytes(StandardCharsets.UTF_8);
            }
        }

        @Override
        public void confirm(Connection db, byte[] payload) throws Exception {
            Order order = Order.read(payload);
            one(update(db, "UPDATE account SET reserved = reserved - ? WHERE id = ?",
                    order.amount, order.account));
        }

        @Override
        public void cancel(Connection db, byte[] payload) throws Exception {
            Order order = Order.read(payload);
            one(update(db, """
                    UPDATE account SET balance = balance + ?, reserved = reserved - ? WHERE id = ?""",
                    order.amount, order.amount, order.account));
        }
    }

    private static final class Credit implements Action.ConfirmOnly {
        @Override
        public void confirm(Connection db, byte[] payload) throws Exception {
            Order order = Order.read(payload);
            one(update(db, """
                    INSERT INTO account (id, balance) VALUES (?, ?)
                    ON CONFLICT (id) DO UPDATE SET balance = account.balance + excluded.balance""",
                    order.account, order.amount));
        }
    }

    private static int update(Connection db, String sql, Object... values) throws SQLException {
        try (PreparedStatement statement = Participant.prepare(db, sql, values)) {
            return statement.executeUpdate();
        }
    }

    private static void one(int count) throws SQLException {
        if (count != 1) {
            throw new SQLException("the account does not have what was reserved");
        }
    }

    public static void main(String[] arguments) throws Exception {
        Map<String, String> options = new HashMap<>(Map.of("--name", "bank", "--listen", "127.0.0.1:7203",
                "--database", "jdbc:postgresql://127.0.0.1/bank?user=postgres"));
        for (int i = 0; i + 1 < arguments.length; i += 2) {
            options.put(arguments[i], arguments[i + 1]);
        }
        HikariConfig pool = new HikariConfig();
        pool.setJdbcUrl(options.get("--database"));
        pool.setMaximumPoolSize(CONNECTIONS);
        String[] listen = options.get("--listen").split(":");
        NettyServerBuilder.forAddress(new InetSocketAddress(listen[0], Integer.parseInt(listen[1])))
                .executor(Executors.newFixedThreadPool(CONNECTIONS))
                .addService(new Participant(options.get("--name"), new HikariDataSource(pool),
                        Map.of("debit", new Debit(), "credit", new Credit())))
                .build().start().awaitTermination();
    }
}
