"""An operator's day with a journal: verify, back up, restore, recover, a full disk, a damaged day.

usage: journal_tools_test.py TERCETD
"""

import json
import os
import pathlib
import signal
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "python"))

from case import WithJournal  # noqa: E402
from daemon import free_port, wait_until  # noqa: E402

PROGRAM = sys.argv[1]


class Journal(WithJournal):
    program = PROGRAM

    def serve(self, journal, *more):
        port = free_port()
        return self.start("--journal", journal, "--listen", f"127.0.0.1:{port}", "--participants",
                          "a=127.0.0.1:1", *more, port=port)

    def verified(self, directory):
        code, said = self.run_it("verify", "--json", directory)
        self.assertEqual(0, code, said)
        return json.loads(said)

    def test_a_running_one_is_backed_up_and_its_restored_life_runs(self):
        process = self.serve(self.journal, "--backup-directory", self.backups)
        self.assertEqual(69, self.run_it("verify", self.journal)[0])
        process.send_signal(signal.SIGUSR1)
        wait_until(lambda: any(name.endswith("Z") for name in os.listdir(self.backups)),
                   "there is a backup")
        self.assertIn("journal.backup_done", self.stop(process))
        backup = os.path.join(self.backups, os.listdir(self.backups)[0])
        code, said = self.run_it("--journal", backup, "--listen", "127.0.0.1:0",
                                 "--participants", "a=127.0.0.1:1")
        self.assertEqual(66, code, said)
        self.assertIn("tercetd restore", said)
        restored = os.path.join(self.directory, "restored")
        code, said = self.run_it("restore", backup, restored)
        self.assertEqual(0, code, said)
        self.stop(self.serve(restored))
        old = self.verified(self.journal)
        new = self.verified(restored)
        self.assertEqual(old["origin"], new["origin"])
        self.assertGreater(new["incarnation"], old["incarnation"])
        self.assertGreater(new["epoch"], self.verified(backup)["epoch"])
        self.assertGreater(new["horizon_unix_ms"], old["horizon_unix_ms"])
        self.assertEqual(73, self.run_it("restore", backup, restored)[0])
        nowhere = os.path.join(self.directory, "no", "such", "place")
        code, said = self.run_it("restore", backup, nowhere)
        self.assertEqual(73, code, said)
        self.assertIn(nowhere, said)

    def test_sigusr1_without_a_backup_directory_ends_nothing(self):
        process = self.serve(self.journal)
        process.send_signal(signal.SIGUSR1)
        self.assertIn("backup_directory is not set", self.stop(process))

    def test_a_damaged_one_is_refused_and_recovered(self):
        process = self.serve(self.journal)
        process.kill()
        process.wait()
        log = next(pathlib.Path(self.journal, "live").glob("*.log"))
        os.truncate(log, log.stat().st_size // 2)
        code, said = self.run_it("--journal", self.journal, "--listen", "127.0.0.1:0",
                                 "--participants", "a=127.0.0.1:1")
        self.assertEqual(65, code, said)
        self.assertIn("tercetd verify", said)
        code, said = self.run_it("verify", self.journal)
        self.assertEqual(65, code, said)
        self.assertIn("is damaged", said)
        recovered = os.path.join(self.directory, "recovered")
        code, said = self.run_it("recover", self.journal, recovered)
        self.assertEqual(65, code, said)
        self.assertIn("--accept-loss", said)
        self.assertFalse(os.path.exists(recovered))
        code, said = self.run_it("recover", "--accept-loss", self.journal, recovered)
        self.assertEqual(0, code, said)
        self.stop(self.serve(recovered))
        self.assertTrue(self.verified(recovered)["sound"])
        self.assertEqual(65, self.run_it("verify", self.journal)[0], "the old one is as it was")

    def test_there_is_ballast_and_it_goes_when_it_is_told_to(self):
        ballast = pathlib.Path(self.journal, "ballast")
        self.stop(self.serve(self.journal))
        self.assertGreaterEqual(ballast.stat().st_blocks * 512, 16 << 20)
        self.stop(self.serve(self.journal, "--ballast-bytes", "0"))
        self.assertFalse(ballast.exists())

    def test_a_full_disk_does_not_keep_it_from_starting(self):
        disk = os.path.join(self.directory, "disk")
        os.mkdir(disk)
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", disk],
                                 capture_output=True)
        if mounted.returncode != 0:
            self.skipTest("may not mount a small file system")
        try:
            self.fill_and_start(disk)
        finally:
            subprocess.run(["umount", "-l", disk], check=True)

    def fill_and_start(self, disk):
        journal = os.path.join(disk, "journal")
        ballast = pathlib.Path(journal, "ballast")
        filler = os.path.join(disk, "filler")
        self.assertEqual(0, self.run_it("init", journal)[0])
        process = self.serve(journal)
        process.kill()
        process.wait()
        self.assertTrue(ballast.exists())
        with open(filler, "wb", buffering=0) as file:
            with self.assertRaises(OSError):
                while file.write(bytes(4096)) == 4096:
                    pass
                raise OSError("a short write is a full disk, too")
        self.assertEqual(0, os.statvfs(disk).f_bavail)
        said = self.stop(self.serve(journal))
        self.assertIn("journal.ballast_released", said)
        self.assertFalse(ballast.exists())
        os.remove(filler)
        self.stop(self.serve(journal))
        self.assertTrue(ballast.exists(), "it is put back when there is space again")

    def test_what_cannot_be_told_is_no_success(self):
        made = os.path.join(self.directory, "made")
        for arguments in (["verify", self.journal], ["verify", "--json", self.journal],
                          ["restore", self.journal, made + "-1"],
                          ["recover", self.journal, made + "-2"],
                          ["recover", "--accept-loss", self.journal, made + "-3"]):
            code, said = self.run_unheard(*arguments)
            self.assertEqual(74, code, arguments)
            self.assertEqual("tercetd: not all was written to standard output: "
                             "No space left on device\n", said)
        for number, is_there in ((1, True), (2, False), (3, True)):
            self.assertEqual(is_there, os.path.exists(f"{made}-{number}"), number)
        self.assertTrue(self.verified(made + "-3")["sound"])

    def test_a_damaged_one_stays_damaged_where_nothing_can_be_told(self):
        os.remove(os.path.join(self.journal, "witness"))
        code, said = self.run_unheard("verify", self.journal)
        self.assertEqual(65, code, said)
        self.assertIn("No space left on device", said)

    def test_wrong_use_is_one_line_with_an_example(self):
        for arguments in (["verify"], ["verify", "a", "b"], ["verify", "--accept-loss", "a"],
                          ["restore", "a"], ["recover", "a"], ["recover", "a", "b", "c"],
                          ["restore", "--window", "3", "a", "b"], ["--json"]):
            code, said = self.run_it(*arguments)
            self.assertEqual(64, code, arguments)
            self.assertEqual(1, len(said.strip().splitlines()), said)
            self.assertIn("example: tercetd ", said)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], "-v"])
