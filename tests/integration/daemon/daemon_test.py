"""The daemon's outside: commands, refusals, exit codes, what it says to wrong words.

usage: daemon_test.py TERCETD
"""

import os
import pathlib
import signal
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "python"))

from case import WithProgram  # noqa: E402
from daemon import free_port  # noqa: E402

PROGRAM = sys.argv[1]


class Outside(WithProgram):
    program = PROGRAM

    def config(self, text):
        path = os.path.join(self.directory, "tercetd.yaml")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def test_init_makes_a_journal_once(self):
        self.assertEqual(0, self.run_it("init", self.journal)[0])
        code, said = self.run_it("init", self.journal)
        self.assertEqual(73, code)
        self.assertIn(self.journal, said)

    def test_a_journal_is_never_made_silently(self):
        code, said = self.run_it("--journal", self.journal, "--listen", "127.0.0.1:0",
                                 "--participants", "a=127.0.0.1:1")
        self.assertEqual(66, code)
        self.assertIn("tercetd init", said)
        self.assertFalse(os.path.exists(self.journal))

    def test_wrong_use_is_one_line_and_an_example(self):
        for arguments in (["--bogus", "1"], ["init"], ["dance"], ["--listen"]):
            code, said = self.run_it(*arguments)
            self.assertEqual(64, code, arguments)
            self.assertIn("tercetd", said)
            self.assertLessEqual(len(said.strip().splitlines()), 4, said)

    def test_who_asks_for_help_has_nothing_made(self):
        for asked in ("--help", "-h", "--version"):
            for arguments in ([asked, "init", self.journal], ["init", self.journal, asked]):
                code, said = self.run_it(*arguments)
                self.assertEqual(0, code, said)
                self.assertTrue(said.startswith("tercetd "), said)
                self.assertFalse(os.path.exists(self.journal), arguments)

    def test_of_two_commands_neither_is_carried_out(self):
        for arguments in (["--print-config", "init", self.journal],
                          ["init", self.journal, "--print-config"]):
            code, said = self.run_it(*arguments)
            self.assertEqual(64, code, said)
            self.assertIn("only one may be given", said)
            self.assertFalse(os.path.exists(self.journal), arguments)

    def test_what_cannot_be_printed_is_no_success(self):
        settings = ["--journal", self.journal, "--participants", "a=127.0.0.1:1"]
        for arguments in (["--help"], ["--version"], ["--print-config-table"],
                          ["--print-config", *settings]):
            self.assertEqual(0, self.run_it(*arguments)[0], arguments)
            code, said = self.run_unheard(*arguments)
            self.assertEqual(74, code, arguments)
            self.assertEqual("tercetd: not all was written to standard output: "
                             "No space left on device\n", said)
        code, said = self.run_unheard("init", self.journal)
        self.assertEqual(0, code, "it has nothing to tell: " + said)

    def test_a_broken_file_is_named_with_line_and_key(self):
        cases = [
            ("journal: /tmp/x\nparticipants: []\nbogus_key: 1\n", 3, "bogus_key"),
            ("journal: /tmp/x\ntry_timeout_ms: soon\n", 2, "try_timeout_ms"),
            ("journal: /tmp/x\ntry_timeout_ms: 99999999\n", 2, "try_timeout_ms"),
            ("journal: [\n", None, "tercetd.yaml"),
        ]
        for text, line, key in cases:
            code, said = self.run_it("--config", self.config(text))
            self.assertEqual(78, code, said)
            self.assertIn(key, said)
            if line:
                self.assertIn(f"tercetd.yaml:{line}", said)

    def test_a_second_one_on_the_same_journal_or_port_is_refused(self):
        self.assertEqual(0, self.run_it("init", self.journal)[0])
        other = os.path.join(self.directory, "other")
        self.assertEqual(0, self.run_it("init", other)[0])
        port = free_port()
        first = self.start("--journal", self.journal, "--listen", f"127.0.0.1:{port}",
                           "--participants", "a=127.0.0.1:1", port=port)
        code, said = self.run_it("--journal", self.journal, "--listen", "127.0.0.1:0",
                                 "--participants", "a=127.0.0.1:1")
        self.assertEqual(69, code, said)
        self.assertIn(self.journal, said)
        code, said = self.run_it("--journal", other, "--listen", f"127.0.0.1:{port}",
                                 "--participants", "a=127.0.0.1:1")
        self.assertEqual(69, code, said)
        self.assertIn(str(port), said)
        self.stop(first)

    def test_plaintext_stays_on_this_machine(self):
        self.assertEqual(0, self.run_it("init", self.journal)[0])
        for flags in (["--listen", "0.0.0.0:7100", "--participants", "a=127.0.0.1:1"],
                      ["--listen", "127.0.0.1:0", "--participants", "a=192.0.2.1:7101"]):
            code, said = self.run_it("--journal", self.journal, *flags)
            self.assertEqual(78, code, said)
            self.assertIn("loopback", said)

    def test_sigterm_and_sigint_end_it_in_order(self):
        self.assertEqual(0, self.run_it("init", self.journal)[0])
        for which in (signal.SIGTERM, signal.SIGINT):
            port = free_port()
            process = self.start("--journal", self.journal, "--listen", f"127.0.0.1:{port}",
                                 "--participants", "a=127.0.0.1:1", port=port)
            began = time.monotonic()
            process.send_signal(which)
            self.assertEqual(0, process.wait(timeout=30))
            self.assertLess(time.monotonic() - began, 5, "nothing is under way: no grace is needed")
            self.assertIn("coordinator.stopped", process.stderr.read())

    def test_without_participants_it_stops_as_soon(self):
        self.assertEqual(0, self.run_it("init", self.journal)[0])
        port = free_port()
        process = self.start("--journal", self.journal, "--listen", f"127.0.0.1:{port}", port=port)
        began = time.monotonic()
        process.send_signal(signal.SIGTERM)
        self.assertEqual(0, process.wait(timeout=60))
        self.assertLess(time.monotonic() - began, 5, "nothing is under way: no grace is needed")


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], "-v"])
