"""Includes point down only, and each library stays in its own folder.

usage: layers_test.py SOURCE_ROOT
"""

import pathlib
import re
import sys

ROOT = pathlib.Path(sys.argv[1])

# Folder -> prefixes of project headers that it may include, beside its own and tercet/ (public).
MAY_INCLUDE = {
    "common/base": [],
    "common/rpc": ["base/", "health/"],
    "coordinator/engine": ["base/"],
    "coordinator/journal": ["base/", "engine/"],
    "coordinator/dispatch": ["base/", "engine/"],
    "coordinator/service": ["base/", "engine/", "rpc/"],
    "coordinator/participant": ["base/", "engine/", "dispatch/", "rpc/"],
    "participant-sdk/fence": ["base/"],
    "participant-sdk/src": ["base/", "rpc/", "fence/"],
    "samples": ["common/", "pay/"],
    "conformance": ["base/", "rpc/"],
}

# Library headers -> folders that may include them.
ONLY_IN = {
    r"grpc/": ["common/rpc", "bench", "tests"],
    r"leveldb/": ["coordinator/journal", "participant-sdk/fence", "samples/payment", "bench", "tests"],
    r"libpq": ["participant-sdk/fence", "samples", "bench", "tests"],
    r"mysql": ["participant-sdk/fence", "samples", "bench", "tests"],
    r"sqlite3\.h": ["participant-sdk/fence", "participant-sdk/examples", "samples", "bench", "tests"],
}

# The pure folders: nothing of the outside world.
PURE = ["coordinator/engine", "coordinator/dispatch"]
IMPURE = re.compile(r"^(pthread|time|unistd|stdio|sys/|fcntl|signal|netinet/|leveldb/|grpc/|sqlite3)")

INCLUDE = re.compile(r'^\s*#\s*include\s+([<"])([^>"]+)[>"]', re.MULTILINE)


def main():
    wrong = []
    for path in sorted(ROOT.glob("*/**/*.[ch]")):
        name = path.relative_to(ROOT).as_posix()
        if name.startswith(("build/", "tests/")):
            continue
        folder = max((f for f in MAY_INCLUDE if name.startswith(f + "/")), key=len, default=None)
        for kind, header in INCLUDE.findall(path.read_text(encoding="utf-8")):
            check(wrong, name, folder, kind, header)
    print("\n".join(wrong) or "includes point down only")
    sys.exit(1 if wrong else 0)


def check(wrong, name, folder, kind, header):
    for pattern, folders in ONLY_IN.items():
        if kind == "<" and re.match(pattern, header):
            if not any(name.startswith(f + "/") for f in folders):
                wrong.append(f"{name}: <{header}> belongs into {', '.join(folders)}")
    if folder in PURE and kind == "<" and IMPURE.match(header):
        wrong.append(f"{name}: <{header}> in a pure folder")
    if folder is None or kind == "<" or "/" not in header or header.startswith("tercet/"):
        return
    own = folder.rsplit("/", 1)[-1] + "/"
    if not any(header.startswith(prefix) for prefix in MAY_INCLUDE[folder] + [own]):
        wrong.append(f'{name}: "{header}" does not lie below {folder}')


if __name__ == "__main__":
    main()
