"""Rows, epochs and marks of the participant of flawed.py, in SQLite, by docs/protocol.md 5 to 7."""

import sqlite3

TRIED, CONFIRMED, CANCELLED, SUSPENDED = 1, 2, 3, 4

SCHEMA = """
CREATE TABLE account (balance INTEGER NOT NULL CHECK (balance >= 0), frozen INTEGER NOT NULL);
INSERT INTO account VALUES (1000000, 0);
CREATE TABLE fence (gid {key} NOT NULL, branch INTEGER NOT NULL, origin BLOB NOT NULL,
    incarnation INTEGER NOT NULL, number INTEGER NOT NULL, digest BLOB NOT NULL,
    action TEXT NOT NULL, state INTEGER NOT NULL, result BLOB NOT NULL, PRIMARY KEY (gid, branch));
CREATE TABLE mark (origin BLOB PRIMARY KEY, incarnation INTEGER NOT NULL, epoch INTEGER NOT NULL,
    as_of_incarnation INTEGER NOT NULL DEFAULT 0, as_of_lsn INTEGER NOT NULL DEFAULT 0,
    low_incarnation INTEGER NOT NULL DEFAULT 0, low_number INTEGER NOT NULL DEFAULT 0,
    open TEXT NOT NULL DEFAULT '');
"""


class Store:
    """What a participant knows.  It has `path`, `local` and `has(flaw)` from the one that is made of it."""

    def database(self):
        """A connection for each thread.  Nothing here loses its power, so nothing is synced."""
        if not hasattr(self.local, "database"):
            self.local.database = sqlite3.connect(self.path, isolation_level=None, timeout=30)
            self.local.database.execute("PRAGMA journal_mode=WAL")
            self.local.database.execute("PRAGMA synchronous=OFF")
        return self.local.database

    # ---- Rows ------------------------------------------------------------------------------------

    def key(self, request):
        gid = request.gid if self.has("gid_without_case") else request.gid.encode()
        return gid, request.branch

    def lock_row(self, database, request):
        """BEGIN IMMEDIATE has locked out every other writer."""
        return self.one(database, "SELECT * FROM fence WHERE gid = ? AND branch = ?",
                        self.key(request))

    @staticmethod
    def one(database, sql, values):
        cursor = database.execute(sql, values)
        row = cursor.fetchone()
        return row and dict(zip((column[0] for column in cursor.description), row))

    def write_row(self, database, request, context, state, result):
        database.execute("INSERT OR REPLACE INTO fence VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", (
            *self.key(request), context.origin, request.number.incarnation, request.number.number,
            request.digest, request.action, state, result))

    # ---- Epochs and marks ------------------------------------------------------------------------

    def raise_epoch(self, context):
        self.database().execute(
            "INSERT INTO mark (origin, incarnation, epoch) VALUES (?, ?, ?)"
            " ON CONFLICT (origin) DO UPDATE SET incarnation = excluded.incarnation,"
            " epoch = excluded.epoch"
            " WHERE (mark.incarnation, mark.epoch) < (excluded.incarnation, excluded.epoch)",
            (context.origin, context.incarnation, context.epoch))

    def read_mark(self, database, context):
        return self.one(database, "SELECT * FROM mark WHERE origin = ?", (context.origin,))

    def is_past(self, seen, number):
        return (number < (seen["low_incarnation"], seen["low_number"])
                and "%d.%d" % number not in seen["open"].split() and not self.has("mark_ignored"))

    def apply_mark(self, context):
        mark, database = context.mark, self.database()
        age = (mark.as_of_incarnation, mark.as_of_lsn)
        low = (mark.low.incarnation, mark.low.number)
        database.execute("BEGIN IMMEDIATE")
        seen = self.read_mark(database, context)
        stored = (seen["as_of_incarnation"], seen["as_of_lsn"])
        newer = (seen["incarnation"], seen["epoch"]) > (context.incarnation, context.epoch)
        if newer and not self.has("old_epoch_mark_taken"):
            database.execute("ROLLBACK")
            return
        if age == stored or (age < stored and not self.has("older_mark_taken")):
            database.execute("ROLLBACK")
            return
        opened = [] if self.has("open_list_ignored") else [
            "%d.%d" % (each.incarnation, each.number) for each in mark.open]
        database.execute("UPDATE mark SET as_of_incarnation = ?, as_of_lsn = ?,"
                         " low_incarnation = ?, low_number = ?, open = ? WHERE origin = ?",
                         (*age, *low, " ".join(opened), context.origin))
        kept = 0 if self.has("tried_row_swept") else TRIED
        rows = database.execute(
            "SELECT rowid, incarnation, number FROM fence WHERE (origin = ? OR ?)"
            " AND (incarnation, number) < (?, ?) AND state <> ?",
            (context.origin, self.has("other_origin_swept"), *low, kept)).fetchall()
        database.executemany("DELETE FROM fence WHERE rowid = ?", [
            (row[0],) for row in rows if "%d.%d" % row[1:] not in opened])
        database.execute("COMMIT")
