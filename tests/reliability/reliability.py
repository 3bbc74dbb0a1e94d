#!/usr/bin/env python3
"""Runs the campaigns and prints the table of what they found.

    reliability.py --build DIR [--mutants DIR] [--release DIR] [--short | --minutes N] [--seed S] [--only NAME]
                   [--json FILE]

DIR is a build of the preset `reliability`, --mutants and --release of the presets of these names (left
out, mutants, or overload and abuse, are not asked for).  --short is what ./dev test runs; --minutes
shares that time among the campaigns; those that have an end of their own take what they need beside it.

A campaign that falls short of its figure has failed: of FIGURES_SHORT with --short, of FIGURES_HOUR
when --minutes is 60 or more.

Exit codes: 0; 1 when a campaign failed or fell short of its figure; 64 wrong use."""
import argparse
import json
import os
import re
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
JOBS = str(os.cpu_count() or 2)


# At least so many of what a campaign counts.
FIGURES_SHORT = {
    "simulator": {"transactions": 2_000_000},
    "kill -9": {"cycles": 300},
    "corruption sweep": {"cases": 10_000},
    "power loss": {"cases": 5_000},
    "fuzzing": {"executions": 5_000_000},
}
FIGURES_HOUR = {
    "simulator": {"transactions": 50_000_000, "faults": 100_000_000},
    "kill -9": {"cycles": 5_000},
    "corruption sweep": {"cases": 200_000},
    "power loss": {"cases": 5_000},
    "fuzzing": {"executions": 100_000_000},
    "races on servers": {"races": 36_000},
}

# Parts of --minutes, in the proportion of what each figure of the hour takes on two processors.
SHARES = {"simulator": 0.5, "fuzzing": 0.24, "kill -9": 0.135, "corruption sweep": 0.115, "power loss": 0.01}

# Worlds of the kill campaign for each processor: they mostly wait.
WORLDS_A_JOB = 3

# The simulator's seeds are a row of numbers; so far apart begin those of two of ours.
SEEDS_APART = 1_000_000_000


class Campaign:
    """One row of the table.  Without a part in SHARES it has an end of its own."""

    def __init__(self, name, command, figure):
        self.name, self.command, self.figure = name, command, figure
        self.share = SHARES.get(name, 0)


def last_json(text):
    return json.loads([line for line in text.splitlines() if line.startswith("{")][-1])


def simulated(text):
    told = last_json(text)
    return told, "%s transactions, %s faults, %d of %d coverage points reached, 0 violations" % (
        format(told["transactions"], ","), format(told["faults"], ","), told["marks_reached"], told["marks"])


def enumerated(text):
    told = last_json(text)
    return told, "%s cases, %s crashes, 0 violations" % (
        format(told["cases"], ","), format(told["crashes"], ","))


def killed(text):
    told = last_json(text)
    return told, "%s cycles, %s kills (%s at a failpoint), %s payments, 0 lost" % (
        format(told["cycles"], ","), format(told["kills"], ","), format(told["failpoint_kills"], ","),
        format(told["payments"], ","))


def swept(text):
    told = last_json(text)
    return told, "%s cases, %s complete, %s refused, %d silent" % (
        format(told["cases"], ","), format(told["complete"], ","),
        format(told["refused"] + told["refused_later"], ","), told["silent"])


def mutated(text):
    told = last_json(text)
    by = ", ".join("%s %d" % pair for pair in sorted(told["by"].items(), key=lambda pair: -pair[1]))
    return told, "%d of %d noticed (%s)" % (told["killed"], told["mutants"], by)


def searched(text):
    told = last_json(text)
    return told, "%d configurations, %s states, %d of %d mutants found" % (
        told["configurations"], format(told["states"], ","), told["killed"], told["mutants"])


def abused(text):
    rows = last_json(text)["rows"]
    return {}, "%d scenarios within their bounds (%s)" % (len(rows), ", ".join(row["scenario"] for row in rows))


def fuzzed(text):
    told = last_json(text)
    return told, "%s executions of %d targets, least %s %s, %d crashes" % (
        format(told["executions"], ","), len(told["targets"]), told["least"]["target"],
        format(told["least"]["executions"], ","), told["crashes"])


def raced(text):
    told = last_json(text)
    return told, "%s races of %s requests on %s, 0 with two effects or none of the two orders" % (
        format(told["races"], ","), format(told["asked"], ","), " and ".join(told["servers"]))


FUZZ_TARGETS = len(re.findall(r"^tercet_fuzz\(", open(os.path.join(ROOT, "tests/fuzz/CMakeLists.txt"),
                                                     encoding="utf-8").read(), re.MULTILINE))


def recovered(text):
    return {}, re.search(r"open .*", text).group(0)


