"""The protocol's half of a participant, over SQLite: docs/protocol.md, sections 3 to 7.

Whatever the network does to a call (twice, late, in the wrong order), its effect happens at most
once, because a row of tercet_fence is written in the same local transaction as the business change.
Business code stands elsewhere (bank.py) and knows nothing of this.

This is the whole fence, for a database that has no functions of ours; with them (PostgreSQL, in
../python) nothing of the deciding is left to write.

Not here: the stream Work, without which every request is a call of its own.
"""

import contextlib
import json
import secrets
import sqlite3
import threading

import grpc
from tercet.v1 import participant_pb2 as pb
from tercet.v1 import participant_pb2_grpc as pb_grpc

TRIED, CONFIRMED, CANCELLED, SUSPENDED = 1, 2, 3, 4  # as in the table, and as FenceState has them
METHODS = {pb.PHASE_TRY: "try_", pb.PHASE_CONFIRM: "confirm", pb.PHASE_CANCEL: "cancel"}

SCHEMA = """
CREATE TABLE IF NOT EXISTS tercet_store (store_id BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS tercet_fence (
  gid BLOB NOT NULL, branch INTEGER NOT NULL, participant TEXT NOT NULL, origin BLOB NOT NULL,
  incarnation INTEGER NOT NULL, number INTEGER NOT NULL, digest BLOB NOT NULL,
  action TEXT NOT NULL, state INTEGER NOT NULL, result BLOB NOT NULL,
  PRIMARY KEY (gid, branch));
CREATE INDEX IF NOT EXISTS tercet_fence_number
  ON tercet_fence (participant, origin, incarnation, number);
CREATE TABLE IF NOT EXISTS tercet_mark (
  participant TEXT NOT NULL, origin BLOB NOT NULL,
  incarnation INTEGER NOT NULL, epoch INTEGER NOT NULL,
  mark_incarnation INTEGER NOT NULL DEFAULT 0, mark_lsn INTEGER NOT NULL DEFAULT 0,
  low_incarnation INTEGER NOT NULL DEFAULT 0, low_number INTEGER NOT NULL DEFAULT 0,
  open BLOB NOT NULL DEFAULT '[]',
  PRIMARY KEY (participant, origin));
"""


class Refused(Exception):
    """Business code says no to a try: Refused(code, text)."""


class OldEpoch(Exception):
    """A newer start of the asking coordinator has been seen."""


def reply_done(how, result=b""):
    return pb.BranchReply(verdict=pb.VERDICT_DONE, how=how, result=result)


def reply_no(verdict, code, text=""):
    text = text.encode()[:255].decode(errors="ignore")
    return pb.BranchReply(verdict=verdict, reason=pb.Reason(code=code, text=text))


def reply_conflict(kind, code, found):
    reply = reply_no(pb.VERDICT_CONFLICT, code)
    reply.conflict, reply.found = kind, found
    return reply


def pair(number):
    return number.incarnation, number.number


def what_is_wrong(asker):
    if not asker.participant or len(asker.origin) != 20:
        return "context: participant and 20 bytes of origin are required"
    if asker.incarnation <= 0 or asker.epoch <= 0:
        return "context: incarnation and epoch are positive"
    return None


def what_is_wrong_with_branch(request, phase):
    if request.phase != phase:
        return "phase is not the method's"
    if not 1 <= len(request.gid) <= 128 or not all("!" <= c <= "~" for c in request.gid):
        return "gid: 1 to 128 of 0x21 to 0x7e"
    if not 1 <= request.branch <= 64 or len(request.digest) != 16 or min(pair(request.number)) <= 0:
        return "branch 1 to 64, digest of 16 bytes, a positive number"
    return what_is_wrong(request.context)


