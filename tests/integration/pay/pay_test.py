"""`pay` says soon, and helpfully, that no coordinator answers.

usage: pay_test.py PAY TERCETD
"""

import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "python"))

from daemon import Daemon, free_port  # noqa: E402

PAY, TERCETD = sys.argv[1], sys.argv[2]
NOT_STARTED = 69
SOON_S = 3
PAYMENT = ("--user", "7", "--order", "42", "--amount", "2500")


class Pay(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.mkdtemp(prefix="tercet-pay-")

    def tearDown(self):
        shutil.rmtree(self.directory)

    def pay(self, coordinator, *words):
        """Exit code, standard output, standard error, and how long it took."""
        began = time.monotonic()
        done = subprocess.run([PAY, "--coordinator", coordinator, *words], cwd=self.directory,
                              capture_output=True, text=True, timeout=60)
        return done.returncode, done.stdout, done.stderr, time.monotonic() - began

    def pay_soon(self, coordinator, *words):
        """The same, when it took no more than SOON_S once: other programs may have had the processor meanwhile."""
        for _ in range(3):
            code, out, said, took_s = self.pay(coordinator, *words)
            if took_s < SOON_S:
                return code, out, said
        self.fail(f"{took_s:.1f} s, three times")

    def test_nobody_there_is_said_soon_with_the_address_and_what_to_do(self):
        for address in (f"127.0.0.1:{free_port()}", f"unix:{self.directory}/nobody"):
            for words, what in ((PAYMENT, "nothing was started"),
                                (("--status", "--payment", "x"), "nothing was asked")):
                with self.subTest(address=address, words=words):
                    code, out, said = self.pay_soon(address, *words)
                    self.assertEqual(NOT_STARTED, code, said)
                    self.assertEqual("", out)
                    self.assertIn(address, said)
                    self.assertIn(what, said)
                    self.assertIn("tercetd", said)
                    self.assertIn("--coordinator", said)

    def test_programs_are_told_by_a_code(self):
        code, out, _, _ = self.pay(f"127.0.0.1:{free_port()}", "--json", *PAYMENT)
        self.assertEqual(NOT_STARTED, code)
        told = json.loads(out)
        self.assertEqual("NOT_STARTED", told["outcome"])
        self.assertEqual("TERCET_NO_COORDINATOR", told["status_code"])

    def test_a_coordinator_that_refuses_is_not_called_missing(self):
        daemon = Daemon(TERCETD, {"other": f"127.0.0.1:{free_port()}"})
        try:
            code, _, said, _ = self.pay(f"127.0.0.1:{daemon.port}", *PAYMENT)
            self.assertEqual(NOT_STARTED, code, said)
            self.assertIn("order", said)
            self.assertNotIn("no coordinator answers", said)
        finally:
            self.assertEqual(0, daemon.close())


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], "-v"])
