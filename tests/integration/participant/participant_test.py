"""A real participant through the whole stack: every effect exactly once, whatever kills it.

usage: participant_test.py TERCETD KEEPER PROTOS
"""

import contextlib
import os
import pathlib
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import unittest

import grpc

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "python"))

import health  # noqa: E402
import stubs  # noqa: E402
from daemon import Daemon, answers, free_port, wait_until  # noqa: E402

TERCETD, KEEPER, PROTOS = sys.argv[1], sys.argv[2], sys.argv[3]
pb, pb_grpc, co, co_grpc = stubs.make(PROTOS)


class Keeper:
    """The process, its stores, and what they hold."""

    def __init__(self, directory, kinds, environment=None):
        self.directory = directory
        self.port = free_port()
        self.places = {kind: os.path.join(directory, kind) for kind in kinds}
        self.process = None
        self.start(environment)

    def start(self, environment=None):
        places = [f"{kind}:{place}" for kind, place in self.places.items()]
        self.process = subprocess.Popen(
            [KEEPER, "serve", "k", f"127.0.0.1:{self.port}", *places],
            env={**os.environ, **(environment or {})}, stderr=subprocess.DEVNULL)
        wait_until(lambda: answers(self.port) or self.process.poll() is not None, "it listens")
        assert self.process.poll() is None, f"keeper ended with {self.process.returncode}"

    def died(self):
        return self.process.poll() == -signal.SIGKILL

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=30)

    def effects(self, kind):
        """Counts by key, from the files of one that has stopped."""
        if kind == "sqlite":
            with contextlib.closing(sqlite3.connect(self.places[kind])) as database:
                return dict(database.execute("SELECT key, count FROM effect"))
        told = subprocess.run([KEEPER, "print", self.places[kind]], check=True,
                              capture_output=True, text=True).stdout
        return {key: int(count) for key, count in (line.split() for line in told.splitlines())}


