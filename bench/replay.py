"""For tests of what runs tercet-bench again and again: one that tells what it is given, and how it was called."""
import json
import pathlib
import subprocess
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
TELL_NEXT = '#!/bin/sh\ncd "%s"\nnumber=$(cat words 2>/dev/null | wc -l)\necho "$*" >> words\ncat "$number"\n'
TIMEOUT_S = 110


def run(*words):
    return subprocess.run(words, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)


def replay(script, all_told, *words):
    """(the ended script, the rows that it printed below the head, the words of each call of tercet-bench)"""
    with tempfile.TemporaryDirectory() as directory:
        at = pathlib.Path(directory)
        for number, told in enumerate(all_told):
            (at / str(number)).write_text(json.dumps(told), encoding="utf-8")
        (at / "bench").write_text(TELL_NEXT % at, encoding="utf-8")
        (at / "bench").chmod(0o700)
        done = run(str(HERE / script), "--bench", str(at / "bench"), *words)
        rows = [" ".join(line.split()) for line in done.stdout.splitlines()[1:]]
        return done, rows, (at / "words").read_text(encoding="utf-8").splitlines()
