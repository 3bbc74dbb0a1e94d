"""How the bank of each language is built and started."""

import pathlib

import toolchains


class Bank:
    """`uses_postgresql`: what its database is."""

    uses_postgresql = True

    def __init__(self, name, source, work):
        source = pathlib.Path(source)
        super().__init__(source / "samples" / "participants" / name, source / "protos", pathlib.Path(work) / name)

    def command(self, listen, database):
        raise NotImplementedError


class Python(Bank, toolchains.Python):
    imports = (*toolchains.Python.imports, "psycopg2")

    def command(self, listen, database):
        return [toolchains.PYTHON, str(self.work / "bank.py"), "--listen", listen,
                "--database", f"postgres://postgres@{database}/bank"]


class PythonSqlite(Bank, toolchains.Python):
    uses_postgresql = False

    def command(self, listen, database):
        return [toolchains.PYTHON, str(self.work / "bank.py"), "--listen", listen, "--database", database]


class Go(Bank, toolchains.Go):
    def command(self, listen, database):
        return [str(self.work / "bin" / "bank"), "-listen", listen,
                "-database", f"postgres://postgres@{database}/bank"]


class Java(Bank, toolchains.Java):
    def command(self, listen, database):
        return ["java", *toolchains.SHORT_LIVED, "-cp", self.class_path(), "bank.Bank", "--listen", listen,
                "--database", f"jdbc:postgresql://{database}/bank?user=postgres"]


class Node(Bank, toolchains.Node):
    def command(self, listen, database):
        return ["node", str(self.work / "bank.js"), "--listen", listen, "--protos", str(self.protos),
                "--database", f"postgres://postgres@{database}/bank"]


BANKS = {"python": Python, "python-sqlite": PythonSqlite, "go": Go, "java": Java, "node": Node}
