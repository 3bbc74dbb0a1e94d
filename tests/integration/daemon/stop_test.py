"""SIGTERM under load: what is new is refused by name, what was accepted is finished or kept.

usage: stop_test.py TERCETD BENCH PROTOS
"""

import pathlib
import queue
import subprocess
import sys
import threading
import time
import unittest

import grpc

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "python"))

import health  # noqa: E402
import stubs  # noqa: E402
from daemon import Daemon, free_port, wait_until  # noqa: E402
from participant import Participant  # noqa: E402

TERCETD, BENCH, PROTOS = sys.argv[1], sys.argv[2], sys.argv[3]
pb, pb_grpc, co, co_grpc = stubs.make(PROTOS)

IN_FLIGHT = 50
ANSWERED_BEFORE = 200
LONG_S = 60


class Slow(Participant):
    """Its try waits until it is let go."""

    def __init__(self, *arguments):
        self.asked, self.go_on = threading.Event(), threading.Event()
        super().__init__(*arguments)

    def answer(self, request, context):
        if request.phase == pb.PHASE_TRY:
            self.asked.set()
            self.go_on.wait(LONG_S)
        return super().answer(request, context)


class Load:
    """Keeps IN_FLIGHT Executes under way until the coordinator refuses or goes away."""

    def __init__(self, stub):
        self.stub = stub
        self.answered = {}  # gid -> outcome that was told
        self.refused = {}   # gid -> error
        self.unclear = {}   # gid -> error, or None: an answer without an outcome
        self.threads = [threading.Thread(target=self.run, args=(n,)) for n in range(IN_FLIGHT)]
        for thread in self.threads:
            thread.start()

    def run(self, lane):
        for number in range(1000000):
            gid = f"load-{lane}-{number}"
            branches = [co.Branch(participant=name, action="agree") for name in ("a", "b")]
            try:
                told = self.stub.Execute(co.ExecuteRequest(gid=gid, branches=branches),
                                         timeout=LONG_S)
            except grpc.RpcError as error:
                trailers = dict(error.trailing_metadata() or ())
                kept = self.refused if trailers.get("tercet-refused") == "1" else self.unclear
                kept[gid] = error
                return
            if not told.outcome:
                self.unclear[gid] = None
                return
            self.answered[gid] = told.outcome

    def join(self):
        for thread in self.threads:
            thread.join(LONG_S)
            assert not thread.is_alive(), "an Execute was never answered"


