"""Death and failure at every named place of what an operator does: init, backup, restore, recover,
verify, ballast, the links in safety/.

usage: tools_crash_test.py TERCETD

Whatever dies: the journal that it was given is as it was, what it was making is not taken for a
journal before it is whole, and the same command done again does it.
"""

import hashlib
import os
import pathlib
import shutil
import signal
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "python"))

from case import WithJournal  # noqa: E402
from daemon import free_port, wait_until  # noqa: E402

PROGRAM = sys.argv[1]
KILLED = -signal.SIGKILL
DAMAGED = 65
NO_JOURNAL = 66
MOVES = 5  # parts that go into place, FORMAT last
COPY = ["copy.before_live", "copy.before_days", "copy.before_format"]
PLACE = [f"init.before_move={i}*off->kill" for i in range(MOVES)]


def armed(point):
    return point if "=" in point else point + "=kill"


def contents(directory):
    """Of every file, by its path."""
    return {str(path.relative_to(directory)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(pathlib.Path(directory).rglob("*")) if path.is_file()}


class Tools(WithJournal):
    program = PROGRAM

    def arguments(self, journal, port):
        return ["--journal", journal, "--listen", f"127.0.0.1:{port}", "--participants",
                "a=127.0.0.1:1", "--backup-directory", self.backups]

    def serve(self, failpoints="", dies=False):
        port = free_port()
        process = self.start(*self.arguments(self.journal, port), port=None if dies else port,
                             failpoints=failpoints)
        if dies:
            self.assertEqual(KILLED, process.wait(timeout=60), failpoints)
        return process

    def assert_sound(self, directory):
        code, said = self.run_it("verify", directory)
        self.assertEqual(0, code, said)

    def assert_no_journal(self, directory):
        code, said = self.run_it(*self.arguments(directory, 0))
        self.assertEqual(NO_JOURNAL, code, said)

    def test_an_init_that_died_is_done_again(self):
        for number, point in enumerate(["init.before_live", "init.before_files", *PLACE]):
            with self.subTest(point=point):
                made = os.path.join(self.directory, f"made{number}")
                self.assertEqual(KILLED, self.run_it("init", made, failpoints=armed(point))[0])
                self.assert_no_journal(made)
                if point == PLACE[3]:  # and the one that takes the parts back dies, too
                    self.assertEqual(KILLED, self.run_it(
                        "init", made, failpoints="init.before_take_back=1*off->kill")[0])
                    self.assert_no_journal(made)
                self.assertEqual(0, self.run_it("init", made)[0])
                self.assert_sound(made)

    def test_an_init_that_died_when_all_was_in_place_has_made_a_journal(self):
        made = os.path.join(self.directory, "made")
        self.assertEqual(KILLED, self.run_it("init", made, failpoints="init.moved=kill")[0])
        self.assert_sound(made)

    def assert_done_again(self, command, source, points):
        """`command` dies at each point; then it makes a sound journal."""
        before = contents(source)
        for number, point in enumerate(points):
            with self.subTest(point=point):
                target = os.path.join(self.directory, f"{command[0]}{number}")
                code, said = self.run_it(*command, source, target, failpoints=armed(point))
                self.assertEqual(KILLED, code, said)
                self.assertEqual(before, contents(source))
                self.assert_no_journal(target)
                shutil.rmtree(target)
                code, said = self.run_it(*command, source, target)
                self.assertEqual(0, code, said)
                self.assert_sound(target)
                self.assertEqual(before, contents(source))

    def test_a_restore_that_died_has_changed_nothing_and_is_done_again(self):
        self.serve().kill()
        self.started[-1].wait()
        self.assert_done_again(["restore"], self.journal, [
            *COPY, "new_life.before_write", "restore.before_finish", *PLACE])

    def test_a_recovery_that_died_has_changed_nothing_and_is_done_again(self):
        self.serve().kill()
        self.started[-1].wait()
        log = next(pathlib.Path(self.journal, "live").glob("*.log"))
        os.truncate(log, log.stat().st_size // 2)
        self.assert_done_again(["recover", "--accept-loss"], self.journal, [
            "recover.damaged", "salvage.before_repair", "salvage.before_replay",
            "salvage.before_sift", "salvage.before_rename", "recover.before_finish"])

    def scratches(self):
        return [str(path) for path in pathlib.Path(self.directory).glob("*scratch*")]

    def test_a_verify_that_died_has_changed_nothing_and_the_next_leaves_nothing(self):
        before = contents(self.journal)
        for point in [*COPY, "verify.before_remove"]:
            with self.subTest(point=point):
                self.assertEqual(KILLED, self.run_it("verify", self.journal,
                                                     failpoints=armed(point))[0])
                self.assertEqual(before, contents(self.journal))
                self.assertEqual(KILLED, self.run_it(
                    "verify", self.journal, failpoints=armed("scratch.before_remove_old"))[0])
                self.assertEqual([self.journal + ".scratch"], self.scratches())
                self.assert_sound(self.journal)
                self.assertEqual([], self.scratches())

    def test_a_recovery_that_only_tells_and_died_leaves_nothing_behind_the_next(self):
        log = next(pathlib.Path(self.journal, "live").glob("*.log"))
        os.truncate(log, log.stat().st_size // 2)
        target = os.path.join(self.directory, "target")
        for point in ["recover.damaged", "salvage.before_repair", "salvage.before_replay",
                      "salvage.before_sift", "salvage.before_rename"]:
            with self.subTest(point=point):
                self.assertEqual(KILLED, self.run_it("recover", self.journal, target,
                                                     failpoints=armed(point))[0])
                self.assertEqual([self.journal + ".scratch"], self.scratches())
                self.assertEqual(DAMAGED, self.run_it("recover", self.journal, target)[0])
                self.assertEqual([], self.scratches())
                self.assertFalse(os.path.exists(target))

    def test_what_has_a_scratchs_name_and_is_none_is_left_alone(self):
        mine = pathlib.Path(self.journal + ".scratch")
        shutil.copytree(self.journal, mine)
        before = contents(mine)
        code, said = self.run_it("verify", self.journal)
        self.assertNotEqual(0, code)
        self.assertIn("move it away", said)
        self.assertEqual(before, contents(mine))

    def backed_up(self):
        return [os.path.join(self.backups, name) for name in os.listdir(self.backups)
                if name.endswith("Z")]

    def test_a_backup_is_whole_or_not_there_wherever_the_coordinator_dies(self):
        for point in ["backup.begun", "backup.before_write", "backup.before_sync", "backup.copied",
                      "backup.before_rename", "backup.renamed"]:
            with self.subTest(point=point):
                process = self.serve(armed(point))
                process.send_signal(signal.SIGUSR1)
                self.assertEqual(KILLED, process.wait(timeout=30))
                self.assertEqual(point == "backup.renamed", len(self.backed_up()) == 1)
                for backup in self.backed_up():
                    self.assert_sound(backup)
        shutil.rmtree(self.backups)
        os.mkdir(self.backups)
        process = self.serve()
        process.send_signal(signal.SIGUSR1)
        wait_until(self.backed_up, "there is a backup")
        self.stop(process)
        self.assert_sound(self.backed_up()[0])

    def test_a_backup_that_cannot_be_written_is_given_up_and_the_coordinator_goes_on(self):
        process = self.serve("backup.write=1*fail")
        process.send_signal(signal.SIGUSR1)
        said = ""
        while "journal.backup_failed" not in said:
            said = process.stderr.readline()
            self.assertTrue(said, "it ended")
        wait_until(lambda: not os.listdir(self.backups), "what was made of it is gone")
        process.send_signal(signal.SIGUSR1)
        wait_until(self.backed_up, "the next one is there")
        self.stop(process)

    def test_ballast_goes_when_the_disk_is_full_and_is_put_back(self):
        ballast = pathlib.Path(self.journal, "ballast")
        self.stop(self.serve())
        self.assertTrue(ballast.exists())
        self.serve("ballast.disk_full=fail;ballast.released=kill", dies=True)
        self.assertFalse(ballast.exists())
        self.serve("ballast.created=kill", dies=True)
        self.assertEqual(0, ballast.stat().st_size)
        self.assertIn("journal.ballast_missing", self.stop(self.serve("ballast.allocate=fail")))
        self.assertFalse(ballast.exists())
        self.stop(self.serve())
        self.assertGreaterEqual(ballast.stat().st_blocks * 512, 16 << 20)
        said = self.stop(self.serve("ballast.disk_full=fail"))
        self.assertIn("journal.ballast_released", said)
        self.assertTrue(ballast.exists())

    def test_a_death_among_the_links_in_safety_loses_nothing(self):
        for _ in range(4):  # three are kept: the next start has one to remove
            self.stop(self.serve())
        for point in ["safety.before_links", "safety.before_pending", "safety.before_keep",
                      "safety.before_prune"]:
            with self.subTest(point=point):
                self.serve(armed(point), dies=True)
                self.assert_sound(self.journal)
                self.stop(self.serve())


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], "-v"])
