"""A participant in Python on stock grpcio and SQLite, written from docs/protocol.md alone, that can be
given one flaw.  As a program it is one that can be killed:

usage: flawed.py PROTOS ADDRESS DATABASE [FLAW]

Its business: one account.  A payload is an amount.  `debit` freezes it, takes it or gives it back, and
refuses what the account does not have; `gift` is confirm-only and adds it.  See FLAWS for what can be
wrong with it; without a flaw it has to pass every check.
"""

import os
import sqlite3
import sys
import threading
import time
from concurrent import futures

import grpc

NAME = "bank"
TRIED, CONFIRMED, CANCELLED, SUSPENDED = 1, 2, 3, 4
WINDOW = 64
RACE_S = 0.02  # how long a flawed one leaves its gap open
DEATH_S = 0.05  # the same, for somebody who kills it

# Flaw -> the check that has to find it.
FLAWS = {
    "no_suspended_row": "late_try",
    "forgets_after_late_try": "late_try",
    "row_before_business": "refused_try",
    "row_lost_behind_business": "try_then_cancel",
    "read_then_insert": "try_at_once",
    "confirms_without_try": "confirm_without_try",
    "cancels_after_confirm": "cancel_after_confirm",
    "confirms_after_cancel": "confirm_after_cancel",
    "digest_ignored": "other_digest",
    "origin_ignored": "other_origin",
    "number_ignored": "other_number",
    "gid_without_case": "similar_keys",
    "epoch_ignored": "old_epoch",
    "describe_keeps_epoch": "described_epoch",
    "mark_ignored": "below_mark",
    "open_list_ignored": "open_list",
    "older_mark_taken": "older_mark",
    "tried_row_swept": "tried_row_stays",
    "other_origin_swept": "marks_apart",
    "refuses_confirm": "second_phase_not_refused",
    "result_not_stored": "same_result",
    "how_missing": "how_told",
    "kind_missing": "conflict_told",
    "effect_repeated": "try_repeated",
    "strict_fields": "unknown_fields",
    "digest_unchecked": "malformed",
    "any_participant": "wrong_participant",
    "stream_drops_order": "stream_phases",
    "stream_ends_at_status": "stream_statuses",
    "inspect_unsorted": "inspect_range",
    "gift_twice": "confirm_only",
    "row_behind_business": "killed",
}

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


class Status(Exception):
    """Ends a request with a status instead of a reply."""


class Refused(Exception):
    """A business no."""


