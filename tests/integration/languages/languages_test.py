"""The bank of one language of samples/participants, which knows the protocol from its document, through a
real tercetd: money moves once, whatever kills the bank in between.

usage: languages_test.py LANGUAGE TERCETD SOURCE WORK [CONFORMANCE]
Exits with 77 when this machine cannot build it.
"""

import concurrent.futures
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time
import unittest

import grpc

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "python"))

import stubs  # noqa: E402
from banks import BANKS  # noqa: E402
from daemon import Daemon, answers, free_port, wait_until  # noqa: E402
from stores import Postgresql, Sqlite, told_at_a_port  # noqa: E402
from toolchains import Skip  # noqa: E402

LANGUAGE, TERCETD, SOURCE, WORK = sys.argv[1:5]
CONFORMANCE = sys.argv[5:]
pb, pb_grpc, co, co_grpc = stubs.make(str(pathlib.Path(SOURCE) / "protos"))

TRANSFERS = 40
KILLS = 2  # of the bank; and as often all its connections to the database are cut


def order(account, amount):
    return json.dumps({"account": account, "amount": amount}).encode()


def debit(account, amount):
    return co.Branch(participant="bank", action="debit", payload=order(account, amount))


def credit(account, amount):
    return co.Branch(participant="bank", action="credit", payload=order(account, amount),
                     kind=co.BRANCH_KIND_CONFIRM_ONLY)


class Running:
    """The bank's process, which may die at any time; its database and its address stay."""

    def __init__(self, bank, store):
        self.bank, self.store = bank, store
        self.port = free_port()
        self.process = None
        self.start()

    def start(self):
        command = self.bank.command(f"127.0.0.1:{self.port}", self.store.address)
        with open(self.bank.work / "log", "ab") as log:
            self.process = subprocess.Popen(command, cwd=self.bank.work, stdout=log, stderr=log)
        wait_until(lambda: answers(self.port) or self.process.poll() is not None, "it listens")
        if self.process.poll() is not None:
            raise AssertionError(f"it ended with {self.process.returncode}: see {log.name}")

    def kill(self):
        assert self.process.poll() is None, f"it has died by itself: see {self.bank.work}/log"
        self.process.kill()
        self.process.wait()


