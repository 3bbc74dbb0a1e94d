#!/usr/bin/env python3
"""Races on real servers: the fence's suites on PostgreSQL and MariaDB, at each isolation level.

    races.py --build DIR [--rounds N] [--connections N]

Each pair of phases meets N times (1000) on one branch, half of the connections (64) asking for the one and half for
the other.  Prints one line of JSON.

Exit codes: 0; 1 when a suite failed or none is built."""
import argparse
import json
import os
import re
import subprocess
import sys

SUITES = ("postgres", "mariadb")


def main():
    parser = argparse.ArgumentParser(description="races on real servers")
    parser.add_argument("--build", required=True)
    parser.add_argument("--rounds", type=int, default=1000)
    parser.add_argument("--connections", type=int, default=64)
    arguments = parser.parse_args()
    environment = dict(os.environ, TERCET_RACES=str(arguments.rounds),
                       TERCET_RACE_CONNECTIONS=str(arguments.connections))
    told = {"servers": [], "races": 0, "asked": 0}
    for name in SUITES:
        program = os.path.join(arguments.build, "tests/unit/fence/fence_%s_tests" % name)
        if not os.path.exists(program):
            continue
        done = subprocess.run([program, "--gtest_filter=*Race*:*Deadlock*"], env=environment, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if done.returncode != 0:
            print(done.stdout)
            return 1
        counted = [list(map(int, pair)) for pair in re.findall(r"^races (\d+) asked (\d+)$", done.stdout, re.MULTILINE)]
        if counted:
            told["servers"].append(name)
        told["races"] += sum(races for races, _ in counted)
        told["asked"] += sum(asked for _, asked in counted)
    print(json.dumps(told))
    return 0 if told["servers"] else 1


if __name__ == "__main__":
    sys.exit(main())