class Stopping(unittest.TestCase):
    def start(self, grace_ms):
        self.slow = Slow(pb, pb_grpc, "slow")
        targets = {"slow": f"127.0.0.1:{self.slow.port}"}
        self.agreeing = []
        for name in ("a", "b"):
            targets[name] = f"127.0.0.1:{free_port()}"
            process = subprocess.Popen([BENCH, "participant", name, targets[name]],
                                       stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                       stderr=subprocess.DEVNULL, text=True)
            self.agreeing.append(process)
            self.assertEqual("ready", process.stdout.readline().strip())
        self.grace_s = grace_ms / 1000
        self.daemon = Daemon(TERCETD, targets, f"stop_grace_ms: {grace_ms}\n")
        self.connect()
        for name, action in (("a", "agree"), ("b", "agree")):
            wait_until(lambda: self.confirms(name, action), f"{name} is reached")

    def connect(self):
        self.channel = grpc.insecure_channel(f"127.0.0.1:{self.daemon.port}",
                                             options=[("grpc.max_reconnect_backoff_ms", 200)])
        self.stub = co_grpc.CoordinatorStub(self.channel)

    def tearDown(self):
        self.slow.go_on.set()
        self.channel.close()
        code = self.daemon.close()
        self.slow.stop()
        for process in self.agreeing:
            process.communicate()
            self.assertEqual(0, process.returncode)
        self.assertEqual(0, code)

    def confirms(self, participant, action):
        try:
            told = self.stub.Execute(co.ExecuteRequest(
                gid=f"first-{participant}",
                branches=[co.Branch(participant=participant, action=action)]), timeout=5)
            return told.outcome == co.OUTCOME_CONFIRMED
        except grpc.RpcError:
            return False

    def hold(self):
        """One transaction whose try is not answered until self.slow.go_on."""
        request = co.ExecuteRequest(gid="held", branches=[
            co.Branch(participant="slow", action="act")], try_timeout_ms=LONG_S * 1000)
        call = self.stub.Execute.future(request, timeout=LONG_S)
        wait_until(lambda: self.slow.asked.is_set() or call.done(), "the held try is asked")
        self.assertFalse(call.done())
        return call

    def terminate(self):
        self.asked_to_stop = time.monotonic()
        self.daemon.process.terminate()

    def expect_end(self):
        """Exit code 0, within the grace and what the answers need to leave."""
        self.assertEqual(0, self.daemon.process.wait(timeout=LONG_S))
        self.assertLess(time.monotonic() - self.asked_to_stop, self.grace_s + 5)

    def get(self, gid):
        try:
            return self.stub.Get(co.GetRequest(gid=gid), timeout=10, wait_for_ready=True)
        except grpc.RpcError as error:
            self.assertEqual(grpc.StatusCode.NOT_FOUND, error.code(), error.details())
            return None

    def ends(self, gid):
        """Its outcome once it has ended; None when it was never accepted."""
        def ended():
            told = self.get(gid)
            if told is None:
                return "never accepted"
            return told if told.ended_unix_ms else None
        told = wait_until(ended, f"{gid} ends", LONG_S)
        return None if told == "never accepted" else told.outcome

    def test_under_load_nothing_that_was_answered_or_accepted_is_lost(self):
        self.start(grace_ms=30000)
        held = self.hold()
        load = Load(self.stub)
        wait_until(lambda: len(load.answered) >= ANSWERED_BEFORE, "there is load", LONG_S)
        self.terminate()
        wait_until(lambda: load.refused, "new work is refused")
        self.assertFalse(held.done(), "what is in flight goes on")
        load.join()
        self.slow.go_on.set()
        self.assertEqual(co.OUTCOME_CONFIRMED, held.result().outcome)
        self.expect_end()
        for gid, error in load.refused.items():
            self.assertEqual(grpc.StatusCode.UNAVAILABLE, error.code(), gid)
            detail = co.ErrorDetail.FromString(
                dict(error.trailing_metadata())["tercet-error-bin"])
            self.assertEqual("TERCET_STOPPING", detail.code)
            self.assertIn("stopping", error.details())
        self.assertEqual({}, load.unclear, "everything in flight was answered within the grace")

        self.daemon.start()
        self.assertEqual(co.OUTCOME_CONFIRMED, self.ends("held"))
        for gid, outcome in load.answered.items():
            self.assertEqual(outcome, self.ends(gid), gid)
        for gid in load.refused:
            self.assertIsNone(self.get(gid), gid)

    def test_elements_of_a_stream_are_answered_before_it_ends(self):
        self.start(grace_ms=30000)
        requests = queue.Queue()
        stream = self.stub.ExecuteStream(iter(requests.get, None), timeout=LONG_S)
        self.assertGreater(next(stream).window, 0)

        def ask(call, participant, action):
            requests.put(co.ExecuteBatch(requests=[co.ExecuteRequest(
                gid=f"element-{call}", call=call, try_timeout_ms=LONG_S * 1000,
                branches=[co.Branch(participant=participant, action=action)])]))

        def answer():
            return next(message.replies[0] for message in stream if message.replies)

        ask(1, "slow", "act")
        wait_until(self.slow.asked.is_set, "the held try is asked")
        self.terminate()
        for call in range(2, 1000):
            ask(call, "a", "agree")
            told = answer()
            self.assertEqual(call, told.call)
            if told.HasField("error"):
                break
        self.assertEqual("TERCET_STOPPING", told.error.code)
        self.assertTrue(told.refused)
        self.slow.go_on.set()
        told = answer()
        self.assertEqual(1, told.call)
        self.assertEqual(co.OUTCOME_CONFIRMED, told.transaction.outcome)
        with self.assertRaises(grpc.RpcError) as ended:
            next(stream)
        requests.put(None)
        self.assertEqual(grpc.StatusCode.UNAVAILABLE, ended.exception.code())
        self.expect_end()
        self.daemon.start()
        self.assertEqual(co.OUTCOME_CONFIRMED, self.ends("element-1"))

    def test_what_outlasts_the_grace_is_kept_and_ends_after_the_restart(self):
        self.start(grace_ms=300)
        held = self.hold()
        load = Load(self.stub)
        wait_until(lambda: len(load.answered) >= ANSWERED_BEFORE, "there is load", LONG_S)
        self.terminate()
        self.expect_end()
        load.join()
        if held.exception() is None:
            self.assertEqual(co.OUTCOME_UNSPECIFIED, held.result().outcome)
        else:
            trailers = dict(held.exception().trailing_metadata() or ())
            self.assertNotIn("tercet-refused", trailers, "it was accepted")
        self.slow.go_on.set()

        self.daemon.start()
        self.assertEqual(co.OUTCOME_CONFIRMED, self.ends("held"))
        for gid, outcome in load.answered.items():
            self.assertEqual(outcome, self.ends(gid), gid)
        for gid in load.unclear:
            self.assertIn(self.ends(gid), (None, co.OUTCOME_CONFIRMED), gid)
        for gid in load.refused:
            self.assertIsNone(self.get(gid), gid)

    def test_health_says_serving_until_it_is_asked_to_stop(self):
        self.start(grace_ms=30000)
        held = self.hold()
        states = health.watch(self.channel)
        self.assertEqual(health.SERVING, next(states))
        self.assertEqual(health.SERVING, health.check(self.channel))
        self.terminate()
        self.assertEqual(health.NOT_SERVING, next(states))
        self.assertEqual(health.NOT_SERVING, health.check(self.channel))
        self.slow.go_on.set()
        self.assertEqual(co.OUTCOME_CONFIRMED, held.result().outcome)
        self.expect_end()
        states.cancel()
        self.daemon.start()


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], "-v"])