class Languages(unittest.TestCase):
    bank = None  # built before the tests begin

    @classmethod
    def setUpClass(cls):
        cls.store = cls.make_store(SOURCE)
        cls.addClassCleanup(cls.store.close)
        cls.running = Running(cls.bank, cls.store)
        cls.addClassCleanup(cls.running.kill)
        cls.store.fill()
        cls.daemon = Daemon(TERCETD, {"bank": f"127.0.0.1:{cls.running.port}"})
        cls.addClassCleanup(cls.close_daemon)
        cls.connect()
        cls.addClassCleanup(lambda: cls.channel.close())
        wait_until(cls.is_reached, "it is reached")

    @classmethod
    def close_daemon(cls):
        code = cls.daemon.close()
        assert code == 0, f"tercetd ended with {code}: see {cls.daemon.directory}"

    @classmethod
    def connect(cls):
        cls.channel = grpc.insecure_channel(f"127.0.0.1:{cls.daemon.port}")
        cls.coordinator = co_grpc.CoordinatorStub(cls.channel)

    @classmethod
    def is_reached(cls):
        """By a transaction that takes nothing; without a gid, so that each is another."""
        try:
            cls.coordinator.Execute(co.ExecuteRequest(branches=[debit("nobody", 1)]), timeout=10)
            return True
        except grpc.RpcError:
            return False

    def balances(self):
        """account: (balance, reserved)"""
        return {account: (int(balance), int(reserved)) for account, balance, reserved in
                self.store.rows("SELECT id, balance, reserved FROM account WHERE id IN ('ann', 'bob')")}

    def setUp(self):
        self.before = self.balances()

    def check_moved(self, **moved):
        """Against what each had when the test began; nothing is reserved."""
        wanted = {name: (balance + moved.get(name, 0), 0)
                  for name, (balance, _) in self.before.items()}
        self.assertEqual(wanted, self.balances())

    @staticmethod
    def ask(method, request, timeout_s=60):
        """As an initiator asks: what names its gid is repeated until it is not UNAVAILABLE, which a coordinator
        says while it is starting or does not reach the bank."""
        until = time.monotonic() + timeout_s
        while True:
            try:
                return method(request, timeout=timeout_s)
            except grpc.RpcError as error:
                if error.code() != grpc.StatusCode.UNAVAILABLE or time.monotonic() > until:
                    raise
            time.sleep(0.01)

    def execute(self, gid, *branches):
        return self.ask(self.coordinator.Execute,
                        co.ExecuteRequest(gid=gid, branches=branches, wait=co.WAIT_END))

    def begin_and_try(self, gid, branch):
        self.ask(self.coordinator.Begin, co.BeginRequest(gid=gid))
        return self.ask(self.coordinator.Try, co.TryRequest(gid=gid, number=1, branch=branch))

    def test_a_transfer_moves_the_money_and_tells_what_is_left(self):
        done = self.execute("transfer", debit("ann", 30), credit("bob", 30))
        self.assertEqual(co.OUTCOME_CONFIRMED, done.outcome)
        self.assertEqual({"balance": self.before["ann"][0] - 30}, json.loads(done.branches[0].result))
        self.check_moved(ann=-30, bob=30)
        self.assertEqual(done.outcome, self.execute("transfer", debit("ann", 30), credit("bob", 30)).outcome)
        self.check_moved(ann=-30, bob=30)

    def test_what_is_not_there_is_refused_with_a_reason_and_nothing_moves(self):
        done = self.execute("too-much", debit("ann", 5), debit("bob", 10**6), credit("ann", 10**6))
        self.assertEqual(co.OUTCOME_CANCELLED, done.outcome)
        self.assertEqual((2, "BALANCE_TOO_LOW"), (done.refused_branch, done.reason.code))
        self.check_moved()
        done = self.execute("nonsense", co.Branch(participant="bank", action="debit", payload=b"{"))
        self.assertEqual("BAD_PAYLOAD", done.reason.code)

    def test_a_cancelled_transaction_gives_back_what_was_reserved(self):
        self.assertEqual(pb.VERDICT_DONE, self.begin_and_try("cancelled", debit("ann", 7)).verdict)
        balance = self.before["ann"][0]
        self.assertEqual((balance - 7, 7), self.balances()["ann"])
        done = self.ask(self.coordinator.Cancel, co.CancelRequest(gid="cancelled", wait=co.WAIT_END))
        self.assertEqual(co.TRANSACTION_STATE_CANCELLED, done.state)
        self.check_moved()

    def test_a_kill_between_try_and_confirm_loses_nothing(self):
        self.begin_and_try("killed", debit("ann", 3))
        self.running.kill()
        done = self.ask(self.coordinator.Confirm, co.ConfirmRequest(gid="killed"))
        self.assertEqual(co.TRANSACTION_STATE_CONFIRMING, done.state)
        self.running.start()
        done = self.ask(self.coordinator.Get, co.GetRequest(gid="killed", wait=co.WAIT_END))
        self.assertEqual(co.TRANSACTION_STATE_CONFIRMED, done.state)
        self.check_moved(ann=-3)

    def test_transfers_under_blows_move_money_once_each(self):
        def transfer(number):
            gid = f"storm-{number}"
            try:
                self.execute(gid, debit("ann", 1), credit("bob", 1))
            except grpc.RpcError:
                pass  # not begun, or unknown: asked below
            return gid

        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            transfers = [pool.submit(transfer, number) for number in range(TRANSFERS)]
            for blow in range(1, 2 * KILLS + 1):
                enough = blow * TRANSFERS // (2 * KILLS + 1)
                wait_until(lambda: sum(each.done() for each in transfers) >= enough, "some are", 60)
                if blow % 2 == 0:
                    self.store.cut_connections()
                else:
                    self.running.kill()
                    self.running.start()
            gids = [each.result() for each in transfers]
        confirmed = 0
        for gid in gids:
            end = self.ask(self.coordinator.Cancel, co.CancelRequest(gid=gid, wait=co.WAIT_END))
            confirmed += end.outcome == co.OUTCOME_CONFIRMED
        self.assertGreater(confirmed, 0)
        self.check_moved(ann=-confirmed, bob=confirmed)

    def test_rows_go_when_a_mark_says_so(self):
        count = "SELECT count(*) FROM tercet_fence"
        rows = int(self.store.rows(count)[0][0])

        def some_are_gone():
            nonlocal rows
            self.execute(f"row-{rows}", credit("bob", 1))
            rows += 1
            return int(self.store.rows(count)[0][0]) < rows

        wait_until(some_are_gone, "rows are let go", 60)

    def restart_from(self, backup):
        """The journal is lost, and a new life begins with its backup."""
        self.daemon.kill()
        restored = os.path.join(self.daemon.directory, "restored")
        subprocess.run([TERCETD, "restore", backup, restored], check=True, stdout=subprocess.DEVNULL)
        config = pathlib.Path(self.daemon.config)
        config.write_text(re.sub("(?m)^journal: .*", f"journal: {restored}", config.read_text()))
        self.daemon.start()
        self.channel.close()
        self.connect()
        wait_until(self.is_reached, "it has asked what was done since the backup")

    def test_a_journal_that_was_put_back_learns_from_the_rows_what_was_done(self):
        backup = os.path.join(self.daemon.directory, "backup")
        self.begin_and_try("older", debit("ann", 1))  # open, so no mark lets the others' rows go
        self.begin_and_try("decided", debit("ann", 4))
        self.daemon.stop()
        shutil.copytree(os.path.join(self.daemon.directory, "journal"), backup)
        self.daemon.start()
        wait_until(self.is_reached, "it is back")
        self.ask(self.coordinator.Confirm, co.ConfirmRequest(gid="decided", wait=co.WAIT_END))
        self.begin_and_try("reserved", debit("ann", 2))
        self.restart_from(backup)

        done = self.ask(self.coordinator.Get, co.GetRequest(gid="decided", wait=co.WAIT_END))
        self.assertEqual(co.TRANSACTION_STATE_CONFIRMED, done.state)
        # Only its initiator has what its cancel needs, and tells it by asking again.
        self.assertNotEqual(pb.VERDICT_DONE, self.begin_and_try("reserved", debit("ann", 2)).verdict)
        done = self.ask(self.coordinator.Get, co.GetRequest(gid="reserved", wait=co.WAIT_END))
        self.assertEqual(co.TRANSACTION_STATE_CANCELLED, done.state)
        self.ask(self.coordinator.Cancel, co.CancelRequest(gid="older", wait=co.WAIT_END))
        self.check_moved(ann=-4)

    @unittest.skipUnless(CONFORMANCE, "the program that asks like a coordinator is not built")
    def test_it_keeps_the_protocol(self):
        def balance():
            return self.store.rows("SELECT balance FROM account WHERE id = 'cy'")[0][0]

        def restart():
            self.running.kill()
            self.running.start()
            return "it listens"

        with told_at_a_port(balance) as balance_command, told_at_a_port(restart) as restart_command:
            done = subprocess.run(
                [*CONFORMANCE, "--address", f"127.0.0.1:{self.running.port}",
                 "--participant", "bank", "--action", "debit", "--payload", order("cy", 1).decode(),
                 "--refused-payload", order("cy", 10**10).decode(), "--confirm-only", "credit",
                 "--confirm-only-payload", order("cy", 1).decode(),
                 "--balance", balance_command, "--restart", restart_command],
                capture_output=True, text=True, timeout=120)
        self.assertEqual(0, done.returncode, done.stdout + done.stderr)
        print(done.stdout.splitlines()[-1])


def main():
    try:
        Languages.bank = BANKS[LANGUAGE](LANGUAGE, SOURCE, WORK)
        Languages.bank.build()
        Languages.make_store = Postgresql if Languages.bank.uses_postgresql else Sqlite
        if Languages.bank.uses_postgresql:
            Postgresql.place()
    except Skip as reason:
        print(f"skipped: {LANGUAGE}: {reason}")
        sys.exit(77)
    unittest.main(argv=sys.argv[:1], verbosity=2)


if __name__ == "__main__":
    main()
