"""A database that is not what it was: a service's that was restored from a backup or exchanged, and the
coordinator's own journal.

usage: restore_test.py BUILD SOURCE
"""

import json
import shutil
import signal
import sys
import tempfile
import unittest
from pathlib import Path

import shops

BUILD, SOURCE = sys.argv.pop(1), sys.argv.pop(1)
shops.prepare(SOURCE)

import grpc  # noqa: E402
import ledger  # noqa: E402
import processes  # noqa: E402
import stubs  # noqa: E402
from daemon import wait_until  # noqa: E402
from shop import SERVICES, Payment, Programs, Shop  # noqa: E402

participant_pb, _, pb, pb_grpc = stubs.make(str(Path(SOURCE) / "protos"))
DirectShop = shops.make(Shop, processes, SERVICES)

SET_STEP = 1000  # demo data set n has n * SET_STEP added to every number
AMOUNT = 2500


class Case(unittest.TestCase):
    def setUp(self):
        self.directory = Path(tempfile.mkdtemp(prefix="tercet-restore-"))
        self.shop = DirectShop(Programs(BUILD), self.directory)
        self.shop.open()
        self.channel = None
        self.connect()

    def connect(self):
        """A call of a new channel waits for no connection that has just been lost."""
        if self.channel is not None:
            self.channel.close()
        self.channel = grpc.insecure_channel(self.shop.coordinator_address)
        self.operator = pb_grpc.CoordinatorStub(self.channel)

    def tearDown(self):
        self.channel.close()
        self.assertEqual([], self.shop.close())
        shutil.rmtree(self.directory)

    def payment(self, number):
        """Each has a user, an order and a coupon of its own."""
        base = number * SET_STEP
        return Payment(id=f"p{number}", user=base + 7, order=base + 42, amount=AMOUNT,
                       coupon=f"C{base + 9}")

    def pay(self, number, paid=True, ended=True, timeout_ms=None):
        payment = self.payment(number)
        answer = self.shop.pay(payment, timeout_ms)
        self.assertEqual(paid, answer.paid, f"{answer}")
        if ended:
            self.shop.wait_end(payment)
        return answer

    def balance(self, number):
        return ledger.states(self.shop, self.payment(number)).balance


