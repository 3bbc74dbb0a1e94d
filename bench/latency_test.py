"""An open loop is compared with bare LevelDB at the same rate, and `latency` goes at half of the peak.

usage: latency_test.py TERCETD BENCH

Small numbers on a machine that does other things: none of the figures means anything here.
"""

import json
import pathlib
import sys
import unittest

import replay
from replay import run

HERE = pathlib.Path(__file__).resolve().parent
TERCETD, BENCH = sys.argv[1], sys.argv[2]
SMALL = ["--coordinator", TERCETD, "--branches", "2", "--payload", "100", "--concurrency", "200", "--warmup", "1",
         "--seconds", "1"]


class Pace(unittest.TestCase):
    def test_leveldb_is_fed_every_transaction_that_is_due_and_most_take_two_batches_of_their_own(self):
        done = run(BENCH, *SMALL, "--rate", "10", "--json")
        self.assertEqual(0, done.returncode, done.stderr)
        told = json.loads(done.stdout)
        pace = told["floors"]["pace"]
        self.assertEqual(10, pace["transactions"])  # the window's, not the warm-up's
        self.assertGreater(pace["batches_per_transaction"], 1)
        self.assertLessEqual(pace["batches_per_transaction"], 2)
        self.assertGreater(pace["p50_us"], 0)
        self.assertGreaterEqual(pace["p99_us"], pace["p50_us"])
        self.assertGreaterEqual(pace["max_us"], pace["p99_us"])
        self.assertAlmostEqual(told["latency_us"]["p99"] / pace["p99_us"], pace["ratio"], delta=0.01)

    def test_the_table_compares(self):
        done = run(BENCH, *SMALL, "--rate", "50")
        self.assertEqual(0, done.returncode, done.stderr)
        self.assertRegex(done.stdout, r"\nfloor: pace +\d+ µs p50 +\d+ p99 +\d+ max; LevelDB at this rate, "
                                      r"\d\.\d{3} batches/transaction\np99 +\d+\.\d times the floor of \d+ µs\n")

    def test_a_closed_loop_has_no_rate_to_compare_at(self):
        done = run(BENCH, *SMALL, "--json")
        self.assertEqual(0, done.returncode, done.stderr)
        self.assertIsNone(json.loads(done.stdout)["floors"]["pace"])


class Rounds(unittest.TestCase):
    def closed(self, per_s, doubt=None):
        return {"transactions_per_s": per_s, "latency_us": {"p50": 11, "p99": 22}, "late": 0, "doubt": doubt}

    def open(self, p99, late=0):
        return {"run": {"concurrency": 30, "rate": 450}, "transactions_per_s": 451, "late": late, "doubt": None,
                "latency_us": {"p50": 11, "p99": p99},
                "floors": {"pace": {"p50_us": 5, "p99_us": 10, "max_us": 20, "ratio": p99 / 10}}}

    def test_the_rounds_go_at_half_of_the_highest_throughput_and_the_medians_come_last(self):
        all_told = [self.closed(700), self.closed(901), self.closed(800), self.open(30), self.open(50), self.open(20)]
        done, rows, words = replay.replay("latency.py", all_told, "--concurrency", "10,20,30", "--", "--seconds", "7")
        self.assertEqual(0, done.returncode, done.stderr)
        self.assertEqual(["--json --concurrency %d --no-floors --seconds 7" % count for count in (10, 20, 30)] +
                         ["--json --rate 450 --concurrency 30 --seconds 7"] * 3, words)
        self.assertEqual(["peak 10 closed 700 11 22", "peak 20 closed 901 11 22", "peak 30 closed 800 11 22",
                          "1 30 450 451 11 30 5 10 20 3.00", "2 30 450 451 11 50 5 10 20 5.00",
                          "3 30 450 451 11 20 5 10 20 2.00", "median 30 450 451 11 30 5 10 20 3.00"], rows)

    def test_a_rate_that_is_not_kept_up_or_a_doubt_makes_it_no_measurement(self):
        for all_told, place, why in (
                ([self.closed(900), self.open(30, late=3)], 1, " the rate could not be kept up"),
                ([self.closed(900, "others were there"), self.open(30)], 0, " others were there")):
            done, rows, _ = replay.replay("latency.py", all_told, "--concurrency", "30", "--rounds", "1")
            self.assertEqual(1, done.returncode)
            self.assertTrue(rows[place].endswith(why), rows)

    def test_wrong_use_is_one_line_and_64(self):
        for words in (["--rounds", "0"], ["--concurrency", "0"], ["--concurrency", "many"], ["--what"]):
            done = run(str(HERE / "latency.py"), "--bench", BENCH, *words)
            self.assertEqual(64, done.returncode, words)
            self.assertRegex(done.stderr, r"\Alatency: .*\n\Z")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