class Stack(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.mkdtemp(prefix="tercet-participant-")
        self.keeper = self.daemon = self.channel = None

    def tearDown(self):
        if self.channel:
            self.channel.close()
        if self.daemon:
            self.assertEqual(0, self.daemon.close())
        if self.keeper and self.keeper.process.poll() is None:
            self.keeper.kill()
        shutil.rmtree(self.directory)

    def start(self, kinds, environment=None):
        self.keeper = Keeper(self.directory, kinds, environment)
        self.daemon = Daemon(TERCETD, {"k": f"127.0.0.1:{self.keeper.port}"})
        self.channel = grpc.insecure_channel(f"127.0.0.1:{self.daemon.port}")
        self.stub = co_grpc.CoordinatorStub(self.channel)

    def execute(self, gid, branches):
        """Until it has ended; a refusal because the participant is not reached yet is repeated."""
        request = co.ExecuteRequest(gid=gid, wait=co.WAIT_END, branches=[
            co.Branch(participant="k", action=action, payload=payload, stage=stage)
            for stage, (action, payload) in enumerate(branches)])

        def ask():
            if self.keeper.died():
                self.keeper.start()
            try:
                told = self.stub.Execute(request, timeout=1)
            except grpc.RpcError as error:
                if error.code() in (grpc.StatusCode.UNAVAILABLE,
                                    grpc.StatusCode.DEADLINE_EXCEEDED):
                    return None
                raise
            return told if told.ended_unix_ms else None
        return wait_until(ask, f"{gid} ends", 60)

    def expect_effects(self, kind, expected):
        self.assertEqual(0, self.keeper.stop())
        self.assertEqual({key: 1 for key in expected}, self.keeper.effects(kind))

    # ---- Killed inside a handler ---------------------------------------------------------------

    def killed_in(self, phase, kind):
        told_to = os.path.join(self.directory, "die")
        pathlib.Path(told_to).touch()
        self.start([kind], {"KEEPER_DIES": f"{phase}:{told_to}"})
        process = self.keeper.process
        cancel = phase == "CANCEL"
        branches = [(kind, b""), (kind, b"refuse")] if cancel else [(kind, b"")]
        told = self.execute("killed", branches)
        self.assertIsNot(process, self.keeper.process, "it was never killed")
        self.assertFalse(os.path.exists(told_to))
        self.assertEqual(co.OUTCOME_CANCELLED if cancel else co.OUTCOME_CONFIRMED, told.outcome)
        self.expect_effects(kind, ["killed/1/TRY", "killed/1/CANCEL" if cancel
                                   else "killed/1/CONFIRM"])

    def test_killed_in_a_try_before_its_commit_every_effect_is_there_once(self):
        self.killed_in("TRY", "sqlite")

    def test_killed_in_a_confirm_before_its_commit_every_effect_is_there_once(self):
        self.killed_in("CONFIRM", "sqlite")

    def test_killed_in_a_cancel_before_its_commit_every_effect_is_there_once(self):
        self.killed_in("CANCEL", "sqlite")

    def test_leveldb_killed_in_a_try_every_effect_is_there_once(self):
        self.killed_in("TRY", "leveldb")

    def test_leveldb_killed_in_a_confirm_every_effect_is_there_once(self):
        self.killed_in("CONFIRM", "leveldb")

    def test_leveldb_killed_in_a_cancel_every_effect_is_there_once(self):
        self.killed_in("CANCEL", "leveldb")

    # ---- Stores ----------------------------------------------------------------------------------

    def test_leveldb_confirms_cancels_and_remembers_over_a_kill(self):
        self.start(["leveldb"])
        expected = []
        for number in range(20):
            if number == 10:
                self.keeper.kill()
                self.keeper.start()
            refused = number % 3 == 0
            gid = f"g{number}"
            told = self.execute(gid, [("leveldb", b""),
                                      ("leveldb", b"refuse" if refused else b"")])
            self.assertEqual(co.OUTCOME_CANCELLED if refused else co.OUTCOME_CONFIRMED,
                             told.outcome)
            if refused:
                expected += [f"{gid}/1/TRY", f"{gid}/1/CANCEL"]
            else:
                expected += [f"{gid}/{branch}/{phase}" for branch in (1, 2)
                             for phase in ("TRY", "CONFIRM")]
        self.assertEqual(co.OUTCOME_CANCELLED, self.execute("g0", [
            ("leveldb", b""), ("leveldb", b"refuse")]).outcome)
        self.expect_effects("leveldb", expected)

    def test_one_participant_with_three_stores_keeps_them_apart(self):
        self.start(["sqlite", "leveldb", "memory"])
        told = self.execute("paid", [("sqlite", b""), ("leveldb", b""), ("memory", b"")])
        self.assertEqual(co.OUTCOME_CONFIRMED, told.outcome)
        told = self.execute("not", [("sqlite", b""), ("leveldb", b""), ("memory", b"refuse")])
        self.assertEqual(co.OUTCOME_CANCELLED, told.outcome)
        self.assertEqual(3, told.refused_branch)
        self.expect_effects("sqlite", ["paid/1/TRY", "paid/1/CONFIRM", "not/1/TRY",
                                       "not/1/CANCEL"])
        self.assertEqual({key: 1 for key in ("paid/2/TRY", "paid/2/CONFIRM", "not/2/TRY",
                                             "not/2/CANCEL")}, self.keeper.effects("leveldb"))

    # ---- Health ----------------------------------------------------------------------------------

    def test_health_says_not_serving_while_a_handler_is_waited_for(self):
        go_on = os.path.join(self.directory, "go-on")
        self.start(["sqlite"], {"KEEPER_WAITS": go_on})
        with grpc.insecure_channel(f"127.0.0.1:{self.keeper.port}") as channel:
            self.assertEqual(health.SERVING, health.check(channel))
            states = health.watch(channel)
            self.assertEqual(health.SERVING, next(states))
            call = self.stub.Execute.future(co.ExecuteRequest(
                gid="held", branches=[co.Branch(participant="k", action="sqlite")]),
                wait_for_ready=True, timeout=60)
            wait_until(lambda: os.path.exists(go_on + ".waiting"), "its try is in the handler")
            self.keeper.process.send_signal(signal.SIGTERM)
            self.assertEqual(health.NOT_SERVING, next(states))
            self.assertEqual(health.NOT_SERVING, health.check(channel))
            pathlib.Path(go_on).touch()
            self.assertEqual(0, self.keeper.process.wait(timeout=30))
            states.cancel()
        self.keeper.start()
        self.assertEqual(co.OUTCOME_CONFIRMED, call.result().outcome)

if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], "-v"])
