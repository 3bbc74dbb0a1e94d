"""Asks for transactions by the thousand over raw frames: at a rate, or so many at a time.

Open loop: requests leave when they are due, whatever has become of those before; the only limit is
the daemon's own, the calls on one connection.  What does not fit even there is counted as unsent.
"""

import collections
import select
import struct
import time

import h2
from world import NAMES, WAIT_END

CONNECTIONS = 20
STREAMS = 240        # on one connection; the daemon allows 256
TURN_S = 0.005
GID = "load-%s-%010d"
GIVE_BACK = 1 << 20  # bytes read before the window is opened again


class Second:
    """What was answered within one second."""

    def __init__(self):
        self.confirmed = self.refused = self.other = self.unsent = 0
        self.latencies = []


class Lane:
    """One connection with many calls under way."""

    def __init__(self, port, owner):
        self.link, self.owner = h2.connect(port), owner
        self.link.sendall(h2.HELLO)
        self.link.setblocking(False)
        self.out, self.buffer, self.unread = bytearray(), b"", 0
        self.next_stream = 1
        self.asked = {}  # stream -> when it was due

    def ask(self, body, due):
        stream, self.next_stream = self.next_stream, self.next_stream + 2
        self.asked[stream] = due
        name = struct.pack(">I", stream)
        self.out += b"".join((self.owner.headers, name, self.owner.block,
                              self.owner.data, name, body))

    def write(self):
        if self.out:
            try:
                del self.out[:self.link.send(self.out)]
            except BlockingIOError:
                pass

    def read(self):
        got = self.link.recv(1 << 18)
        if not got:
            raise h2.Closed("the daemon closed a generator's connection")
        self.unread += len(got)
        if self.unread > GIVE_BACK:
            self.out += h2.frame(h2.WINDOW_UPDATE, 0, 0, struct.pack(">I", self.unread))
            self.unread = 0
        data, at, now = self.buffer + got, 0, time.monotonic()
        while at + 9 <= len(data):
            high, low, kind, flags, stream = struct.unpack_from(">BHBBI", data, at)
            end = at + 9 + (high << 16 | low)
            if end > len(data):
                break
            if stream == 0:
                self.control(kind, flags, data[at + 9:end])
            elif kind == h2.DATA:
                if data.find(self.owner.confirmed, at + 9, end) >= 0:
                    self.answer(stream, now, True, None)
            elif kind == h2.RST_STREAM or flags & h2.END_STREAM:
                self.answer(stream, now, False, data[at + 9:end])
            at = end
        self.buffer = data[at:]

    def control(self, kind, flags, payload):
        if kind == h2.SETTINGS and not flags & h2.ACK:
            self.out += h2.frame(h2.SETTINGS, h2.ACK, 0)
        elif kind == h2.PING and not flags & h2.ACK:
            self.out += h2.frame(h2.PING, h2.ACK, 0, payload)
        elif kind == h2.GOAWAY:
            raise h2.Closed("GOAWAY")

    def answer(self, stream, now, confirmed, block):
        """The stream of what was confirmed stays with None until its trailers have come."""
        if confirmed:
            self.owner.second(now).confirmed += 1
            self.owner.second(now).latencies.append(now - self.asked[stream])
            self.asked[stream] = None
        elif self.asked.pop(stream) is not None:
            status = h2.status_of(block) if len(block) > 4 else None
            if status in self.owner.refusals:
                self.owner.second(now).refused += 1
            else:
                self.owner.second(now).other += 1


class Generator:
    """Lives through several phases; each returns its list of Seconds."""

    def __init__(self, port, run_id, participants=NAMES):
        gid = GID % (run_id, 0)
        body = h2.message(h2.execute(gid, participants, WAIT_END))
        headers = h2.frame(h2.HEADERS, h2.END_HEADERS, 0, h2.request_headers())
        data = h2.frame(h2.DATA, h2.END_STREAM, 0, body)
        self.headers, self.block, self.data = headers[:5], headers[9:], data[:5]
        self.before, self.after = data[9:].split(gid.encode())
        self.confirmed = h2.number_field(2, 1) + h2.number_field(3, 4)  # outcome, state
        self.refusals = (h2.RESOURCE_EXHAUSTED, h2.FAILED_PRECONDITION)
        self.run_id, self.number, self.turn = run_id, 0, 0
        self.begin, self.seconds = 0.0, []
        self.lanes = [Lane(port, self) for _ in range(CONNECTIONS)]

    def close(self):
        for lane in self.lanes:
            lane.link.close()

    def second(self, now):
        index = int(now - self.begin)
        while len(self.seconds) <= index:
            self.seconds.append(Second())
        return self.seconds[index]

    def under_way(self):
        return sum(len(lane.asked) for lane in self.lanes)

    def ask(self, due):
        for _ in self.lanes:
            self.turn += 1
            lane = self.lanes[self.turn % len(self.lanes)]
            if len(lane.asked) < STREAMS:
                self.number += 1
                gid = (GID % (self.run_id, self.number)).encode()
                lane.ask(b"".join((self.before, gid, self.after)), due)
                return
        self.second(due).unsent += 1

    def poll(self, seconds):
        readable, _, _ = select.select([lane.link for lane in self.lanes], [], [], seconds)
        ready = set(readable)
        for lane in self.lanes:
            if lane.link in ready:
                lane.read()
            lane.write()

    def start(self):
        self.begin, self.seconds = time.monotonic(), []
        return self.begin

    def closed(self, concurrency, seconds):
        """So many under way at every moment."""
        until = self.start() + seconds
        while time.monotonic() < until:
            now = time.monotonic()
            for _ in range(concurrency - self.under_way()):
                self.ask(now)
            self.poll(TURN_S)
        return self.seconds[:int(seconds)] or self.seconds

    def open(self, rate, seconds):
        begin = self.start()
        sent = 0
        while time.monotonic() < begin + seconds:
            due = int((time.monotonic() - begin) * rate)
            for number in range(sent, due):
                self.ask(begin + number / rate)
            sent = due
            self.poll(TURN_S)
        return self.seconds[:int(seconds)] or self.seconds

    def drain(self, seconds):
        until = time.monotonic() + seconds
        while self.under_way() and time.monotonic() < until:
            self.poll(TURN_S)


def total(seconds):
    count = collections.Counter()
    for one in seconds:
        count.update(confirmed=one.confirmed, refused=one.refused, other=one.other,
                     unsent=one.unsent)
    return count


def latencies(seconds):
    return [value for one in seconds for value in one.latencies]
