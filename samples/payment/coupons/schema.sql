-- The coupon service's database.
CREATE TABLE IF NOT EXISTS coupon (
    code    TEXT PRIMARY KEY,
    user    INTEGER NOT NULL,
    state   TEXT NOT NULL CHECK (state IN ('FREE', 'LOCKED', 'USED')),
    payment TEXT, -- the gid that has locked it or used it
    CHECK ((state = 'FREE') = (payment IS NULL))
) STRICT;
