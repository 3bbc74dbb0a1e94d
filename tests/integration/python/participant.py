"""A participant in plain Python, written from docs/protocol.md: the truth table over a dictionary.

It keeps its rows in memory, which a real one must not; everything else is as it should be.
"""

import threading
from concurrent import futures

import grpc


class Aborted(Exception):
    """A status instead of a verdict, on a stream."""


class Abort:
    @staticmethod
    def abort(code, text):
        raise Aborted(code, text)


class Participant:
    def __init__(self, pb, pb_grpc, name, port=0, work=False):
        self.pb = pb
        self.name = name
        self.rows = {}      # (gid, branch) -> [state, identity, result]
        self.effects = []   # (gid, branch, phase) of every handler that ran
        self.requests = []  # every request, as it came
        self.streamed = 0   # of these by Work
        self.script = {}    # (gid, phase) -> list of replies to give before behaving
        self.lock = threading.Lock()
        self.server = grpc.server(futures.ThreadPoolExecutor(8))
        base = pb_grpc.ParticipantServicer
        outer = self

        class Servicer(base):
            def Try(self, request, context):
                return outer.answer(request, context)

            Confirm = Try
            Cancel = Try

        if work:
            Servicer.Work = lambda _, batches, context: outer.work(batches, context)
        pb_grpc.add_ParticipantServicer_to_server(Servicer(), self.server)
        self.port = self.server.add_insecure_port(f"127.0.0.1:{port}")
        self.server.start()

    def stop(self):
        self.server.stop(0).wait()

    def answer(self, request, context):
        with self.lock:
            self.requests.append(request)
            script = self.script.get((request.gid, request.phase))
            if script:
                step = script.pop(0)
                if isinstance(step, grpc.StatusCode):
                    context.abort(step, "scripted")
                return step
            return self.decide(request)

    def work(self, batches, context):
        """Speaks first; then one answer for each request, whatever stands in its batch."""
        yield self.pb.AnswerBatch(window=64)
        for batch in batches:
            replies = []
            for request in batch.requests:
                self.streamed += 1
                request.context.CopyFrom(batch.context)
                reply = self.pb.BranchReply()
                try:
                    reply.CopyFrom(self.answer(request, Abort))
                except Aborted as error:
                    reply.status = error.args[0].value[0]
                    reply.reason.text = error.args[1]
                reply.call = request.call
                replies.append(reply)
            yield self.pb.AnswerBatch(replies=replies)

    def decide(self, request):
        pb = self.pb
        key = (request.gid, request.branch)
        identity = (request.context.origin, request.number.incarnation, request.number.number,
                    request.digest)
        row = self.rows.get(key)
        if row and row[1] != identity:
            return self.conflict(pb.CONFLICT_KIND_OTHER_TRANSACTION)
        state = row[0] if row else "none"
        if request.phase == pb.PHASE_TRY:
            return self.on_try(request, key, identity, row, state)
        if request.phase == pb.PHASE_CONFIRM:
            return self.on_confirm(request, key, row, state)
        return self.on_cancel(request, key, identity, row, state)

    def on_try(self, request, key, identity, row, state):
        pb = self.pb
        if state in ("tried", "confirmed"):
            return pb.BranchReply(verdict=pb.VERDICT_DONE, how=pb.HOW_REPEATED, result=row[2])
        if state in ("cancelled", "suspended"):
            return self.refused("TRY_AFTER_CANCEL")
        if request.payload == b"refuse":
            return self.refused("NO_MONEY")
        self.effects.append((*key, "try"))
        self.rows[key] = ["tried", identity, b"result of " + request.payload]
        return pb.BranchReply(verdict=pb.VERDICT_DONE, how=pb.HOW_RAN, result=self.rows[key][2])

    def on_confirm(self, request, key, row, state):
        pb = self.pb
        if state == "tried":
            self.effects.append((*key, "confirm"))
            row[0] = "confirmed"
            return pb.BranchReply(verdict=pb.VERDICT_DONE, how=pb.HOW_RAN)
        if state == "confirmed":
            return pb.BranchReply(verdict=pb.VERDICT_DONE, how=pb.HOW_REPEATED)
        return self.conflict(pb.CONFLICT_KIND_NOT_TRIED if state == "none"
                             else pb.CONFLICT_KIND_CANCELLED)

    def on_cancel(self, request, key, identity, row, state):
        pb = self.pb
        if state == "tried":
            self.effects.append((*key, "cancel"))
            row[0] = "cancelled"
            return pb.BranchReply(verdict=pb.VERDICT_DONE, how=pb.HOW_RAN)
        if state == "cancelled":
            return pb.BranchReply(verdict=pb.VERDICT_DONE, how=pb.HOW_REPEATED)
        if state == "confirmed":
            return self.conflict(pb.CONFLICT_KIND_CONFIRMED)
        self.rows[key] = ["suspended", identity, b""]
        return pb.BranchReply(verdict=pb.VERDICT_DONE, how=pb.HOW_EMPTY)

    def refused(self, code):
        return self.pb.BranchReply(verdict=self.pb.VERDICT_REFUSED,
                                   reason=self.pb.Reason(code=code, text="it said no"))

    def conflict(self, kind):
        return self.pb.BranchReply(verdict=self.pb.VERDICT_CONFLICT, conflict=kind)