class RestoredParticipant(Case):
    def restart(self, service, copy):
        self.shop.services[service].stop()
        self.shop.put_database_back(service, copy)
        self.shop.services[service].start()

    def resolve(self, service):
        return self.operator.Resolve(pb.ResolveRequest(
            participant=service, resolution=pb.RESOLUTION_ASK_AGAIN, reason="ticket 1701"))

    def check_held(self, number, service):
        """Another payment is not begun, or is cancelled; nothing is taken."""
        opening = self.balance(number)
        self.pay(number, paid=False, ended=False, timeout_ms=3000)
        self.assertEqual(opening, self.balance(number))
        self.assertIn("participant.held participant=" + service, self.shop.log())

    def test_a_services_backup_from_before_a_payment_is_noticed_and_held(self):
        copy = self.directory / "account.backup"
        opening = self.balance(1)
        self.shop.copy_database("account", copy)
        self.pay(1)
        self.assertEqual(opening - AMOUNT, self.balance(1))
        self.restart("account", copy)
        self.assertEqual(opening, self.balance(1))

        self.check_held(2, "account")
        with self.assertRaises(grpc.RpcError) as refused:
            self.operator.Execute(pb.ExecuteRequest(gid="late", branches=[
                pb.Branch(participant="account", action="debit", payload=b"{}")]))
        self.assertEqual(grpc.StatusCode.UNAVAILABLE, refused.exception.code())
        self.assertIn("held until an operator looks", refused.exception.details())

        self.shop.coordinator.stop()
        self.shop.coordinator.start()
        self.connect()
        self.check_held(3, "account")

        self.resolve("account")
        self.assertIn("participant.released participant=account", self.shop.log())
        wait_until(lambda: self.shop.pay(self.payment(4)).paid, "it was described, and pays again")
        with self.assertRaises(grpc.RpcError):
            self.resolve("account")

    def test_another_database_is_noticed_though_the_coordinator_was_down(self):
        self.pay(1)
        self.shop.coordinator.stop()
        self.shop.services["points"].stop()
        for old in self.directory.glob("points.db*"):
            old.unlink()
        self.shop.seed(0)
        self.shop.services["points"].start()
        self.shop.coordinator.start()
        wait_until(lambda: "participant.held participant=points" in self.shop.log(), "it is held")

    def test_a_cancel_waits_with_attention_where_the_database_went_back(self):
        copy = self.directory / "account.backup"
        self.pay(1)
        self.shop.copy_database("account", copy)
        self.pay(2)
        self.operator.Begin(pb.BeginRequest(gid="steps", try_timeout_ms=60000))
        payload = json.dumps({"user": 3 * SET_STEP + 7, "amount": AMOUNT}).encode()
        tried = self.operator.Try(pb.TryRequest(gid="steps", number=1, branch=pb.Branch(
            participant="account", action="debit", payload=payload)))
        self.assertEqual(participant_pb.VERDICT_DONE, tried.verdict)
        self.restart("account", copy)
        self.check_held(4, "account")
        told = self.operator.Get(pb.GetRequest(gid="steps"))
        self.assertEqual(pb.OUTCOME_CANCELLED, told.outcome)
        self.assertEqual("TERCET_ROLLED_BACK", told.reason.code)
        self.assertIn("is held", told.attention)
        listed = self.operator.List(pb.ListRequest(attention=True)).transactions
        self.assertIn("steps", [each.gid for each in listed])
        self.resolve("account")
        wait_until(lambda: "had reserved" in self.operator.Get(
            pb.GetRequest(gid="steps")).attention, "the fence contradicts")
        told = self.operator.Resolve(pb.ResolveRequest(
            gid="steps", branch=1, resolution=pb.RESOLUTION_SETTLED, reason="ticket 1701"))
        self.assertEqual(pb.TRANSACTION_STATE_CANCELLED, told.state)


