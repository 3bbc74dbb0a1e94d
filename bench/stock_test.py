"""The stock server of one language, as participants and as the servers of the floor, by unary.py.

usage: stock_test.py LANGUAGE TERCETD BENCH
Exits with 77 when this machine cannot build it.  Small numbers: none of the figures means anything here.
"""

import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

from replay import run

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE / "stock"))

import build  # noqa: E402

LANGUAGE, TERCETD, BENCH = sys.argv[1:4]
SMALL = ["--coordinator", TERCETD, "--branches", "2", "--concurrency", "4", "--warmup", "0", "--seconds", "1"]
UNARY = [str(HERE / "unary.py"), "--bench", BENCH, "--participants", LANGUAGE, "--rounds", "1"]


class Stock(unittest.TestCase):
    program = None  # built before the tests begin

    def test_every_transaction_is_confirmed_and_compared_with_calls_to_the_same_server(self):
        with tempfile.TemporaryDirectory() as directory:
            file = pathlib.Path(directory) / "json"
            done = run(*UNARY, "--json", str(file), "--", *SMALL)
            self.assertTrue(file.exists(), done.stderr)
            told, = json.loads(file.read_text(encoding="utf-8"))
        self.assertEqual(1 if told["doubt"] else 0, done.returncode, done.stderr)
        self.assertEqual((LANGUAGE, "program"), (told["participants"], told["run"]["participants"]))
        self.assertEqual({"CONFIRMED"}, {name for name, count in told["outcomes"].items() if count > 0})
        self.assertEqual(0, told["open_at_the_end"])
        self.assertGreater(told["floors"]["unary"]["calls_per_s"], 0)
        self.assertEqual([["1", LANGUAGE], ["median", LANGUAGE]],
                         [line.split()[:2] for line in done.stdout.splitlines()[1:]])

    def test_it_serves_until_its_input_closes(self):
        with tempfile.TemporaryDirectory() as directory:
            with subprocess.Popen([self.program, "--name", "p1", "--listen", "unix:%s/p1" % directory],
                                  stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
                self.assertEqual("ready\n", server.stdout.readline())
                self.assertTrue((pathlib.Path(directory) / "p1").is_socket())
                self.assertEqual("", server.communicate(timeout=60)[0])
        self.assertEqual(0, server.returncode)

    def test_where_it_cannot_be_built_that_is_said_before_anything_is_measured(self):
        done = run("/usr/bin/env", "PATH=/nowhere", "/usr/bin/python3", *UNARY, "--", *SMALL)
        self.assertEqual(1, done.returncode)
        self.assertEqual("", done.stdout)
        self.assertRegex(done.stderr, r"\Aunary: %s: not installed: .+\n\Z" % LANGUAGE)


def main():
    try:
        Stock.program = build.build(LANGUAGE, pathlib.Path(BENCH).resolve().parent / "stock")
    except build.Skip as reason:
        print("skipped: %s: %s" % (LANGUAGE, reason))
        sys.exit(77)
    unittest.main(argv=sys.argv[:1], verbosity=2)


if __name__ == "__main__":
    main()
