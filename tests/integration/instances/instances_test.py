"""Several instances of one participant over one database: no initiator notices that one of them dies.

usage: instances_test.py TERCETD ACCOUNT PROTOS
"""

import contextlib
import json
import os
import pathlib
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
import unittest

import grpc

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "python"))

import stubs  # noqa: E402
from daemon import Daemon, answers, free_port, wait_until  # noqa: E402

TERCETD, ACCOUNT, PROTOS = sys.argv[1:4]
_, _, co, co_grpc = stubs.make(PROTOS)

PAYERS = 6  # initiators at a time
EACH = 40  # transactions in each of the times that the test looks at
RICH, POOR = 7, 8  # of the demo data: 20000 fen, and 1200


class Instance:
    """One process of the account service, which may die at any time; its address stays."""

    def __init__(self, database):
        self.database = database
        self.port = free_port()
        self.target = f"127.0.0.1:{self.port}"
        self.start()

    def start(self):
        self.process = subprocess.Popen(
            [ACCOUNT, "--listen", self.target, "--database", self.database],
            stderr=subprocess.DEVNULL)
        wait_until(lambda: answers(self.port) or self.process.poll() is not None, "it listens")
        assert self.process.poll() is None, f"account ended with {self.process.returncode}"

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


def debit(user, amount):
    return co.Branch(participant="account", action="debit",
                     payload=json.dumps({"user": user, "amount": amount}).encode())


class Payers:
    """Initiators that pay without a pause: one fen of RICH, and of every fourth more than POOR has, too."""

    def __init__(self, coordinator):
        self.coordinator = coordinator
        self.confirmed, self.cancelled, self.errors = [], [], []
        self.stopping = threading.Event()
        self.threads = [threading.Thread(target=self.pay, args=(number,))
                        for number in range(PAYERS)]
        for thread in self.threads:
            thread.start()

    def pay(self, number):
        serial = 0
        while not self.stopping.is_set():
            gid = f"pay-{number}-{serial}"
            branches = [debit(RICH, 1)] + ([debit(POOR, 5000)] if serial % 4 == 3 else [])
            serial += 1
            try:
                told = self.coordinator.Execute(
                    co.ExecuteRequest(gid=gid, branches=branches, wait=co.WAIT_END), timeout=60)
            except grpc.RpcError as error:
                self.errors.append(f"{gid}: {error.code()}: {error.details()}")
                return
            ended = {co.TRANSACTION_STATE_CONFIRMED: self.confirmed, co.TRANSACTION_STATE_CANCELLED: self.cancelled}
            ended.get(told.state, self.errors).append(gid)

    def go_on(self):
        """Until so many more have ended as they should; says whether all has gone well."""
        wanted = len(self.confirmed) + EACH
        wait_until(lambda: self.errors or len(self.confirmed) >= wanted, "payments go on", 60)
        return not self.errors

    def stop(self):
        self.stopping.set()
        for thread in self.threads:
            thread.join()


class Instances(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.mkdtemp(prefix="tercet-instances-")
        self.instances = []
        self.daemon = self.channel = None

    def tearDown(self):
        if self.channel:
            self.channel.close()
        if self.daemon:
            self.assertEqual(0, self.daemon.close())
        for instance in self.instances:
            instance.kill()
        shutil.rmtree(self.directory)

    def database(self, name):
        path = os.path.join(self.directory, name)
        subprocess.run([ACCOUNT, "--database", path, "--seed"], check=True)
        return path

    def open(self, *databases, connections=1):
        self.instances = [Instance(database) for database in databases]
        targets = [instance.target for instance in self.instances]
        self.daemon = Daemon(TERCETD, {"account": (targets, connections)})
        self.channel = grpc.insecure_channel(f"127.0.0.1:{self.daemon.port}")
        self.coordinator = co_grpc.CoordinatorStub(self.channel)

    def seats_are(self, event, instance):
        """Is that the newest that the daemon has said of both connections to the instance?"""
        said = re.findall(rf" (participant\.\w+) participant=account target={instance.target} seat=(\d+)",
                          self.daemon.log_text())
        newest = {seat: event for event, seat in said}
        return list(newest.values()) == [event, event]

    def is_reached(self):
        """By a transaction that is refused, without a gid, so that each is another."""
        try:
            self.coordinator.Execute(co.ExecuteRequest(branches=[debit(1, 1)]), timeout=10)
            return True
        except grpc.RpcError:
            return False

    def check_books(self, database, payers):
        """Each payment exactly once; nothing is reserved; what was refused left nothing."""
        with contextlib.closing(sqlite3.connect(database)) as books:
            entries = sorted(books.execute("SELECT gid, kind FROM entry"))
            wanted = [(gid, kind) for gid in payers.confirmed for kind in ("DEDUCT", "FREEZE")]
            cancelled = set(payers.cancelled)
            self.assertEqual(sorted(wanted), [entry for entry in entries if entry[0] not in cancelled])
            for gid in cancelled:  # its first branch was tried and given back, or not tried at all
                kinds = [kind for other, kind in entries if other == gid]
                self.assertIn(kinds, ([], ["FREEZE", "RELEASE"]))
            accounts = dict((owner, (balance, frozen)) for owner, balance, frozen in
                            books.execute("SELECT owner, balance, frozen FROM account"))
            self.assertEqual({RICH: (20000 - len(payers.confirmed), 0), POOR: (1200, 0)}, accounts)

    def test_no_initiator_notices_that_an_instance_dies_while_another_lives(self):
        database = self.database("account.db")
        self.open(database, database, connections=2)
        first, second = self.instances
        wait_until(self.is_reached, "it is reached")
        payers = Payers(self.coordinator)
        try:
            self.assertTrue(payers.go_on(), payers.errors)
            first.kill()
            self.assertTrue(payers.go_on(), payers.errors)
            wait_until(lambda: self.seats_are("participant.silent", first), "it is missed")
            first.start()
            wait_until(lambda: self.seats_are("participant.answers", first), "it is back")
            self.assertTrue(payers.go_on(), payers.errors)
            second.kill()
            self.assertTrue(payers.go_on(), payers.errors)
        finally:
            payers.stop()
        self.assertEqual([], payers.errors)
        self.assertGreater(len(payers.cancelled), 0)
        self.check_books(database, payers)

    def test_an_instance_over_another_database_is_found_out_and_named(self):
        self.open(self.database("one.db"), self.database("other.db"))
        wait_until(lambda: "participant.held" in self.daemon.log_text(), "it is held")
        held = [line for line in self.daemon.log_text().splitlines() if "participant.held" in line]
        self.assertTrue(any(instance.target + ": its store" in held[0]
                            for instance in self.instances), held)
        with self.assertRaises(grpc.RpcError) as caught:
            self.coordinator.Execute(co.ExecuteRequest(gid="g", branches=[debit(RICH, 1)]), timeout=10)
        self.assertEqual(grpc.StatusCode.UNAVAILABLE, caught.exception.code())


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
