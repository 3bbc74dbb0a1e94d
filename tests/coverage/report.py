#!/usr/bin/env python3
"""Coverage of all first-party C code, from a run of the suites built with the preset `coverage`.

    report.py BUILD [--missing FOLDER] [--json FILE]

Merges the profiles that the programs left in BUILD/profiles and prints lines and branches per folder.
The failing side of an assertion is not counted: an assertion holds in a correct program, so nothing
can reach it.  What is taken for one is everything between `tercet_assert(` and its `);`, and
`tercet_unreachable();` with the cases before it.

A file that is in no program would be missing from every share, so it is named, and the report fails.

Exit codes: 0; 1 when a folder is below its bound (BOUNDS) or a file in no program; 2 when there is
nothing to measure."""
import argparse
import collections
import json
import os
import re
import shlex
import stat
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
FIRST_PARTY = ("common/", "coordinator/", "participant-sdk/", "samples/", "bench/", "conformance/")

# What each folder must reach, in per cent of lines and of branches; the longest prefix decides.
BOUNDS = {
    "coordinator/engine": (100, 100),
    "coordinator/dispatch": (100, 100),
    "coordinator/journal/record": (100, 100),
    "participant-sdk/fence": (100, 100),
    # What is left of them are words of their database that no test can make it say.
    "participant-sdk/fence/leveldb_": (95, 85),
    "participant-sdk/fence/sql_": (95, 85),
    "participant-sdk/fence/postgres_": (95, 85),
    "participant-sdk/fence/mariadb_": (95, 85),
    "participant-sdk/fence/store_mariadb": (100, 95),
    "participant-sdk/fence/store_postgres": (100, 95),
    "participant-sdk/fence/sqlite_": (100, 95),
    "": (90, 80),
}


def programs(build):
    """Every program and library of the build with coverage in it."""
    found = []
    for folder, _, names in os.walk(build):
        for name in names:
            path = os.path.join(folder, name)
            # Also no link, and no socket that a campaign's process has left.
            if not stat.S_ISREG(os.lstat(path).st_mode) or not os.access(path, os.X_OK):
                continue
            with open(path, "rb") as file:
                if file.read(4) == b"\x7fELF":
                    found.append(path)
    return sorted(found)


def export(build):
    """The merged profile as lcov text."""
    folder = os.path.join(build, "profiles")
    profiles = [os.path.join(folder, name) for name in os.listdir(folder)] if os.path.isdir(folder) else []
    if not profiles:
        sys.exit("report.py: no profiles in %s; run the suites of the preset coverage first" % folder)
    merged = os.path.join(build, "merged.profdata")
    listing = os.path.join(build, "profiles.txt")
    with open(listing, "w", encoding="utf-8") as file:
        file.write("\n".join(profiles))
    subprocess.run(["llvm-profdata", "merge", "-sparse", "-failure-mode=all", "-f", listing, "-o", merged],
                   check=True)
    found = programs(build)
    command = ["llvm-cov", "export", "-format=lcov", "-instr-profile", merged, found[0]]
    for path in found[1:]:
        command += ["-object", path]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout.decode()


def left_out(path):
    """Numbers of the lines that belong to an assertion, and of the heads of switches: these have a
    case for every value (the compiler sees to it), so "none of them" cannot be reached either."""
    numbers, cases, inside = set(), [], False
    with open(path, encoding="utf-8") as file:
        for number, text in enumerate(file, 1):
            if re.search(r"\btercet_(assert|unreachable)\(", text):
                inside = True
                numbers.update(cases)
            if inside or re.match(r"\s*switch \(", text):
                numbers.add(number)
            inside = inside and ");" not in text
            cases = cases + [number] if re.match(r"\s*case \w+:", text) else []
    return numbers


class File:
    """What one file has, and what was reached of it."""

    def __init__(self, path):
        self.path = path
        self.lines = {}                                  # number -> times
        self.branches = collections.defaultdict(int)     # (line, block, branch) -> times

    def add(self, tag, value):
        if tag == "DA":
            number, times = value.split(",")[:2]
            self.lines[int(number)] = max(int(times), self.lines.get(int(number), 0))
        elif tag == "BRDA":
            line, block, branch, times = value.split(",")
            # An inline function of a header stands in every program part that uses it: the same
            # side of it counts once.
            key = (int(line), block, branch) if self.path.endswith(".c") else (int(line), "", int(branch) % 2)
            self.branches[key] = max(self.branches[key], 0 if times == "-" else int(times))

    def leave_out(self, numbers):
        self.branches = {key: times for key, times in self.branches.items() if key[0] not in numbers}
        self.lines = {number: times for number, times in self.lines.items()
                      if times > 0 or number not in numbers}


