"""How a program of each language is built: the banks of samples/participants, the servers of bench/stock.

A build stands in a directory of its own, beside a stamp of all that went into it, and is used again while
that is the same.  Packages come through the language's own client, once, with a bound on the time.
"""

import hashlib
import os
import pathlib
import re
import shutil
import subprocess

PYTHON = "/usr/bin/python3"  # Debian's, which has Debian's modules
FETCH_TIMEOUT_S = 90
BUILD_TIMEOUT_S = 180
SHORT_LIVED = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")  # of Java: seconds, not days

# What a package client says when it does not reach its registry, and not when our code is wrong.
UNREACHED = re.compile(
    r"no such host|dial tcp|i/o timeout|connection refused|TLS handshake|unrecognized import path"
    r"|module lookup disabled|Unknown host|Could not transfer|Could not resolve|Connect(ion)? timed out"
    r"|Network is unreachable|ENOTFOUND|EAI_AGAIN|ECONNRE|ETIMEDOUT|ERR_SOCKET|ENETUNREACH|E40[134]"
    r"|toolchain not available|offline mode", re.IGNORECASE)


class Skip(Exception):
    """This machine cannot build it; why."""


class Build:
    """`needs` are programs, `imports` modules of Python's."""

    needs = ()
    imports = ()
    at_least = None  # a command that tells a version, and the oldest that will do

    def __init__(self, source, protos, work):
        self.source = pathlib.Path(source).resolve()
        self.protos = pathlib.Path(protos).resolve()
        self.work = pathlib.Path(work).resolve()

    def build(self):
        missing = [program for program in self.needs if shutil.which(program) is None]
        missing += [module for module in self.imports if not is_importable(module)]
        if missing:
            raise Skip("not installed: " + ", ".join(missing))
        self.check_version()
        files = self.inputs()
        stamp = self.work / "stamp"
        wanted = hashlib.sha256(b"".join(str(file).encode() + file.read_bytes()
                                         for file in files)).hexdigest()
        if stamp.exists() and stamp.read_text() == wanted:
            return
        self.work.mkdir(parents=True, exist_ok=True)
        stamp.unlink(missing_ok=True)
        for file in files:
            if self.source in file.parents:
                copy = self.work / file.relative_to(self.source)
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(file, copy)
        self.make()
        stamp.write_text(wanted)

    def check_version(self):
        if self.at_least is None:
            return
        command, oldest = self.at_least
        told = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True).stdout
        version = tuple(map(int, re.search(r"\d+(\.\d+)*", told).group(0).split(".")))
        if version < oldest:
            raise Skip(f"{command[0]} is {told.strip()}, and {oldest} is needed")

    def inputs(self):
        """The source and its wire, but nothing that a build by hand has left there."""
        left = {"bin", "target", "tercetv1", "node_modules", "__pycache__", "tercet"}
        files = [file for file in sorted(self.source.rglob("*")) if file.is_file()
                 and not left & set(file.relative_to(self.source).parts)]
        return files + [self.protos / "tercet/v1/participant.proto"]

    def make(self):
        raise NotImplementedError

    def run(self, *command, timeout=BUILD_TIMEOUT_S, **environment):
        """Raises Skip when what failed is the way to the packages."""
        try:
            done = subprocess.run(command, cwd=self.work, text=True, timeout=timeout,
                                  env={**os.environ, **environment}, stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
        except subprocess.TimeoutExpired as late:
            if timeout == FETCH_TIMEOUT_S:
                raise Skip(f"its packages were not here within {timeout} s") from late
            raise
        if done.returncode == 0:
            return
        reason = UNREACHED.search(done.stdout)
        if timeout == FETCH_TIMEOUT_S and reason:
            raise Skip(f"its packages cannot be fetched: {reason.group(0)}")
        raise AssertionError(f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout}")


def is_importable(module):
    return subprocess.run([PYTHON, "-c", f"import {module}"], stderr=subprocess.DEVNULL, timeout=30,
                          check=False).returncode == 0


class Python(Build):
    needs = ("protoc", "grpc_python_plugin")
    imports = ("grpc",)

    def make(self):
        self.run("protoc", "-I", str(self.protos), "--python_out=.", "--grpc_python_out=.",
                 "--plugin=protoc-gen-grpc_python=" + shutil.which("grpc_python_plugin"),
                 "tercet/v1/participant.proto")


class Go(Build):
    """bin/NAME; the module's last name."""

    needs = ("protoc", "go")
    at_least = (["go", "version"], (1, 24))

    def make(self):
        self.run("go", "mod", "download", timeout=FETCH_TIMEOUT_S)
        here = {"GOPROXY": "off", "GOFLAGS": "-mod=readonly", "PROTOS": str(self.protos)}
        self.run("go", "generate", **here)
        self.run("go", "build", "-o", "bin/", **here)


class Java(Build):
    needs = ("java", "javac", "mvn")
    at_least = (["javac", "-version"], (17,))

    def make(self):
        maven = ["mvn", "-q", "-B", f"-Dprotos={self.protos}", "process-classes"]
        briefly = {"MAVEN_OPTS": os.environ.get("MAVEN_OPTS", "") + " " + " ".join(SHORT_LIVED)}
        try:  # what is there already needs no network
            self.run(*maven, "-o", **briefly)
        except AssertionError as failed:
            if not UNREACHED.search(str(failed)):
                raise
            self.run(*maven, timeout=FETCH_TIMEOUT_S, **briefly)

    def class_path(self):
        return f"{self.work}/target/classes:{self.work}/target/lib/*"


class Node(Build):
    needs = ("node", "npm")
    at_least = (["node", "--version"], (18, 3))

    def make(self):
        self.run("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--fetch-retries=1",
                 timeout=FETCH_TIMEOUT_S)
