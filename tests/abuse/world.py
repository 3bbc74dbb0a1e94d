"""A real daemon with real participants, its memory watched, and somebody honest who uses it.

The honest client asks for a whole transaction of two branches RATE times a second.  Its latency
counts from the moment at which a call was due, so that a stall is not left out.
"""

import os
import pathlib
import subprocess
import sys
import tempfile
import threading
import time
import uuid

import h2

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "integration" / "python"))

from daemon import Daemon, wait_until  # noqa: E402

RATE = 50
NAMES = ("p1", "p2")
WAIT_DECISION, WAIT_END = 2, 3
TICKS = os.sysconf("SC_CLK_TCK")
SAMPLE_S = 0.05


def memory_mib(pid, what):
    """VmRSS or VmHWM; 0 when the process has gone."""
    try:
        with open(f"/proc/{pid}/status", encoding="ascii") as file:
            for line in file:
                if line.startswith(what):
                    return int(line.split()[1]) / 1024
    except OSError:
        pass
    return 0.0


def cpu_s(pid):
    """User and system time of all threads so far."""
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def idle_s():
    """What all processors together have not used since the machine started."""
    with open("/proc/stat", encoding="ascii") as file:
        fields = file.readline().split()
    return (int(fields[4]) + int(fields[5])) / TICKS


def percentile(values, share):
    """In seconds; of nothing it is infinite."""
    ranked = sorted(values)
    return ranked[min(len(ranked) - 1, int(len(ranked) * share))] if ranked else float("inf")


class Watch(threading.Thread):
    """Samples the daemon's memory until it is stopped."""

    def __init__(self, pid):
        super().__init__(daemon=True)
        self.pid, self.peak, self.over = pid, 0.0, threading.Event()
        self.start()

    def run(self):
        while not self.over.wait(SAMPLE_S):
            self.peak = max(self.peak, memory_mib(self.pid, "VmRSS"))

    def stop(self):
        self.over.set()
        self.join()
        return max(self.peak, memory_mib(self.pid, "VmRSS"))


class Honest:
    """Asks steadily over one connection; `failures` are calls that were not confirmed."""

    def __init__(self, port):
        self.port, self.run_id, self.count = port, uuid.uuid4().hex[:8], 0
        self.connection = None
        self.failures = []

    def ask(self, timeout=10.0):
        self.count += 1
        gid = f"honest-{self.run_id}-{self.count}"
        try:
            if self.connection is None:
                self.connection = h2.Connection(self.port)
            status, reply = self.connection.call(h2.execute(gid, NAMES, WAIT_DECISION),
                                                 timeout=timeout)
            if status == 0 and h2.number_field(2, 1) in reply:
                return True
            self.failures.append(f"status {status}")
        except h2.Closed as error:
            self.failures.append(str(error))
            if self.connection is not None:
                self.connection.close()
            self.connection = None
        return False

    def wait_ready(self):
        wait_until(lambda: self.ask(2.0), "the first transaction is confirmed", 30)
        self.failures.clear()

    def measure(self, seconds):
        """Latencies of what was confirmed."""
        latencies, begin = [], time.monotonic()
        for number in range(int(seconds * RATE)):
            due = begin + number / RATE
            if due > time.monotonic():
                time.sleep(due - time.monotonic())
            elif due > begin + seconds or time.monotonic() > begin + seconds + 10:
                break
            if self.ask():
                latencies.append(time.monotonic() - due)
        return latencies


class World:
    """Fresh for every scenario, so that VmHWM is the scenario's own."""

    def __init__(self, tercetd, bench, settings=""):
        self.participants = []
        self.directory = tempfile.TemporaryDirectory(prefix="tercet-abuse-")
        self.daemon = None
        settings = "log_level: error\n" + settings
        targets = {name: f"unix:{self.directory.name}/{name}" for name in NAMES}
        try:
            for name, target in targets.items():
                self.participants.append(subprocess.Popen(
                    [bench, "participant", name, target], stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE, stderr=subprocess.DEVNULL))
                self.participants[-1].stdout.readline()  # it is ready
            self.daemon = Daemon(tercetd, targets, settings)
        except BaseException:
            self.close()
            raise
        self.port, self.pid = self.daemon.port, self.daemon.process.pid

    def alive(self):
        return self.daemon.process.poll() is None

    def open_files(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def close(self):
        """The daemon's exit code."""
        code = self.daemon.close() if self.daemon is not None else None
        for participant in self.participants:
            participant.stdin.close()
            participant.wait(timeout=30)
            participant.stdout.close()
        self.directory.cleanup()
        return code
