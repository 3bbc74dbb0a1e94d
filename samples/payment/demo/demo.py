#!/usr/bin/python3
"""Seven payments and what can happen to them, on real processes and real files.

    demo.py --bin build/dev [--store KIND] [--repeat N] [--verbose] [--keep]

Starts a coordinator and four services, each a process with a database of its own, pays, kills,
restarts, and checks the books of all four at the end.  --store says what keeps the books: sqlite,
leveldb, postgres, mariadb, or for each service its own, as in order=postgres,account=mariadb.

Exit code: 0 when everything was as it must be, 1 when anything was off, 2 for wrong use, 77 when the
database's server is not installed.
"""

import argparse
import shutil
import sys
import tempfile
import time

import ledger
import processes
import stores
from console import Console
from shop import SERVICES, Payment, Programs, Shop, finish_pay

ALL = set(SERVICES)
SHORT_TIMEOUT_MS = 1000
NOT_INSTALLED = 77
SET_STEP = 1000  # demo data set n has n * SET_STEP added to every number


class Round:
    """The whole story once, with a demo data set of its own."""

    def __init__(self, shop, console, number):
        self.shop, self.console, self.number = shop, console, number
        self.off = []  # sentences about what was not as it must be
        self.payments = {}  # Payment -> whether it must be paid

    def tell(self):
        steps = (
            self.a_payment_succeeds,
            self.too_little_balance,
            self.coupon_already_used,
            self.asked_twice,
            self.services_die_during_confirm,
            self.coordinator_dies_after_the_decision,
            self.try_delayed_past_its_cancel,
        )
        self.shop.network.forget()
        for step in steps:
            step()
        self.check_books()

    # ---- The story -------------------------------------------------------------------------------

    def a_payment_succeeds(self):
        self.console.title("1. A payment that succeeds")
        payment = self.payment(1, user=7, order=42, amount=2500, coupon=9, paid=True)
        before = self.states(payment)
        answer = self.shop.pay(payment)
        self.expect(answer.paid, f"{answer}")
        self.shop.wait_end(payment)
        self.show(payment, before=before, after=self.states(payment))

    def too_little_balance(self):
        self.console.title("2. Too little balance: everything is released")
        self.console.say("User 8 has 1200 fen; the other services have reserved what they were asked.")
        payment = self.payment(2, user=8, order=43, amount=2500, coupon=8, paid=False)
        before = self.states(payment)
        answer = self.shop.pay(payment)
        self.expect(answer.not_paid and answer.reason["code"] == "BALANCE_TOO_LOW", f"{answer}")
        self.shop.wait_end(payment)
        after = self.states(payment)
        self.show(payment, before=before, after=after)
        self.expect(after == before, "everything is as before, the coupon is free again")

    def coupon_already_used(self):
        self.console.title("3. The coupon of the first payment, once more")
        self.console.say("The coupon service says no; the other three have reserved in vain.")
        payment = self.payment(3, user=7, order=44, amount=1800, coupon=9, paid=False)
        before = self.states(payment)
        answer = self.shop.pay(payment)
        self.expect(answer.not_paid and answer.reason["code"] == "COUPON_USED", f"{answer}")
        self.shop.wait_end(payment)
        after = self.states(payment)
        self.show(payment, before=before, after=after)
        self.expect(after == before, "everything is as before")

    def asked_twice(self):
        self.console.title("4. The same payment asked for three times, twice at the same moment")
        self.console.say("Same --payment, same transaction, whoever asks and however often.")
        payment = self.payment(4, user=7, order=45, amount=3000, coupon=10, paid=True)
        before = self.states(payment)
        at_once = [self.shop.start_pay(payment) for _ in range(2)]
        answers = [finish_pay(each) for each in at_once] + [self.shop.pay(payment)]
        for answer in answers:
            self.expect(answer.paid, f"{answer}")
        decided = {answer.told["decided_unix_ms"] for answer in answers}
        self.expect(len(decided) == 1, "all three were told of the same decision")
        self.shop.wait_end(payment)
        after = self.states(payment)

        self.console.say("Now the network repeats every try and confirm of it.")
        calls = self.shop.network.calls(payment.gid)
        again = [(call, self.shop.network.replay(call)) for call in calls]
        for call, answer in again:
            self.console.say(f"  {call.method:8} to {call.participant:8} answers {answer}")
        self.expect(
            len(calls) >= 2 * len(ALL) and all(answer.how != "RAN" for _, answer in again),
            "no service did anything again",
        )
        self.show(payment, before=before, after=after, repeated=self.states(payment))
        self.expect(self.states(payment) == after, "one effect")

    def services_die_during_confirm(self):
        self.console.title("5. Two services are killed during confirm")
        self.console.say("What is decided is asked for until it is done, and done once.")
        payment = self.payment(5, user=7, order=46, amount=1200, coupon=11, paid=True)
        before = self.states(payment)
        network, account = self.shop.network, self.shop.services["account"]
        points = self.shop.services["points"]
        to_account = network.hold("Confirm", payment.gid, {"account"})
        from_points = network.hold("Confirm", payment.gid, {"points"}, answers=True)

        answer = self.shop.pay(payment)
        self.expect(answer.paid, f"{answer}")
        to_account.wait_caught({"account"})
        from_points.wait_caught({"points"})
        account.kill()
        points.kill()
        self.console.say("account: SIGKILL while its confirm was still on the way.")
        self.console.say("points:  SIGKILL after its commit, while its answer was still on the way.")
        between = self.states(payment)
        to_account.lose()
        from_points.lose()

        account.start()
        points.start()
        since = time.monotonic()
        self.shop.wait_end(payment)
        self.console.say(f"Both started again; finished {time.monotonic() - since:.1f} s later.")
        self.show(payment, before=before, killed=between, after=self.states(payment))
        answers = [
            f"{call.participant} {call.answer}"
            for call in network.calls(payment.gid)
            if call.method == "Confirm" and call.answer is not None and call.answer.status == "OK"
        ]
        self.expect("account DONE RAN" in answers, "account deducted when it was asked again")
        self.expect("points DONE REPEATED" in answers, "points knew that it had done it already")

    def coordinator_dies_after_the_decision(self):
        self.console.title("6. The coordinator is killed between decision and confirm")
        self.console.say("What pay has been told stands in the journal, and survives.")
        payment = self.payment(6, user=7, order=47, amount=2000, coupon=12, paid=True)
        before = self.states(payment)
        confirms = self.shop.network.hold("Confirm", payment.gid)

        answer = self.shop.pay(payment)
        self.expect(answer.paid, f"{answer}")
        confirms.wait_caught(ALL)
        self.shop.coordinator.kill()
        self.console.say("tercetd: SIGKILL. All four confirms were still on the way.")
        between = self.states(payment)
        confirms.close()

        self.shop.coordinator.start()
        since = time.monotonic()
        answer = self.shop.wait_end(payment)
        self.console.say(f"Started again; finished {time.monotonic() - since:.1f} s later.")
        self.expect(answer.paid, f"{answer}")
        after = self.states(payment)

        confirms.deliver()
        self.console.say("Now the dead coordinator's confirms arrive after all.")
        for call in confirms.calls:
            self.console.say(f"  {call.participant:8} answers {call.answer}")
        self.expect(
            all(call.answer.how != "RAN" for call in confirms.calls), "no service confirmed again"
        )
        self.show(payment, before=before, killed=between, after=after, late=self.states(payment))
        self.expect(self.states(payment) == after, "one effect")

    def try_delayed_past_its_cancel(self):
        self.console.title("7. A try that the network delays past its cancel")
        self.console.say(f"Undecided after {SHORT_TIMEOUT_MS} ms it is cancelled; the try comes later.")
        payment = self.payment(7, user=7, order=48, amount=1500, coupon=13, paid=False)
        before = self.states(payment)
        tries = self.shop.network.hold("Try", payment.gid, {"account"})

        answer = self.shop.pay(payment, timeout_ms=SHORT_TIMEOUT_MS)
        self.expect(answer.not_paid and answer.told["cause"] == "TIMEOUT", f"{answer}")
        self.shop.wait_end(payment)
        between = self.states(payment)

        tries.deliver()
        self.console.say("Now account's try arrives, after its cancel.")
        for call in tries.calls:
            self.console.say(f"  {call.participant:8} answers {call.answer}")
        again = self.shop.network.replay(tries.calls[0])
        self.console.say(f"  {'and again':8} answers {again}")
        self.expect(
            again.verdict == "REFUSED"
            and all(call.answer.verdict == "REFUSED" for call in tries.calls),
            "refused, every time",
        )
        after = self.states(payment)
        self.show(payment, before=before, cancelled=between, late=after)
        self.expect(after == before, "nothing is reserved")

    # ---- The books -------------------------------------------------------------------------------

    def check_books(self):
        self.console.title("The books of all four databases")
        outcomes = {}
        for payment, paid in self.payments.items():
            outcomes[payment.gid] = self.shop.wait_end(payment).paid
            if outcomes[payment.gid] != paid:
                self.expect(False, f"{payment.gid} must be {'paid' if paid else 'not paid'}")
        self.shop.outcomes.update(outcomes)
        books = ledger.Books(self.shop, self.shop.outcomes)
        for sentence in books.check():
            self.expect(False, sentence)
        if not books.off:
            for sentence in books.summary():
                self.console.good(sentence)

    # ---- Helpers ---------------------------------------------------------------------------------

    def payment(self, step, *, user, order, amount, coupon, paid):
        """Names the step's payment and tells of it; `paid` is how it must end."""
        base = self.number * SET_STEP
        payment = Payment(
            id=f"{self.number + 1}-{step}",
            user=base + user,
            order=base + order,
            amount=amount,
            coupon=f"C{base + coupon}",
        )
        self.payments[payment] = paid
        self.console.say(
            f"pay --payment {payment.id} --user {payment.user} --order {payment.order}"
            f" --amount {payment.amount} --coupon {payment.coupon}"
        )
        return payment

    def states(self, payment):
        return ledger.states(self.shop, payment)

    def show(self, payment, **rows):
        self.console.table(
            ledger.head(payment), [(label, states.cells()) for label, states in rows.items()]
        )

    def expect(self, holds, sentence):
        if holds:
            self.console.good(sentence)
        else:
            self.off.append(sentence)
            self.console.bad(sentence)


