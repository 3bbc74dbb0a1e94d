"""The databases behind the services: how each kind is started, named, read and stopped.

SQLite is a file for each service, LevelDB a directory.  PostgreSQL and MariaDB are one server of Debian's
packages with a database for each service, made in the demo's directory, reached through a unix socket
in it and by nobody else, and stopped with the demo.  Servers that the machine runs already are never
touched.
"""

import glob
import os
import pwd
import shutil
import sqlite3
import subprocess
import tempfile
from contextlib import closing
from pathlib import Path

import processes

END_OF_ROWS = "end of rows"


class Missing(Exception):
    """A program that is not installed; the text is for people."""


class Sqlite:
    """A file for each service, which the service makes."""

    fence_gid = "CAST(gid AS TEXT)"
    exclusive = False  # whether it belongs to the service while that runs

    def __init__(self, directory, _):
        self._directory = directory

    def open(self, services):
        """Nothing to start."""

    def place(self, service):
        """What the service's --database is."""
        return self._directory / f"{service}.db"

    def rows(self, service, sql):
        """Reads what is committed, also while the service runs or after it was killed."""
        with closing(sqlite3.connect(self.place(service), timeout=10)) as database:
            database.execute("PRAGMA query_only = 1")
            return database.execute(sql).fetchall()

    def close(self):
        """Returns sentences about what did not stop as it should."""
        return []


class Leveldb:
    """A directory for each service, which the service makes and has for itself."""

    fence_gid = None  # the rows are the library's own, not a table
    exclusive = True
    looks = 3

    def __init__(self, directory, program):
        self._directory = directory
        self._program = program

    def open(self, services):
        """Nothing to start."""

    def place(self, service):
        return self._directory / f"{service}.leveldb"

    def rows(self, service, sql):
        """Reads a copy of the files, which are only added to; one look may meet a file that goes."""
        for look in range(self.looks):
            try:
                return self._rows_of_copy(service, sql)
            except (shutil.Error, FileNotFoundError, processes.ProcessFailure):
                if look + 1 == self.looks:
                    raise

    def close(self):
        return []

    def _rows_of_copy(self, service, sql):
        with tempfile.TemporaryDirectory(dir=self._directory) as directory:
            copy = Path(directory) / "copy"
            shutil.copytree(self.place(service), copy, ignore=shutil.ignore_patterns("LOCK"))
            command = [self._program(service), "--store", "leveldb", "--database", copy]
            lines = processes.run([*command, "--rows", sql]).splitlines()
        return [tuple(map(_cell, line.split("\t"))) for line in lines]


