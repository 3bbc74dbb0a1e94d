#!/usr/bin/env python3
"""Measures participants that are asked by unary calls only, against as many bare unary calls.

    unary.py --bench FILE [--participants bare,memory] [--rounds N] [--json FILE] [-- OPTIONS of tercet-bench]

Every round measures each kind in turn.  A kind is one of tercet-bench's --participants, or a language, go, java, node
or python: the stock server of bench/stock, built beside tercet-bench, as participants and as the bare servers.
Prints a line for each run, then the medians over the rounds: transactions/s and its ratio to what the bare calls alone
would allow; CPU µs of a transaction, and what its calls cost the bare client and the bare servers.  Exit codes: 0; 1 a run failed, or is no measurement, or a server is not built; 64 wrong
use."""
import json
import pathlib
import statistics
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "stock"))

import build  # noqa: E402
import runs  # noqa: E402

HEAD = "%8s %12s %9s %9s %6s %11s %6s %12s %6s %9s  %s"
ROW = "%8s %12s %9.0f %9.0f %6.2f %11.1f %6.1f %12.1f %6.1f %9.1f  %s"


def read_arguments():
    parser = runs.Parser("unary", __doc__)
    parser.add_argument("--participants", default="bare,memory", metavar="KINDS")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.read()
    arguments.participants = arguments.participants.split(",")
    if arguments.rounds < 1:
        parser.error("--rounds: want a number from 1")
    return arguments


def words_of(kind, bench):
    """What tercet-bench is told of the participants."""
    if kind not in build.LANGUAGES:
        return ["--participants", kind]
    try:
        return ["--participant-program", str(build.build(kind, pathlib.Path(bench).resolve().parent / "stock"))]
    except (build.Skip, AssertionError) as reason:
        print("unary: %s: %s" % (kind, reason), file=sys.stderr)
        sys.exit(1)


def figures(told):
    cpu, floor = told["cpu_us_per_transaction"], told["floors"]["unary"]
    calls = 2 * told["run"]["branches"]
    return {"per_s": told["transactions_per_s"], "best": floor["transactions_per_s"], "ratio": floor["ratio"],
            "coordinator": cpu["coordinator"], "client": calls * floor["cpu_us_per_call"],
            "participants": cpu["participants"], "servers": calls * floor["server_cpu_us_per_call"],
            "generator": cpu["generator"]}


def median_of(all_told):
    one_each = [figures(told) for told in all_told]
    return {name: statistics.median(one[name] for one in one_each) for name in one_each[0]}


def row(name, kind, one, doubt):
    return ROW % (name, kind, *one.values(), doubt or "")


def main():
    arguments = read_arguments()
    words = {kind: words_of(kind, arguments.bench) for kind in arguments.participants}
    all_told = {kind: [] for kind in words}
    print(HEAD % ("round", "participants", "tx/s", "at best", "ratio", "coordinator", "bare", "participants", "bare",
                  "generator", ""))
    for number in range(arguments.rounds):
        for kind, told in all_told.items():
            told.append(runs.run("unary", arguments.bench,
                                 [*words[kind], "--participant-stream", "off", *arguments.more]))
            print(row(str(number + 1), kind, figures(told[-1]), told[-1]["doubt"]), flush=True)
    for kind, told in all_told.items():
        print(row("median", kind, median_of(told), None))
    if arguments.json:
        runs.keep(arguments.json, json.dumps([{"participants": kind, **one} for kind, told in all_told.items()
                                              for one in told], indent=1))
    return 1 if any(one["doubt"] for told in all_told.values() for one in told) else 0


if __name__ == "__main__":
    sys.exit(main())
