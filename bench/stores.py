#!/usr/bin/env python3
"""Measures participants on each kind of database, branch by branch and batched.

    stores.py --bench FILE [--stores sqlite,postgres] [--batches 1,0] [--seconds N] [--branches N]
              [--directory DIR] [--json FILE] [-- OPTIONS of tercet-bench]

Starts PostgreSQL and MariaDB by itself, from Debian's packages, in a temporary directory on the disk below
--directory.  Prints a line for each; the row of a store that is not installed says so.  Exit codes: 0; 1 a run
failed; 64 wrong use."""
import contextlib
import json
import pathlib
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "samples/payment/demo"))

import runs  # noqa: E402
import stores as servers  # noqa: E402

FILES = ("memory", "leveldb", "sqlite")
SERVERS = {"postgres": servers.Postgres, "mariadb": servers.Mariadb}
ACCOUNT_COUNT = 10000  # as bench/store.h
TABLE = "CREATE TABLE account (id INTEGER PRIMARY KEY, balance BIGINT NOT NULL, frozen BIGINT NOT NULL)"
ROWS = {"postgres": "INSERT INTO account SELECT n, 1000000000, 0 FROM generate_series(0, %d) AS n" % (ACCOUNT_COUNT - 1),
        "mariadb": "INSERT INTO account SELECT seq, 1000000000, 0 FROM seq_0_to_%d" % (ACCOUNT_COUNT - 1)}
# What the server has synced since it began: PostgreSQL of its log, MariaDB of all InnoDB's files.
SYNCS = {"postgres": "SELECT wal_sync FROM pg_stat_wal",
         "mariadb": "SELECT variable_value FROM information_schema.global_status"
                    " WHERE variable_name = 'innodb_data_fsyncs'"}

HEAD = "%-10s %6s %9s %9s %9s %9s %12s %9s" % (
    "store", "batch", "tx/s", "p50 µs", "p99 µs", "CPU µs", "local tx/tx", "syncs/tx")
ROW = "%-10s %6s %9.0f %9d %9d %9.0f %12.2f %9s"


def read_arguments():
    parser = runs.Parser("stores", __doc__)
    parser.add_argument("--stores", default=",".join([*FILES, *SERVERS]), metavar="NAMES")
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--directory", default="/var/tmp")
    parser.add_argument("--branches", type=int, default=4)
    parser.add_argument("--batches", default="1,0", metavar="NUMBERS", help="0: the store's default")
    arguments = parser.read()
    arguments.stores = arguments.stores.split(",")
    for store in arguments.stores:
        if store not in FILES and store not in SERVERS:
            parser.error('"%s" is no store; they are %s' % (store, ", ".join([*FILES, *SERVERS])))
    return arguments


@contextlib.contextmanager
def running(store, arguments):
    """(the words of --database, a function that tells the server's syncs)"""
    if store in FILES:
        yield [], lambda: None
        return
    with tempfile.TemporaryDirectory(prefix="tercet-stores-", dir=arguments.directory) as directory:
        server = SERVERS[store](pathlib.Path(directory), None)
        names = ["p%d" % number for number in range(1, arguments.branches + 1)]
        try:
            server.open(names)
            for name in names:
                server.rows(name, TABLE)
                server.rows(name, ROWS[store])
            yield (["--database", server.server()],
                   lambda: int(server.rows(names[0], SYNCS[store])[0][0]))
        finally:
            for sentence in server.close():
                print("stores: " + sentence, file=sys.stderr)


def measure(store, batch, arguments):
    """What tercet-bench told; syncs: of the server, None where it has none."""
    with running(store, arguments) as (place, syncs):
        before = syncs()
        told = runs.run("stores", arguments.bench,
                        ["--participants", store, "--batch", str(batch), *place, "--no-floors",
                         "--seconds", str(arguments.seconds), "--branches", str(arguments.branches),
                         "--directory", arguments.directory, *arguments.more])
        told["server_syncs"] = None if before is None else syncs() - before
        return told


def row(store, batch, told):
    count = sum(told["outcomes"].values())
    # A store of files syncs each of its local transactions, memory none.
    syncs = told["local_transactions_per_transaction"] if told["server_syncs"] is None else told["server_syncs"] / count
    return ROW % (store, batch or "full", told["transactions_per_s"], told["latency_us"]["p50"],
                  told["latency_us"]["p99"], told["cpu_us_per_transaction"]["participants"],
                  told["local_transactions_per_transaction"], "-" if store == "memory" else "%.2f" % syncs)


def main():
    arguments = read_arguments()
    told = []
    print(HEAD)
    for store in arguments.stores:
        for batch in map(int, arguments.batches.split(",")):
            try:
                told.append({"store": store, "batch": batch, **measure(store, batch, arguments)})
                print(row(store, batch, told[-1]), flush=True)
            except servers.Missing as missing:
                print("%-10s skipped: %s" % (store, missing))
                break
    if arguments.json:
        runs.keep(arguments.json, json.dumps(told))
    return 0


if __name__ == "__main__":
    sys.exit(main())
