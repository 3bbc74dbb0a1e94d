#!/usr/bin/env python3
"""Measures latency at half of the peak, against bare LevelDB that is fed the same records at the same rate.

    latency.py --bench FILE [--concurrency 64,256,1024] [--rounds N] [--json FILE] [-- OPTIONS of tercet-bench]

The peak is the most transactions/s of closed loops with so many in flight, one after the other.  Then come the
rounds: an open loop at half of that, at most the largest of these numbers in flight.  Prints a line for each run,
then the rounds' medians; the ratio is of both 99th percentiles.  Exit codes: 0; 1 a run failed, or is no
measurement; 64 wrong use."""
import json
import statistics
import sys

import runs

HEAD = "%8s %9s %9s %9s %9s %9s %9s %9s %9s %6s  %s"
PEAK = "%8s %9d %9s %9.0f %9d %9d  %s"
ROW = "%8s %9d %9d %9.0f %9d %9d %9d %9d %9d %6.2f  %s"


def read_arguments():
    parser = runs.Parser("latency", __doc__)
    parser.add_argument("--concurrency", type=runs.numbers, default=[64, 256, 1024])
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.read()
    if arguments.rounds < 1:
        parser.error("--rounds: want a number from 1")
    return arguments


def doubt(told):
    """Why it is no measurement; None: it is one."""
    return told["doubt"] or ("the rate could not be kept up" if told["late"] > 0 else None)


def find_peaks(arguments):
    all_told = []
    for concurrency in arguments.concurrency:
        told = runs.run("latency", arguments.bench,
                        ["--concurrency", str(concurrency), "--no-floors", *arguments.more])
        all_told.append(told)
        print(PEAK % ("peak", concurrency, "closed", told["transactions_per_s"], told["latency_us"]["p50"],
                      told["latency_us"]["p99"], doubt(told) or ""), flush=True)
    return all_told


def figures(told):
    run, latency, floor = told["run"], told["latency_us"], told["floors"]["pace"]
    return {"in_flight": run["concurrency"], "rate": run["rate"], "per_s": told["transactions_per_s"],
            "p50": latency["p50"], "p99": latency["p99"], "floor_p50": floor["p50_us"], "floor_p99": floor["p99_us"],
            "floor_max": floor["max_us"], "ratio": floor["ratio"]}


def median_of(all_told):
    one_each = [figures(told) for told in all_told]
    return {name: statistics.median(one[name] for one in one_each) for name in one_each[0]}


def row(name, one, why):
    return ROW % (name, *one.values(), why or "")


def main():
    arguments = read_arguments()
    print(HEAD % ("round", "in flight", "rate", "tx/s", "p50 µs", "p99", "floor p50", "p99", "max", "ratio", ""))
    peaks = find_peaks(arguments)
    rate = max(1, int(max(told["transactions_per_s"] for told in peaks) / 2))
    rounds = []
    for number in range(arguments.rounds):
        rounds.append(runs.run("latency", arguments.bench, ["--rate", str(rate), "--concurrency",
                                                            str(max(arguments.concurrency)), *arguments.more]))
        print(row(str(number + 1), figures(rounds[-1]), doubt(rounds[-1])), flush=True)
    print(row("median", median_of(rounds), None))
    if arguments.json:
        runs.keep(arguments.json, json.dumps({"peaks": peaks, "rounds": rounds}, indent=1))
    return 1 if any(doubt(told) for told in peaks + rounds) else 0


if __name__ == "__main__":
    sys.exit(main())
