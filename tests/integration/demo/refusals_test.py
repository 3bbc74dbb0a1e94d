"""Every no of the payment sample has its code and keeps nothing; `pay` says it to people and to programs.

usage: refusals_test.py SAMPLES BUILD
"""

import contextlib
import pathlib
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(sys.argv[1]) / "demo"))

from shop import Payment, Programs, Shop  # noqa: E402

PROGRAMS = Programs(sys.argv[2])
USAGE = 64
NO_COUPON = ""

# What is asked for (user, order, amount, coupon), who says no, and its code.
REFUSALS = [
    ((7, 99, 2500, NO_COUPON), "order", "ORDER_UNKNOWN"),
    ((7, 43, 2500, NO_COUPON), "order", "ORDER_NOT_YOURS"),
    ((7, 42, 2400, NO_COUPON), "order", "AMOUNT_DIFFERS"),
    ((7, 46, 1200, NO_COUPON), "order", "ORDER_PAYING"),
    ((7, 47, 2000, NO_COUPON), "order", "ORDER_PAID"),
    ((8, 43, 2500, NO_COUPON), "account", "BALANCE_TOO_LOW"),
    ((9, 90, 100, NO_COUPON), "account", "ACCOUNT_UNKNOWN"),
    ((7, 42, 2500, "C99"), "coupons", "COUPON_UNKNOWN"),
    ((7, 42, 2500, "C8"), "coupons", "COUPON_NOT_YOURS"),
    ((7, 42, 2500, "C12"), "coupons", "COUPON_LOCKED"),
    ((7, 42, 2500, "C13"), "coupons", "COUPON_USED"),
]

# Other payments, under way and paid, and an order of a user without an account.
BEFORE = [
    ("order", "UPDATE orders SET state = 'PAYING', payment = 'pay-other' WHERE id = 46"),
    ("order", "UPDATE orders SET state = 'PAID', payment = 'pay-other' WHERE id = 47"),
    ("order", "INSERT INTO orders (id, owner, amount, state) VALUES (90, 9, 100, 'WAITING')"),
    ("coupons", "UPDATE coupon SET state = 'LOCKED', payment = 'pay-other' WHERE code = 'C12'"),
    ("coupons", "UPDATE coupon SET state = 'USED', payment = 'pay-other' WHERE code = 'C13'"),
]

BOOKS = {
    "order": "SELECT id, owner, amount, state, payment FROM orders ORDER BY id",
    "account": "SELECT owner, balance, frozen FROM account ORDER BY owner",
    "points": "SELECT owner, available, pending FROM points WHERE available + pending > 0 ORDER BY owner",
    "coupons": "SELECT code, state, payment FROM coupon ORDER BY code",
}


