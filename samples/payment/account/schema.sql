-- The account service's database.  Amounts are in fen.
CREATE TABLE IF NOT EXISTS account (
    owner   BIGINT PRIMARY KEY,
    opening BIGINT NOT NULL CHECK (opening >= 0), -- what was paid in, for the books
    balance BIGINT NOT NULL CHECK (balance >= 0), -- free to spend
    frozen  BIGINT NOT NULL CHECK (frozen >= 0),  -- promised to payments under way
    CHECK (balance + frozen <= opening)
);

-- Every change, never altered.  No key on the gid: a change made twice would show here.
CREATE TABLE IF NOT EXISTS entry (
    gid    VARCHAR(128) NOT NULL,
    owner  BIGINT NOT NULL REFERENCES account (owner),
    kind   VARCHAR(8) NOT NULL CHECK (kind IN ('FREEZE', 'DEDUCT', 'RELEASE')),
    amount BIGINT NOT NULL CHECK (amount > 0)
);
