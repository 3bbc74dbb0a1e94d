-- The points service's database.
CREATE TABLE IF NOT EXISTS points (
    user      INTEGER PRIMARY KEY,
    available INTEGER NOT NULL CHECK (available >= 0),
    pending   INTEGER NOT NULL CHECK (pending >= 0) -- of payments under way
) STRICT;

-- Every change, never altered.  No key on the gid: a change made twice would show here.
CREATE TABLE IF NOT EXISTS entry (
    id     INTEGER PRIMARY KEY,
    gid    TEXT NOT NULL,
    user   INTEGER NOT NULL REFERENCES points (user),
    kind   TEXT NOT NULL CHECK (kind IN ('ADD', 'CONFIRM', 'CANCEL')),
    points INTEGER NOT NULL CHECK (points >= 0)
) STRICT;
