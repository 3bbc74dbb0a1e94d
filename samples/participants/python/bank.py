#!/usr/bin/env python3
"""A bank that takes part in Tercet's transactions: accounts with a balance and what is reserved.

    debit   try: balance -> reserved   confirm: reserved -> gone   cancel: reserved -> balance
    credit  confirm only: adds to the balance, and needs no try, because it cannot be refused

The payload is JSON: {"account": "ann", "amount": 30}.  Each function runs in the transaction that
also writes the fence row: it may touch `db`, a cursor, and nothing else, and it neither commits nor
rolls back.  It may run more than once.
"""

import argparse
import json
from concurrent import futures

import grpc
from participant import Participant, Refused, pb_grpc

THREADS = 8


def read(payload):
    try:
        order = json.loads(payload)
        account, amount = order["account"], order["amount"]
    except (ValueError, TypeError, KeyError) as error:
        raise Refused("BAD_PAYLOAD", str(error)) from error
    if type(account) is not str or type(amount) is not int or not 0 < amount < 2**53:
        raise Refused("BAD_PAYLOAD", "account is a text, amount a positive whole number")
    return {"account": account, "amount": amount}


def change(db, sql, payload):
    order = read(payload)
    db.execute(sql, order)
    if db.rowcount != 1:
        raise LookupError(f"{order['account']} does not have what was reserved")


class Debit:
    confirm_only = False

    @staticmethod
    def try_(db, payload):
        order = read(payload)
        db.execute("UPDATE account SET balance = balance - %(amount)s, reserved = reserved + %(amount)s"
                   " WHERE id = %(account)s AND balance >= %(amount)s RETURNING balance", order)
        left = db.fetchone()
        if left is None:
            raise Refused("BALANCE_TOO_LOW", f"{order['account']} does not have {order['amount']}")
        return json.dumps({"balance": left[0]}).encode()

    @staticmethod
    def confirm(db, payload):
        change(db, "UPDATE account SET reserved = reserved - %(amount)s WHERE id = %(account)s", payload)

    @staticmethod
    def cancel(db, payload):
        change(db, "UPDATE account SET balance = balance + %(amount)s, reserved = reserved - %(amount)s"
                   " WHERE id = %(account)s", payload)


class Credit:
    confirm_only = True

    @staticmethod
    def confirm(db, payload):
        change(db, "INSERT INTO account (id, balance) VALUES (%(account)s, %(amount)s)"
                   " ON CONFLICT (id) DO UPDATE SET balance = account.balance + excluded.balance", payload)

    # A cancel of what was never confirmed finds no row, and calls nothing.


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--name", default="bank")
    options.add_argument("--listen", default="127.0.0.1:7201")
    options.add_argument("--database", default="postgres:///bank")
    options = options.parse_args()
    participant = Participant(options.name, options.database, {"debit": Debit, "credit": Credit}, THREADS)
    server = grpc.server(futures.ThreadPoolExecutor(THREADS), options=[("grpc.so_reuseport", 0)])
    pb_grpc.add_ParticipantServicer_to_server(participant, server)
    if server.add_insecure_port(options.listen) == 0:
        raise SystemExit(f"cannot listen at {options.listen}")
    server.start()
    server.wait_for_termination()


if __name__ == "__main__":
    main()
