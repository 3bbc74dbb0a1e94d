"""A real tercetd in a directory of its own."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until(condition, what, timeout_s=20):
    until = time.monotonic() + timeout_s
    while time.monotonic() < until:
        value = condition()
        if value:
            return value
        time.sleep(0.01)
    raise AssertionError(f"not within {timeout_s} s: {what}")


def answers(port):
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
        return True
    except OSError:
        return False


class Daemon:
    """Starts, kills and starts again; `participants` maps names to targets, or to several of them and the
    number of connections to each."""

    def __init__(self, program, participants, settings=""):
        self.program = program
        self.port = free_port()
        self.directory = tempfile.mkdtemp(prefix="tercet-test-")
        journal = os.path.join(self.directory, "journal")
        subprocess.run([program, "init", journal], check=True)
        lines = [f"listen: [127.0.0.1:{self.port}]", f"journal: {journal}", "participants:"]
        for name, target in participants.items():
            where = f"target: '{target}'"
            if not isinstance(target, str):
                where = f"targets: {target[0]}, connections: {target[1]}"
            lines.append(f"  - {{name: {name}, {where}}}")
        self.config = os.path.join(self.directory, "tercetd.yaml")
        with open(self.config, "w", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n" + settings)
        self.log = open(os.path.join(self.directory, "log"), "wb")
        self.process = None
        self.start()

    def start(self):
        self.process = subprocess.Popen([self.program, "--config", self.config],
                                        stderr=self.log, stdout=self.log)
        wait_until(lambda: answers(self.port) or self.process.poll() is not None, "it listens")
        if self.process.poll() is not None:
            raise AssertionError(f"tercetd ended with {self.process.returncode}: {self.log_text()}")

    def log_text(self):
        with open(self.log.name, encoding="utf-8") as file:
            return file.read()

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self):
        """Asks it to end; its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=30)

    def close(self):
        code = self.stop()
        self.log.close()
        if code == 0:
            shutil.rmtree(self.directory)
        return code
