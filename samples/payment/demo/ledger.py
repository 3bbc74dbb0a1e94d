"""Looks into the four databases: states for the tables, and the books at the end.

What must hold when nothing is under way:

  account   opening = balance + frozen + what was deducted, for every user; nothing is frozen; each
            gid was frozen once and then deducted once or released once
  points    available = what was confirmed, for every user; nothing is pending; each gid was added
            once and then confirmed once or cancelled once
  order     nothing is PAYING; an order is PAID by a gid that deducted exactly its amount, and the
            other way round; one point for each yuan of it
  coupons   nothing is LOCKED; what is USED was used by a gid that paid
  fences    no row is TRIED; no gid is CONFIRMED in one database and CANCELLED or SUSPENDED in
            another; a gid that is CONFIRMED has paid, one that is CANCELLED has not
  outcomes  a gid has paid exactly when the coordinator says so

Fence rows of ended transactions go away by the coordinator's mark, so a row may be missing; one
that is there must agree.  In LevelDB they are no table, and are not looked at.
"""

from collections import Counter
from dataclasses import dataclass

FENCE_STATES = {1: "TRIED", 2: "CONFIRMED", 3: "CANCELLED", 4: "SUSPENDED"}
FEN_PER_POINT = 100


# ---- The tables of the story ---------------------------------------------------------------------


@dataclass(frozen=True)
class States:
    """What one payment is about, as it is now."""

    order: str
    balance: int
    frozen: int
    available: int
    pending: int
    coupon: str

    def cells(self):
        account = f"{self.balance} fen" + (f", {self.frozen} frozen" if self.frozen else "")
        points = f"{self.available}" + (f", {self.pending} pending" if self.pending else "")
        return [self.order, account, points, self.coupon]


def head(payment):
    """The columns that States.cells() fills."""
    return [
        f"order {payment.order}",
        f"account {payment.user}",
        f"points {payment.user}",
        f"coupon {payment.coupon}",
    ]


def states(shop, payment):
    user = payment.user
    (order,) = _one(shop, "order", "SELECT id, state FROM orders", payment.order)
    account = _one(shop, "account", "SELECT owner, balance, frozen FROM account", user)
    points = _one(shop, "points", "SELECT owner, available, pending FROM points", user)
    (coupon,) = _one(shop, "coupons", "SELECT code, state FROM coupon", payment.coupon)
    return States(order, *account, *(points or (0, 0)), coupon)


def _one(shop, service, sql, key):
    """What follows `key`, the first column, in its row."""
    return next((row[1:] for row in shop.rows(service, sql) if row[0] == key), None)


# ---- The books -----------------------------------------------------------------------------------