def decide(row, past, request, phase, confirm_only):
    """The table of section 5: (state to run to, None), or (None, what is answered)."""
    if row is None:
        if past:  # it ended, and its row was let go
            if phase == pb.PHASE_TRY:
                return None, reply_no(pb.VERDICT_REFUSED, "TERCET_FORGOTTEN")
            return None, reply_conflict(pb.CONFLICT_KIND_FORGOTTEN, "TERCET_FORGOTTEN",
                                        pb.FENCE_STATE_NONE)
        if phase == pb.PHASE_TRY:
            return TRIED, None
        if phase == pb.PHASE_CANCEL:
            return None, reply_done(pb.HOW_EMPTY)
        if confirm_only:
            return CONFIRMED, None
        return None, reply_conflict(pb.CONFLICT_KIND_NOT_TRIED, "TERCET_CONFIRM_WITHOUT_TRY",
                                    pb.FENCE_STATE_NONE)
    state, result = row["state"], row["result"]
    if (row["origin"], row["incarnation"], row["number"], row["digest"]) != (
            request.context.origin, *pair(request.number), request.digest):
        return None, reply_conflict(pb.CONFLICT_KIND_OTHER_TRANSACTION, "TERCET_OTHER_TRANSACTION",
                                    state)
    if phase == pb.PHASE_TRY:
        if state in (TRIED, CONFIRMED):
            return None, reply_done(pb.HOW_REPEATED, result)
        return None, reply_no(pb.VERDICT_REFUSED, "TERCET_TRY_AFTER_CANCEL")
    if state == TRIED:
        return CONFIRMED if phase == pb.PHASE_CONFIRM else CANCELLED, None
    if phase == pb.PHASE_CONFIRM:
        if state == CONFIRMED:
            return None, reply_done(pb.HOW_REPEATED)
        return None, reply_conflict(pb.CONFLICT_KIND_CANCELLED, "TERCET_CONFIRM_AFTER_CANCEL", state)
    if state == CONFIRMED:
        return None, reply_conflict(pb.CONFLICT_KIND_CONFIRMED, "TERCET_CANCEL_AFTER_CONFIRM", state)
    return None, reply_done(pb.HOW_REPEATED if state == CANCELLED else pb.HOW_EMPTY)


