"""The coordinator dies at a named place; whatever it had acknowledged holds, and everything ends.

usage: crash_test.py TERCETD PROTOS

One transaction over two participants is asked for until it is answered, while the daemon is killed
before or after its n-th write, and started again.  Then: one outcome, told the same to everybody;
every effect exactly once; nothing left reserved.
"""

import os
import pathlib
import sys
import unittest

import grpc

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "python"))

import stubs  # noqa: E402
from daemon import Daemon, wait_until  # noqa: E402
from participant import Participant  # noqa: E402

PROGRAM, PROTOS = sys.argv[1], sys.argv[2]
pb, pb_grpc, co, co_grpc = stubs.make(PROTOS)

# BEGIN, DECIDE and END make three writes; the fourth point may never be reached.
POINTS = [(point, after) for point in ("writer.before_write", "writer.after_write")
          for after in range(4)]


class Crash(unittest.TestCase):
    def run_point(self, point, after, refuse):
        a, b = Participant(pb, pb_grpc, "a"), Participant(pb, pb_grpc, "b")
        os.environ["TERCET_FAILPOINTS"] = f"{point}={after}*off->kill"
        try:
            daemon = Daemon(PROGRAM, {"a": f"127.0.0.1:{a.port}", "b": f"127.0.0.1:{b.port}"})
        finally:
            del os.environ["TERCET_FAILPOINTS"]
        channel = grpc.insecure_channel(f"127.0.0.1:{daemon.port}",
                                        options=[("grpc.max_reconnect_backoff_ms", 200)])
        stub = co_grpc.CoordinatorStub(channel)
        try:
            told, deaths = self.drive(daemon, stub, refuse)
            if after < 2:
                self.assertEqual(1, deaths, "BEGIN and DECIDE are always written")
            want = co.OUTCOME_CANCELLED if refuse else co.OUTCOME_CONFIRMED
            self.assertEqual({want}, told, f"{point} after {after}")
            for one in (a, b):
                states = {row[0] for row in one.rows.values()}
                self.assertNotIn("tried", states)
                self.assertLessEqual(states, {"confirmed"} if not refuse
                                     else {"cancelled", "suspended"})
                self.assertEqual(len(one.effects), len(set(one.effects)), "an effect twice")
        finally:
            channel.close()
            code = daemon.close()
            a.stop()
            b.stop()
        self.assertEqual(0, code)

    def drive(self, daemon, stub, refuse):
        """Asks until the end is told; every outcome that was ever told, and how often it died."""
        payload = b"refuse" if refuse else b"1"
        request = co.ExecuteRequest(gid="g", wait=co.WAIT_END, branches=[
            co.Branch(participant="a", action="act", payload=b"1"),
            co.Branch(participant="b", action="act", payload=payload)])
        outcomes = set()
        deaths = 0

        def ask():
            nonlocal deaths
            if daemon.process.poll() is not None:
                deaths += 1
                daemon.start()
            try:
                told = stub.Execute(request, timeout=5)
            except grpc.RpcError:
                return False
            if told.outcome:
                outcomes.add(told.outcome)
            return told.ended_unix_ms

        wait_until(ask, "the transaction ends", 60)
        return outcomes, deaths

    def test_every_outcome_survives_a_kill_at_every_write(self):
        for point, after in POINTS:
            for refuse in (False, True):
                with self.subTest(point=point, after=after, refuse=refuse):
                    self.run_point(point, after, refuse)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], "-v"])