class Participant:
    """One of them, on an address and a database file of its own."""

    def __init__(self, pb, pb_grpc, address, path, flaw="", bare=False):
        assert flaw == "" or flaw in FLAWS, flaw
        self.pb, self.path, self.flaw = pb, path, flaw
        self.local = threading.local()
        self.lost = set()
        key = "TEXT COLLATE NOCASE" if flaw == "gid_without_case" else "BLOB"
        if not os.path.exists(path):
            self.database().executescript(SCHEMA.format(key=key))
        outer = self

        class Servicer(pb_grpc.ParticipantServicer):
            def Try(self, request, context):
                return outer.unary(request, context, pb.PHASE_TRY)

            def Confirm(self, request, context):
                return outer.unary(request, context, pb.PHASE_CONFIRM)

            def Cancel(self, request, context):
                return outer.unary(request, context, pb.PHASE_CANCEL)

        if not bare:
            Servicer.Describe = lambda _, request, context: outer.describe(request)
            Servicer.Inspect = lambda _, request, context: outer.inspect(request)
            Servicer.Work = lambda _, batches, context: outer.work(batches)
        self.bare = bare
        self.server = grpc.server(futures.ThreadPoolExecutor(16))
        pb_grpc.add_ParticipantServicer_to_server(Servicer(), self.server)
        self.server.add_insecure_port(address)
        self.server.start()

    def has(self, flaw):
        return self.flaw == flaw

    def stop(self):
        self.server.stop(0).wait()

    def database(self):
        """A connection for each thread.  Nothing here is killed, so nothing has to be synced."""
        if not hasattr(self.local, "database"):
            self.local.database = sqlite3.connect(self.path, isolation_level=None, timeout=30)
            self.local.database.execute("PRAGMA journal_mode=WAL")
            self.local.database.execute("PRAGMA synchronous=OFF")
        return self.local.database

    # ---- How requests come -----------------------------------------------------------------------

    def unary(self, request, context, phase):
        try:
            return self.serve(request, request.context, phase)
        except Status as status:
            return context.abort(*status.args)

    def work(self, batches):
        yield self.pb.AnswerBatch(window=WINDOW)
        for batch in batches:
            replies = []
            for request in batch.requests:
                try:
                    if request.phase not in (1, 2, 3):
                        raise Status(grpc.StatusCode.UNIMPLEMENTED, "phase: not known here")
                    reply = self.serve(request, batch.context, request.phase)
                except Status as status:
                    if self.has("stream_ends_at_status"):
                        return
                    reply = self.pb.BranchReply(status=status.args[0].value[0])
                    reply.reason.text = status.args[1]
                reply.call = request.call
                replies.insert(len(replies) // 2, reply)  # in an order of our own
            if self.has("stream_drops_order"):
                for reply, request in zip(replies, batch.requests):
                    reply.call = request.call + len(batch.requests) // 2
            yield self.pb.AnswerBatch(replies=replies)

    # ---- A request -------------------------------------------------------------------------------

    def check(self, request, context, phase):
        digest = len(request.digest) == 16 or self.has("digest_unchecked")
        if not (request.gid and 1 <= request.branch <= 64 and request.phase == phase and digest
                and len(context.origin) == 20 and min(
                    request.number.incarnation, request.number.number, context.incarnation,
                    context.epoch) > 0):
            raise Status(grpc.StatusCode.INVALID_ARGUMENT, "a field is missing or out of range")
        if self.has("strict_fields") and len(request.UnknownFields()) > 0:
            raise Status(grpc.StatusCode.INVALID_ARGUMENT, "an unknown field")

    def serve(self, request, context, phase):
        pb = self.pb
        self.check(request, context, phase)
        if context.participant != NAME and not self.has("any_participant"):
            return self.reply(pb.VERDICT_LATER, code="TERCET_WRONG_PARTICIPANT")
        if request.action not in ("debit", "gift"):
            raise Status(grpc.StatusCode.FAILED_PRECONDITION, "TERCET_UNKNOWN_ACTION: not served")
        confirm_only = request.action == "gift"
        if confirm_only and phase == pb.PHASE_TRY:
            raise Status(grpc.StatusCode.INVALID_ARGUMENT, "a confirm-only action is not tried")
        self.raise_epoch(context)
        if context.HasField("mark") and not self.bare:
            self.apply_mark(context)
        if self.has("read_then_insert"):
            return self.read_then_insert(request, context, phase)
        database = self.database()
        database.execute("BEGIN IMMEDIATE")
        try:
            reply = self.one_transaction(database, request, context, phase, confirm_only)
        except BaseException:
            if database.in_transaction:
                database.execute("ROLLBACK")
            raise
        return reply

    def one_transaction(self, database, request, context, phase, confirm_only):
        pb = self.pb
        row = self.lock_row(database, request)
        seen = self.read_mark(database, context)
        if (seen["incarnation"], seen["epoch"]) > (context.incarnation, context.epoch) \
                and not self.has("epoch_ignored"):
            raise Status(grpc.StatusCode.FAILED_PRECONDITION, "TERCET_OLD_EPOCH: a later one asks")
        past = self.is_past(seen, (request.number.incarnation, request.number.number))
        state, answer = self.decide(row, past, request, context, phase, confirm_only)
        if state == "forget":
            database.execute("DELETE FROM fence WHERE gid = ? AND branch = ?", self.key(request))
        elif state is not None:
            answer = self.run(database, request, context, phase, row, state) or answer
        database.execute("COMMIT" if answer.verdict != pb.VERDICT_REFUSED or state == "forget"
                         else "ROLLBACK")
        if self.has("row_lost_behind_business") and phase == pb.PHASE_TRY and state == TRIED:
            self.lose_row(request)
        return answer

    def run(self, database, request, context, phase, row, state):
        """Business and row.  Returns the answer, None when decide() has it."""
        pb = self.pb
        if state == SUSPENDED:
            if not self.has("no_suspended_row"):
                self.write_row(database, request, context, state, b"")
            return None
        result = row["result"] if row else b""
        if phase == pb.PHASE_TRY:
            result = b"" if self.has("result_not_stored") else b"frozen " + request.payload
        if self.has("row_before_business"):
            self.write_row(database, request, context, state, result)
            database.execute("COMMIT")
            database.execute("BEGIN IMMEDIATE")
        try:
            self.business(database, request, phase)
        except Refused:
            return self.reply(pb.VERDICT_REFUSED, code="BALANCE_TOO_LOW")
        if self.has("row_behind_business"):
            database.execute("COMMIT")
            time.sleep(DEATH_S)
            database.execute("BEGIN IMMEDIATE")
        if not self.has("row_before_business"):
            self.write_row(database, request, context, state, result)
        shown = b"frozen " + request.payload if phase == pb.PHASE_TRY else b""
        return self.done(pb.HOW_RAN, shown)

    @staticmethod
    def business(database, request, phase):
        amount = int(request.payload)
        if request.action == "gift":
            database.execute("UPDATE account SET balance = balance + ?", (amount,))
        elif phase == 1:
            if database.execute("UPDATE account SET balance = balance - ?1, frozen = frozen + ?1"
                                " WHERE balance >= ?1", (amount,)).rowcount == 0:
                raise Refused
        elif phase == 2:
            database.execute("UPDATE account SET frozen = frozen - ?", (amount,))
        else:
            database.execute("UPDATE account SET balance = balance + ?1, frozen = frozen - ?1",
                             (amount,))

    # ---- The truth table -------------------------------------------------------------------------

    def decide(self, row, past, request, context, phase, confirm_only):
        """(the state to write, None), or (None, the answer); SUSPENDED comes with its answer."""
        pb = self.pb
        if row is None:
            return self.decide_without_row(past, phase, confirm_only)
        if not self.is_same(row, request, context):
            return None, self.conflict(pb.CONFLICT_KIND_OTHER_TRANSACTION)
        state = row["state"]
        if phase == pb.PHASE_TRY:
            if state in (TRIED, CONFIRMED):
                if self.has("effect_repeated"):
                    self.business(self.database(), request, phase)
                return None, self.done(pb.HOW_REPEATED, row["result"])
            forget = self.has("forgets_after_late_try") and state == SUSPENDED
            return "forget" if forget else None, self.reply(
                pb.VERDICT_REFUSED, code="TERCET_TRY_AFTER_CANCEL")
        if state == TRIED:
            return (CONFIRMED if phase == pb.PHASE_CONFIRM else CANCELLED), None
        if phase == pb.PHASE_CONFIRM:
            if state == CONFIRMED:
                if confirm_only and self.has("gift_twice"):
                    return CONFIRMED, None
                return None, self.done(pb.HOW_REPEATED)
            if self.has("confirms_after_cancel"):
                return None, self.done(pb.HOW_REPEATED)
            if self.has("refuses_confirm"):
                return None, self.reply(pb.VERDICT_REFUSED, code="CANCELLED_BEFORE")
            return None, self.conflict(pb.CONFLICT_KIND_CANCELLED)
        if state == CONFIRMED:
            if self.has("cancels_after_confirm"):
                return CANCELLED, None
            return None, self.conflict(pb.CONFLICT_KIND_CONFIRMED)
        return None, self.done(pb.HOW_REPEATED if state == CANCELLED else pb.HOW_EMPTY)

    def decide_without_row(self, past, phase, confirm_only):
        pb = self.pb
        if past:
            return None, (self.reply(pb.VERDICT_REFUSED, code="TERCET_FORGOTTEN")
                          if phase == pb.PHASE_TRY else
                          self.conflict(pb.CONFLICT_KIND_FORGOTTEN))
        if phase == pb.PHASE_TRY:
            return TRIED, None
        if phase == pb.PHASE_CONFIRM:
            if confirm_only or self.has("confirms_without_try"):
                return CONFIRMED, None
            return None, self.conflict(pb.CONFLICT_KIND_NOT_TRIED)
        return SUSPENDED, self.done(pb.HOW_EMPTY)

    def is_same(self, row, request, context):
        return ((row["origin"] == context.origin or self.has("origin_ignored"))
                and ((row["incarnation"], row["number"])
                     == (request.number.incarnation, request.number.number)
                     or self.has("number_ignored"))
                and (row["digest"] == request.digest or self.has("digest_ignored")))

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

    def lose_row(self, request):
        """Every other try: the business change was committed, and the row's own commit is lost."""
        key = (request.gid, request.branch)
        if key in self.lost:
            return
        self.lost.add(key)
        if len(self.lost) % 2 == 0:
            self.database().execute("DELETE FROM fence WHERE gid = ? AND branch = ?",
                                    self.key(request))
            raise Status(grpc.StatusCode.UNAVAILABLE, "the database is away")

    def read_then_insert(self, request, context, phase):
        """Looks first and writes then, in two transactions."""
        database = self.database()
        row = self.lock_row(database, request)
        confirm_only = request.action == "gift"
        state, answer = self.decide(row, False, request, context, phase, confirm_only)
        time.sleep(RACE_S)
        if state is not None:
            database.execute("BEGIN IMMEDIATE")
            answer = self.run(database, request, context, phase, row, state) or answer
            database.execute("COMMIT")
        return answer

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

    # ---- Describe, Inspect -----------------------------------------------------------------------

    def describe(self, request):
        pb, context, database = self.pb, request.context, self.database()
        if not self.has("describe_keeps_epoch"):
            self.raise_epoch(context)
        reply = pb.DescribeReply(participant=NAME, protocol=1, software="a test in Python")
        reply.actions.add(name="debit")
        reply.actions.add(name="gift", confirm_only=True)
        store = reply.stores.add(kind="sqlite", store_id=b"0123456789abcdef")
        seen = self.read_mark(database, context)
        rows = database.execute("SELECT incarnation, number FROM fence WHERE origin = ?"
                                " ORDER BY incarnation, number", (context.origin,)).fetchall()
        store.rows = len(rows)
        if rows:
            store.highest.incarnation, store.highest.number = rows[-1]
        if seen:
            store.incarnation, store.epoch = seen["incarnation"], seen["epoch"]
        if seen and seen["as_of_lsn"] > 0:
            store.mark.as_of_incarnation = seen["as_of_incarnation"]
            store.mark.as_of_lsn = seen["as_of_lsn"]
            store.mark.low.incarnation = seen["low_incarnation"]
            store.mark.low.number = seen["low_number"]
            for each in seen["open"].split():
                incarnation, number = each.split(".")
                store.mark.open.add(incarnation=int(incarnation), number=int(number))
        return reply

    def inspect(self, request):
        database, reply = self.database(), self.pb.InspectReply()
        if request.gid:
            row = self.one(database, "SELECT * FROM fence WHERE gid = ? AND branch = ?",
                           self.key(request))
            self.add_row(reply, row or {"gid": request.gid.encode(), "branch": request.branch})
            return reply
        size, after = request.page_size or 100, int(request.page_token or 0)
        first = getattr(request, "from")
        order = "DESC" if self.has("inspect_unsorted") else "ASC"
        rows = [self.one(database, "SELECT * FROM fence WHERE rowid = ?", row) for row in
                database.execute(
                    "SELECT rowid FROM fence WHERE origin = ? AND (incarnation, number) >= (?, ?)"
                    " AND (incarnation, number) < (?, ?) ORDER BY incarnation, number "
                    + order + " LIMIT ? OFFSET ?",
                    (request.context.origin, first.incarnation, first.number,
                     request.below.incarnation, request.below.number, size, after)).fetchall()]
        for row in rows:
            self.add_row(reply, row)
        if len(rows) == size:
            reply.next_page_token = str(after + size)
        return reply

    def add_row(self, reply, row):
        told = reply.rows.add(gid=row["gid"] if isinstance(row["gid"], str)
                              else row["gid"].decode(), branch=row["branch"])
        told.state = row.get("state", self.pb.FENCE_STATE_NONE)
        if "state" in row:
            told.origin, told.digest = row["origin"], row["digest"]
            told.action, told.result = row["action"], row["result"]
            told.number.incarnation, told.number.number = row["incarnation"], row["number"]

    # ---- Replies ---------------------------------------------------------------------------------

    def reply(self, verdict, code):
        return self.pb.BranchReply(verdict=verdict, reason=self.pb.Reason(code=code, text="no"))

    def done(self, how, result=b""):
        return self.pb.BranchReply(verdict=self.pb.VERDICT_DONE, result=result,
                                   how=0 if self.has("how_missing") else how)

    def conflict(self, kind):
        return self.pb.BranchReply(verdict=self.pb.VERDICT_CONFLICT,
                                   conflict=0 if self.has("kind_missing") else kind)


def main():
    sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "python"))
    import stubs  # pylint: disable=import-outside-toplevel
    pb, pb_grpc = stubs.make(sys.argv[1])[:2]
    Participant(pb, pb_grpc, *sys.argv[2:5]).server.wait_for_termination()


if __name__ == "__main__":
    main()
