"""A database server that the demo starts leaves alone what other servers on the machine are at.

    neighbours_test.py <samples/payment>

MariaDB removes, when it starts, whatever looks like a temporary table in its tmpdir, also that of another
server, which then ends.  So each has a tmpdir of its own.
"""

import os
import sys
import tempfile
import unittest
from pathlib import Path

SAMPLE = Path(sys.argv.pop(1)).resolve()
sys.dont_write_bytecode = True
sys.path.insert(0, str(SAMPLE / "demo"))

import stores  # noqa: E402  (the path is set just above)

NOT_INSTALLED = 77
WORLD = 0o777


class Neighbours(unittest.TestCase):
    def test_temporary_tables_of_other_servers_stay(self):
        with tempfile.TemporaryDirectory() as directory:
            shared = Path(directory) / "tmp"
            own = Path(directory) / "own"
            for place in (Path(directory), shared, own):
                place.mkdir(exist_ok=True)
                place.chmod(WORLD)
            table = shared / "#sql-temptable-1-1-1.MAI"
            table.touch()
            os.environ["TMPDIR"] = str(shared)
            server = stores.Mariadb(own, None)
            server.open(["account"])
            self.assertEqual(server.rows("account", "SELECT 1"), [(1,)])
            self.assertEqual(server.close(), [])
            self.assertTrue(table.exists(), "a starting server removed another's temporary table")


if __name__ == "__main__":
    if not all(os.access(program, os.X_OK) for program in stores.Mariadb.programs):
        print("MariaDB is not installed")
        sys.exit(NOT_INSTALLED)
    unittest.main()
