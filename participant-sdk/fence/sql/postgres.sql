-- Tables of the Tercet fence, version 1, for PostgreSQL 13 or newer.
--
-- Run this once, in the database and the schema of the business tables:
--
--     psql -v ON_ERROR_STOP=1 -1 -f postgres.sql "dbname=..."
--
-- or let the store do it (tercet_postgres_options.create_tables).  The participant's role needs
--
--     GRANT SELECT ON tercet_schema TO ...;
--     GRANT SELECT, INSERT, UPDATE ON tercet_scope TO ...;
--     GRANT SELECT, INSERT, UPDATE, DELETE ON tercet_fence TO ...;
--
-- Nobody but the store writes into them; no handler may.

-- Which version these tables have, and which database this is.  The id is new in every database that
-- this is run in, and comes along with a copy or a backup.
CREATE TABLE tercet_schema (
    id       integer PRIMARY KEY CHECK (id = 1),
    version  integer NOT NULL,
    store_id bytea NOT NULL CHECK (octet_length(store_id) = 16)
);
INSERT INTO tercet_schema VALUES (1, 1, uuid_send(gen_random_uuid()));

-- What is known of one participant's dealings with one origin (a coordinator's journal): who asked
-- last, and how far everything has ended.  Rows of tercet_fence name it by its short number.
CREATE TABLE tercet_scope (
    id               integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    participant      text COLLATE "C" NOT NULL,
    origin           bytea NOT NULL CHECK (octet_length(origin) = 20),
    incarnation      bigint NOT NULL,            -- with epoch: the highest that has asked
    epoch            bigint NOT NULL,
    mark_incarnation bigint NOT NULL DEFAULT 0,  -- with mark_lsn: the mark's age; 0: there is none
    mark_lsn         bigint NOT NULL DEFAULT 0,
    low_incarnation  bigint NOT NULL DEFAULT 0,  -- every number below (low_incarnation, low_number)
    low_number       bigint NOT NULL DEFAULT 0,  -- has ended, but for those in open:
    open             bytea NOT NULL DEFAULT '',  -- 16 bytes each, two bigints as int8send() gives them
    UNIQUE (participant, origin)
) WITH (fillfactor = 50);

-- One row for each branch.  No foreign key to the scope: it would lock that row for every branch.
-- The index serves sweeping by mark and reading in the order of numbers; a change of state touches
-- neither index.
CREATE TABLE tercet_fence (
    gid         bytea NOT NULL,                  -- bytes, under no collation
    branch      integer NOT NULL,
    scope       integer NOT NULL,
    state       smallint NOT NULL CHECK (state BETWEEN 1 AND 4), -- TRIED CONFIRMED CANCELLED SUSPENDED
    incarnation bigint NOT NULL,
    number      bigint NOT NULL,
    digest      bytea NOT NULL,
    action      text COLLATE "C" NOT NULL,
    result      bytea NOT NULL DEFAULT '',
    PRIMARY KEY (gid, branch)
) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.05);
CREATE INDEX tercet_fence_number ON tercet_fence (scope, incarnation, number);