class Reader:
    """A client program that stays, so that a look costs no start."""

    def __init__(self, command):
        self._process = subprocess.Popen(
            processes.tied_to_us(command),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def rows(self, sql):
        self._process.stdin.write(f"{sql};\nSELECT '{END_OF_ROWS}';\n")
        self._process.stdin.flush()
        rows = []
        for line in self._process.stdout:
            if line == f"{END_OF_ROWS}\n":
                return rows
            rows.append(tuple(map(_cell, line.rstrip("\n").split("\t"))))
        raise processes.ProcessFailure(f"the client program has ended at: {sql}")

    def close(self):
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()


class Postgres:
    """One PostgreSQL server."""

    fence_gid = "convert_from(gid, 'UTF8')"
    exclusive = False

    def __init__(self, directory, _):
        found = glob.glob("/usr/lib/postgresql/*/bin/postgres")
        if not found:
            raise Missing("PostgreSQL is not installed: no /usr/lib/postgresql/*/bin/postgres")
        self._bin = max(found, key=lambda path: int(path.split("/")[4])).rsplit("/", 1)[0]
        self._server = _DatabaseServer("postgres", directory, user="postgres")
        self._readers = {}

    def open(self, services):
        place = self._server.directory
        words = "-A trust -U tercet -E UTF8 --no-locale --no-sync"
        self._server.run([f"{self._bin}/initdb", "-D", place / "data", *words.split()])
        command = [f"{self._bin}/postgres", "-D", place / "data", "-k", place]
        command += ["-c", "listen_addresses=", "-c", "shared_buffers=16MB"]
        self._server.start(command, self._psql("postgres", "-c", "SELECT 1"))
        for service in services:
            processes.run(self._psql("postgres", "-c", f'CREATE DATABASE "{service}"'))
            self._readers[service] = Reader(self._psql(service))

    def place(self, service):
        return f"{self.server()} dbname={service}"

    def server(self):
        return f"host={self._server.directory} user=tercet"

    def rows(self, service, sql):
        return self._readers[service].rows(sql)

    def close(self):
        for reader in self._readers.values():
            reader.close()
        return self._server.stop()

    def _psql(self, database, *more):
        command = [f"{self._bin}/psql", "-X", "-q", "-A", "-t", "-F", "\t", "-P", "null=NULL"]
        return [*command, "-v", "ON_ERROR_STOP=1", "-d", self.place(database), *more]


class Mariadb:
    """One MariaDB server."""

    fence_gid = "CAST(gid AS CHAR)"
    exclusive = False
    programs = ("/usr/sbin/mariadbd", "/usr/bin/mariadb-install-db", "/usr/bin/mariadb")

    def __init__(self, directory, _):
        for program in self.programs:
            if not os.access(program, os.X_OK):
                raise Missing(f"MariaDB is not installed: no {program}")
        self._server = _DatabaseServer("mariadb", directory, user="mysql")
        self._options = directory / "mariadb.cnf"
        self._readers = {}

    def open(self, services):
        server, install, _ = self.programs
        place = self._server.directory
        socket = place / "socket"
        self._options.write_text(f"[client]\nsocket={socket}\nuser=root\n")
        # A server that starts removes the temporary tables of whatever others have the same tmpdir.
        own = ["--no-defaults", f"--datadir={place / 'data'}", f"--tmpdir={place}"]
        words = "--auth-root-authentication-method=normal --skip-test-db --skip-name-resolve"
        self._server.run([install, *own, *words.split()])
        command = [server, *own, f"--socket={socket}"]
        command += [f"--pid-file={place / 'pid'}", "--skip-networking"]
        command += ["--innodb-buffer-pool-size=16M", "--innodb-log-file-size=8M"]
        self._server.start(command, self._client("mysql", "-e", "SELECT 1"))
        for service in services:
            words = f"CREATE DATABASE `{service}` CHARACTER SET ascii COLLATE ascii_bin"
            processes.run(self._client("mysql", "-e", words))
            self._readers[service] = Reader(self._client(service))

    def place(self, service):
        return f"{service}@{self.server()}"

    def server(self):
        return str(self._options)

    def rows(self, service, sql):
        return self._readers[service].rows(sql)

    def close(self):
        for reader in self._readers.values():
            reader.close()
        return self._server.stop()

    def _client(self, database, *more):
        command = [self.programs[2], f"--defaults-file={self._options}", "--batch"]
        return [*command, "--skip-column-names", "--unbuffered", database, *more]


KINDS = {"sqlite": Sqlite, "leveldb": Leveldb, "postgres": Postgres, "mariadb": Mariadb}


class Stores:
    """Which kind keeps which service's books."""

    def __init__(self, kinds, directory, program):
        """`program(service)`: where the service's program is."""
        self.kinds = kinds
        self._stores = {
            kind: KINDS[kind](directory, program) for kind in sorted(set(kinds.values()))
        }

    def open(self):
        for kind, store in self._stores.items():
            store.open([service for service, its in self.kinds.items() if its == kind])

    def of(self, service):
        return self._stores[self.kinds[service]]

    def close(self):
        return [sentence for store in self._stores.values() for sentence in store.close()]


def read_kinds(text, services):
    """`postgres`, or `order=postgres,account=mariadb`, where the rest is SQLite; ValueError."""
    if "=" not in text:
        kinds = dict.fromkeys(services, text)
    else:
        kinds = dict.fromkeys(services, "sqlite")
        for word in text.split(","):
            service, _, kind = word.partition("=")
            if service not in kinds:
                raise ValueError(f'"{service}" is no service; they are {", ".join(services)}')
            kinds[service] = kind
    for kind in kinds.values():
        if kind not in KINDS:
            raise ValueError(f'"{kind}" is no store; they are {", ".join(KINDS)}')
    return kinds


class _DatabaseServer:
    """One server process in a directory of its own; not as root, where we are root."""

    def __init__(self, name, directory, user):
        """`user`: who runs it where we are root; nobody, when there is no such user."""
        self.directory = directory / name
        self._name = name
        self._log = directory / f"{name}.log"
        self._user = _first_user(user, "nobody") if os.geteuid() == 0 else None
        self._process = None

    def run(self, command):
        """Runs what makes its files."""
        self.directory.mkdir()
        if self._user is not None:
            os.chown(self.directory, self._user.pw_uid, self._user.pw_gid)
            os.chmod(self.directory.parent, 0o711)  # so that the other user comes through
        processes.run(self._as_user(command), self.directory)

    def start(self, command, probe):
        """Starts it and returns when `probe`, a client program, succeeds."""

        def accepts():
            return subprocess.run(probe, capture_output=True, check=False).returncode == 0

        self._process = processes.Server(self._name, self._as_user(command), accepts, self._log)
        self._process.start()

    def stop(self):
        said = "" if self._process is None else self._process.stop()
        return [said] if said else []

    def _as_user(self, command):
        if self._user is None:
            return command
        words = [f"--reuid={self._user.pw_uid}", f"--regid={self._user.pw_gid}", "--clear-groups"]
        return ["setpriv", *words, "--", *command]


def _first_user(*names):
    known = {user.pw_name: user for user in pwd.getpwall()}
    return next(known[name] for name in names if name in known)


def _cell(text):
    if text == "NULL":
        return None
    return int(text) if text.lstrip("-").isdigit() else text
