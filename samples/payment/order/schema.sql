-- The order service's database.  Amounts are in fen.
CREATE TABLE IF NOT EXISTS orders (
    id      INTEGER PRIMARY KEY,
    user    INTEGER NOT NULL,
    amount  INTEGER NOT NULL CHECK (amount > 0),
    state   TEXT NOT NULL CHECK (state IN ('WAITING', 'PAYING', 'PAID')),
    payment TEXT, -- the gid that is paying it or has paid it
    CHECK ((state = 'WAITING') = (payment IS NULL))
) STRICT;
