-- The order service's database.  Amounts are in fen.
CREATE TABLE IF NOT EXISTS orders (
    id      BIGINT PRIMARY KEY,
    owner   BIGINT NOT NULL,
    amount  BIGINT NOT NULL CHECK (amount > 0),
    state   VARCHAR(8) NOT NULL CHECK (state IN ('WAITING', 'PAYING', 'PAID')),
    payment VARCHAR(128), -- the gid that is paying it or has paid it
    CHECK ((state = 'WAITING') = (payment IS NULL))
);
