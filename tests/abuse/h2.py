"""HTTP/2 frames and the few protobuf fields that are needed, by hand: stock clients do not misbehave.

The header table of the peer's encoder is set to size 0, so that its trailers are plain literals in
which `grpc-status` can be looked for.
"""

import socket
import struct
import time

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = range(10)
END_STREAM, ACK, END_HEADERS = 1, 1, 4
FRAME_BYTES = 16384  # the largest that a peer must take
SERVICE = "/tercet.v1.Coordinator/"

RESOURCE_EXHAUSTED, FAILED_PRECONDITION = 8, 9


def frame(kind, flags, stream, payload=b""):
    return (struct.pack(">I", len(payload))[1:] + bytes((kind, flags)) +
            struct.pack(">I", stream) + payload)


def literal(name, value):
    """One header field, never indexed, without Huffman's code."""
    return b"\x00" + text(name) + text(value)


def text(value):
    raw = value if isinstance(value, bytes) else value.encode()
    return integer(len(raw), 7) + raw


def integer(value, bits):
    """RFC 7541, 5.1."""
    most = (1 << bits) - 1
    if value < most:
        return bytes((value,))
    out = bytearray((most,))
    value -= most
    while value >= 128:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)


def request_headers(method="Execute", more=b""):
    """The header block of a call."""
    return (b"\x83\x86" + b"\x04" + text(SERVICE + method) + b"\x01" + text("localhost") +
            b"\x0f\x10" + text("application/grpc") + literal("te", "trailers") + more)


def settings(**values):
    numbers = {"table": 1, "window": 4, "frame": 5, "list": 6}
    return frame(SETTINGS, 0, 0, b"".join(struct.pack(">HI", numbers[name], value)
                                          for name, value in values.items()))


HELLO = PREFACE + settings(table=0, window=1 << 20) + frame(WINDOW_UPDATE, 0, 0,
                                                            struct.pack(">I", 1 << 30))


# ---- protobuf ------------------------------------------------------------------------------------

def varint(value):
    out = bytearray()
    while value >= 128:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)


def number_field(number, value):
    return varint(number << 3) + varint(value)


def bytes_field(number, value):
    raw = value if isinstance(value, bytes) else value.encode()
    return varint(number << 3 | 2) + varint(len(raw)) + raw


def execute(gid, participants, wait):
    """An ExecuteRequest: one branch at each participant."""
    branches = b"".join(
        bytes_field(2, bytes_field(1, name) + bytes_field(2, "agree") +
                    bytes_field(3, b"sixteen bytes..."))
        for name in participants)
    return bytes_field(1, gid) + branches + number_field(3, wait)


def message(body, compressed=0, size=None):
    """gRPC's prefix and the body; `size` lies."""
    return struct.pack(">BI", compressed, len(body) if size is None else size) + body


# ---- One connection, one call at a time ----------------------------------------------------------

class Closed(Exception):
    """The peer ended the connection, or does not answer."""


def connect(port, timeout=5.0):
    try:
        link = socket.create_connection(("127.0.0.1", port), timeout)
    except OSError as error:
        raise Closed(str(error)) from error
    link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    link.settimeout(None)  # so that MSG_DONTWAIT is obeyed; the kernel keeps the time
    for what in (socket.SO_SNDTIMEO, socket.SO_RCVTIMEO):
        link.setsockopt(socket.SOL_SOCKET, what, struct.pack("ll", int(timeout), 0))
    return link


def status_of(block):
    """The number after grpc-status in a literal header block, or None."""
    at = block.find(b"grpc-status")
    if at < 0:
        return None
    at += len(b"grpc-status")
    return int(block[at + 1:at + 1 + block[at]])


class Connection:
    """Well-behaved: keeps to flow control and answers settings and pings."""

    def __init__(self, port):
        self.link = connect(port)
        self.buffer = b""
        self.next_stream = 1
        self.window = self.stream_window = self.initial_window = 65535
        self.ended = None  # the status, when the call in hand has ended
        self.body = b""
        self.stream = 0
        self.send(HELLO)

    def close(self):
        self.link.close()

    def send(self, data):
        try:
            self.link.sendall(data)
        except OSError as error:
            raise Closed(str(error)) from error

    def call(self, body, method="Execute", timeout=10.0, compressed=0, size=None, more=b""):
        """(status, reply)."""
        until = time.monotonic() + timeout
        self.stream, self.next_stream = self.next_stream, self.next_stream + 2
        self.ended, self.body, self.stream_window = None, b"", self.initial_window
        rest = message(body, compressed, size)
        self.send(frame(HEADERS, END_HEADERS, self.stream, request_headers(method, more)))
        while rest and self.ended is None:
            take = min(len(rest), self.window, self.stream_window, FRAME_BYTES)
            if take > 0:
                part, rest = rest[:take], rest[take:]
                self.window -= take
                self.stream_window -= take
                self.send(frame(DATA, 0 if rest else END_STREAM, self.stream, part))
            else:
                self.read(until)
        while self.ended is None:
            self.read(until)
        return self.ended, self.body

    def read(self, until):
        left = until - time.monotonic()
        if left <= 0:
            raise Closed("no answer in time")
        self.link.settimeout(left)
        try:
            got = self.link.recv(1 << 16)
        except OSError as error:
            raise Closed(str(error)) from error
        if not got:
            raise Closed("closed by the daemon")
        self.buffer += got
        while len(self.buffer) >= 9:
            size = int.from_bytes(self.buffer[:3], "big")
            if len(self.buffer) < 9 + size:
                break
            kind, flags = self.buffer[3], self.buffer[4]
            stream = int.from_bytes(self.buffer[5:9], "big")
            payload, self.buffer = self.buffer[9:9 + size], self.buffer[9 + size:]
            self.take(kind, flags, stream, payload)

    def take(self, kind, flags, stream, payload):
        if kind == SETTINGS and not flags & ACK:
            for at in range(0, len(payload), 6):
                name, value = struct.unpack_from(">HI", payload, at)
                if name == 4:
                    self.stream_window += value - self.initial_window
                    self.initial_window = value
            self.send(frame(SETTINGS, ACK, 0))
        elif kind == PING and not flags & ACK:
            self.send(frame(PING, ACK, 0, payload))
        elif kind == WINDOW_UPDATE:
            more = int.from_bytes(payload, "big")
            if stream == 0:
                self.window += more
            elif stream == self.stream:
                self.stream_window += more
        elif kind == GOAWAY:
            raise Closed("GOAWAY " + payload[8:].decode(errors="replace"))
        elif stream == self.stream:
            if kind == DATA:
                self.body += payload
            elif kind == HEADERS and status_of(payload) is not None:
                self.ended = status_of(payload)
            elif kind == RST_STREAM and self.ended is None:
                self.ended = -1 - int.from_bytes(payload, "big")