class Refusals(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.directory = tempfile.mkdtemp(prefix="tercet-refusals-")
        cls.shop = Shop(PROGRAMS, cls.directory)
        cls.shop.open()
        for service, sql in BEFORE:
            with contextlib.closing(sqlite3.connect(cls.shop.database(service), timeout=10)) as books:
                books.execute(sql)
                books.commit()

    @classmethod
    def tearDownClass(cls):
        said = cls.shop.close()
        shutil.rmtree(cls.directory)
        assert not said, said

    def books(self):
        found = {}
        for service, sql in BOOKS.items():
            with contextlib.closing(sqlite3.connect(self.shop.database(service), timeout=10)) as books:
                found[service] = books.execute(sql).fetchall()
        return found

    def pay(self, *options):
        """As a person calls it."""
        address = self.shop.coordinator_address
        book = pathlib.Path(self.directory) / "payments.db"
        command = [PROGRAMS.path("pay"), "--coordinator", address, "--book", book, *options]
        return subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=60)

    def test_every_no_has_its_code_and_leaves_the_books_as_they_were(self):
        before = self.books()
        for (user, order, amount, coupon), service, code in REFUSALS:
            with self.subTest(code=code):
                payment = Payment(f"no-{code}", user, order, amount, coupon)
                answer = self.shop.pay(payment)
                self.assertTrue(answer.not_paid, str(answer))
                self.assertEqual(code, answer.reason["code"], str(answer))
                self.assertIn(f"{service}: {code}", str(answer))
                self.shop.wait_end(payment)
                self.assertEqual(before, self.books())

    def test_a_person_is_told_who_said_no_and_that_nothing_is_kept(self):
        done = self.pay("--user", 8, "--order", 43, "--amount", 2500, "--payment", "told-no")
        self.assertEqual(1, done.returncode, done.stderr)
        self.assertIn("told-no: not paid, account says BALANCE_TOO_LOW", done.stdout)
        self.assertIn("Nothing is kept", done.stdout)

    def test_a_person_is_told_that_it_is_paid_and_what_the_services_answered(self):
        words = ("--user", 7, "--order", 44, "--amount", 1800, "--payment", "told-yes")
        done = self.pay(*words, "--wait", "end")
        self.assertEqual(0, done.returncode, done.stderr)
        self.assertIn("told-yes: paid", done.stdout)
        self.assertIn("account answered {", done.stdout)
        again = self.pay(*words, "--wait", "decision")
        self.assertEqual(0, again.returncode, again.stderr)
        self.assertEqual(1, sum(row[0] == 44 and row[3] == "PAID" for row in self.books()["order"]))
        asked = self.pay("--status", "--payment", "told-yes")
        self.assertIn("told-yes: paid", asked.stdout)

    def test_one_payment_id_is_never_two_payments(self):
        first = self.pay("--user", 7, "--order", 48, "--amount", 1500, "--payment", "one")
        self.assertEqual(0, first.returncode, first.stderr)
        other = self.pay("--user", 7, "--order", 45, "--amount", 3000, "--payment", "one")
        self.assertNotEqual(0, other.returncode, other.stdout)
        self.assertEqual("WAITING", {row[0]: row[3] for row in self.books()["order"]}[45])

    def test_wrong_use_is_named_and_starts_nothing(self):
        before = self.books()
        well = ["--user", 7, "--order", 42, "--amount", 2500]
        for words, named in [
            (well[2:], "--user is missing"),
            (well[:2] + well[4:], "--order is missing"),
            (well[:4], "--amount is missing"),
            (well[:4] + ["--amount", "0"], "--amount"),
            (well[:4] + ["--amount", "12x"], "--amount"),
            (well + ["--coupon", "C 9"], "--coupon"),
            (well + ["--payment", "a/b"], "--payment"),
            (well + ["--wait", "soon"], "must be decision or end"),
            (well + ["soon"], "not understood"),
            (well + ["--sooner"], "sooner"),
            (["--status"], "--status needs --payment"),
            (["--status", "--payment", "x", "--user", 7], "takes --payment alone"),
        ]:
            with self.subTest(named=named, words=words):
                done = self.pay(*words)
                self.assertEqual(USAGE, done.returncode, done.stderr)
                self.assertIn(named, done.stderr)
                self.assertEqual("", done.stdout)
        self.assertEqual(before, self.books())

    def test_a_service_that_cannot_serve_says_why_and_ends(self):
        database = pathlib.Path(self.directory) / "other.db"
        busy = self.shop.coordinator_address
        for words, named in [
            (["--listen", busy, "--database", database], busy),
            (["--database", pathlib.Path(self.directory) / "no" / "such" / "place.db", "--seed"], "place.db"),
            (["--seed=x", "--database", database], "--seed"),
            (["--store", "shoebox"], "shoebox"),
            (["--unheard-of"], "unheard-of"),
        ]:
            with self.subTest(named=named):
                done = subprocess.run([PROGRAMS.path("order"), *map(str, words)], capture_output=True,
                                      text=True, timeout=60, cwd=self.directory)
                self.assertNotEqual(0, done.returncode)
                self.assertIn(named, done.stderr)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], "-v"])
