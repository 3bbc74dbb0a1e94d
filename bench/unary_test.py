"""Participants are asked by unary calls where that is wanted, and compared with the bare calls of the same run.

usage: unary_test.py TERCETD BENCH

Small numbers on a machine that does other things: none of the figures means anything here.
"""

import contextlib
import json
import pathlib
import re
import sys
import tempfile
import unittest

import replay
from replay import run

HERE = pathlib.Path(__file__).resolve().parent
TERCETD, BENCH = sys.argv[1], sys.argv[2]
SMALL = ["--coordinator", TERCETD, "--branches", "2", "--payload", "100", "--concurrency", "4", "--warmup", "0",
         "--seconds", "1"]


def told_by(*words):
    done = run(BENCH, *SMALL, "--json", *words)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@contextlib.contextmanager
def program(text):
    """A shell script, in a directory of its own."""
    with tempfile.TemporaryDirectory() as directory:
        file = pathlib.Path(directory) / "program"
        file.write_text("#!/bin/sh\n" + text, encoding="utf-8")
        file.chmod(0o700)
        yield file


class Unary(unittest.TestCase):
    def test_bare_participants_serve_nothing_but_unary_calls_and_every_transaction_is_confirmed(self):
        told = told_by("--participants", "bare")
        self.assertTrue(told["run"]["unary"])
        self.assertGreater(told["outcomes"]["CONFIRMED"], 0)
        self.assertEqual({"CONFIRMED"}, {name for name, count in told["outcomes"].items() if count > 0})
        self.assertEqual(0, told["open_at_the_end"])
        self.assertEqual(0, told["local_transactions_per_transaction"])
        self.check_floor(told, calls=4)

    def check_floor(self, told, calls):
        floor = told["floors"]["unary"]
        self.assertGreater(floor["calls_per_s"], 0)
        self.assertIn(floor["threads"], (1, 2, 4))
        self.assertAlmostEqual(floor["calls_per_s"] / calls, floor["transactions_per_s"], delta=1)
        self.assertAlmostEqual(told["transactions_per_s"] / floor["transactions_per_s"], floor["ratio"], delta=0.01)
        self.assertGreater(floor["cpu_us_per_call"], 0)
        self.assertGreater(floor["server_cpu_us_per_call"], 0)

    def test_without_the_stream_the_coordinator_is_told_so_and_the_table_compares(self):
        with tempfile.TemporaryDirectory() as directory:
            kept, other = pathlib.Path(directory) / "yaml", pathlib.Path(directory) / "tercetd"
            other.write_text('#!/bin/sh\nfor word; do [ -f "${word%%.yaml}.yaml" ] && cat "$word" > "%s"; done\n'
                             'exec "%s" "$@"\n' % (kept, TERCETD), encoding="utf-8")
            other.chmod(0o700)
            done = run(BENCH, *SMALL, "--participant-stream", "off", "--coordinator", str(other))
            config = kept.read_text(encoding="utf-8")
        self.assertEqual(0, done.returncode, done.stderr)
        self.assertIn("participant_stream: false\n", config)
        self.assertIn("2 participants (memory, unary calls)", done.stdout)
        self.assertRegex(done.stdout, r"\nfloor: unary calls +\d+ calls/s +\d+\.\d\d CPU µs each, \d+\.\d\d where it is "
                                      r"answered; [124] threads\ntransactions/s +\d+\.\d\d times the floor of \d+\n")

    def test_with_the_stream_there_is_nothing_to_compare(self):
        told = told_by()
        self.assertFalse(told["run"]["unary"])
        self.assertIsNone(told["floors"]["unary"])

    def test_a_program_of_somebody_is_started_for_each_participant_and_for_each_server_of_the_floor(self):
        with program('echo "$*" >> "${0%%/*}/words"\nexec "%s" participant "$2" "$4" bare . 0\n' % BENCH) as file:
            told = told_by("--participant-program", str(file))
            words = (file.parent / "words").read_text(encoding="utf-8").splitlines()
        # The servers of the floor are gone when the participants start; those of one kind start at the same time.
        words = sorted(words[:2]) + sorted(words[2:])
        self.assertEqual("program", told["run"]["participants"])
        self.assertTrue(told["run"]["unary"])
        self.assertEqual({"CONFIRMED"}, {name for name, count in told["outcomes"].items() if count > 0})
        self.assertEqual(0, told["open_at_the_end"])
        self.check_floor(told, calls=4)
        place = re.fullmatch("--name p1 --listen unix:(/.*)/bare0", words[0]).group(1)
        self.assertEqual(["--name p%d --listen unix:%s/%s" % (number + 1, place, name % (number + first))
                          for name, first in (("bare%d", 0), ("p%d", 1)) for number in range(2)], words)

    def test_a_program_that_cannot_be_started_or_does_not_serve_or_end_is_named(self):
        with program("exit 3\n") as file:
            nothing = str(file.parent / "nothing")
            done = run(BENCH, *SMALL, "--no-floors", "--participant-program", nothing)
            self.assertEqual(1, done.returncode)
            self.assertTrue(done.stderr.startswith("tercet-bench: %s: No such file or directory\n" % nothing), done.stderr)
            for more in ([], ["--no-floors"]):
                done = run(BENCH, *SMALL, *more, "--participant-program", str(file))
                self.assertEqual(1, done.returncode)
                self.assertIn("tercet-bench: participant p1 did not become ready\n", done.stderr)
        with program('"%s" participant "$2" "$4" bare . 0\nexit 3\n' % BENCH) as file:
            done = run(BENCH, *SMALL, "--no-floors", "--participant-program", str(file))
        self.assertEqual(1, done.returncode)
        self.assertIn("tercet-bench: participant p2 did not end well\n", done.stderr)

    def test_what_they_cannot_do_is_refused_with_a_sentence(self):
        for kind, told in ((["--participants", "bare"], "bare"), (["--participant-program", BENCH], "program")):
            for mode in ("cancel", "mixed"):
                self.check_refused([*kind, "--mode", mode], "participants (%s) refuse nothing: only --mode commit" % told)
            self.check_refused([*kind, "--database", "x"], "participants (%s) have no server for --database" % told)
            self.check_refused([*kind, "--batch", "8"], "participants (%s) have no store for --batch" % told)
        self.check_refused(["--participants", "memory", "--participant-program", BENCH],
                           "--participants memory and --participant-program: want one of the two")

    def check_refused(self, words, sentence):
        done = run(BENCH, *words)
        self.assertEqual(64, done.returncode, words)
        self.assertIn(sentence, done.stderr)


