"""What --open begins is open, in the coordinator and in the journal, all the time; what is wrong is said.

usage: open_test.py TERCETD BENCH PROTOS

Small numbers on a machine that does other things: none of the figures means anything here.
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time
import unittest
import xml.etree.ElementTree

import grpc

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "tests" / "integration" / "python"))

import stubs  # noqa: E402

TERCETD, BENCH, PROTOS = sys.argv[1], sys.argv[2], sys.argv[3]
pb, pb_grpc, co, co_grpc = stubs.make(PROTOS)

SMALL = ["--coordinator", TERCETD, "--branches", "2", "--payload", "100", "--concurrency", "4", "--warmup", "0",
         "--no-floors"]
TIMEOUT_S = 60


def run(*words, **environment):
    return subprocess.run(words, capture_output=True, text=True, timeout=TIMEOUT_S, check=False,
                          env={**os.environ, **environment})


def until(condition):
    """What it returned when that was true."""
    end = time.monotonic() + TIMEOUT_S
    while time.monotonic() < end:
        found = condition()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError("it did not become true")


def is_filling(transaction):
    """Whether it is one of those that stay open."""
    return any(branch.participant == "silent" for branch in transaction.branches)


def listed(stub):
    """Those that stay open, by gid, as the coordinator tells them."""
    found, token = {}, ""
    while True:
        page = stub.List(co.ListRequest(page_size=1000, page_token=token, with_branches=True,
                                        states=[co.TRANSACTION_STATE_TRYING]), timeout=10, wait_for_ready=True)
        found.update((one.gid, one) for one in page.transactions if is_filling(one))
        token = page.next_page_token
        if not token:
            return found


def all_of(found, count):
    return found if len(found) == count else None


class Open(unittest.TestCase):
    def test_they_are_open_in_the_coordinator_while_the_load_runs_and_in_the_journal_afterwards(self):
        with tempfile.TemporaryDirectory(dir="/var/tmp") as directory:
            with subprocess.Popen([BENCH, *SMALL, "--open", "300", "--seconds", "3", "--json", "--directory", directory],
                                  stdout=subprocess.PIPE, text=True) as bench:
                socket = until(lambda: next(pathlib.Path(directory).glob("*/tercetd"), None))
                with grpc.insecure_channel("unix:%s" % socket) as channel:
                    stub = co_grpc.CoordinatorStub(channel)
                    began = until(lambda: all_of(listed(stub), 300))
                    self.until_the_load_runs(stub)
                    later = listed(stub)
                told = json.loads(bench.communicate(timeout=TIMEOUT_S)[0])
        self.assertEqual(0, bench.returncode)
        self.assertEqual(began.keys(), later.keys())
        for one in later.values():
            self.assertEqual([("silent", co.BRANCH_STATE_TRYING), ("silent", co.BRANCH_STATE_WAITING)],
                             [(branch.participant, branch.state) for branch in one.branches])
        self.check_told(told)

    def until_the_load_runs(self, stub):
        """Some have ended that were begun behind the open ones."""
        def ended():
            page = stub.List(co.ListRequest(page_size=10, with_branches=True, states=[co.TRANSACTION_STATE_CONFIRMED]),
                             timeout=10)
            return sum(not is_filling(one) for one in page.transactions) > 5
        until(ended)

    def check_told(self, told):
        self.assertEqual(300, told["open_at_the_end"])
        self.assertEqual(300, told["open"]["transactions"])
        self.assertEqual(200, told["open"]["payload_bytes_per_transaction"])
        rss = told["open"]["rss_bytes"]
        self.assertGreater(rss["before"], 1 << 20)
        self.assertGreater(rss["filled"], rss["before"])
        self.assertGreater(rss["end"], rss["before"])
        self.assertAlmostEqual((rss["filled"] - rss["before"]) / 300, told["open"]["rss_bytes_per_transaction"], delta=1)
        self.assertGreater(told["open"]["begin_s"], 0)
        self.assertGreater(told["transactions"], 0)
        self.assertGreater(told["batches_per_transaction"], 0)
        self.assertEqual(0, told["outcomes"]["UNKNOWN"] + told["outcomes"]["CANCELLED"])

    def test_the_table_tells_them(self):
        done = run(BENCH, *SMALL, "--open", "50", "--seconds", "1")
        self.assertEqual(0, done.returncode, done.stderr)
        self.assertRegex(done.stdout, r"\nopen at the end +50\n")
        self.assertRegex(done.stdout, r"\nopen all the time +50 +\(begun in \d+\.\d s")
        self.assertRegex(done.stdout, r"\ncoordinator's RSS +\d+\.\d MiB before +\d+\.\d filled +\d+\.\d at the end\n")
        self.assertRegex(done.stdout, r"\nRSS/open +\d+ bytes, 200 of them its payloads\n")

    def test_without_it_nothing_is_told(self):
        done = run(BENCH, *SMALL, "--seconds", "1", "--json")
        self.assertEqual(0, done.returncode, done.stderr)
        self.assertIsNone(json.loads(done.stdout)["open"])
        self.assertEqual(0, json.loads(done.stdout)["open_at_the_end"])

    def test_a_wrong_number_is_refused_with_a_sentence(self):
        for words, sentence in ((["--open", "many"], '"many": want a number from 0 to 9000000'),
                                (["--open", "-1"], '"-1": want a number from 0 to 9000000'),
                                (["--open", "9000001"], '"9000001": want a number from 0 to 9000000'),
                                (["--open", "3000000", "--branches", "4"], "these are 12000000 branches")):
            done = run(BENCH, *words)
            self.assertEqual(64, done.returncode, words)
            self.assertIn(sentence, done.stderr)

    def test_when_the_coordinator_does_not_take_them_that_is_said(self):
        done = run(BENCH, *SMALL, "--open", "300", "--seconds", "1", TERCET_OPEN_TRANSACTIONS_MAX="200")
        self.assertEqual(1, done.returncode)
        self.assertIn("what is to stay open was not begun; first:", done.stderr)
        self.assertIn("open transactions are at their limit of 200", done.stderr)

    def test_a_coordinator_that_cannot_be_started_is_named_with_the_reason(self):
        with tempfile.TemporaryDirectory() as directory:
            nothing = os.path.join(directory, "nothing")
            done = run(BENCH, *SMALL, "--seconds", "1", "--coordinator", nothing)
        self.assertEqual(1, done.returncode)
        self.assertIn("tercet-bench: %s: No such file or directory\n" % nothing, done.stderr)

    def test_when_one_is_missing_at_the_end_it_is_no_measurement(self):
        with tempfile.TemporaryDirectory() as directory:
            other = pathlib.Path(directory) / "tercetd"
            other.write_text('#!/bin/sh\n[ "$1" != verify ] || { echo "{\\"open_transactions\\": 49}"; exit 0; }\n'
                             'exec "%s" "$@"\n' % TERCETD, encoding="utf-8")
            other.chmod(0o700)
            done = run(BENCH, *SMALL, "--open", "50", "--seconds", "1", "--coordinator", str(other))
        self.assertEqual(1, done.returncode)
        self.assertIn("50 transactions should be open at the end, and 49 are", done.stderr)


class Sweep(unittest.TestCase):
    def test_every_round_measures_all_in_turn_and_draws_them(self):
        with tempfile.TemporaryDirectory() as directory:
            svg, told = pathlib.Path(directory) / "open.svg", pathlib.Path(directory) / "open.json"
            done = run(str(HERE / "open.py"), "--bench", BENCH, "--open", "20,200", "--rounds", "2", "--svg", str(svg),
                       "--json", str(told), "--", *SMALL, "--seconds", "1")
            all_told = json.loads(told.read_text(encoding="utf-8"))
            picture = xml.etree.ElementTree.parse(svg).getroot()
        doubts = [one["doubt"] for one in all_told]
        self.assertEqual(1 if any(doubts) else 0, done.returncode, done.stderr)
        self.assertEqual([20, 200, 20, 200], [one["open_at_the_end"] for one in all_told])
        rows = [line.split()[:4] for line in done.stdout.splitlines()[1:]]
        self.assertEqual([["1", "20"], ["1", "200"], ["2", "20"], ["2", "200"], ["median", "20"], ["median", "200"]],
                         [row[:2] for row in rows])
        self.assertEqual(["1.00"] * 3, [row[3] for row in rows[::2]])
        for row, one in zip(rows, all_told):
            self.assertAlmostEqual(one["cpu_us_per_transaction"]["coordinator"], float(row[2]), delta=0.06)
        self.check_picture(picture)

    def check_picture(self, picture):
        """Four runs and two medians as dots; a line through the medians, and one at the bound."""
        space = "{http://www.w3.org/2000/svg}"
        width, height = (float(word) for word in picture.get("viewBox").split()[2:])
        lines = [line.get("points").split() for line in picture.iter(space + "polyline")]
        dots = [(float(dot.get("cx")), float(dot.get("cy"))) for dot in picture.iter(space + "circle")]
        self.assertEqual([2, 2], [len(line) for line in lines])
        self.assertEqual(6, len(dots))
        self.assertEqual(2, len({x for x, _ in dots}))
        for x, y in dots + [tuple(map(float, place.split(","))) for line in lines for place in line]:
            self.assertTrue(0 < x < width and 0 < y < height, (x, y))

    def test_wrong_use_is_one_line_and_64(self):
        for words in (["--open", "0"], ["--rounds", "0"], ["--open", "many"], ["--what"]):
            done = run(str(HERE / "open.py"), "--bench", BENCH, *words)
            self.assertEqual(64, done.returncode, words)
            self.assertRegex(done.stderr, r"\Aopen: .*\n\Z")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