class RestoredJournal(Case):
    """What happened after the backup is found at the participants, and finished as they know it."""

    def branches(self, number):
        payment = self.payment(number)
        told = (("order", "pay", {"user": payment.user, "order": payment.order, "amount": AMOUNT}),
                ("account", "debit", {"user": payment.user, "amount": AMOUNT}),
                ("points", "add", {"user": payment.user, "amount": AMOUNT}),
                ("coupons", "use", {"user": payment.user, "coupon": payment.coupon}))
        return [pb.Branch(participant=participant, action=action, payload=json.dumps(payload).encode())
                for participant, action, payload in told]

    def begin(self, gid):
        self.operator.Begin(pb.BeginRequest(gid=gid, try_timeout_ms=600000))

    def try_all(self, gid, number):
        for index, branch in enumerate(self.branches(number), 1):
            yield self.operator.Try(pb.TryRequest(gid=gid, number=index, branch=branch)).verdict

    def reserve(self, gid, number):
        self.begin(gid)
        self.assertEqual({participant_pb.VERDICT_DONE}, set(self.try_all(gid, number)))

    def get(self, gid):
        return self.operator.Get(pb.GetRequest(gid=gid))

    def wait_outcome(self, gid, outcome):
        request = pb.GetRequest(gid=gid, wait=pb.WAIT_END, wait_timeout_ms=20000)
        told = self.operator.Get(request)
        self.assertEqual(outcome, told.outcome, told)
        self.assertNotEqual(0, told.ended_unix_ms, told)

    def confirm(self, gid):
        """As soon as the coordinator has asked its branches again."""
        def confirmed():
            try:
                return self.operator.Confirm(pb.ConfirmRequest(gid=gid))
            except grpc.RpcError as error:
                self.assertIn("asks branch", error.details())
                return None
        wait_until(confirmed, f"{gid} can be confirmed")
        self.wait_outcome(gid, pb.OUTCOME_CONFIRMED)

    def back_up(self):
        self.shop.coordinator.signal(signal.SIGUSR1)
        made = wait_until(lambda: [each for each in self.shop.backups.iterdir()
                                   if each.name.endswith("Z")], "there is a backup")
        return made[0]

    def lose_and_restore(self, backup):
        self.shop.coordinator.kill()
        self.shop.restore_journal(backup)
        self.shop.coordinator.start()
        self.connect()

    def wait_until_it_serves(self):
        def serves():
            try:
                self.operator.Cancel(pb.CancelRequest(gid="never-begun"))
                return True
            except grpc.RpcError as error:
                self.assertIn("asks the participants", error.details())
                return False
        wait_until(serves, "restored mode ends")

    def check_books(self, outcomes):
        self.assertEqual([], ledger.Books(self.shop, outcomes).check())

    def test_what_was_decided_and_begun_after_the_backup_is_finished_as_it_was(self):
        self.pay(1)
        self.reserve("confirmed", 2)
        self.reserve("open", 3)
        backup = self.back_up()
        self.reserve("lost", 4)
        self.pay(5)
        told = self.operator.Confirm(pb.ConfirmRequest(gid="confirmed", wait=pb.WAIT_END))
        self.assertEqual(pb.OUTCOME_CONFIRMED, told.outcome)
        self.lose_and_restore(backup)
        self.wait_until_it_serves()

        self.wait_outcome("confirmed", pb.OUTCOME_CONFIRMED)
        self.confirm("open")
        lost = self.get("lost")
        self.assertEqual(pb.OUTCOME_CANCELLED, lost.outcome)
        self.assertIn("payload was lost", lost.attention)
        listed = self.operator.List(pb.ListRequest(attention=True)).transactions
        self.assertEqual(["lost"], [each.gid for each in listed])
        self.assertNotEqual([], ledger.Books(self.shop, {}).check(), "it is reserved still")
        self.assertEqual({participant_pb.VERDICT_REFUSED}, set(self.try_all("lost", 4)))
        self.wait_outcome("lost", pb.OUTCOME_CANCELLED)
        self.check_books({"pay-p1": True, "pay-p5": True, "confirmed": True, "open": True,
                          "lost": False})

    def test_where_the_rows_are_gone_the_outcome_is_unknown_until_an_operator_says(self):
        self.reserve("swept", 1)
        backup = self.back_up()
        self.operator.Confirm(pb.ConfirmRequest(gid="swept", wait=pb.WAIT_END))
        self.pay(2)  # its requests carry the mark that lets the rows go
        self.pay(3)
        wait_until(lambda: "swept" not in self.shop.fence("account"), "its row is gone")
        self.lose_and_restore(backup)
        self.wait_until_it_serves()

        told = self.get("swept")
        self.assertEqual(pb.OUTCOME_UNSPECIFIED, told.outcome)
        self.assertNotEqual("", told.attention)
        with self.assertRaises(grpc.RpcError) as refused:
            self.operator.Cancel(pb.CancelRequest(gid="swept"))
        self.assertEqual(grpc.StatusCode.FAILED_PRECONDITION, refused.exception.code())
        self.shop.coordinator.kill()
        self.shop.coordinator.start()
        self.connect()
        self.assertEqual(pb.OUTCOME_UNSPECIFIED, self.get("swept").outcome)
        self.operator.Resolve(pb.ResolveRequest(
            gid="swept", branch=2, resolution=pb.RESOLUTION_WAS_CONFIRMED, reason="ticket 1702"))
        self.wait_outcome("swept", pb.OUTCOME_CONFIRMED)
        self.check_books({"pay-p2": True, "pay-p3": True, "swept": True})

    def test_it_waits_for_a_participant_that_is_down_or_for_an_operator(self):
        self.reserve("open", 1)
        backup = self.back_up()
        self.shop.services["coupons"].stop()
        self.lose_and_restore(backup)
        with self.assertRaises(grpc.RpcError) as refused:
            self.operator.Confirm(pb.ConfirmRequest(gid="open"))
        self.assertIn("asks the participants", refused.exception.details())
        self.shop.services["coupons"].start()
        self.wait_until_it_serves()
        self.confirm("open")
        self.check_books({"open": True})


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], "-v"])
