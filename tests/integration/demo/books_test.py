"""The demo's check of the books must be able to fail: each thing that can be off is made, and found.

    books_test.py <samples/payment>
"""

import sqlite3
import sys
import tempfile
import unittest
from contextlib import closing
from pathlib import Path

SAMPLE = Path(sys.argv.pop(1)).resolve()
sys.dont_write_bytecode = True
sys.path.insert(0, str(SAMPLE / "demo"))

import ledger  # noqa: E402  (the path is set just above)

SERVICES = ("order", "account", "points", "coupons")
PAID, CANCELLED = "pay-1", "pay-2"

FENCE_SQL = "CREATE TABLE tercet_fence (gid BLOB, branch INTEGER, state INTEGER)"

# One payment that was paid and one that was cancelled, as the services would have left them.
GOOD = {
    "order": ["UPDATE orders SET state = 'PAID', payment = 'pay-1' WHERE id = 42"],
    "account": [
        "UPDATE account SET balance = 17500 WHERE owner = 7",
        "INSERT INTO entry (gid, owner, kind, amount) VALUES"
        " ('pay-1', 7, 'FREEZE', 2500), ('pay-1', 7, 'DEDUCT', 2500),"
        " ('pay-2', 7, 'FREEZE', 1800), ('pay-2', 7, 'RELEASE', 1800)",
    ],
    "points": [
        "INSERT INTO points VALUES (7, 25, 0)",
        "INSERT INTO entry (gid, owner, kind, points) VALUES"
        " ('pay-1', 7, 'ADD', 25), ('pay-1', 7, 'CONFIRM', 25),"
        " ('pay-2', 7, 'ADD', 18), ('pay-2', 7, 'CANCEL', 18)",
    ],
    "coupons": ["UPDATE coupon SET state = 'USED', payment = 'pay-1' WHERE code = 'C9'"],
}

# Service, what goes wrong in its database, words of the sentence that must be said.
WRONGS = [
    ("account", "UPDATE account SET balance = 17000 WHERE owner = 7", "paid in, but"),
    ("account", "UPDATE account SET balance = 17400, frozen = 100 WHERE owner = 7", "still frozen"),
    (
        "account",
        "INSERT INTO entry (gid, owner, kind, amount) VALUES ('pay-1', 7, 'DEDUCT', 2500)",
        "did FREEZE DEDUCT DEDUCT",
    ),
    ("account", "DELETE FROM entry WHERE kind = 'RELEASE'", "pay-2 did FREEZE"),
    ("account", "UPDATE entry SET amount = 1700 WHERE kind = 'RELEASE'", "other numbers"),
    ("points", "UPDATE points SET available = 50 WHERE owner = 7", "50 available, 25 confirmed"),
    ("points", "UPDATE points SET pending = 1 WHERE owner = 7", "still pending"),
    ("points", "DELETE FROM entry WHERE gid = 'pay-1'", "0 points for a payment that brings 25"),
    ("order", "UPDATE orders SET state = 'PAYING' WHERE id = 42", "still PAYING"),
    (
        "order",
        "UPDATE orders SET state = 'WAITING', payment = NULL WHERE id = 42",
        "no order is paid by it",
    ),
    (
        "order",
        "UPDATE orders SET state = 'PAID', payment = 'pay-2' WHERE id = 44",
        "order 44: 1800 fen of user 7, but pay-2 deducted None",
    ),
    ("coupons", "UPDATE coupon SET state = 'LOCKED' WHERE code = 'C9'", "still LOCKED"),
    ("coupons", "UPDATE coupon SET payment = 'pay-2' WHERE code = 'C9'", "which is not paid"),
    ("order", "UPDATE tercet_fence SET state = 1 WHERE gid = x'7061792d31'", "should have ended"),
    ("points", "UPDATE tercet_fence SET state = 3", "CANCELLED, but it is paid"),
    ("points", "UPDATE tercet_fence SET state = 4", "SUSPENDED, but it is paid"),
    ("coupons", "UPDATE tercet_fence SET state = 2", "CONFIRMED, but it is not paid"),
]


class Shop:
    """Four databases and nothing that runs."""

    def __init__(self, directory):
        self._directory = Path(directory)
        for branch, service in enumerate(SERVICES, start=1):
            with closing(sqlite3.connect(self.database(service))) as database:
                database.executescript((SAMPLE / service / "schema.sql").read_text())
                for sql in (SAMPLE / service / "seed.sql").read_text().split(";\n")[:-1]:
                    database.execute(sql, {"set": 0})
                database.execute(FENCE_SQL)
                for gid, state in ((PAID, 2), (CANCELLED, 3)):
                    row = (gid.encode(), branch, state)
                    database.execute("INSERT INTO tercet_fence VALUES (?, ?, ?)", row)
                for sql in GOOD[service]:
                    database.execute(sql)
                database.commit()

    def database(self, service):
        return self._directory / f"{service}.db"

    def rows(self, service, sql):
        with closing(sqlite3.connect(self.database(service))) as database:
            return database.execute(sql).fetchall()

    def fence_rows(self, service):
        return self.rows(service, "SELECT CAST(gid AS TEXT), branch, state FROM tercet_fence")

    def change(self, service, sql):
        with closing(sqlite3.connect(self.database(service))) as database:
            assert database.execute(sql).rowcount > 0
            database.commit()


class BooksTest(unittest.TestCase):
    def setUp(self):
        self._directory = tempfile.TemporaryDirectory()
        self.addCleanup(self._directory.cleanup)
        self.shop = Shop(self._directory.name)

    def off(self, outcomes=None):
        known = {PAID: True, CANCELLED: False} if outcomes is None else outcomes
        return ledger.Books(self.shop, known).check()

    def test_nothing_is_off_in_good_books(self):
        self.assertEqual(self.off(), [])

    def test_missing_fence_rows_of_ended_transactions_are_not_off(self):
        self.shop.change("points", "DELETE FROM tercet_fence")
        self.assertEqual(self.off(), [])

    def test_every_wrong_is_found(self):
        for service, sql, words in WRONGS:
            with self.subTest(sql), tempfile.TemporaryDirectory() as directory:
                self.shop = Shop(directory)
                self.shop.change(service, sql)
                said = self.off()
                self.assertTrue(any(words in sentence for sentence in said), said)

    def test_an_outcome_that_the_account_contradicts_is_found(self):
        self.assertTrue(self.off({PAID: False, CANCELLED: False}))
        self.assertTrue(self.off({PAID: True, CANCELLED: True}))

    def test_money_that_nobody_asked_for_is_found(self):
        self.assertTrue(self.off({CANCELLED: False}))


if __name__ == "__main__":
    unittest.main()