def tell_rounds(shop, options):
    """All rounds, until one is off.  Returns how many sentences were off in it."""
    one_line = options.repeat > 1 and not options.verbose
    for number in range(options.repeat):
        if number > 0:
            shop.seed(number)
        since = time.monotonic()
        story = Round(shop, Console(quiet=one_line), number)
        story.tell()
        Console().line(
            f"{'' if one_line else chr(10)}round {number + 1} of {options.repeat}:"
            f" {len(story.payments)} payments, {time.monotonic() - since:.1f} s, "
            + (f"{len(story.off)} OFF" if story.off else "all as it must be"),
            good=not story.off,
        )
        if story.off:
            return len(story.off)
    return 0


def run(options):
    """Starts everything, tells the story, stops everything.  Returns the exit code."""
    console = Console()
    try:
        programs = Programs(options.bin)
    except processes.ProcessFailure as failure:
        console.bad(str(failure))
        return 1
    directory = tempfile.mkdtemp(prefix="tercet-demo-")
    try:
        shop = Shop(programs, directory, options.store)
    except stores.Missing as missing:
        console.line(f"{missing}", good=False)
        shutil.rmtree(directory)
        return NOT_INSTALLED
    off, stopped_badly = 1, []
    try:
        shop.open()
        console.line(f"One coordinator and four services run, each a process, in {directory}.")
        off = tell_rounds(shop, options)
    except (processes.ProcessFailure, TimeoutError) as failure:
        console.bad(str(failure))
    finally:
        stopped_badly = shop.close()
        for sentence in stopped_badly:
            console.bad(sentence)
        if off or stopped_badly or options.keep:
            console.line(f"databases, journal and logs are kept in {directory}")
        else:
            shutil.rmtree(directory)
    return 1 if off or stopped_badly else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bin", required=True, metavar="DIR", help="where the programs are built")
    parser.add_argument(
        "--store", default="sqlite", metavar="KIND", help="what keeps the books, see above"
    )
    parser.add_argument("--repeat", type=int, default=1, metavar="N", help="tell the story N times")
    parser.add_argument("--verbose", action="store_true", help="tell every round in full")
    parser.add_argument("--keep", action="store_true", help="keep databases, journal and logs")
    options = parser.parse_args()
    if options.repeat < 1:
        parser.error(f"--repeat is {options.repeat}, must be at least 1; as in: --repeat 100")
    try:
        options.store = stores.read_kinds(options.store, SERVICES)
    except ValueError as wrong:
        parser.error(f"--store: {wrong}; as in: --store order=postgres,account=sqlite")
    processes.end_on_sigterm()
    try:
        return run(options)
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
