#!/usr/bin/env python3
"""Runs the campaign, then suites for what it has not reached; fails when a failpoint never was.

usage: reached.py DIRECTORY CAMPAIGN [ARGUMENT...] -- "SUITE [ARGUMENT...]"...
"""
import os
import pathlib
import shlex
import subprocess
import sys
import tempfile

import failpoints


def read(path):
    """The names in the file of hits."""
    return set(path.read_text(encoding="utf-8").split())


def run_suites(suites, hits, wanted):
    """Until nothing is missing.  0, or the exit code of the suite that failed."""
    for suite in suites:
        if wanted <= read(hits):
            break
        said = subprocess.run(shlex.split(suite), stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, errors="replace", check=False)
        if said.returncode != 0:
            print(said.stdout)
            return said.returncode
    return 0


def main():
    directory, split = sys.argv[1], sys.argv.index("--")
    campaign, suites = sys.argv[2:split], sys.argv[split + 1:]
    handle, name = tempfile.mkstemp(prefix="tercet-hits-", dir=directory)
    os.close(handle)
    hits = pathlib.Path(name)
    os.environ["TERCET_FAILPOINT_HITS"] = name
    wanted = set(failpoints.names())
    try:
        code = subprocess.call(campaign + ["--directory", directory])
        by_campaign = len(wanted & read(hits))
        code = code or run_suites(suites, hits, wanted)
        reached = read(hits)
    finally:
        hits.unlink()
    if code != 0:
        return code
    never, strange = sorted(wanted - reached), sorted(reached - wanted)
    print(f"{len(wanted)} failpoints: {by_campaign} reached by the campaign, "
          f"{len(wanted) - by_campaign - len(never)} by the suites, {len(never)} never"
          + "".join(f"\n  never: {one}" for one in never)
          + "".join(f"\n  not in the sources: {one}" for one in strange))
    return 1 if never or strange else 0


if __name__ == "__main__":
    sys.exit(main())
