#!/usr/bin/env python3
"""Runs every model with every configuration and every mutant, and compares what must come out.

A configuration must be searched to its end without error.  A mutant is the same model with one rule
broken; it must fail, else the model would not notice that rule missing.  relation.txt is what the
traced configurations print: every move (kind, from, to) that can happen; it must be what stands in
the repository, because the C++ test compares that file with the engine's tables.

  check.py           all that is small: under a minute
  check.py --large   also the searches of millions of states
  check.py --write   replace relation.txt by what the models say

The last line is one JSON object.  Exit: 0 all as expected, 1 a surprise, 77 no spin here."""
import argparse, concurrent.futures, json, pathlib, re, resource, shutil, subprocess, sys, tempfile, time

HERE = pathlib.Path(__file__).resolve().parent
RELATION = HERE / "relation.txt"
MEMORY_BYTES = 4 << 30
TWO = "-DC=2 -DCRASHES=0 -DDUPS=1"

SMALL = [("tcc", flags) for flags in (
    "-DCRASHES=1", "-DCRASHES=2 -DDUPS=1", "-DGIVE_UP -DTOMBSTONE", "-DCONFIRM_ONLY", "-DOPTIONAL",
    "-DFOREIGN", "-DUNSERVED", "-DOPTIONAL -DUNSERVED", "-DOPTIONAL -DFOREIGN", TWO,
    TWO + " -DOPTIONAL", TWO + " -DFOREIGN", TWO + " -DCONFIRM_ONLY -DGIVE_UP -DTOMBSTONE")]
LARGE = [("tcc", flags) for flags in (
    "-DCRASHES=2", "-DC=2 -DCRASHES=0", "-DC=2 -DCRASHES=1 -DDUPS=1",
    "-DC=2 -DCRASHES=1 -DDUPS=1 -DOPTIONAL")]
NEEDS_TWO = (7, 9, 14)  # only a second coordinator shows them
MUTANTS = [("tcc", f"{TWO if n in NEEDS_TWO else '-DCRASHES=1'} -DMUTANT={n}") for n in range(1, 21)]
# The mark rules.  A mutant is run where its rule is needed.
MARKS = ("-DCRASHES=0", "-DCRASHES=2 -DDUPS=1", "-DCONFIRM_ONLY", "-DLOST_BEGIN -DDUPS=1", "-DANEW -DDUPS=1",
         "-DP_RESTORE -DDUPS=1 -DCRASHES=0", "-DJ_RESTORE -DDUPS=1", "-DP_RESTORE -DDUPS=1 -DCONFIRM_ONLY",
         "-DJ_RESTORE -DDUPS=1 -DCONFIRM_ONLY")
SMALL += [("marks", flags) for flags in MARKS]
LARGE += [("marks", flags) for flags in (
    "", "-DCRASHES=2", "-DLOST_BEGIN -DCRASHES=2", "-DP_RESTORE", "-DJ_RESTORE",
    "-DP_RESTORE -DCONFIRM_ONLY", "-DJ_RESTORE -DCONFIRM_ONLY")]
WHERE = {4: "-DLOST_BEGIN -DDUPS=1", 8: "-DCONFIRM_ONLY", 9: "-DCONFIRM_ONLY", 10: "-DJ_RESTORE -DDUPS=1",
         11: "-DP_RESTORE -DDUPS=1 -DCRASHES=0", 12: "-DANEW -DDUPS=1", 13: "-DP_RESTORE -DDUPS=1 -DCRASHES=0"}
MUTANTS += [("marks", f"{WHERE.get(n, '-DDUPS=1')} -DMUTANT={n}") for n in range(1, 14)]
TRACED = ["-DCRASHES=1 -DDUPS=1", "-DDUPS=1 -DGIVE_UP -DTOMBSTONE", "-DCONFIRM_ONLY",
          "-DDUPS=1 -DOPTIONAL -DUNSERVED", "-DFOREIGN -DUNSERVED"]


