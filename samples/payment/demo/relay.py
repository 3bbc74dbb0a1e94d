"""The network of the demo: a relay before each service that can hold, lose and repeat calls.

A relay is a gRPC server that knows no messages.  It forwards the raw bytes of any unary method to
the service behind it and brings the raw answer back, failures and trailers included; streams it
answers UNIMPLEMENTED.  On the way it asks the Network whether somebody wants to hold the call.

    hold = network.hold("Confirm", gid, {"account"})      # catch it before it arrives ...
    hold = network.hold("Confirm", gid, answers=True)     # ... or on its way back
    hold.wait_caught({"account"})                         # it is here
    hold.close()                                          # catch no further ones
    hold.deliver()  or  hold.lose()                       # late, or never
    network.replay(call)                                  # once more, the same bytes
"""

import threading
from concurrent import futures

import grpc

import wire

WORKERS = 32  # a held call keeps one
FORWARD_TIMEOUT_S = 10.0
DEADLINE_S = 20.0
STREAMING = {"Work", "Watch"}
BRANCH_METHODS = {"Try", "Confirm", "Cancel"}  # whose messages wire.py reads

QUICK_RECONNECT = [
    ("grpc.initial_reconnect_backoff_ms", 50),
    ("grpc.min_reconnect_backoff_ms", 50),
    ("grpc.max_reconnect_backoff_ms", 100),
    ("grpc.use_local_subchannel_pool", 1),
]


class Call:
    """One call that went through the network."""

    def __init__(self, relay, path, request):
        self.relay = relay
        self.path = path
        self.method = path.rsplit("/", 1)[-1]
        self.participant = relay.participant
        self.request = request
        self.gid = wire.gid_of_request(request) if self.method in BRANCH_METHODS else ""
        self.answer = None  # wire.Answer, when there is one


class Hold:
    """Calls that are kept on their way, until somebody delivers or loses them."""

    def __init__(self, method, gid, participants, answers):
        self._method, self._gid, self._participants = method, gid, participants
        self.answers = answers
        self.calls = []
        self._changed = threading.Condition()
        self._open = True
        self._verdict = None  # "deliver" or "lose"

    def catches(self, call):
        with self._changed:
            return (
                self._open
                and call.method == self._method
                and call.gid == self._gid
                and (self._participants is None or call.participant in self._participants)
            )

    def park(self, call):
        """Keeps the calling thread.  True: go on; False: the call is lost."""
        with self._changed:
            self.calls.append(call)
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._verdict is not None)
            return self._verdict == "deliver"

    def wait_caught(self, participants):
        """Waits until a call to each of `participants` is held here."""

        def caught():
            return participants <= {call.participant for call in self.calls}

        with self._changed:
            if not self._changed.wait_for(caught, DEADLINE_S):
                seen = sorted({call.participant for call in self.calls}) or "nothing"
                raise TimeoutError(
                    f"{self._method} of {self._gid}: waited for {sorted(participants)}, saw {seen}"
                )

    def close(self):
        """Catches no further calls; those that are held stay held."""
        with self._changed:
            self._open = False

    def deliver(self):
        """Lets all go on, and waits for their answers."""
        self._end("deliver")

        def answered():
            return all(call.answer is not None for call in self.calls)

        with self._changed:
            if not self._changed.wait_for(answered, DEADLINE_S):
                raise TimeoutError(f"{self._method} of {self._gid}: delivered and never answered")

    def lose(self):
        self._end("lose")

    def note_answered(self):
        with self._changed:
            self._changed.notify_all()

    def _end(self, verdict):
        with self._changed:
            self._open = False
            if self._verdict is None:
                self._verdict = verdict
            self._changed.notify_all()


class Network:
    """All relays together: what is held, and what went through."""

    def __init__(self):
        self._lock = threading.Lock()
        self._holds = []
        self._calls = []
        self._relays = []

    def add_relay(self, participant, target):
        """Starts a relay before `target`; returns the address that callers use instead."""
        relay = Relay(self, participant, target)
        self._relays.append(relay)
        return relay.address

    def hold(self, method, gid, participants=None, answers=False):
        hold = Hold(method, gid, participants, answers)
        with self._lock:
            self._holds.append(hold)
        return hold

    def calls(self, gid):
        """What went through for `gid`, in order of arrival."""
        with self._lock:
            return [call for call in self._calls if call.gid == gid]

    def replay(self, call):
        """Sends the same bytes to the same service once more and returns its answer."""
        return call.relay.send(Call(call.relay, call.path, call.request)).answer

    def note(self, call):
        """Told every call; returns the hold that catches it, or None."""
        with self._lock:
            if call.gid:
                self._calls.append(call)
            return next((hold for hold in self._holds if hold.catches(call)), None)

    def forget(self):
        """A new round: nothing is held any more, old calls are not kept."""
        with self._lock:
            holds, self._holds, self._calls = self._holds, [], []
        for hold in holds:
            hold.lose()

    def close(self):
        self.forget()
        for relay in self._relays:
            relay.close()


class Relay(grpc.GenericRpcHandler):
    """One service's way into the network."""

    def __init__(self, network, participant, target):
        self.participant = participant
        self._network = network
        self._channel = grpc.insecure_channel(target, options=QUICK_RECONNECT)
        self._server = grpc.server(
            futures.ThreadPoolExecutor(max_workers=WORKERS),
            handlers=[self],
            options=[("grpc.so_reuseport", 0)],
        )
        self.address = f"127.0.0.1:{self._server.add_insecure_port('127.0.0.1:0')}"
        self._server.start()

    def service(self, handler_call_details):
        path = handler_call_details.method
        if path.rsplit("/", 1)[-1] in STREAMING:
            return None
        return grpc.unary_unary_rpc_method_handler(
            lambda request, context: self._forward(path, request, context)
        )

    def send(self, call):
        """Carries `call` to the service; its answer is in the call that is returned."""
        self._exchange(call, None)
        return call

    def close(self):
        self._server.stop(grace=None).wait()
        self._channel.close()

    def _forward(self, path, request, context):
        call = Call(self, path, request)
        hold = self._network.note(call)
        if hold is not None and not hold.answers and not hold.park(call):
            context.abort(grpc.StatusCode.UNAVAILABLE, "lost in the network")
        reply, failure = self._exchange(call, context)
        if hold is not None and hold.answers and not hold.park(call):
            context.abort(grpc.StatusCode.UNAVAILABLE, "the answer was lost in the network")
        if hold is not None:
            hold.note_answered()
        if failure is not None:
            context.set_trailing_metadata(failure.trailing_metadata() or ())
            context.abort(failure.code(), failure.details())
        return reply

    def _exchange(self, call, context):
        """(reply, None) or (None, failure); notes what was answered."""
        metadata = [] if context is None else _own_metadata(context.invocation_metadata())
        try:
            reply, finished = self._channel.unary_unary(call.path).with_call(
                call.request, timeout=FORWARD_TIMEOUT_S, metadata=metadata
            )
        except grpc.RpcError as failure:
            call.answer = wire.Answer(status=failure.code().name, text=failure.details() or "")
            return None, failure
        if context is not None:
            context.set_trailing_metadata(finished.trailing_metadata() or ())
        call.answer = wire.Answer.of_reply(reply) if call.gid else wire.Answer(status="OK")
        return reply, None


def _own_metadata(metadata):
    """Without what gRPC itself puts there for each connection."""
    return [(key, value) for key, value in metadata if key != "user-agent"]