class Books:
    """All four databases as read now, and what is off in them."""

    def __init__(self, shop, outcomes):
        """`outcomes`: by gid, whether the coordinator says that it was paid."""
        self.outcomes = outcomes
        self.off = []
        rows = shop.rows
        self.accounts = rows("account", "SELECT owner, opening, balance, frozen FROM account")
        self.money = rows("account", "SELECT gid, owner, kind, amount FROM entry")
        self.points = rows("points", "SELECT owner, available, pending FROM points")
        self.moves = rows("points", "SELECT gid, owner, kind, points FROM entry")
        self.orders = rows("order", "SELECT id, state, owner, amount, payment FROM orders")
        self.coupons = rows("coupons", "SELECT code, state, owner, payment FROM coupon")
        fences = {name: shop.fence_rows(name) for name in ("order", "account", "points", "coupons")}
        self.unseen = [service for service, rows_there in fences.items() if rows_there is None]
        self.fences = [
            (service, gid, branch, FENCE_STATES.get(state, f"state {state}"))
            for service, rows_there in fences.items()
            for gid, branch, state in rows_there or ()
        ]
        self.deducted = {
            gid: (user, amount) for gid, user, kind, amount in self.money if kind == "DEDUCT"
        }
        self.paid = self.deducted.keys()

    def check(self):
        """Returns a sentence for each thing that is off."""
        self._check_accounts()
        self._check_points()
        self._check_orders()
        self._check_coupons()
        self._check_fences()
        self._check_outcomes()
        return self.off

    def summary(self):
        """Sentences for people, when nothing is off."""
        opening = sum(opening for _, opening, _, _ in self.accounts)
        free = sum(balance for _, _, balance, _ in self.accounts)
        spent = sum(amount for _, _, kind, amount in self.money if kind == "DEDUCT")
        points = sum(available for _, available, _ in self.points)
        states_seen = Counter(state for _, _, _, state in self.fences)
        rows = ", ".join(f"{count} {state}" for state, count in sorted(states_seen.items()))
        unseen = f"; not looked at: {', '.join(self.unseen)}" if self.unseen else ""
        return [
            f"money    {opening} fen paid in = {free} on accounts + {spent} for orders; 0 frozen",
            f"points   {points} available; 0 pending",
            f"orders   {len(self.paid)} paid, each by one payment of its amount; 0 in between",
            f"coupons  {sum(state == 'USED' for _, state, _, _ in self.coupons)} used; 0 locked",
            f"fences   {rows or 'no rows'} left, the others gone by mark; none disagree; 0 TRIED"
            + unseen,
        ]

    def _expect(self, holds, sentence):
        if not holds:
            self.off.append(sentence)

    def _check_accounts(self):
        for user, opening, balance, frozen in self.accounts:
            spent = sum(
                amount for _, who, kind, amount in self.money if who == user and kind == "DEDUCT"
            )
            self._expect(
                opening == balance + frozen + spent,
                f"account {user}: {opening} paid in, but {balance} + {frozen} + {spent} spent",
            )
            self._expect(frozen == 0, f"account {user}: {frozen} fen are still frozen")
        self._check_pairs("account", self.money, "FREEZE", ("DEDUCT", "RELEASE"))

    def _check_points(self):
        for user, available, pending in self.points:
            earned = sum(
                points for _, who, kind, points in self.moves if who == user and kind == "CONFIRM"
            )
            self._expect(
                available == earned, f"points {user}: {available} available, {earned} confirmed"
            )
            self._expect(pending == 0, f"points {user}: {pending} are still pending")
        self._check_pairs("points", self.moves, "ADD", ("CONFIRM", "CANCEL"))
        earned = Counter({gid: points for gid, _, kind, points in self.moves if kind == "CONFIRM"})
        due = Counter({gid: fen // FEN_PER_POINT for gid, (_, fen) in self.deducted.items()})
        for gid in earned.keys() | due.keys():
            self._expect(
                earned[gid] == due[gid],
                f"{gid}: {earned[gid]} points for a payment that brings {due[gid]}",
            )

    def _check_pairs(self, service, entries, begin, ends):
        """Each gid begins once and ends once, with the same number for the same user."""
        by_gid = {}
        for gid, user, kind, number in entries:
            by_gid.setdefault(gid, []).append((kind, user, number))
        for gid, steps in by_gid.items():
            # Nothing in the rows says which came first; nothing can be frozen or pending below zero.
            kinds = sorted((kind for kind, _, _ in steps), key=lambda kind: (kind != begin, kind))
            self._expect(
                len(steps) == 2 and kinds[0] == begin and kinds[1] in ends,
                f"{service}: {gid} did {' '.join(kinds)}",
            )
            self._expect(
                len({step[1:] for step in steps}) == 1, f"{service}: {gid} began with other numbers"
            )

    def _check_orders(self):
        paying = set()
        for order, state, user, amount, gid in self.orders:
            self._expect(state != "PAYING", f"order {order} is still PAYING, by {gid}")
            if state != "PAID":
                continue
            paying.add(gid)
            took = self.deducted.get(gid)
            self._expect(
                took == (user, amount),
                f"order {order}: {amount} fen of user {user}, but {gid} deducted {took}",
            )
        for gid in self.paid - paying:
            self._expect(False, f"{gid} deducted money and no order is paid by it")

    def _check_coupons(self):
        for code, state, _, gid in self.coupons:
            self._expect(state != "LOCKED", f"coupon {code} is still LOCKED, by {gid}")
            self._expect(
                state != "USED" or gid in self.paid,
                f"coupon {code} was used by {gid}, which is not paid",
            )

    def _check_fences(self):
        for service, gid, branch, state in self.fences:
            place = f"{service}: the fence row of {gid} branch {branch} is {state}"
            self._expect(state != "TRIED", f"{place} and should have ended")
            self._expect(state != "CONFIRMED" or gid in self.paid, f"{place}, but it is not paid")
            self._expect(
                state not in ("CANCELLED", "SUSPENDED") or gid not in self.paid,
                f"{place}, but it is paid",
            )

    def _check_outcomes(self):
        for gid, paid in self.outcomes.items():
            said = "paid" if paid else "not paid"
            self._expect(
                paid == (gid in self.paid),
                f"{gid}: the coordinator says {said}, the account does not",
            )
        for gid in self.paid - self.outcomes.keys():
            self._expect(False, f"{gid} deducted money and nobody has asked for it")
