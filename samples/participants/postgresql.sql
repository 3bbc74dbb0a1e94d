-- The tables and functions of the participants that keep their accounts in PostgreSQL: once, before the first start.

-- The fence.  An installed Tercet has both files in share/tercet/sql.
\ir ../../participant-sdk/fence/sql/postgres.sql
\ir ../../participant-sdk/fence/sql/postgres_functions.sql

-- The business.
CREATE TABLE account (
  id       TEXT   PRIMARY KEY,
  balance  BIGINT NOT NULL CHECK (balance >= 0),
  reserved BIGINT NOT NULL DEFAULT 0 CHECK (reserved >= 0));
