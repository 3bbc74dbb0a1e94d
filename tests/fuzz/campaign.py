#!/usr/bin/env python3
"""Builds the fuzz targets with libFuzzer, runs each for a while, says what came of it.

    tests/fuzz/campaign.py [TARGET ...] [--seconds N] [--runs TOTAL] [--jobs N] [--json FILE]
                          [--build]

Every target begins with its committed corpus; what it finds beyond goes to
build/fuzz/found/<target>/corpus and is used again the next time.  An input that crashes, leaks, takes
too long or too much memory is kept in build/fuzz/found/<target>, and the command that runs it again
is printed.  Exit code 1 when there was one.  --seconds is what a target has on an average; PLAN says
who has more of it.  With --runs all together must have executed so many inputs, and each target its own
least number of them, which PLAN says too: where something is missing, those that miss it go on; what is
missing after ROUNDS_MAX rounds is a failure.  So no target that is quick can stand for one that is slow.
The last line is a JSON summary; --json writes it to a file too.

protobuf-c's decoder in the library is not instrumented, so its source package is fetched by apt into
build/fuzz, once, and compiled with the rest.  Where that is not to be had the run goes on without, and
says so.
"""

import argparse
import base64
import concurrent.futures
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys
import tarfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
HERE = ROOT / "tests" / "fuzz"
BUILD = ROOT / "build" / "fuzz"
LIMITS = ["-rss_limit_mb=512", "-malloc_limit_mb=64", "-timeout=2", "-max_len=4096"]
ARTIFACTS = ("crash-", "leak-", "timeout-", "oom-", "slow-unit-")

# AddressSanitizer keeps freed memory aside, and two frames of who took it: more costs a third of the
# executions.  Whoever runs a kept input again sees whole stacks.
ENVIRONMENT = {"ASAN_OPTIONS": "quarantine_size_mb=8:malloc_context_size=2"}

# Of each target: percent of the time, and how many of each million executions of a campaign must be its
# own: about half of what it does on a processor of its own.  row_codec is small and executes a thousand times
# as fast as the histories: a campaign's total is nearly all its own, and says little.  The fence, the engine
# and its recovery decide who loses money; requests come from strangers.
PLAN = {
    "fence": (18, 500),
    "engine": (16, 500),
    "recovery": (15, 300),
    "request": (11, 6000),
    "row_codec": (12, 400000),
    "record": (7, 2500),
    "work": (7, 200),
    "feed": (5, 1500),
    "config": (5, 2000),
    "answer": (4, 2000),
}
ROUNDS_MAX = 4


def declared_targets():
    """The names in the tercet_fuzz() lines of CMakeLists.txt."""
    text = (HERE / "CMakeLists.txt").read_text()
    return re.findall(r"^tercet_fuzz\((\w+)", text, re.MULTILINE)


def output_of(*command, cwd=None):
    """What it prints, or "" when it fails or is not there."""
    try:
        done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return ""
    return done.stdout.strip()


def source_options(folder):
    """apt's options for the source packages of what this machine's apt is configured for, by a list
    of its own: nothing outside `folder` changes."""
    parts = folder / "sources"
    (folder / "lists" / "partial").mkdir(parents=True, exist_ok=True)
    parts.mkdir(exist_ok=True)
    etc = pathlib.Path("/etc/apt")
    for path in [*etc.glob("sources.list"), *etc.glob("sources.list.d/*")]:
        text = path.read_text(errors="replace")
        if path.suffix == ".sources":
            (parts / path.name).write_text(re.sub(r"(?m)^Types:.*$", "Types: deb-src", text))
        elif path.suffix == ".list":
            (parts / path.name).write_text(re.sub(r"(?m)^deb\s", "deb-src ", text))
    return ["-o", f"Dir::Etc::SourceList={folder}/none", "-o", f"Dir::Etc::SourceParts={parts}",
            "-o", f"Dir::State::Lists={folder}/lists"]


