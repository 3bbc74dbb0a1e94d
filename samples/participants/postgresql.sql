-- The tables of the participants that keep their accounts in PostgreSQL: once, before the first start.

-- The business.
CREATE TABLE account (
  id       TEXT   PRIMARY KEY,
  balance  BIGINT NOT NULL CHECK (balance >= 0),
  reserved BIGINT NOT NULL DEFAULT 0 CHECK (reserved >= 0));

-- The fence: docs/protocol.md, section 5.
CREATE TABLE tercet_fence (
  gid         BYTEA    NOT NULL,
  branch      INTEGER  NOT NULL,
  participant TEXT     NOT NULL,
  origin      BYTEA    NOT NULL,
  incarnation BIGINT   NOT NULL,
  number      BIGINT   NOT NULL,
  digest      BYTEA    NOT NULL,
  action      TEXT     NOT NULL,
  state       SMALLINT NOT NULL,
  result      BYTEA    NOT NULL,
  PRIMARY KEY (gid, branch));
CREATE INDEX tercet_fence_number ON tercet_fence (participant, origin, incarnation, number);

CREATE TABLE tercet_mark (
  participant      TEXT   NOT NULL,
  origin           BYTEA  NOT NULL,
  incarnation      BIGINT NOT NULL,
  epoch            BIGINT NOT NULL,
  mark_incarnation BIGINT NOT NULL DEFAULT 0,
  mark_lsn         BIGINT NOT NULL DEFAULT 0,
  low_incarnation  BIGINT NOT NULL DEFAULT 0,
  low_number       BIGINT NOT NULL DEFAULT 0,
  open             BYTEA  NOT NULL DEFAULT '',
  PRIMARY KEY (participant, origin));

-- The database's own name, 16 random bytes: another value is another database.
CREATE TABLE tercet_store (store_id BYTEA NOT NULL);
INSERT INTO tercet_store VALUES (decode(replace(gen_random_uuid()::text, '-', ''), 'hex'));