def campaigns(arguments):
    build, mutants, short, seed = arguments.build, arguments.mutants, arguments.short, arguments.seed
    tests = os.path.join(build, "tests")
    simulation = [os.path.join(tests, "simulation/simulation")]
    integrity = [os.path.join(tests, "integrity/integrity_sweep")]
    kill = [os.path.join(tests, "campaign/kill_campaign"), "--seed", str(seed), "--json",
            "--jobs", str(WORLDS_A_JOB * int(JOBS))]

    def recover(open_count, bound_ms, rss_mib):
        return lambda _: ["env", "TERCET_RECOVERY_OPEN=%d" % open_count, "TERCET_RECOVERY_BOUND_MS=%d" % bound_ms,
                          "TERCET_RECOVERY_RSS_MIB=%d" % rss_mib, os.path.join(tests, "recovery/recovery_tests")]

    def simulate(minutes):
        length = ["--seeds", "19500"] if short else ["--seeds", "100000000", "--minutes", "%.2f" % minutes]
        first = (seed - 1) * SEEDS_APART + 1
        return simulation + ["--first-seed", str(first), "--threads", JOBS, "--require-marks", "--json"] + length

    # campaign.py shares the time out, and asks of each target its part of the executions.  5,000,000 are what a minute
    # on two idle processors does; a longer run asks for as many in each of its minutes.
    def fuzz(minutes):
        minutes = 1 if short else minutes
        return [os.path.join(ROOT, "tests/fuzz/campaign.py"), "--jobs", JOBS,
                "--seconds", str(max(1, round(60 * minutes * int(JOBS) / FUZZ_TARGETS))),
                "--runs", str(int(5000000 * minutes))]

    def swept_for(kind, name):
        return lambda minutes: integrity + [kind, "--jobs", JOBS, "--seed", str(seed), "--json"] + (
            ["--cases", str(FIGURES_SHORT[name]["cases"])] if short else ["--minutes", "%.2f" % minutes])

    def enumerate_crashes(crashes, branches):
        return lambda _: simulation + ["--enumerate", "--json", "--threads", JOBS, "--crashes", crashes,
                                       "--branches", branches]

    table = [
        Campaign("simulator", simulate, simulated),
        Campaign("crash enumeration", enumerate_crashes("2", "4"), enumerated),
        Campaign("kill -9", lambda minutes: kill + (
            ["--cycles", "300"] if short else ["--minutes", "%.2f" % minutes]), killed),
        Campaign("corruption sweep", swept_for("corruption", "corruption sweep"), swept),
        Campaign("I/O fault sweep", lambda _: integrity + ["io", "--jobs", JOBS, "--json"] + (
            [] if short else ["--whole"]), swept),
        Campaign("power loss", swept_for("power", "power loss"), swept),
        Campaign("fuzzing", fuzz, fuzzed),
        Campaign("recovery, 10,000 open", recover(10_000, 1_000, 64), recovered),
    ]
    if mutants:
        table.append(Campaign("mutants", lambda _: [os.path.join(ROOT, "tests/mutants/run.py"), mutants, "--json",
                                                    "--jobs", JOBS], mutated))
    if not short:
        table += [Campaign("crash enumeration, triple", enumerate_crashes("3", "3"), enumerated),
                  Campaign("recovery, 1,000,000 open", recover(1_000_000, 30_000, 1_024), recovered),
                  Campaign("races on servers", lambda _: [os.path.join(ROOT, "tests/reliability/races.py"),
                                                          "--build", build], raced),
                  Campaign("model", lambda _: [os.path.join(ROOT, "spec/check.py"), "--large"], searched)]
    if arguments.release and not short:
        table.append(Campaign("overload and abuse", lambda _: [
            os.path.join(ROOT, "tests/abuse/abuse.py"), "--bin", arguments.release], abused))
    return table


def wanted(name, counts, arguments):
    """The figures that this campaign must reach."""
    if "mutants" in counts:
        return {"killed": counts["mutants"]}
    if arguments.short:
        return FIGURES_SHORT.get(name, {})
    return FIGURES_HOUR.get(name, {}) if arguments.minutes >= 60 else {}


def run(campaign, arguments):
    """(passed, figure, seconds); what it printed is shown when it did not pass."""
    command = campaign.command(arguments.minutes * campaign.share)
    begun = time.monotonic()
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    seconds = time.monotonic() - begun
    text = done.stdout.decode(errors="replace")
    if done.returncode != 0:
        print("\n".join(text.splitlines()[-40:]))
        return False, "FAILED (exit code %d): %s" % (done.returncode, " ".join(command)), seconds
    counts, figure = campaign.figure(text)
    missed = ["%s %s" % (format(least, ","), what)
              for what, least in wanted(campaign.name, counts, arguments).items() if counts[what] < least]
    if missed:
        return False, "%s; wanted at least %s" % (figure, ", ".join(missed)), seconds
    return True, figure, seconds


def main():
    parser = argparse.ArgumentParser(description="runs the campaigns")
    parser.add_argument("--build", required=True)
    parser.add_argument("--mutants")
    parser.add_argument("--release")
    parser.add_argument("--short", action="store_true")
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", metavar="NAME")
    parser.add_argument("--json", metavar="FILE")
    arguments = parser.parse_args()
    table = [one for one in campaigns(arguments) if arguments.only in (None, one.name)]
    if not table:
        parser.error("there is no campaign of this name")
    passed, told = True, {}
    print("%-26s %7s  %s" % ("campaign", "s", "figure"))
    for campaign in table:
        fine, figure, seconds = run(campaign, arguments)
        print("%-26s %7.1f  %s" % (campaign.name, seconds, figure), flush=True)
        told[campaign.name] = {"passed": fine, "figure": figure, "seconds": round(seconds, 1)}
        passed = passed and fine
    if arguments.json:
        with open(arguments.json, "w", encoding="utf-8") as file:
            json.dump(told, file, indent=1)
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