class Run:
    """One search: states, seconds, errors; `complete` when nothing was left out."""

    def __init__(self, model, flags, seconds_max, trace=False):
        self.model, self.flags, self.moves = model, flags, set()
        with tempfile.TemporaryDirectory() as folder:
            spin = ["spin", *flags.split(), *(["-DTRACE"] if trace else []), "-a",
                    str(HERE / f"{model}.pml")]
            subprocess.run(spin, cwd=folder, check=True, stdout=subprocess.DEVNULL)
            # Translating costs more than searching when the search is small.
            gcc = ["gcc", "-O2" if seconds_max > 60 else "-O0", "-w", "-DSAFETY",
                   "-DCOLLAPSE", "-DVECTORSZ=2048",
                   *(["-DPRINTF"] if trace else []), "-o", "pan", "pan.c"]
            subprocess.run(gcc, cwd=folder, check=True)
            self.search(folder, seconds_max)

    def search(self, folder, seconds_max):
        started = time.monotonic()
        try:
            # -E: a participant waits for ever; what must have ended, the model asserts at `timeout`.
            text = subprocess.run(["./pan", "-E", "-n", "-m1000000", "-w22"], cwd=folder,
                                  timeout=seconds_max, stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, preexec_fn=bound_memory).stdout.decode()
        except subprocess.TimeoutExpired:
            text = ""
        self.seconds = time.monotonic() - started
        states = re.search(r"(\d+) states, stored", text)
        errors = re.search(r"errors: (\d+)", text)
        failed = re.search(r"pan:\d+: (assertion violated .*?) \(at depth", text)
        self.states = int(states.group(1)) if states else 0
        self.errors = int(errors.group(1)) if errors else -1
        self.reason = failed.group(1) if failed else ""
        self.complete = self.errors == 0 and not re.search(
            r"Search not completed|max search depth too small|out of memory", text)
        for kind, old, new in re.findall(r"move (\w+) \w+ (\d+) (\d+)", text):
            self.moves.add((kind, int(old), int(new)))


def bound_memory():
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))


def relation_text(moves):
    lines = ["# Every move the models make: kind, from, to.  Made by spec/check.py --write.\n"]
    return "".join(lines + [f"{kind} {old} {new}\n" for kind, old, new in sorted(moves)])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--large", action="store_true", help="also the searches of millions of states")
    parser.add_argument("--write", action="store_true", help="replace relation.txt")
    options = parser.parse_args()
    for tool in ("spin", "gcc"):
        if not shutil.which(tool):
            print(f"skipped: no {tool} here; ./dev setup installs it")
            return 77
    started, surprises, states, killed, moves = time.monotonic(), [], 0, 0, set()
    seconds_max = 3600 if options.large else 60
    print(f"{'model':6} {'states':>9} {'seconds':>8} errors  configuration")
    configurations = SMALL + (LARGE if options.large else [])
    # Translating is most of the time of a small search; a large one wants the memory for itself.
    pool = concurrent.futures.ThreadPoolExecutor(1 if options.large else 2)
    runs = pool.map(lambda job: Run(*job, seconds_max), configurations + MUTANTS)
    for (model, flags), run in zip(configurations, runs):
        states += run.states
        print(f"{model:6} {run.states:9} {run.seconds:8.2f} {run.errors:6}  {flags} {run.reason}", flush=True)
        if not run.complete:
            surprises.append(f"{model} {flags}: {run.reason or 'not searched to the end'}")
    for (model, flags), run in zip(MUTANTS, runs):
        killed += run.errors > 0 and run.reason != ""
        print(f"{model:6} {run.states:9} {run.seconds:8.2f} {run.errors:6}  {flags} {run.reason}", flush=True)
        if run.errors <= 0 or not run.reason:
            surprises.append(f"{model} {flags}: survives")
    for flags, run in zip(TRACED, pool.map(lambda flags: Run("tcc", flags, seconds_max, True), TRACED)):
        moves |= run.moves
        if not run.complete:
            surprises.append(f"tcc {flags} traced: {run.reason or 'not searched to the end'}")
    if options.write:
        RELATION.write_text(relation_text(moves))
    elif not RELATION.exists() or RELATION.read_text() != relation_text(moves):
        surprises.append("relation.txt is not what the models say: look at both, then check.py --write")
    for surprise in surprises:
        print("SURPRISE", surprise)
    print(json.dumps({"configurations": len(configurations),
                      "states": states, "mutants": len(MUTANTS), "killed": killed,
                      "moves": len(moves), "surprises": len(surprises),
                      "seconds": round(time.monotonic() - started, 1)}))
    return 1 if surprises else 0


if __name__ == "__main__":
    sys.exit(main())
