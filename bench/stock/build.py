#!/usr/bin/python3
"""Builds the server of one language, and says which program it is.

    build.py LANGUAGE DIRECTORY

Exit codes: 0; 1 it cannot be built; 64 wrong use."""
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(ROOT / "tests/integration/languages"))

import toolchains  # noqa: E402
from toolchains import Skip  # noqa: E402


class Server:
    def __init__(self, language, directory):
        super().__init__(HERE / language, ROOT / "protos", pathlib.Path(directory) / language)

    def program(self):
        raise NotImplementedError

    def launch(self, command):
        """A program of its own for what an interpreter runs."""
        launcher = self.work / "server"
        launcher.write_text('#!/bin/sh\nexec %s "$@"\n' % command, encoding="utf-8")
        launcher.chmod(0o755)
        return launcher


class Python(Server, toolchains.Python):
    def program(self):
        return self.work / "server.py"


class Go(Server, toolchains.Go):
    def program(self):
        return self.work / "bin/stock"


class Java(Server, toolchains.Java):
    def program(self):
        return self.launch('java -cp "%s" stock.Server' % self.class_path())


class Node(Server, toolchains.Node):
    def program(self):
        return self.launch('node "%s" --protos "%s"' % (self.work / "server.js", self.protos))


LANGUAGES = {"go": Go, "java": Java, "node": Node, "python": Python}


def build(language, directory):
    """Its program, which stands below the directory.  Raises Skip when this machine cannot build it, AssertionError
    when it does not build."""
    server = LANGUAGES[language](language, directory)
    server.build()
    return server.program()


def main():
    if len(sys.argv) != 3 or sys.argv[1] not in LANGUAGES:
        print("build: want one of %s, and a directory" % ", ".join(LANGUAGES), file=sys.stderr)
        sys.exit(64)
    try:
        print(build(sys.argv[1], sys.argv[2]))
    except (Skip, AssertionError) as reason:
        print("build: %s: %s" % (sys.argv[1], reason), file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main()
