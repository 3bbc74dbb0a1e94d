-- The coupon service's database.
CREATE TABLE IF NOT EXISTS coupon (
    code    VARCHAR(32) PRIMARY KEY,
    owner   BIGINT NOT NULL,
    state   VARCHAR(8) NOT NULL CHECK (state IN ('FREE', 'LOCKED', 'USED')),
    payment VARCHAR(128), -- the gid that has locked it or used it
    CHECK ((state = 'FREE') = (payment IS NULL))
);
