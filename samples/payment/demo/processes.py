"""Real processes: start them, wait until they serve, kill them, stop them."""

import signal
import socket
import subprocess
import sys
from pathlib import Path

START_DEADLINE_S = 30.0
STOP_DEADLINE_S = 30.0
POLL_S = 0.01

LOG_TAIL_LINES = 15


class ProcessFailure(Exception):
    """A program that did not do what a program must; the text is for people."""


def free_ports(count):
    """Loopback ports that nobody uses now, all different."""
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def tied_to_us(command):
    """The same command; the kernel kills it when this process dies, however it dies."""
    return ["setpriv", "--pdeathsig", "KILL", "--", *map(str, command)]


def accepts_at(port):
    """Whether somebody listens at the loopback port."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1.0).close()
        return True
    except OSError:
        return False


class Server:
    """One server program, which may live several times."""

    def __init__(self, name, command, accepts, log):
        """`accepts()` tells whether it serves by now."""
        self.name, self.log = name, Path(log)
        self._command, self._accepts = command, accepts
        self._process = None

    def start(self):
        """Starts it and returns when it accepts connections."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                tied_to_us(self._command), stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        polls_left = int(START_DEADLINE_S / POLL_S)
        while not self._accepts():
            polls_left -= 1
            # Waiting for its end is the pause between two attempts: a program that has died is
            # noticed at once.
            try:
                code = self._process.wait(timeout=POLL_S)
                raise ProcessFailure(f"{self.name} ended with {code} at once\n{self.log_tail()}")
            except subprocess.TimeoutExpired:
                pass
            if polls_left == 0:
                raise ProcessFailure(
                    f"{self.name} does not listen after {START_DEADLINE_S:.0f} s\n{self.log_tail()}"
                )

    def kill(self):
        """SIGKILL: no farewell, no flush."""
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()

    def signal(self, number):
        """Sends it any signal."""
        self._process.send_signal(number)

    @property
    def runs(self):
        return self._process is not None and self._process.poll() is None

    def stop(self):
        """SIGTERM; returns a sentence when it did not end well, else ""."""
        if self._process is None:
            return ""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
        try:
            code = self._process.wait(timeout=STOP_DEADLINE_S)
        except subprocess.TimeoutExpired:
            self.kill()
            return f"{self.name} did not stop within {STOP_DEADLINE_S:.0f} s of SIGTERM"
        # A server that the story has killed last is not asked to have ended well.
        return "" if code in (0, -signal.SIGKILL) else f"{self.name} ended with {code}"

    def log_tail(self):
        lines = self.log.read_text(errors="replace").splitlines()[-LOG_TAIL_LINES:]
        return "\n".join(f"    {self.name}: {line}" for line in lines)


def run(command, directory=None):
    """Runs a program to its end, returns what it printed; anything but exit code 0 is a failure."""
    done = subprocess.run(
        tied_to_us(command), capture_output=True, text=True, check=False, cwd=directory
    )
    if done.returncode != 0:
        words = " ".join(map(str, command))
        raise ProcessFailure(f"{words}: exit code {done.returncode}\n{done.stderr}")
    return done.stdout


def end_on_sigterm():
    """Makes SIGTERM unwind like Ctrl-C, so that everything that was started is stopped."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