def protobuf_c_source():
    """protobuf-c.c of the installed version, or None.  Fetched once."""
    folder = BUILD / "protobuf-c"
    source = folder / "protobuf-c.c"
    version = output_of("dpkg-query", "-W", "-f=${source:Version}", "libprotobuf-c-dev")
    if source.exists() or not version:
        return source if source.exists() else None
    options = source_options(folder)
    output_of("apt-get", *options, "-qq", "update", cwd=folder)
    output_of("apt-get", *options, "-qq", "source", "--download-only", f"protobuf-c={version}",
              cwd=folder)
    for archive in folder.glob("*.orig.tar.*"):
        with tarfile.open(archive) as tar:
            for member in tar.getmembers():
                if member.name.endswith("/protobuf-c/protobuf-c.c"):
                    source.write_bytes(tar.extractfile(member).read())
                    return source
    return None


def build(targets):
    """Configures and builds; returns whether protobuf-c is instrumented."""
    source = protobuf_c_source()
    if source is None:
        print("protobuf-c is not instrumented in this run: apt had no source package of it")
    configure = ["cmake", "--preset", "fuzz", f"-DTERCET_FUZZ_PROTOBUF_C={source or ''}"]
    for command in (
        configure,
        ["cmake", "--build", str(BUILD), "--target", *(f"fuzz_{name}" for name in targets)],
    ):
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            sys.exit(f"{shlex.join(command)} failed:\n{done.stdout}{done.stderr}")
    return source is not None


def last_number(pattern, text):
    """The number in the last match, or 0."""
    found = re.findall(pattern, text)
    return int(found[-1]) if found else 0


