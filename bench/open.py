#!/usr/bin/env python3
"""Measures one load beside more and more transactions that stay open, and draws its cost against their number.

    open.py --bench FILE [--open 1000,10000,100000,1000000] [--rounds N] [--json FILE] [--svg FILE]
            [-- OPTIONS of tercet-bench]

Every round measures all of them in turn, so that whatever the machine does meanwhile hits them alike.  Prints a
line for each run, then the medians over the rounds; the ratio is that of the CPU to the first line's of the same
round.  The floors are measured with the first run and the last.  Exit codes: 0; 1 a run failed, or is no
measurement; 64 wrong use."""
import json
import statistics
import sys

import runs

HEAD = "%8s %9s %9s %6s %8s %8s %8s %8s %9s %9s  %s"
ROW = "%8s %9d %9.1f %6.2f %8.0f %8d %8d %8.3f %9.1f %9s  %s"
MIB = 1024 * 1024
RATIO_MAX = 1.2  # what the last may cost, against the first


def read_arguments():
    parser = runs.Parser("open", __doc__)
    parser.add_argument("--open", type=runs.numbers, default=[1000, 10000, 100000, 1000000])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--svg", metavar="FILE")
    arguments = parser.read()
    if arguments.rounds < 1:
        parser.error("--rounds: want a number from 1")
    return arguments


def measure(arguments):
    """A list for each round, of what was told with each number of open transactions."""
    count = arguments.rounds * len(arguments.open)
    rounds = []
    for number in range(arguments.rounds):
        rounds.append([])
        for open_count in arguments.open:
            done = sum(map(len, rounds))
            floors = [] if done in (0, count - 1) else ["--no-floors"]
            rounds[-1].append(runs.run("open", arguments.bench, ["--open", str(open_count), *floors, *arguments.more]))
            print(row(str(number + 1), figures(rounds[-1][-1]), figures(rounds[-1][0]), rounds[-1][-1]["doubt"]),
                  flush=True)
    return rounds


def figures(told):
    return {"open": told["open"]["transactions"], "cpu_us": told["cpu_us_per_transaction"]["coordinator"],
            "per_s": told["transactions_per_s"], "p50": told["latency_us"]["p50"], "p99": told["latency_us"]["p99"],
            "batches": told["batches_per_transaction"], "rss": told["open"]["rss_bytes"]["filled"],
            "payload": told["open"]["payload_bytes_per_transaction"]}


def median_of(all_told):
    one_each = [figures(told) for told in all_told]
    return {name: statistics.median(one[name] for one in one_each) for name in one_each[0]}


def bytes_each(one, first):
    """What each of those that it has more than the first takes in memory besides its payloads: so what a
    coordinator needs anyway does not count."""
    more = one["open"] - first["open"]
    return "-" if more <= 0 else "%.0f" % ((one["rss"] - first["rss"]) / more - one["payload"])


def row(name, one, first, doubt):
    return ROW % (name, one["open"], one["cpu_us"], one["cpu_us"] / first["cpu_us"], one["per_s"], one["p50"],
                  one["p99"], one["batches"], one["rss"] / MIB, bytes_each(one, first), doubt or "")


def picture(rounds, medians):
    run = rounds[0][0]["run"]
    bound = medians[0]["cpu_us"] * RATIO_MAX
    dots = [(one["open"], one["cpu_us"], "round %d, %d open: %.1f µs" % (number, one["open"], one["cpu_us"]))
            for number, all_told in enumerate(rounds, 1) for one in map(figures, all_told)]
    line = [(one["open"], one["cpu_us"], "median, %d open: %.1f µs" % (one["open"], one["cpu_us"])) for one in medians]
    series = [runs.Series("", "#9cc3e4", dots, "dots"), runs.Series("", "#1f6fb4", line),
              runs.Series("", "#c0392b", [(one["open"], bound, "") for one in medians], "dashes")]
    return runs.draw("%d branches, %s participants, %s; broken line: %.1f times the first"
                     % (run["branches"], run["participants"], run["mode"], RATIO_MAX),
                     runs.LogAxis("open transactions", [x for x, _, _ in line]),
                     runs.ZeroAxis("CPU of the coordinator, µs/transaction", [y for _, y, _ in dots] + [bound]), series)


def main():
    arguments = read_arguments()
    print(HEAD % ("round", "open", "CPU µs", "ratio", "tx/s", "p50 µs", "p99", "batches", "RSS MiB", "bytes/tx", ""))
    rounds = measure(arguments)
    medians = [median_of(all_told) for all_told in zip(*rounds)]
    for one in medians:
        print(row("median", one, medians[0], None))
    if arguments.json:
        runs.keep(arguments.json, json.dumps([told for all_told in rounds for told in all_told], indent=1))
    if arguments.svg:
        runs.keep(arguments.svg, picture(rounds, medians))
    return 1 if any(told["doubt"] for all_told in rounds for told in all_told) else 0


if __name__ == "__main__":
    sys.exit(main())
