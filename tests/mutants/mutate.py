#!/usr/bin/env python3
"""Writes copies of the product's sources in which the mutants of mutants.txt can be switched on.

    mutate.py --list                        the sources that have mutants, one a line
    mutate.py --names                       their names as C strings, in the order of their numbers
    mutate.py --check                       every mutant fits its source exactly once
    mutate.py --file SOURCE --output FILE   one copy

A mutant replaces a piece of text that stands exactly once in its source.  In the copy both stand, and
mutant_on(N) chooses at run time: `(mutant_on(N) ? (after) : (before))` for an expression,
`if (mutant_on(N)) { after } else { before }` for statements.  Lines keep their numbers."""
import argparse
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
FIELDS = ("file", "rule", "kind")


class Mutant:
    def __init__(self, number, name):
        self.number, self.name = number, name
        self.file = self.rule = self.kind = ""
        self.before, self.after = [], []

    def old(self):
        return "\n".join(self.before)

    def new(self):
        """What stands in the copy instead: on one line, so that no line moves."""
        old, new = " ".join(map(str.strip, self.before)), " ".join(map(str.strip, self.after))
        if self.kind == "expression":
            text = "(mutant_on(%d) ? (%s) : (%s))" % (self.number, new, old)
        else:
            text = "if (mutant_on(%d)) { %s } else { %s }" % (self.number, new, old)
        return text + "\n" * (len(self.before) - 1)


def fail(text):
    sys.exit("mutate.py: " + text)


def read_table():
    mutants = []
    with open(os.path.join(HERE, "mutants.txt"), encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            line = line.rstrip("\n")
            if line.startswith("## "):
                mutants.append(Mutant(len(mutants) + 1, line[3:].strip()))
            elif not mutants or not line.strip() or line.startswith("#"):
                continue
            elif line.startswith("- "):
                mutants[-1].before.append(line[2:])
            elif line.startswith("+"):
                mutants[-1].after.append(line[2:])
            elif line.split(":")[0] in FIELDS:
                key, value = line.split(":", 1)
                setattr(mutants[-1], key, value.strip())
            else:
                fail("mutants.txt:%d: not understood: %s" % (number, line))
    check(mutants)
    return mutants


def check(mutants):
    names = set()
    for mutant in mutants:
        if mutant.name in names:
            fail("%s: there are two of this name" % mutant.name)
        names.add(mutant.name)
        if mutant.kind not in ("expression", "statement") or not mutant.rule or not mutant.before:
            fail("%s: wants file, rule, kind (expression or statement) and at least one line of '- '" % mutant.name)
        with open(os.path.join(ROOT, mutant.file), encoding="utf-8") as file:
            found = file.read().count(mutant.old())
        if found != 1:
            fail("%s: its text stands %d times in %s; it must stand there once:\n%s" % (
                mutant.name, found, mutant.file, mutant.old()))


def mutated(source, mutants):
    with open(os.path.join(ROOT, source), encoding="utf-8") as file:
        text = file.read()
    for mutant in mutants:
        if mutant.file == source:
            if text.count(mutant.old()) != 1:
                fail("%s: it overlaps with another mutant" % mutant.name)
            text = text.replace(mutant.old(), mutant.new())
    return '#include "mutants/mutant.h"\n#line 1 "%s"\n%s' % (os.path.join(ROOT, source), text)


def main():
    parser = argparse.ArgumentParser(description="copies of the sources with mutants in them")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--names", action="store_true")
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--file")
    parser.add_argument("--output")
    arguments = parser.parse_args()
    mutants = read_table()
    if arguments.list:
        print("\n".join(sorted({mutant.file for mutant in mutants})))
    elif arguments.names:
        print("\n".join('"%s",' % mutant.name for mutant in mutants))
    elif arguments.file:
        with open(arguments.output, "w", encoding="utf-8") as file:
            file.write(mutated(arguments.file, mutants))
    elif arguments.check:
        for source in {mutant.file for mutant in mutants}:
            mutated(source, mutants)
        print("%d mutants fit" % len(mutants))


if __name__ == "__main__":
    main()
