#!/usr/bin/env python3
"""Measures one load after another and draws throughput against latency.

    sweep.py --bench FILE [--concurrency 1,4,16,64,256,1024 | --rate 500,1000,2000] [--json FILE] [--svg FILE]
             [-- OPTIONS of tercet-bench]

Prints a line for each; the floors are measured with the first and the last.  Exit codes: 0; 1 a run failed, or
is no measurement; 64 wrong use."""
import json
import sys

import runs

HEAD = "%10s %10s %9s %9s %9s %9s %9s %9s %8s %8s  %s"
ROW = "%10s %10.0f %9d %9d %9d %9d %9d %9.1f %8.0f %8.3f  %s"


def row(value, told):
    latency, cpu = told["latency_us"], told["cpu_us_per_transaction"]
    return ROW % (value, told["transactions_per_s"], latency["p50"], latency["p95"], latency["p99"], latency["p999"],
                  latency["max"], cpu["coordinator"], told["disk_bytes_per_transaction"]["coordinator"],
                  told["batches_per_transaction"], told["doubt"] or "")


def picture(kind, values, all_told):
    run = all_told[0]["run"]
    series = [runs.Series(name, colour, [(told["transactions_per_s"], told["latency_us"][name],
                                          "%s %d, %s" % (kind, value, name)) for value, told in zip(values, all_told)])
              for name, colour in (("p50", "#1f6fb4"), ("p99", "#c0392b"))]
    return runs.draw("%d branches, %s participants, %s" % (run["branches"], run["participants"], run["mode"]),
                     runs.LogAxis("transactions/s", [x for one in series for x, _, _ in one.points]),
                     runs.LogAxis("latency, µs", [y for one in series for _, y, _ in one.points]), series)


def main():
    parser = runs.Parser("sweep", __doc__)
    parser.add_argument("--concurrency", type=runs.numbers, default=[1, 4, 16, 64, 256, 1024])
    parser.add_argument("--rate", type=runs.numbers)
    parser.add_argument("--svg", metavar="FILE")
    arguments = parser.read()
    kind = "rate" if arguments.rate else "concurrency"
    values = arguments.rate or arguments.concurrency
    all_told = []
    print(HEAD % (kind, "tx/s", "p50 µs", "p95", "p99", "p99.9", "max", "CPU µs", "bytes", "batches", ""))
    for value in values:
        floors = [] if value in (values[0], values[-1]) else ["--no-floors"]
        told = runs.run("sweep", arguments.bench, ["--" + kind, str(value), *floors, *arguments.more])
        all_told.append(told)
        print(row(value, told), flush=True)
    if arguments.json:
        runs.keep(arguments.json, json.dumps(all_told, indent=1))
    if arguments.svg:
        runs.keep(arguments.svg, picture(kind, values, all_told))
    return 1 if any(told["doubt"] for told in all_told) else 0


if __name__ == "__main__":
    sys.exit(main())