class Participant(pb_grpc.ParticipantServicer):
    """`actions` maps names to objects with try_, confirm, cancel (db, payload) and confirm_only."""

    def __init__(self, name, path, actions):
        self.name, self.actions = name, actions
        self.lock = threading.Lock()  # one connection, one transaction at a time
        self.raised = {}  # origin -> the (incarnation, epoch) that tercet_mark is known to hold
        self.db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self.db.row_factory = sqlite3.Row
        self.db.executescript("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;" + SCHEMA)
        with self.transaction() as db:  # the database's own name, made with its tables
            if db.execute("SELECT 1 FROM tercet_store").fetchone() is None:
                db.execute("INSERT INTO tercet_store VALUES (?)", (secrets.token_bytes(16),))

    def Try(self, request, context):
        return self.serve(request, pb.PHASE_TRY, context)

    def Confirm(self, request, context):
        return self.serve(request, pb.PHASE_CONFIRM, context)

    def Cancel(self, request, context):
        return self.serve(request, pb.PHASE_CANCEL, context)

    def serve(self, request, phase, context):
        wrong = what_is_wrong_with_branch(request, phase)
        if wrong:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, wrong)
        if request.context.participant != self.name:
            return reply_no(pb.VERDICT_LATER, "TERCET_WRONG_PARTICIPANT", f"this is {self.name}")
        action = self.actions.get(request.action)
        if action is None:
            context.abort(grpc.StatusCode.FAILED_PRECONDITION, "TERCET_UNKNOWN_ACTION")
        if action.confirm_only and phase == pb.PHASE_TRY:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, "this action is not tried")
        try:
            self.raise_epoch(request.context)
            if request.context.HasField("mark"):
                self.apply_mark(request.context)
            return self.one_transaction(request, phase, action)
        except OldEpoch:
            context.abort(grpc.StatusCode.FAILED_PRECONDITION, "TERCET_OLD_EPOCH")
        except Exception as error:  # rolled back; the coordinator asks again
            self.raised.pop(request.context.origin, None)  # it may be another database by now
            return reply_no(pb.VERDICT_LATER, "TERCET_HANDLER_FAILED", repr(error))

    @contextlib.contextmanager
    def transaction(self):
        """Committed when the block is left, rolled back by an exception or by db.rollback()."""
        with self.lock:
            self.db.execute("BEGIN IMMEDIATE")  # from here on there is no other writer
            try:
                yield self.db
                if self.db.in_transaction:
                    self.db.execute("COMMIT")
            finally:
                self.db.rollback()  # nothing, after a commit

    def one_transaction(self, request, phase, action):
        # What stands there if there is no row yet; a confirm after a try may not make one.
        wanted = {pb.PHASE_TRY: TRIED, pb.PHASE_CANCEL: SUSPENDED,
                  pb.PHASE_CONFIRM: CONFIRMED if action.confirm_only else None}[phase]
        key = (request.gid.encode(), request.branch)
        with self.transaction() as db:
            row = None
            if wanted is None or not self.insert(db, key, request, wanted):
                row = db.execute("SELECT * FROM tercet_fence WHERE gid = ? AND branch = ?",
                                 key).fetchone()
            seen = self.read_mark(db, request.context)
            past = (pair(request.number) < (seen["low_incarnation"], seen["low_number"])
                    and list(pair(request.number)) not in json.loads(seen["open"]))
            run, reply = decide(row, past, request, phase, action.confirm_only)
            if run is not None:
                reply = self.run(db, action, phase, request, key, run)
            if reply.verdict != pb.VERDICT_DONE:
                db.rollback()  # with the row that was inserted above
        # Only now, after the commit, is anything answered.
        reply.mark_incarnation, reply.mark_lsn = seen["mark_incarnation"], seen["mark_lsn"]
        return reply

    @staticmethod
    def run(db, action, phase, request, key, state):
        try:
            result = getattr(action, METHODS[phase])(db, request.payload) or b""
        except Refused as no:
            code, text = no.args
            if phase == pb.PHASE_TRY:
                return reply_no(pb.VERDICT_REFUSED, code, text)
            return reply_no(pb.VERDICT_LATER, "TERCET_REFUSED_TOO_LATE", text)
        if phase == pb.PHASE_TRY:  # the repeats of the try are answered with it
            db.execute("UPDATE tercet_fence SET result = ? WHERE gid = ? AND branch = ?",
                       (result, *key))
            return reply_done(pb.HOW_RAN, result)
        db.execute("UPDATE tercet_fence SET state = ? WHERE gid = ? AND branch = ?", (state, *key))
        return reply_done(pb.HOW_RAN)

    def insert(self, db, key, request, state):
        done = db.execute(
            "INSERT INTO tercet_fence VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, x'') ON CONFLICT DO NOTHING",
            (*key, self.name, request.context.origin, *pair(request.number), request.digest,
             request.action, state))
        return done.rowcount == 1

    def read_mark(self, db, asker):
        seen = db.execute("SELECT * FROM tercet_mark WHERE participant = ? AND origin = ?",
                          (self.name, asker.origin)).fetchone()
        if (seen["incarnation"], seen["epoch"]) > (asker.incarnation, asker.epoch):
            raise OldEpoch
        return seen

    def raise_epoch(self, asker):
        asks = (asker.incarnation, asker.epoch)
        if self.raised.get(asker.origin, (0, 0)) >= asks:
            return
        with self.transaction() as db:
            db.execute("INSERT INTO tercet_mark (participant, origin, incarnation, epoch)"
                       " VALUES (?, ?, ?, ?) ON CONFLICT (participant, origin) DO UPDATE"
                       " SET incarnation = excluded.incarnation, epoch = excluded.epoch"
                       " WHERE (tercet_mark.incarnation, tercet_mark.epoch)"
                       "     < (excluded.incarnation, excluded.epoch)",
                       (self.name, asker.origin, *asks))
        self.raised[asker.origin] = asks

    def apply_mark(self, asker):
        """Rows below it go: no call for them can come any more that it would not refuse."""
        mark = asker.mark
        age = (mark.as_of_incarnation, mark.as_of_lsn)
        with self.transaction() as db:
            seen = self.read_mark(db, asker)
            if age <= (seen["mark_incarnation"], seen["mark_lsn"]):
                return  # older, or known: an older open list would open what is closed
            still_open = [pair(number) for number in mark.open]
            db.execute("UPDATE tercet_mark SET mark_incarnation = ?, mark_lsn = ?,"
                       " low_incarnation = ?, low_number = ?, open = ?"
                       " WHERE participant = ? AND origin = ?",
                       (*age, *pair(mark.low), json.dumps(still_open), self.name, asker.origin))
            # A TRIED row holds a reservation: it stays, and an operator looks.
            values = ", ".join(["(0, 0)"] + ["(?, ?)"] * len(still_open))
            db.execute("DELETE FROM tercet_fence WHERE participant = ? AND origin = ?"
                       " AND (incarnation, number) < (?, ?) AND state <> 1"
                       f" AND (incarnation, number) NOT IN (VALUES {values})",
                       (self.name, asker.origin, *pair(mark.low), *sum(still_open, ())))

    def Describe(self, request, context):
        self.check(request.context, context)  # asked under another name it tells its own
        try:
            self.raise_epoch(request.context)  # durable before anything is told
            with self.transaction() as db:  # one moment for all that is told
                seen = self.read_mark(db, request.context)
                store_id = db.execute("SELECT store_id FROM tercet_store").fetchone()[0]
                mine = (self.name, request.context.origin)
                rows = db.execute("SELECT count(*) FROM tercet_fence"
                                  " WHERE participant = ? AND origin = ?", mine).fetchone()[0]
                last = db.execute("SELECT incarnation, number FROM tercet_fence WHERE participant = ?"
                                  " AND origin = ? ORDER BY incarnation DESC, number DESC LIMIT 1",
                                  mine).fetchone()
        except OldEpoch:
            context.abort(grpc.StatusCode.FAILED_PRECONDITION, "TERCET_OLD_EPOCH")
        store = pb.StoreDescription(kind="sqlite", store_id=store_id, rows=rows,
                                    incarnation=seen["incarnation"], epoch=seen["epoch"])
        if last:
            store.highest.incarnation, store.highest.number = last
        if seen["mark_incarnation"]:
            store.mark.as_of_incarnation = seen["mark_incarnation"]
            store.mark.as_of_lsn = seen["mark_lsn"]
            store.mark.low.incarnation = seen["low_incarnation"]
            store.mark.low.number = seen["low_number"]
            for incarnation, number in json.loads(seen["open"]):
                store.mark.open.add(incarnation=incarnation, number=number)
        actions = [pb.ActionDescription(name=name, confirm_only=action.confirm_only)
                   for name, action in self.actions.items()]
        return pb.DescribeReply(participant=self.name, actions=actions, stores=[store], protocol=1,
                                software="bank example in Python over SQLite")

    def Inspect(self, request, context):
        self.check(request.context, context)
        if request.context.participant != self.name:
            context.abort(grpc.StatusCode.FAILED_PRECONDITION, f"this is {self.name}")
        if request.gid:
            where, values = "gid = ?", [request.gid.encode()]
            if request.branch:
                where, values = where + " AND branch = ?", values + [request.branch]
        else:
            where, values = "participant = ? AND origin = ?", [self.name, request.context.origin]
            if request.HasField("from"):
                where += " AND (incarnation, number) >= (?, ?)"
                values += pair(getattr(request, "from"))
            if request.HasField("below"):
                where += " AND (incarnation, number) < (?, ?)"
                values += pair(request.below)
            if request.page_token:  # the last page's last row
                where += " AND (incarnation, number) > (?, ?)"
                values += [int(part) for part in request.page_token.split(".")]
        size = min(request.page_size or 100, 1000)
        with self.lock:
            rows = self.db.execute(f"SELECT * FROM tercet_fence WHERE {where}"
                                   f" ORDER BY incarnation, number LIMIT {size + 1}",
                                   values).fetchall()
        reply = pb.InspectReply(rows=[self.shown(row) for row in rows[:size]])
        if len(rows) > size:
            reply.next_page_token = f"{rows[size - 1]['incarnation']}.{rows[size - 1]['number']}"
        if request.gid and request.branch and not rows:
            reply.rows.add(gid=request.gid, branch=request.branch, state=pb.FENCE_STATE_NONE)
        return reply

    @staticmethod
    def shown(row):
        return pb.FenceRow(gid=row["gid"].decode(), branch=row["branch"], state=row["state"],
                           origin=row["origin"], digest=row["digest"], action=row["action"],
                           result=row["result"],
                           number=pb.BranchNumber(incarnation=row["incarnation"],
                                                  number=row["number"]))

    @staticmethod
    def check(asker, context):
        wrong = what_is_wrong(asker)
        if wrong:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, wrong)
