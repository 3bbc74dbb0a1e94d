"""A participant in Python on stock grpcio and SQLite, written from docs/protocol.md alone, that can be
given one flaw.  As a program it is one that can be killed:

usage: flawed.py PROTOS ADDRESS DATABASE [FLAW]

Its business: one account.  A payload is an amount.  `debit` freezes it, takes it or gives it back, and
refuses what the account does not have; `gift` is confirm-only and adds it.  See FLAWS for what can be
wrong with it; without a flaw it has to pass every check.
"""

import os
import signal
import sys
import threading
import time
from concurrent import futures

import grpc

from flawed_store import CANCELLED, CONFIRMED, SCHEMA, SUSPENDED, TRIED, Store
from flawed_survey import NAME, Survey
from flaws import FLAWS, MOODS

WINDOW = 64
RACE_S = 0.02  # how long a flawed one leaves its gap open
DEATH_S = 0.05  # the same, for somebody who kills it


class Status(Exception):
    """Ends a request with a status instead of a reply."""


class Refused(Exception):
    """A business no."""


class Participant(Store, Survey):
    """One of them, on an address and a database file of its own."""

    def __init__(self, pb, pb_grpc, address, path, flaw="", bare=False):
        assert flaw == "" or flaw in FLAWS or flaw in MOODS, flaw
        self.pb, self.path, self.flaw = pb, path, flaw
        self.local = threading.local()
        self.lost = set()
        self.asked = set()
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
            Servicer.Describe = lambda _, request, context: outer.survey(request, context)
            Servicer.Inspect = lambda _, request, context: outer.inspect(request)
            Servicer.Work = lambda _, batches, context: outer.work(batches, context)
        self.bare = bare
        self.server = grpc.server(futures.ThreadPoolExecutor(16))
        pb_grpc.add_ParticipantServicer_to_server(Servicer(), self.server)
        self.server.add_insecure_port(address)
        self.server.start()

    def has(self, flaw):
        return self.flaw == flaw

    def stop(self):
        self.server.stop(0).wait()

    # ---- How requests come -----------------------------------------------------------------------

    def unary(self, request, context, phase):
        try:
            return self.serve(request, request.context, phase)
        except Status as status:
            return context.abort(*status.args)

    def survey(self, request, context):
        reply = self.describe(request)
        store, asker = reply.stores[0], request.context
        if (store.incarnation, store.epoch) > (asker.incarnation, asker.epoch) \
                and not self.has("describes_to_old_epoch"):
            context.abort(grpc.StatusCode.FAILED_PRECONDITION, "TERCET_OLD_EPOCH: a later one asks")
        return reply

    def work(self, batches, context):
        yield self.pb.AnswerBatch(window=WINDOW)
        for batch in batches:
            if self.has("stream_ends_at_nothing") and len(batch.requests) == 0:
                return
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
            yield self.pb.AnswerBatch(replies=replies * (1 + self.has("stream_answers_twice")))
        if self.has("stream_ends_badly"):
            context.abort(grpc.StatusCode.INTERNAL, "it had enough")

    # ---- A request -------------------------------------------------------------------------------

    def check(self, request, context, phase):
        digest = len(request.digest) == 16 or self.has("digest_unchecked")
        if not (0 < len(request.gid) <= 128 and 1 <= request.branch <= 64 and request.phase == phase and digest
                and len(context.origin) == 20 and min(
                    request.number.incarnation, request.number.number, context.incarnation,
                    context.epoch) > 0):
            raise Status(grpc.StatusCode.INVALID_ARGUMENT, "a field is missing or out of range")
        if self.has("dies_at_unknown_field") and len(request.UnknownFields()) > 0:
            os.kill(os.getpid(), signal.SIGKILL)
        if self.has("strict_fields") and len(request.UnknownFields()) > 0:
            raise Status(grpc.StatusCode.INVALID_ARGUMENT, "an unknown field")

    def serve(self, request, context, phase):
        pb = self.pb
        self.check(request, context, phase)
        if context.participant != NAME and not self.has("any_participant"):
            return self.reply(pb.VERDICT_LATER, code="TERCET_WRONG_PARTICIPANT")
        if request.action not in ("debit", "gift") and not self.has("unknown_action_served"):
            raise Status(grpc.StatusCode.FAILED_PRECONDITION, "TERCET_UNKNOWN_ACTION: not served")
        confirm_only = request.action == "gift"
        if confirm_only and phase == pb.PHASE_TRY:
            raise Status(grpc.StatusCode.INVALID_ARGUMENT, "a confirm-only action is not tried")
        self.raise_epoch(context)
        if context.HasField("mark") and not self.bare:
            self.apply_mark(context)
        if self.has("read_then_insert"):
            return self.read_then_insert(request, context, phase)
        first = (request.gid, request.branch, phase) not in self.asked
        self.asked.add((request.gid, request.branch, phase))
        if first and self.has("busy_at_first"):
            return self.reply(pb.VERDICT_LATER, code="BUSY")
        database = self.database()
        database.execute("BEGIN IMMEDIATE")
        try:
            reply = self.one_transaction(database, request, context, phase, confirm_only)
        except BaseException:
            if database.in_transaction:
                database.execute("ROLLBACK")
            raise
        if first and self.has("loses_first_answer"):
            raise Status(grpc.StatusCode.UNAVAILABLE, "the answer was lost")
        if first and self.has("verdict_missing"):
            return pb.BranchReply()
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
            result = b"" if self.has("result_not_stored") else self.result(request)
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
        return self.done(pb.HOW_RAN, self.result(request) if phase == pb.PHASE_TRY else b"")

    def result(self, request):
        return b"frozen " + request.payload + bytes(1024 * self.has("result_too_long"))

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

    # ---- Gaps ------------------------------------------------------------------------------------

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

    # ---- Replies ---------------------------------------------------------------------------------

    def reply(self, verdict, code):
        reason = self.pb.Reason(code="" if self.has("no_reason") else code, text="no \x1b[2J")
        return self.pb.BranchReply(verdict=verdict, reason=reason)

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
