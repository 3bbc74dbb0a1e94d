#!/usr/bin/env python3
"""Overload and abuse of the real daemon: does it stay small, and do the honest notice?

usage: abuse.py [--bin BUILD] [--seconds N] [--short] [SCENARIO ...]

A table, and one line of JSON at the end.  Exit code 1: a bound did not hold.  README.md tells what
is done and which bounds hold.
"""

import argparse
import collections
import json
import multiprocessing
import os
import pathlib
import resource
import sys
import time

import attacks
import overload
from world import Honest, Watch, World, memory_mib, percentile

BEFORE_S, AFTER_S = 10, 2
HONEST_RATIO_MAX = 3.0
# Below this a latency is no complaint: on a busy machine the disk alone takes as long.
HONEST_FLOOR_S = 0.020
STOP_S = 20

# name: (attack, processes, MiB of memory that the daemon may reach[, settings beside the defaults])
SCENARIOS = {
    "reset-1": (attacks.rapid_reset, 1, 128),
    "reset-10": (attacks.rapid_reset, 10, 128),
    "unsettled": (attacks.unsettled, 1, 128),
    "frames": (attacks.frame_flood, 4, 128),
    "headers": (attacks.header_flood, 4, 128),
    "loris": (attacks.slow_loris, 1, 128),
    "idle": (attacks.idle, 1, 256, f"connections_max: {attacks.IDLE + 100}\n"),
    "unread": (attacks.unread, 1, 128),
    "unread-answers": (attacks.unread_answers, 1, 192),
    "malformed": (attacks.malformed, 4, 128),
    "garbage": (attacks.garbage, 4, 128),
}


PROCESSORS = sorted(os.sched_getaffinity(0))
# Attackers come from elsewhere, so they take no time from their victim: a processor is theirs.
ATTACKERS, VICTIMS = (PROCESSORS[-1:], PROCESSORS[:-1]) if len(PROCESSORS) > 1 else (PROCESSORS, PROCESSORS)


def attack_main(attack, port, seconds, results):
    os.sched_setaffinity(0, ATTACKERS)
    count = collections.Counter()
    try:
        attack(port, time.monotonic() + seconds, count)
    finally:
        results.put(count)


def run_attack(attack, processes, port, seconds, honest):
    """(what the attackers counted, honest latencies meanwhile)."""
    context = multiprocessing.get_context("fork")
    results = context.Queue()
    workers = [context.Process(target=attack_main, args=(attack, port, seconds, results))
               for _ in range(processes)]
    for worker in workers:
        worker.start()
    latencies = honest.measure(seconds)
    count = collections.Counter()
    for _ in workers:
        count.update(results.get(timeout=60))
    for worker in workers:
        worker.join()
    return count, latencies


def judge(row, mib_max, short):
    """The bounds that did not hold, in words."""
    broken = []
    if not row["alive"]:
        broken.append("the daemon has died")
    if row["exit"] != 0:
        broken.append(f"it ended with {row['exit']}")
    if row["rss_mib"] > mib_max:
        broken.append(f"memory {row['rss_mib']} MiB > {mib_max}")
    if not row["served_after"]:
        broken.append("nobody is served afterwards")
    for name in ("accepted", "unanswered"):
        if row["attack"].get(name):
            broken.append(f"malformed requests {name}")
    if not short:
        if row["attack"].get("too few"):
            broken.append(f"{row['attack']['too few']} idle connections are missing")
        limit = max(HONEST_RATIO_MAX * row["p99_before_ms"], HONEST_FLOOR_S * 1000)
        if row["p99_during_ms"] > limit:
            broken.append(f"honest p99 {row['p99_during_ms']} ms > {limit:.1f}")
        if row["failures"]:
            broken.append(f"honest calls failed: {row['failures']}, {row['failure']}")
    return broken


def run_scenario(name, options):
    attack, processes, mib_max, *settings = SCENARIOS[name]
    os.sched_setaffinity(0, VICTIMS)  # and so of all that is started from here
    world = World(options.tercetd, options.bench, *settings)
    try:
        honest = Honest(world.port)
        honest.wait_ready()
        before = honest.measure(0.2 if options.short else min(BEFORE_S, options.seconds))
        base_mib = memory_mib(world.pid, "VmRSS")
        watch = Watch(world.pid)
        count, during = run_attack(attack, processes, world.port, options.seconds, honest)
        failures = list(honest.failures)
        honest.measure(0.2 if options.short else AFTER_S)
        row = {
            "scenario": name,
            "alive": world.alive(),
            "rss_mib": round(watch.stop(), 1),
            "rss_base_mib": round(base_mib, 1),
            "hwm_mib": round(memory_mib(world.pid, "VmHWM"), 1),
            "rss_after_mib": round(memory_mib(world.pid, "VmRSS"), 1),
            "p99_before_ms": round(percentile(before, 0.99) * 1000, 2),
            "p99_during_ms": round(percentile(during, 0.99) * 1000, 2),
            "p50_before_ms": round(percentile(before, 0.5) * 1000, 2),
            "p50_during_ms": round(percentile(during, 0.5) * 1000, 2),
            "honest_calls": len(during), "failures": len(failures),
            "failure": failures[0] if failures else "",
            "served_after": honest.ask(),
            "attack": dict(count),
        }
    finally:
        code = world.close()
        os.sched_setaffinity(0, PROCESSORS)
    row["exit"] = code
    row["broken"] = judge(row, mib_max, options.short)
    return row


def tell(row):
    if row["scenario"] == "overload":
        overload.tell(row)
    else:
        ratio = row["p99_during_ms"] / max(row["p99_before_ms"], 0.001)
        print(f"{row['scenario']:10} RSS {row['rss_base_mib']:6.1f} -> {row['rss_mib']:6.1f} MiB"
              f" (HWM {row['hwm_mib']:.1f}, after {row['rss_after_mib']:.1f})"
              f"  honest p99 {row['p99_before_ms']:7.2f} -> {row['p99_during_ms']:7.2f} ms"
              f" ({ratio:.1f}x), {row['failures']} failed of {row['honest_calls']}")
        for what, many in sorted(row["attack"].items()):
            print(f"{'':12}{many:12} {what}")
    for broken in row["broken"]:
        print(f"{'':12}BROKEN: {broken}")
    sys.stdout.flush()


def read_options():
    parser = argparse.ArgumentParser(description="Overload and abuse of a real tercetd.")
    parser.add_argument("--bin", type=pathlib.Path, default=pathlib.Path("build/release"),
                        help="the build's directory")
    parser.add_argument("--seconds", type=float, default=60,
                        help="length of each attack; the overload takes twice as long")
    parser.add_argument("--short", action="store_true",
                        help="hold it only to memory and life: for a machine that does other things")
    parser.add_argument("scenarios", nargs="*", metavar="SCENARIO",
                        help="overload, " + ", ".join(SCENARIOS) + "; all of them when none is named")
    options = parser.parse_args()
    options.tercetd = str(options.bin / "coordinator" / "tercetd")
    options.bench = str(options.bin / "bench" / "tercet-bench")
    options.scenarios = options.scenarios or ["overload", *SCENARIOS]
    for name in options.scenarios:
        if name != "overload" and name not in SCENARIOS:
            parser.error(f"there is no scenario {name}")
    return options


def main():
    options = read_options()
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    rows = []
    for name in options.scenarios:
        row = overload.run(options) if name == "overload" else run_scenario(name, options)
        tell(row)
        rows.append(row)
    good = not any(row["broken"] for row in rows)
    print(json.dumps({"seconds": options.seconds, "short": options.short, "good": good,
                      "open_files_max": hard, "rows": rows}))
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
