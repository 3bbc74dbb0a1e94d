#!/usr/bin/env python3
"""Prints every failpoint of the product with its layer, as C++ initialisers for the campaign.

C: coordinator; B: its backups; T: tools that work on a journal which nobody runs on; P: participant's
side of the SDK; I: the SDK's client, in the initiator.  A name that stands twice is an error: one of
the two places could be reached and the other never.
"""
import os
import re
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PATTERN = re.compile(r'TERCET_FAILPOINT(?:_FAILS)?\("([^"]+)"\)')
SPECIAL = {"client": "I", "backup": "B", "init": "T", "copy": "T", "new_life": "T", "restore": "T",
           "recover": "T", "salvage": "T", "verify": "T"}


def names():
    """Every name, and the layer that it stands in."""
    found = {}
    for folder, layer in (("coordinator", "C"), ("participant-sdk", "P"), ("common", "C")):
        for path, _, files in os.walk(os.path.join(ROOT, folder)):
            for file in files:
                if file.endswith(".c"):
                    with open(os.path.join(path, file), encoding="utf-8") as source:
                        for name in PATTERN.findall(source.read()):
                            if name in found:
                                sys.exit(f"failpoints.py: {name} stands twice")
                            found[name] = SPECIAL.get(name.split(".")[0], layer)
    return found


if __name__ == "__main__":
    for one, where in sorted(names().items()):
        print(f'{{"{one}", \'{where}\'}},')
