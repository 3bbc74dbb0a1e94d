#!/usr/bin/env python3
"""Prints the names of the coordinator's failpoints, each as a C string and a comma, for kill_campaign."""
import os
import re

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

names = set()
for folder, _, files in os.walk(os.path.join(ROOT, "coordinator")):
    for file in files:
        if file.endswith(".c"):
            with open(os.path.join(folder, file), encoding="utf-8") as source:
                names.update(re.findall(r'TERCET_FAILPOINT\("([^"]+)"\)', source.read()))
for name in sorted(names):
    print('"%s",' % name)
