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
from psycopg2.extensions import TRANSACTION_STATUS_IDLE, TRANSACTION_STATUS_INERROR
from tercet.v1 import participant_pb2 as pb
from tercet.v1 import participant_pb2_grpc as pb_grpc

METHODS = {pb.PHASE_TRY: "try_", pb.PHASE_CONFIRM: "confirm", pb.PHASE_CANCEL: "cancel"}
STATUSES = {"TC001": grpc.StatusCode.FAILED_PRECONDITION, "TC003": grpc.StatusCode.INVALID_ARGUMENT}


class Refused(Exception):
    """Business code says no to a try: Refused(code, text)."""


class Status(Exception):
    """What gRPC answers instead of a reply: Status(code, text)."""


def rpc(serve):
    """A method as gRPC calls it."""
    def answer(self, request, context):
        try:
            return serve(self, request)
        except Status as status:
            return context.abort(*status.args)
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
        self.name, self.actions = name, actions
        # A connection for each thread that serves, because a pool that is empty lets nobody wait.
        self.pool = pool.ThreadedConnectionPool(threads, threads, database)

    Try = rpc(lambda self, request: self.serve(request, pb.PHASE_TRY))
    Confirm = rpc(lambda self, request: self.serve(request, pb.PHASE_CONFIRM))
    Cancel = rpc(lambda self, request: self.serve(request, pb.PHASE_CANCEL))

    def serve(self, request, phase):
        if request.phase != phase:
            raise Status(grpc.StatusCode.INVALID_ARGUMENT, "phase is not the method's")
        if request.context.participant not in ("", self.name):  # to "" the functions say what is missing
            return no(pb.VERDICT_LATER, "TERCET_WRONG_PARTICIPANT", f"this is {self.name}")
        action = self.actions.get(request.action)
        if action is None:
            raise Status(grpc.StatusCode.FAILED_PRECONDITION, "TERCET_UNKNOWN_ACTION")
        try:
            return self.ask(request.context, lambda: self.once(request, action))
        except Status:
            raise
        except Refused as refused:
            code, text = refused.args
            if phase == pb.PHASE_TRY:
                return no(pb.VERDICT_REFUSED, code, text)
            return no(pb.VERDICT_LATER, "TERCET_REFUSED_TOO_LATE", text)
        except Exception as error:  # a commit of unknown outcome, too: asked again, the row tells
            return no(pb.VERDICT_LATER, "TERCET_HANDLER_FAILED", repr(error))

    def once(self, request, action):
        """One local transaction: claim, business code if the claim says so, commit; then the answer."""
        if request.context.HasField("mark"):
            self.call("tercet_apply_mark", request.context)
        asked = in_json(request)
        with self.transaction() as db:
            db.execute("SELECT run, reply FROM tercet_claim(%s, %s)", (asked, action.confirm_only))
            run, told = db.fetchone()
            reply = json_format.ParseDict(told, pb.BranchReply())
            if run:
                result = getattr(action, METHODS[request.phase])(db, request.payload)
                if result and request.phase == pb.PHASE_TRY:
                    db.execute("SELECT tercet_keep_result(%s, %s)", (asked, result))
                    reply.result = result
            if reply.verdict != pb.VERDICT_DONE:
                db.connection.rollback()  # nothing is left behind
        return reply

    def ask(self, asker, work):
        """Repeats what PostgreSQL rolled back; makes a start of the coordinator known that is new."""
        for attempt in range(1, 6):
            try:
                return work()
            except psycopg2.Error as error:
                code = error.pgcode
                if code in STATUSES:
                    raise Status(STATUSES[code], error.diag.message_primary) from error
                if attempt == 5 or code not in ("TC002", "40001", "40P01"):
                    raise
            if code == "TC002":
                self.call("tercet_raise_epoch", asker)

    def call(self, function, message):
        """One of the functions, in a transaction of its own."""
        with self.transaction() as db:
            db.execute(f"SELECT {function}(%s)", (in_json(message),))
            return db.fetchone()[0]

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

    @rpc
    def Describe(self, request):
        request.context.participant = self.name  # asked under another name it tells its own
        told = self.ask(request.context, lambda: self.call("tercet_describe", request.context))
        return pb.DescribeReply(
            participant=self.name, protocol=1, software="bank example in Python",
            stores=[json_format.ParseDict(told, pb.StoreDescription())],
            actions=[pb.ActionDescription(name=name, confirm_only=action.confirm_only)
                     for name, action in self.actions.items()])

    @rpc
    def Inspect(self, request):
        if request.context.participant not in ("", self.name):
            raise Status(grpc.StatusCode.FAILED_PRECONDITION, f"this is {self.name}")
        told = self.ask(request.context, lambda: self.call("tercet_inspect", request))
        return json_format.ParseDict(told, pb.InspectReply())