def read(text):
    files, one = {}, None
    for row in text.splitlines():
        tag, _, value = row.partition(":")
        if tag == "SF":
            path = os.path.relpath(os.path.realpath(value), ROOT)
            counts = path.startswith(FIRST_PARTY) and path != "common/base/assert.h"
            one = files.setdefault(path, File(path)) if counts else None
        elif one is not None:
            one.add(tag, value)
    for file in files.values():
        file.leave_out(left_out(os.path.join(ROOT, file.path)))
    return files


def in_no_program(build, files):
    """First-party files with code, compiled or not, of which no program has anything."""
    objects = {}
    with open(os.path.join(build, "compile_commands.json"), encoding="utf-8") as file:
        for one in json.load(file):
            path = os.path.relpath(os.path.realpath(one["file"]), ROOT)
            words = shlex.split(one["command"])
            objects[path] = os.path.join(one["directory"], words[words.index("-o") + 1])
    sources = subprocess.run(["git", "ls-files", *FIRST_PARTY], cwd=ROOT, check=True, stdout=subprocess.PIPE)
    return [path for path in sources.stdout.decode().split()
            if path.endswith(".c") and path not in files and has_code(objects.get(path))]


def has_code(path):
    """Whether there is anything to count in this object; a file of nothing but data has no such part."""
    if path is None or not os.path.exists(path):
        return True
    with open(path, "rb") as file:
        return b"__llvm_covmap" in file.read()


def group_of(path):
    """The name in BOUNDS that decides, or the folder."""
    named = [prefix for prefix in BOUNDS if prefix and path.startswith(prefix)]
    return max(named, key=len) if named else os.path.dirname(path)


def share(counts):
    counts = list(counts)
    return (100.0 * sum(1 for times in counts if times > 0) / len(counts) if counts else 100.0), len(counts)


def summary(files):
    """name -> ((line share, lines), (branch share, branches)), all together under ''."""
    groups = collections.defaultdict(list)
    for file in files.values():
        groups[group_of(file.path)].append(file)
        groups[""].append(file)
    return {name: (share(t for f in group for t in f.lines.values()),
                   share(t for f in group for t in f.branches.values())) for name, group in sorted(groups.items())}


def missing(files, prefix):
    for file in sorted(files.values(), key=lambda one: one.path):
        if not file.path.startswith(prefix):
            continue
        lines = sorted(number for number, times in file.lines.items() if times == 0)
        branches = sorted({key[0] for key, times in file.branches.items() if times == 0} - set(lines))
        if lines or branches:
            print("%s\n    lines %s\n    branches at %s" % (
                file.path, " ".join(map(str, lines)) or "-", " ".join(map(str, branches)) or "-"))


def main():
    parser = argparse.ArgumentParser(description="coverage of all first-party code")
    parser.add_argument("build")
    parser.add_argument("--missing", metavar="FOLDER", help="name what was not reached under FOLDER")
    parser.add_argument("--json", metavar="FILE")
    arguments = parser.parse_args()
    files = read(export(arguments.build))
    if not files:
        print("report.py: no first-party file in the profiles", file=sys.stderr)
        return 2
    if arguments.missing is not None:
        missing(files, arguments.missing)
    groups, below = summary(files), []
    print("%-36s %8s %8s %10s %9s" % ("", "lines", "of", "branches", "of"))
    for name, (lines, branches) in groups.items():
        bound = BOUNDS.get(name)
        if bound and (lines[0] < bound[0] or branches[0] < bound[1]):
            below.append(name or "all")
        print("%-36s %7.1f%% %8d %9.1f%% %9d%s" % (
            name or "all", lines[0], lines[1], branches[0], branches[1],
            "   want %d / %d" % bound if bound else ""))
    if arguments.json:
        with open(arguments.json, "w", encoding="utf-8") as file:
            json.dump({name or "all": {"lines": lines[0], "branches": branches[0]}
                       for name, (lines, branches) in groups.items()}, file, indent=1)
    if below:
        print("below its bound: " + ", ".join(below), file=sys.stderr)
    lost = in_no_program(arguments.build, files)
    if lost:
        print("in no program: " + ", ".join(lost), file=sys.stderr)
    return 1 if below or lost else 0


if __name__ == "__main__":
    sys.exit(main())
