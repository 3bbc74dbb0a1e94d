"""The protocol's half of a participant, over PostgreSQL: docs/protocol.md, sections 2 to 7.

Whatever the network does to a call (twice, late, in the wrong order), its effect happens at most
once, because a row of tercet_fence is written in the same local transaction as the business change.
What is written and what is answered is decided by functions in the database (postgres_functions.sql),
to which requests go as they are, in protobuf's JSON.  Business code stands elsewhere (bank.py) and
knows nothing of this.

Not here: the stream Work, without which every request is a call of its own.
"""

import contextlib

import grpc
import psycopg2
from google.protobuf import json_format
from psycopg2 import extras, pool
from psycopg2.extensions import (TRANSACTION_STATUS_IDLE, TRANSACTION_STATUS_INERROR,
                                 TransactionRollbackError)
from tercet.v1 import participant_pb2 as pb
from tercet.v1 import participant_pb2_grpc as pb_grpc

PHASES = {"Try": "try_", "Confirm": "confirm", "Cancel": "cancel"}
STATUSES = {f"TC{status.value[0]:03}": status for status in grpc.StatusCode}


class Refused(Exception):
    """Business code says no to a try: Refused(code, text)."""


def rpc(method, reply_type):
    """A method as gRPC calls it."""
    def answer(self, request, context):
        try:
            return self.ask(method, request, reply_type)
        except Refused as refused:
            code, text = refused.args
            if method == "Try":
                return no(pb.VERDICT_REFUSED, code, text)
            return no(pb.VERDICT_LATER, "TERCET_REFUSED_TOO_LATE", text)
        except Exception as error:  # a commit of unknown outcome, too: asked again, the row tells
            if isinstance(error, psycopg2.Error) and error.pgcode in STATUSES:
                return context.abort(STATUSES[error.pgcode], error.diag.message_primary)
            if method not in PHASES:
                raise
            return no(pb.VERDICT_LATER, "TERCET_HANDLER_FAILED", repr(error))
    return answer


def in_json(message):
    fields = json_format.MessageToDict(message)
    fields.pop("payload", None)  # the database has no use for it
    return extras.Json(fields)


def no(verdict, code, text):
    text = text.encode()[:255].decode(errors="ignore")
    return pb.BranchReply(verdict=verdict, reason=pb.Reason(code=code, text=text))


class Participant(pb_grpc.ParticipantServicer):
    """`actions` maps names to objects with try_, confirm, cancel (db, payload) and confirm_only."""

    def __init__(self, name, database, actions, threads):
        self.actions = actions
        self.me = extras.Json({
            "participant": name, "software": "bank example in Python",
            "actions": [{"name": action, "confirmOnly": actions[action].confirm_only}
                        for action in actions]})
        # A connection for each thread that serves, because a pool that is empty lets nobody wait.
        self.pool = pool.ThreadedConnectionPool(threads, threads, database)

    Try = rpc("Try", pb.BranchReply)
    Confirm = rpc("Confirm", pb.BranchReply)
    Cancel = rpc("Cancel", pb.BranchReply)
    Describe = rpc("Describe", pb.DescribeReply)
    Inspect = rpc("Inspect", pb.InspectReply)

    def ask(self, method, request, reply_type):
        """Repeats what PostgreSQL rolled back."""
        for attempt in range(1, 6):
            try:
                return self.once(method, request, reply_type)
            except TransactionRollbackError:
                if attempt == 5:
                    raise

    def once(self, method, request, reply_type):
        """One local transaction: claim, business code if the claim says so, commit; then the answer."""
        asked = in_json(request)
        with self.transaction() as db:  # what is new in its context stays, whatever becomes of it
            db.execute("SELECT tercet_accept(%s, %s, %s)", (self.me, method, asked))
        with self.transaction() as db:
            db.execute("SELECT run, reply FROM tercet_serve(%s, %s, %s)", (self.me, method, asked))
            run, told = db.fetchone()
            reply = json_format.ParseDict(told, reply_type())
            if run:
                result = getattr(self.actions[request.action], PHASES[method])(db, request.payload)
                if result and method == "Try":
                    db.execute("SELECT tercet_keep_result(%s, %s)", (asked, result))
                    reply.result = result
        return reply

    @contextlib.contextmanager
    def transaction(self):
        """A cursor.  Committed when the block is left, rolled back by an exception."""
        connection = self.pool.getconn()
        try:
            with connection.cursor() as db:
                yield db
            if connection.info.transaction_status == TRANSACTION_STATUS_INERROR:
                raise RuntimeError("a statement had failed, and the business code hid it")
            connection.commit()
        except Exception:
            with contextlib.suppress(psycopg2.Error):  # what is wrong has been raised already
                connection.rollback()
            raise
        finally:  # where a transaction does not end, the connection is broken, and not used again
            ended = connection.info.transaction_status == TRANSACTION_STATUS_IDLE
            self.pool.putconn(connection, close=not ended)