def run_once(name, seconds):
    """One target for so long; returns its row of the table."""
    program = BUILD / "tests" / "fuzz" / f"fuzz_{name}"
    found = BUILD / "found" / name
    (found / "corpus").mkdir(parents=True, exist_ok=True)
    before = set(found.iterdir())
    command = [
        str(program), *LIMITS, f"-max_total_time={seconds}", "-print_final_stats=1", "-print_funcs=0",
        f"-artifact_prefix={found}/", str(found / "corpus"), str(HERE / "corpus" / name),
    ]
    done = subprocess.run(command, cwd=ROOT, env={**os.environ, **ENVIRONMENT}, check=False,
                          stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    log = done.stderr.decode(errors="replace")
    (found / "log.txt").write_text(log)
    crashes = sorted(str(path.relative_to(ROOT)) for path in set(found.iterdir()) - before
                     if path.name.startswith(ARTIFACTS))
    return {
        "target": name,
        "executions": last_number(r"stat::number_of_executed_units:\s*(\d+)", log),
        "seconds": seconds,
        "per_second": last_number(r"stat::average_exec_per_sec:\s*(\d+)", log),
        "edges": last_number(r"cov: (\d+)", log),
        "crashes": crashes,
        "exit_code": done.returncode,
    }


def executions_of(rows):
    """Of all targets together."""
    return sum(row["executions"] for row in rows)


def has_failed(rows):
    """Did any target end otherwise than by its time?"""
    return any(row["crashes"] or row["exit_code"] != 0 for row in rows)


def seconds_of(targets, seconds):
    """For each target its share of `seconds` times the targets, the longest first."""
    whole = sum(PLAN[name][0] for name in targets)
    return {name: max(1, round(seconds * len(targets) * PLAN[name][0] / whole))
            for name in sorted(targets, key=lambda name: -PLAN[name][0])}


def least_of(name, runs):
    """How many of `runs` executions must be this target's."""
    return PLAN[name][1] * runs // 1000000


def lacking(rows, runs):
    """For each target that has executed too few: how many times its time it needs still."""
    missing = {row["target"]: least_of(row["target"], runs) / max(1, row["executions"]) - 1 for row in rows}
    missing = {name: times for name, times in missing.items() if times > 0}
    total = runs / max(1, executions_of(rows)) - 1
    if total > 0:
        missing = {row["target"]: max(total, missing.get(row["target"], 0)) for row in rows}
    return missing


def added(row, more):
    """A target's row after one more round."""
    seconds = row["seconds"] + more["seconds"]
    executions = row["executions"] + more["executions"]
    return {**more, "executions": executions, "seconds": seconds, "per_second": executions // seconds,
            "crashes": row["crashes"] + more["crashes"]}


def run(targets, arguments):
    """A round; then, where too few were executed, more for those that lack them, no longer than what is
    missing takes.  Ends early when something crashed.  A row for each target."""
    with concurrent.futures.ThreadPoolExecutor(max_workers=arguments.jobs) as pool:

        def one_round(times):
            return list(pool.map(run_once, times.keys(), times.values()))

        times = seconds_of(targets, arguments.seconds)
        rows = {row["target"]: row for row in one_round(times)}
        for _ in range(ROUNDS_MAX - 1):
            missing = lacking(rows.values(), arguments.runs)
            if has_failed(rows.values()) or not missing:
                break
            again = {name: max(1, round(1.1 * missing[name] * rows[name]["seconds"])) for name in missing}
            for row in one_round(again):
                rows[row["target"]] = added(rows[row["target"]], row)
    return list(rows.values())


def shown_crash(row, path):
    """Enough to see it again where its file is not at hand: what failed, and the input itself."""
    log = (BUILD / "found" / row["target"] / "log.txt").read_text(errors="replace")
    said = re.findall(r"^.*(?:assertion failed|runtime error|ERROR: \w+Sanitizer).*$", log, re.MULTILINE)
    data = (ROOT / path).read_bytes()
    return [f"again: {replay_command(row, path)}", *said[:2],
            f"its {len(data)} bytes: echo {base64.b64encode(data).decode()} | base64 -d"]


def replay_command(row, path):
    """How the crash is seen again."""
    return f"build/fuzz/tests/fuzz/fuzz_{row['target']} {shlex.quote(path)}"


def show(rows, short):
    """The table, who has executed too few, and how to see each crash again."""
    print(f"{'target':<14} {'executions':>11} {'exec/s':>8} {'edges':>6} {'crashes':>8}")
    for row in rows:
        print(f"{row['target']:<14} {row['executions']:>11} {row['per_second']:>8} "
              f"{row['edges']:>6} {len(row['crashes']):>8}")
    for name in sorted(short):
        print(f"{name}: too few were executed")
    for row in rows:
        for path in row["crashes"]:
            print("\n".join(shown_crash(row, path)))
        if row["exit_code"] != 0 and not row["crashes"]:
            print(f"{row['target']}: exit code {row['exit_code']}, "
                  f"see build/fuzz/found/{row['target']}/log.txt")


def main():
    """Parses, builds, runs, shows."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("targets", nargs="*", metavar="TARGET", help="all when there is none")
    parser.add_argument("--seconds", type=int, default=60, help="for each target, on an average (60)")
    parser.add_argument("--runs", type=int, default=0, metavar="TOTAL",
                        help="so many inputs must be executed, and of each target its part of them")
    parser.add_argument("--build", action="store_true", help="build, and run nothing")
    parser.add_argument("--jobs", type=int, default=2, help="targets at a time (2)")
    parser.add_argument("--json", metavar="FILE", help="write the summary there too")
    arguments = parser.parse_args()
    declared = declared_targets()
    if set(declared) != set(PLAN):
        parser.error("PLAN and CMakeLists.txt do not name the same targets")
    unknown = set(arguments.targets) - set(declared)
    if unknown:
        parser.error(f"no such target: {', '.join(sorted(unknown))}")
    targets = arguments.targets or declared

    instrumented = build(targets)
    if arguments.build:
        return 0
    rows = run(targets, arguments)
    short = lacking(rows, arguments.runs)
    least = min(rows, key=lambda row: row["executions"])
    show(rows, short)
    summary = {"executions": executions_of(rows),
               "least": {"target": least["target"], "executions": least["executions"]},
               "crashes": sum(len(row["crashes"]) for row in rows),
               "protobuf_c_instrumented": instrumented,
               "failed": has_failed(rows) or bool(short), "targets": rows}
    if arguments.json:
        pathlib.Path(arguments.json).write_text(json.dumps(summary, indent=1) + "\n")
    print(json.dumps(summary))
    return 1 if summary["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
