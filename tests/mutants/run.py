#!/usr/bin/env python3
"""Switches the mutants on, one after the other, and sees which suite notices.

    run.py BUILD [--only NAME] [--jobs N] [--simulator] [--json]

BUILD is a build of the preset `mutants`.  Without a mutant every suite must pass; with one, at least
one must fail, or not end in time.  --simulator: only the simulator may notice (a mutant that it cannot
see is counted, not a failure).

Exit codes: 0; 1 when a mutant was not noticed, or a suite fails without one; 64 wrong use."""
import argparse
import concurrent.futures
import json
import os
import re
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import mutate  # noqa: E402

SUITE = {
    "engine": "tests/unit/engine/engine_tests",
    "random": "tests/unit/engine/engine_random_tests",
    "loop": "tests/unit/loop/loop_tests",
    "dispatch": "tests/unit/dispatch/dispatch_tests",
    "journal": "tests/unit/journal/journal_tests",
    "damage": "tests/unit/journal/journal_damage_tests",
    "edge": "tests/unit/edge/edge_tests",
    "fence": "tests/unit/fence/fence_tests",
    "service": "tests/unit/service/service_tests",
    "simulation": "tests/simulation/simulation_tests",
}
# Who is asked first, by where the mutant stands; then those behind, which see the whole.
FIRST = {
    "coordinator/engine/": ["engine", "random", "loop"],
    "coordinator/dispatch/": ["dispatch", "loop"],
    "coordinator/journal/tools/": ["damage", "journal"],
    "coordinator/journal/": ["random", "journal", "damage"],
    "coordinator/participant/": ["edge"],
    "coordinator/service/": ["service"],
    "coordinator/": ["loop", "random"],
    "participant-sdk/fence/": ["fence", "random"],
}
# Sweeps of real disks, for what only they can see.
SUITE["integrity"] = "tests/integrity/integrity_sweep"
ARGUMENTS = {
    "integrity": ["power", "--cases", "2000"],
    "journal": ["--gtest_filter=JournalBatch*:Record*:*Loader*:JournalMemory*:OpenGids.*:JournalOpen*:"
                "Guard.*Name*:Guard.*Shar*:Guard.*OfAnotherStore:Outcomes.AreLookedAt*:Outcomes.AreMoved*:"
                "GreatestGid.AnOutcome*"],  # the others are slow
    "damage": ["--gtest_filter=Damage.ALog*:Tools.*"],
}
LIMIT_S = 90


def suites_for(mutant):
    first = next(names for prefix, names in FIRST.items() if mutant.file.startswith(prefix))
    return first + [name for name in ("simulation", "random", "loop", "integrity") if name not in first]


def command_of(build, name):
    path = os.path.join(build, SUITE[name])
    if not os.access(path, os.X_OK):
        sys.exit("run.py: %s is not there; build the target `mutants`" % path)
    return ["prlimit", "--core=0", path] + ARGUMENTS.get(name, [])


def run_suite(build, name, mutant=None):
    """None when it passes; else what it says first."""
    environment = dict(os.environ, GTEST_BRIEF="1", GTEST_FAIL_FAST="1")
    if mutant is not None:
        environment["TERCET_MUTANT"] = mutant.name
    child = subprocess.Popen(command_of(build, name), env=environment, stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT, cwd=build, start_new_session=True)
    try:
        text = child.communicate(timeout=LIMIT_S)[0].decode(errors="replace")
    except subprocess.TimeoutExpired:
        os.killpg(child.pid, signal.SIGKILL)  # with the children that it started
        child.communicate()
        return "does not end"
    if child.returncode == 0:
        return None
    if child.returncode in (64, 126, 127):
        sys.exit("run.py: %s could not be run:\n%s" % (name, text))
    failed = re.search(r"\[  FAILED  \] (\S+)", text)
    assertion = re.search(r"assertion failed: (.*)", text)
    if failed:
        return failed.group(1)
    return "assertion " + assertion.group(1) if assertion else "exit code %d" % child.returncode


def judge(build, mutant, names):
    begun = time.monotonic()
    for name in names:
        said = run_suite(build, name, mutant)
        if said is not None:
            return mutant, name, said, time.monotonic() - begun
    return mutant, None, "", time.monotonic() - begun


def without_mutant(build, names, jobs):
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        failed = [(name, said) for name, said in zip(names, pool.map(lambda one: run_suite(build, one), names)) if said]
    for name, said in failed:
        print("without a mutant %s fails: %s" % (name, said))
    return not failed


def main():
    parser = argparse.ArgumentParser(description="is every mutant noticed?")
    parser.add_argument("build")
    parser.add_argument("--only", metavar="NAME")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--simulator", action="store_true", help="ask the simulator only")
    parser.add_argument("--json", action="store_true", help="a last line for programs")
    arguments = parser.parse_args()
    arguments.build = os.path.abspath(arguments.build)
    mutants = [one for one in mutate.read_table() if arguments.only in (None, one.name)]
    if not mutants:
        parser.error("no mutant %s in mutants.txt" % arguments.only)
    asked = {one.name: ["simulation"] if arguments.simulator else suites_for(one) for one in mutants}
    if not without_mutant(arguments.build, sorted(set(sum(asked.values(), []))), arguments.jobs):
        return 1
    print("%-38s %-11s %6s  %s" % ("mutant", "noticed by", "s", "first"))
    by, missed = {}, []
    with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
        work = [pool.submit(judge, arguments.build, one, asked[one.name]) for one in mutants]
        for future in work:
            mutant, name, said, seconds = future.result()
            print("%-38s %-11s %6.1f  %s" % (mutant.name, name or "NOBODY", seconds, said or mutant.rule), flush=True)
            by[name or "nobody"] = by.get(name or "nobody", 0) + 1
            if name is None:
                missed.append(mutant.name)
    print("%d mutants, %d noticed" % (len(mutants), len(mutants) - len(missed)))
    if arguments.json:
        print(json.dumps({"mutants": len(mutants), "killed": len(mutants) - len(missed), "by": by, "missed": missed}))
    return 1 if missed and not arguments.simulator else 0


if __name__ == "__main__":
    sys.exit(main())
