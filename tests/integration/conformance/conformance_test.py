"""tercet-conformance passes those that are right, and finds each flaw by name.

usage: conformance_test.py TERCET_CONFORMANCE BALANCE KEEPER SAMPLES PROTOS [TEST...]

Right are the payment samples' four services and a participant on every store, as processes of their own,
and a participant in Python on stock grpcio.  The flawed ones are that participant with one thing wrong.
"""

import concurrent.futures
import contextlib
import json
import os
import pathlib
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "python"))

import flawed  # noqa: E402
import flaws  # noqa: E402
import stubs  # noqa: E402
from daemon import wait_until  # noqa: E402

CONFORMANCE, BALANCE, KEEPER, SAMPLES, PROTOS = sys.argv[1:6]
pb, pb_grpc = stubs.make(PROTOS)[:2]

RUN_TIMEOUT_S = 120
# Nothing loses its power here, so no disk has to remember anything.
MEMORY = "/dev/shm" if os.path.isdir("/dev/shm") else None
# What every flawed participant is asked besides the check that has to find it: it has to pass these, or
# fail for the same reason.
BASE = ["try_then_confirm", "try_then_cancel", "confirm_after_cancel", "late_try"]


def sql_balance(database, query):
    return f"'{BALANCE}' '{database}' \"{query}\""