class Rounds(unittest.TestCase):
    def told(self, per_s, doubt=None):
        return {"run": {"branches": 4}, "transactions_per_s": per_s, "doubt": doubt,
                "cpu_us_per_transaction": {"coordinator": 100.5, "participants": 50.5, "generator": 9.5},
                "floors": {"unary": {"transactions_per_s": 1000, "ratio": per_s / 1000, "cpu_us_per_call": 10,
                                     "server_cpu_us_per_call": 5}}}

    def test_every_round_measures_each_kind_and_the_medians_come_last(self):
        all_told = [self.told(per_s) for per_s in (500, 300, 700, 100, 600, 200)]
        done, rows, words = replay.replay("unary.py", all_told, "--", "--seconds", "7")
        self.assertEqual(0, done.returncode, done.stderr)
        self.assertEqual(["--json --participants %s --participant-stream off --seconds 7" % kind
                          for kind in ("bare", "memory")] * 3, words)
        self.assertEqual(["%s 1000 %s 100.5 80.0 50.5 40.0 9.5" % pair for pair in (
            ("1 bare 500", "0.50"), ("1 memory 300", "0.30"), ("2 bare 700", "0.70"), ("2 memory 100", "0.10"),
            ("3 bare 600", "0.60"), ("3 memory 200", "0.20"), ("median bare 600", "0.60"),
            ("median memory 200", "0.20"))], rows)

    def test_one_that_is_no_measurement_makes_all_none(self):
        all_told = [self.told(500), self.told(400, "others were there")]
        done, rows, _ = replay.replay("unary.py", all_told, "--participants", "bare", "--rounds", "2")
        self.assertEqual(1, done.returncode)
        self.assertTrue(rows[1].endswith(" others were there"), rows)

    def test_wrong_use_is_one_line_and_64(self):
        for words in (["--rounds", "0"], ["--rounds", "many"], ["--what"]):
            done = run(str(HERE / "unary.py"), "--bench", BENCH, *words)
            self.assertEqual(64, done.returncode, words)
            self.assertRegex(done.stderr, r"\Aunary: .*\n\Z")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
