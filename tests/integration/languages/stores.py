"""A fresh database with a few accounts, and a look into it that is not the bank's own."""

import contextlib
import glob
import os
import pathlib
import pwd
import shutil
import signal
import socketserver
import sqlite3
import subprocess
import tempfile
import threading

from daemon import free_port, wait_until
from toolchains import Skip

ACCOUNTS = "INSERT INTO account (id, balance) VALUES ('ann', 100), ('bob', 100), ('cy', 1000000000)"


class Sqlite:
    """The bank makes its tables itself, when it starts."""

    def __init__(self, source):
        del source
        self.directory = tempfile.mkdtemp(prefix="tercet-bank-")
        self.address = os.path.join(self.directory, "bank.sqlite")

    def fill(self):
        self.rows(ACCOUNTS)

    def rows(self, sql):
        with sqlite3.connect(self.address, timeout=30) as db:
            return [tuple(map(str, row)) for row in db.execute(sql)]

    def cut_connections(self):
        """A file has none."""

    def close(self):
        shutil.rmtree(self.directory)


@contextlib.contextmanager
def told_at_a_port(look):
    """Whoever connects is told what `look` returns, for a program that asks by a command."""
    class Tell(socketserver.StreamRequestHandler):
        def handle(self):
            self.wfile.write(f"{look()}\n".encode())

    with socketserver.TCPServer(("127.0.0.1", 0), Tell) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield f"bash -c 'cat </dev/tcp/127.0.0.1/{server.server_address[1]}'"
        finally:
            server.shutdown()
            thread.join()


class Postgresql:
    """A server of its own.  It does not run as root, and is not killed here: it need not sync."""

    @staticmethod
    def place():
        """Where its programs are, which on Debian is not the path."""
        found = glob.glob("/usr/lib/postgresql/*/bin") + [os.path.dirname(shutil.which("initdb") or "")]
        for place in sorted(found, reverse=True):
            if all(os.access(os.path.join(place, program), os.X_OK)
                   for program in ("initdb", "postgres", "psql")):
                return place
        raise Skip("no PostgreSQL server is installed")

    def __init__(self, source):
        self.bin = self.place()
        self.user = pwd.getpwnam("nobody").pw_uid if os.geteuid() == 0 else None
        self.directory = tempfile.mkdtemp(prefix="tercet-bank-")
        if self.user is not None:
            os.chown(self.directory, self.user, -1)
        data = os.path.join(self.directory, "data")
        subprocess.run([os.path.join(self.bin, "initdb"), "-D", data, "-A", "trust", "-U", "postgres",
                        "-E", "UTF8", "--locale=C", "--no-sync"], check=True, user=self.user,
                       cwd=self.directory, stdout=subprocess.DEVNULL)
        port = free_port()
        self.address = f"127.0.0.1:{port}"
        self.log = open(os.path.join(self.directory, "log"), "wb")
        self.process = subprocess.Popen(
            [os.path.join(self.bin, "postgres"), "-D", data, "-p", str(port), "-h", "127.0.0.1",
             "-c", "unix_socket_directories=", "-c", "fsync=off", "-c", "shared_buffers=16MB"],
            user=self.user, cwd=self.directory, stdout=self.log, stderr=self.log)
        self.port = str(port)
        wait_until(lambda: self.psql("postgres", "-c", "SELECT 1").returncode == 0, "it answers")
        assert self.psql("postgres", "-c", "CREATE DATABASE bank").returncode == 0
        schema = pathlib.Path(source) / "samples" / "participants" / "postgresql.sql"
        made = self.psql("bank", "-f", str(schema))
        assert made.returncode == 0, made.stderr
        self.looker = subprocess.Popen(self.psql_command("bank"), stdin=subprocess.PIPE,
                                       stdout=subprocess.PIPE, text=True)

    def psql_command(self, database, *arguments):
        return [os.path.join(self.bin, "psql"), "-h", "127.0.0.1", "-p", self.port, "-U", "postgres",
                "-d", database, "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", *arguments]

    def psql(self, database, *arguments):
        return subprocess.run(self.psql_command(database, *arguments), capture_output=True, text=True,
                              timeout=60)

    def fill(self):
        self.rows(ACCOUNTS)

    def rows(self, sql):
        self.looker.stdin.write(f"{sql};\n\\echo end of rows\n")
        self.looker.stdin.flush()
        rows = []
        for line in self.looker.stdout:
            if line == "end of rows\n":
                return rows
            rows.append(tuple(line.rstrip("\n").split("|")))
        raise AssertionError(f"psql has ended: {sql}")

    def cut_connections(self):
        """All but this one, in the middle of a commit or wherever they are."""
        self.rows("SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                  " WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()")

    def close(self):
        with self.looker:
            self.looker.stdin.close()
        self.process.send_signal(signal.SIGINT)  # SIGTERM waits for every connection to be closed
        self.process.wait(timeout=30)
        self.log.close()
        shutil.rmtree(self.directory)
