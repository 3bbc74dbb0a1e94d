"""What the suites that run programs have in common: a directory each, and nothing left running."""

import os
import shutil
import signal
import subprocess
import tempfile
import unittest

from daemon import answers, wait_until


class InDirectory(unittest.TestCase):
    """`directory` is this test's own."""

    def setUp(self):
        self.directory = tempfile.mkdtemp(prefix=f"tercet-{type(self).__name__.lower()}-")

    def tearDown(self):
        shutil.rmtree(self.directory)


class WithProgram(InDirectory):
    """Runs `program`, a tercetd, to its end (run_it) or beside the test (start)."""

    program = None

    def setUp(self):
        super().setUp()
        self.journal = os.path.join(self.directory, "journal")
        self.started = []

    def tearDown(self):
        for process in self.started:
            if process.poll() is None:
                process.kill()
                process.wait()
            process.stderr.close()
        super().tearDown()

    def run_it(self, *arguments, failpoints=""):
        """Its exit code and what it said."""
        done = subprocess.run([self.program, *arguments], capture_output=True, text=True,
                              timeout=60, env=self.environment(failpoints))
        return done.returncode, done.stdout + done.stderr

    def run_unheard(self, *arguments):
        """The same where standard output takes nothing: a full disk."""
        with open("/dev/full", "w", encoding="utf-8") as full:
            done = subprocess.run([self.program, *arguments], stdout=full, stderr=subprocess.PIPE,
                                  text=True, timeout=60, env=self.environment(""))
        return done.returncode, done.stderr

    def start(self, *arguments, port=None, failpoints=""):
        """With `port`, returns when it listens there."""
        process = subprocess.Popen([self.program, *arguments], stderr=subprocess.PIPE, text=True,
                                   env=self.environment(failpoints))
        self.started.append(process)
        if port:
            wait_until(lambda: answers(port) or process.poll() is not None, "it listens")
            self.assertIsNone(process.poll())
        return process

    def stop(self, process):
        """Ends it in order; what it said since it was read last."""
        process.send_signal(signal.SIGTERM)
        self.assertEqual(0, process.wait(timeout=30))
        return process.stderr.read()

    @staticmethod
    def environment(failpoints):
        return dict(os.environ, TERCET_FAILPOINTS=failpoints)


class WithJournal(WithProgram):
    """A journal to work on, and a directory for its backups."""

    def setUp(self):
        super().setUp()
        self.backups = os.path.join(self.directory, "backups")
        os.mkdir(self.backups)
        self.assertEqual(0, self.run_it("init", self.journal)[0])
