-- The points service's database.
CREATE TABLE IF NOT EXISTS points (
    owner     BIGINT PRIMARY KEY,
    available BIGINT NOT NULL CHECK (available >= 0),
    pending   BIGINT NOT NULL CHECK (pending >= 0) -- of payments under way
);

-- Every change, never altered.  No key on the gid: a change made twice would show here.
CREATE TABLE IF NOT EXISTS entry (
    gid    VARCHAR(128) NOT NULL,
    owner  BIGINT NOT NULL REFERENCES points (owner),
    kind   VARCHAR(8) NOT NULL CHECK (kind IN ('ADD', 'CONFIRM', 'CANCEL')),
    points BIGINT NOT NULL CHECK (points >= 0)
);
