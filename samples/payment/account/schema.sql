-- The account service's database.  Amounts are in fen.
CREATE TABLE IF NOT EXISTS account (
    user    INTEGER PRIMARY KEY,
    opening INTEGER NOT NULL CHECK (opening >= 0), -- what was paid in, for the books
    balance INTEGER NOT NULL CHECK (balance >= 0), -- free to spend
    frozen  INTEGER NOT NULL CHECK (frozen >= 0),  -- promised to payments under way
    CHECK (balance + frozen <= opening)
) STRICT;

-- Every change, never altered.  No key on the gid: a change made twice would show here.
CREATE TABLE IF NOT EXISTS entry (
    id     INTEGER PRIMARY KEY,
    gid    TEXT NOT NULL,
    user   INTEGER NOT NULL REFERENCES account (user),
    kind   TEXT NOT NULL CHECK (kind IN ('FREEZE', 'DEDUCT', 'RELEASE')),
    amount INTEGER NOT NULL CHECK (amount > 0)
) STRICT;
