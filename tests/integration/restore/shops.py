"""The payment sample without relays, so that a service's connection is its own; and an operator."""

import shutil
import sqlite3
import sys
from contextlib import closing
from pathlib import Path


def prepare(source):
    """Makes the sample's and the tests' helpers importable."""
    source = Path(source)
    sys.path.insert(0, str(source / "samples" / "payment" / "demo"))
    sys.path.insert(0, str(source / "tests" / "integration" / "python"))
    sys.dont_write_bytecode = True


def make(shop_class, processes, services):
    """The class is made here because what it extends is imported late."""

    class DirectShop(shop_class):
        """Coordinator and services, with backups of either."""

        def open(self):
            for number in range(6):
                self.seed(number)
            for service in self.services.values():
                service.start()
            self.backups.mkdir()
            self.configure()
            processes.run([self._programs.path("tercetd"), "init", self._journal])
            self.coordinator.start()

        @property
        def backups(self):
            return self.directory / "backups"

        @property
        def coordinator_address(self):
            return f"127.0.0.1:{self._coordinator_port}"

        def configure(self, journal=None):
            text = self._config_text({name: f"127.0.0.1:{self._ports[name]}" for name in services})
            text = text.replace(str(self._journal), str(journal or self._journal))
            self._config.write_text(text + f"backup_directory: {self.backups}\n")

        def copy_database(self, service, to):
            """A consistent copy of a running service's database."""
            with closing(sqlite3.connect(self.database(service))) as database:
                with closing(sqlite3.connect(to)) as copy:
                    database.backup(copy)

        def put_database_back(self, service, copy):
            """As after a disk was lost; the service must be stopped."""
            for old in self.directory.glob(f"{service}.db*"):
                old.unlink()
            shutil.copy(copy, self.database(service))

        def fence(self, service):
            """State by gid."""
            with closing(sqlite3.connect(self.database(service))) as database:
                rows = database.execute("SELECT gid, state FROM tercet_fence").fetchall()
            return {bytes(gid).decode(): state for gid, state in rows}

        def restore_journal(self, backup):
            to = self.directory / "restored"
            processes.run([self._programs.path("tercetd"), "restore", backup, to])
            self.configure(to)

        def log(self):
            return (self.directory / "tercetd.log").read_text()

    return DirectShop
