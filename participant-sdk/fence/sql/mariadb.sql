-- Tables of the Tercet fence, version 1, for MariaDB 10.5 or newer.
--
-- Run this once, in the database of the business tables:
--
--     mariadb --database=... < mariadb.sql
--
-- or let the store do it (tercet_mariadb_options.create_tables).  The participant's user needs
--
--     GRANT SELECT ON tercet_schema TO ...;
--     GRANT SELECT, INSERT, UPDATE ON tercet_scope TO ...;
--     GRANT SELECT, INSERT, UPDATE, DELETE ON tercet_fence TO ...;
--
-- Nobody but the store writes into them; no handler may.

-- What is known of one participant's dealings with one origin (a coordinator's journal): who asked last,
-- and how far everything has ended.  Rows of tercet_fence name it by its short number.
CREATE TABLE IF NOT EXISTS tercet_scope (
    id               INT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    participant      VARBINARY(64) NOT NULL,
    origin           VARBINARY(20) NOT NULL,
    incarnation      BIGINT NOT NULL,            -- with epoch: the highest that has asked
    epoch            BIGINT NOT NULL,
    mark_incarnation BIGINT NOT NULL DEFAULT 0,  -- with mark_lsn: the mark's age; 0: there is none
    mark_lsn         BIGINT NOT NULL DEFAULT 0,
    low_incarnation  BIGINT NOT NULL DEFAULT 0,  -- every number below (low_incarnation, low_number)
    low_number       BIGINT NOT NULL DEFAULT 0,  -- has ended, but for those in open:
    open             VARBINARY(4096) NOT NULL DEFAULT '', -- 16 bytes each, two numbers big-endian
    UNIQUE KEY tercet_scope_name (participant, origin)
) ENGINE = InnoDB;

-- One row for each branch.  The second key serves sweeping by mark and reading in the order of numbers; a
-- change of state touches neither.
CREATE TABLE IF NOT EXISTS tercet_fence (
    gid         VARBINARY(128) NOT NULL,
    branch      INT NOT NULL,
    scope       INT NOT NULL,
    state       TINYINT NOT NULL,                -- 1 TRIED, 2 CONFIRMED, 3 CANCELLED, 4 SUSPENDED
    incarnation BIGINT NOT NULL,
    number      BIGINT NOT NULL,
    digest      VARBINARY(16) NOT NULL,
    action      VARBINARY(64) NOT NULL,
    result      VARBINARY(1024) NOT NULL DEFAULT '',
    PRIMARY KEY (gid, branch),
    KEY tercet_fence_number (scope, incarnation, number)
) ENGINE = InnoDB;

-- Which version these tables have, and which database this is.  The id is new in every database that this
-- is run in, and comes along with a copy or a backup.  Last: where its row is, the others are.
CREATE TABLE IF NOT EXISTS tercet_schema (
    id       INT NOT NULL PRIMARY KEY,
    version  INT NOT NULL,
    store_id BINARY(16) NOT NULL
) ENGINE = InnoDB;
INSERT IGNORE INTO tercet_schema VALUES (1, 1, UNHEX(MD5(CONCAT(UUID(), RAND(), NOW(6)))));
COMMIT;