class World(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.mkdtemp(prefix="tercet-conformance-", dir=MEMORY)
        self.processes = []
        self.participants = []
        self.killable = None

    def tearDown(self):
        for each in self.participants:
            each.stop()
        if self.killable:
            with contextlib.suppress(ProcessLookupError):  # it may have died
                os.kill(int(pathlib.Path(self.killable).read_text(encoding="utf-8")),
                        signal.SIGKILL)
        for process in self.processes:
            process.send_signal(signal.SIGTERM)
            self.assertEqual(0, process.wait(timeout=30))
        shutil.rmtree(self.directory)

    def path(self, name):
        return os.path.join(self.directory, name)

    def serve(self, name, *command):
        """A process that listens on a unix socket; its address."""
        socket = self.path(name + ".sock")
        process = subprocess.Popen([word.replace("SOCKET", "unix:" + socket) for word in command],
                                   stderr=subprocess.DEVNULL, cwd=self.directory)
        self.processes.append(process)
        wait_until(lambda: os.path.exists(socket) or process.poll() is not None, "it listens")
        self.assertIsNone(process.poll())
        return "unix:" + socket

    def python(self, flaw="", bare=False):
        """A participant of ours; the words that tell tercet-conformance of it."""
        name = flaw or "flawless"
        address = "unix:" + self.path(name + ".sock")
        database = self.path(name + ".db")
        self.participants.append(
            flawed.Participant(pb, pb_grpc, address, database, flaw, bare))
        return ["--address", address, "--participant", flawed.NAME, "--action", "debit",
                "--payload", "10", "--refused-payload", "999999999", "--confirm-only", "gift",
                "--balance", sql_balance(database, "SELECT balance - 7 * frozen FROM account")]

    def mortal(self, *command):
        """Starts what listens on unix:SOCKET; (its address, a command that kills and starts it)."""
        socket, self.killable = self.path("mortal.sock"), self.path("mortal.pid")
        script = pathlib.Path(self.path("restart"))
        words = " ".join(f"'{word.replace('SOCKET', socket)}'" for word in command)
        script.write_text(f"""
            if test -e {self.killable}; then
                read -r last <{self.killable}
                kill -9 "$last"
                # Until it is gone it has its files, and so the lock of its address.
                while grep -qs '^State:[[:space:]]*[^XZ]' "/proc/$last/status"; do sleep 0.01; done
            fi
            rm -f {socket}
            {words} </dev/null >/dev/null 2>&1 &
            echo $! >{self.killable}
            while ! test -S {socket} && kill -0 $!; do sleep 0.01; done
        """, encoding="utf-8")
        subprocess.run(["sh", script], check=True, timeout=RUN_TIMEOUT_S)
        return "unix:" + socket, f"sh {script}"

    def run_it(self, *words):
        """(exit code, what stands in the JSON, output); no JSON when it did not come so far."""
        file = tempfile.mktemp(dir=self.directory)
        done = subprocess.run([CONFORMANCE, *words, "--json", file], capture_output=True, text=True,
                              timeout=RUN_TIMEOUT_S, check=False)
        told = None
        if os.path.exists(file):
            with open(file, encoding="utf-8") as text:
                told = json.load(text)
        self.assertNotIn("\x1b", done.stdout + done.stderr, "what a stranger wrote moves a terminal")
        return done.returncode, told, done.stdout + done.stderr

    def groups(self, *groups):
        """For --only: the checks of these groups."""
        listed = subprocess.run([CONFORMANCE, "--list"], capture_output=True, text=True, check=True)
        words = [line.split() for line in listed.stdout.splitlines()]
        return ",".join(word[1] for word in words if word[0] in groups)

    def names(self, told, result):
        return [check["name"] for check in told["checks"] if check["result"] == result]

    def expect_conforms(self, *words, skipped=()):
        code, told, output = self.run_it(*words)
        self.assertEqual(0, code, output)
        self.assertTrue(told["conforms"])
        self.assertEqual([], self.names(told, "failed"))
        self.assertEqual(sorted(skipped), sorted(self.names(told, "skipped")), output)
        self.assertEqual(told["summary"], output.strip().splitlines()[-1])
        return told


KILLED = ["killed"]
CONFIRM_ONLY = ["confirm_only", "confirm_only_at_once", "confirm_only_cancelled",
                "confirm_only_try"]
STREAM = ["stream_phases", "stream_and_unary", "stream_broken", "stream_statuses",
          "stream_half_closed"]
MARKS = ["mark_told", "below_mark", "older_mark"]  # the others hold without marks, too
SURVEY = ["described_epoch", "describe", "describe_store", "inspect_branch", "inspect_range"]


class Right(World):
    """Everybody who is right passes, whatever it is made of."""

    def sample(self, name, rows=()):
        database = self.path(name + ".db")
        program = os.path.join(SAMPLES, name)
        subprocess.run([program, "--seed", "--database", database], check=True)
        with contextlib.closing(sqlite3.connect(database)) as connection, connection:
            for statement in rows:
                connection.execute(statement)
        address = self.serve(name, program, "--listen", "SOCKET", "--database", database)
        return ["--address", address, "--participant", name], database

    def test_the_account_service_passes_and_its_money_is_counted(self):
        words, database = self.sample("account", ["UPDATE account SET opening = 1000000,"
                                                  " balance = 1000000"])
        told = self.expect_conforms(
            *words, "--action", "debit", "--payload", '{"user": 7, "amount": 10}',
            "--refused-payload", '{"user": 7, "amount": 9999999}', "--balance",
            sql_balance(database, "SELECT sum(balance) - 7 * sum(frozen) FROM account"),
            skipped=[*CONFIRM_ONLY, *KILLED])
        self.assertTrue(told["effects_counted"])
        self.assertIn("stream, marks, survey, effects counted", told["summary"])

    def test_the_points_service_passes_with_a_balance_that_is_no_number(self):
        words, database = self.sample("points")
        told = self.expect_conforms(
            *words, "--action", "add", "--payload", '{"user": 7, "amount": 500}', "--balance",
            sql_balance(database, "SELECT 'has ' || sum(available) || ', gets ' || sum(pending)"
                                  " FROM points"),
            skipped=[*CONFIRM_ONLY, *KILLED, "refused_try"])
        self.assertTrue(told["effects_counted"])

    def test_the_order_service_passes_with_another_order_each_time(self):
        words, database = self.sample("order", [
            "WITH RECURSIVE n(id) AS (SELECT 100000 UNION ALL SELECT id + 1 FROM n WHERE id < 100999)"
            " INSERT INTO orders (id, owner, amount, state) SELECT id, 7, 100, 'WAITING' FROM n"])
        self.expect_conforms(
            *words, "--action", "pay", "--first", "100000", "--payload",
            '{"user": 7, "order": {n}, "amount": 100}', "--refused-payload",
            '{"user": 7, "order": 5, "amount": 100}', "--balance", sql_balance(
                database, "SELECT sum(CASE state WHEN 'PAYING' THEN 1 WHEN 'PAID' THEN 1000 ELSE 0"
                          " END) FROM orders"),
            skipped=[*CONFIRM_ONLY, *KILLED])

    def test_the_coupon_service_passes_with_another_coupon_each_time(self):
        words, database = self.sample("coupons", [
            "WITH RECURSIVE n(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM n WHERE id < 1000)"
            " INSERT INTO coupon (code, owner, state) SELECT 'N' || id, 7, 'FREE' FROM n"])
        pathlib.Path(self.path("payload")).write_text('{"user": 7, "coupon": "N{n}"}',
                                                      encoding="utf-8")
        self.expect_conforms(
            *words, "--action", "use", "--payload", "file:" + self.path("payload"), "--balance",
            sql_balance(database, "SELECT sum(state = 'LOCKED') + 1000 * sum(state = 'USED')"
                                  " FROM coupon"),
            skipped=[*CONFIRM_ONLY, *KILLED, "refused_try"])

    def test_a_participant_on_each_store_passes(self):
        for store in ("memory", "leveldb", "sqlite"):
            with self.subTest(store):
                address = self.serve(store, KEEPER, "serve", "k", "SOCKET",
                                     f"{store}:{self.path(store)}")
                told = self.expect_conforms(
                    "--address", address, "--participant", "k", "--action", store, "--payload",
                    "hex:00ff", "--refused-payload", "refuse", "--confirm-only", store + ".once",
                    skipped=KILLED)
                self.assertIn("stream, marks, survey, confirm-only, effects not counted",
                              told["summary"])

    def test_one_that_is_killed_has_done_everything_once(self):
        database = self.path("k.db")
        address, restart = self.mortal(KEEPER, "serve", "k", "unix:SOCKET", f"sqlite:{database}")
        effects = ("SELECT total(count * CASE WHEN key LIKE '%/TRY' THEN 1 WHEN key LIKE '%/CONFIRM'"
                   " THEN 1000 ELSE -1 END) FROM effect")
        told = self.expect_conforms(
            "--address", address, "--participant", "k", "--action", "sqlite", "--balance",
            sql_balance(database, effects), "--restart", restart, "--only",
            "try_then_confirm,try_then_cancel,killed")
        self.assertNotRegex(told["checks"][-1]["came"], " 0 lost", "it was killed among requests")
        self.assertEqual("conforms: 3 of 3 checks, killed, effects counted", told["summary"])

    def test_stock_grpc_in_python_passes_and_passes_again_with_the_same_seed(self):
        words = self.python()
        told = self.expect_conforms(*words, "--seed", "7", skipped=KILLED)
        self.assertIn("stream, marks, survey, confirm-only, effects counted", told["summary"])
        self.expect_conforms(*words, "--seed", "7", "--only", self.groups("plain", "identity"))

    def test_one_that_is_busy_or_loses_answers_is_asked_again_and_passes(self):
        names = self.groups("plain", "duplicates", "order", "epochs", "stream")
        for mood in flaws.MOODS:
            with self.subTest(mood):
                self.expect_conforms(*self.python(mood), "--only", names)

    def test_what_is_optional_may_be_missing_and_is_skipped_with_a_word(self):
        words = self.python(bare=True)
        told = self.expect_conforms(*words, skipped=[*STREAM, *MARKS, *SURVEY, *KILLED])
        self.assertRegex(told["summary"], r"checks, confirm-only, effects counted$")
        for check in told["checks"]:
            if check["result"] == "skipped":
                self.assertRegex(check["came"], "optional|no --restart")


class Flawed(World):
    """Each flaw is found, by the check whose business it is."""

    MORTAL = ("row_behind_business", "dies_at_unknown_field")  # they have tests of their own

    def find(self, flaw):
        expected = flaws.FLAWS[flaw]
        checks = BASE + [expected] * (expected not in BASE)
        code, told, output = self.run_it(*self.python(flaw), "--only", ",".join(checks))
        failed = self.names(told, "failed") if told else []
        wrong = code != 1 or expected not in failed or told["conforms"]
        return f"{flaw}: exit {code}, failed {failed}\n{output}" if wrong else ""

    def test_each_flaw_is_found_by_the_name_of_its_check(self):
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            names = [flaw for flaw in flaws.FLAWS if flaw not in self.MORTAL]
            missed = [text for text in pool.map(self.find, names) if text]
        self.assertEqual([], missed, "\n".join(missed))

    def find_mortal(self, flaw, *words):
        """One that runs as a process; (what was told, the output)."""
        database = self.path("bank.db")
        address, restart = self.mortal(
            sys.executable, os.path.abspath(flawed.__file__), os.path.abspath(PROTOS),
            "unix:SOCKET", database, flaw)
        code, told, output = self.run_it(
            "--address", address, "--participant", flawed.NAME, "--action", "debit", "--payload",
            "10", "--balance", sql_balance(database, "SELECT balance - 7 * frozen FROM account"),
            *[word.replace("RESTART", restart) for word in words])
        self.assertEqual(1, code, output)
        self.assertEqual([flaws.FLAWS[flaw]], self.names(told, "failed"), output)
        return told, output

    def test_a_row_that_is_not_in_the_business_transaction_is_found_by_killing(self):
        _, output = self.find_mortal("row_behind_business", "--restart", "RESTART", "--only",
                                     "try_then_confirm,try_then_cancel,killed")
        self.assertIn("an effect happened too often", output)

    def test_one_that_dies_of_a_request_ends_the_run_where_it_died(self):
        told, _ = self.find_mortal("dies_at_unknown_field")
        self.assertEqual("unknown_fields", told["checks"][-1]["name"])
        self.assertTrue(told["summary"].endswith("could not be reached any more"), told["summary"])

    def test_the_whole_suite_names_the_flaw_and_little_else(self):
        code, told, output = self.run_it(*self.python("tried_row_swept"))
        self.assertEqual(1, code, output)
        self.assertEqual(["tried_row_stays"], self.names(told, "failed"), output)
        self.assertRegex(told["summary"], r"^does not conform: \d+ of \d+ checks.*"
                                          r"; failed: tried_row_stays$")

    def test_a_payload_that_is_refused_stops_the_run_at_once(self):
        words = self.python()
        words[words.index("--payload") + 1] = "999999999"
        code, told, output = self.run_it(*words)
        self.assertEqual(1, code, output)
        self.assertEqual(["try_then_confirm"], [check["name"] for check in told["checks"]])
        self.assertIn("BALANCE_TOO_LOW", told["checks"][0]["came"])

    def test_a_balance_that_nothing_changes_is_no_balance(self):
        words = self.python()
        words[words.index("--balance") + 1] = "echo 5"
        code, told, output = self.run_it(*words)
        self.assertEqual(1, code, output)
        self.assertIn("the balance is 5 before, between and after", told["checks"][0]["came"])


class Use(World):
    """What is wrong with the question is said before anything is asked."""

    def expect_exit(self, code, text, *words):
        got, told, output = self.run_it(*words)
        self.assertEqual(code, got, output)
        self.assertIsNone(told)
        self.assertIn(text, output)

    def test_wrong_use_ends_with_64_and_a_sentence(self):
        words = self.python()
        there = words[:6]
        self.expect_exit(64, "are needed", *words[:4])
        self.expect_exit(64, 'there is no check "tried"', *there, "--only", "late_try,tried")
        self.expect_exit(64, "pairs of hexadecimal digits", *there, "--payload", "hex:0")
        self.expect_exit(64, "No such file", *there, "--payload", "file:/nowhere")
        self.expect_exit(64, "the balance command failed", *there, "--balance", "false")
        self.expect_exit(64, 'calls itself "bank"', *words[:2], "--participant", "bunk",
                         "--action", "debit")

    def test_nobody_at_the_address_ends_with_69(self):
        self.expect_exit(69, "cannot be reached", "--address", "unix:" + self.path("nobody"),
                         "--participant", "p", "--action", "a")

    def test_every_check_is_listed_with_what_it_expects(self):
        listed = subprocess.run([CONFORMANCE, "--list"], capture_output=True, text=True, check=True)
        lines = listed.stdout.splitlines()
        names = [line.split()[1] for line in lines]
        self.assertEqual(len(names), len(set(names)))
        self.assertLessEqual(set(flaws.FLAWS.values()), set(names))
        self.assertTrue(all(line.endswith(".") for line in lines), lines)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], "-v", *sys.argv[6:]])
