"""The few fields of tercet.v1 that the demo looks at, read from the raw bytes.

The relay passes every message on as it is.  It only has to see which transaction a request belongs
to and what a participant has answered, and for that no generated code is needed: a protobuf message
is a row of (field number, value).
"""

from dataclasses import dataclass

VERDICTS = {0: "UNSPECIFIED", 1: "DONE", 2: "REFUSED", 3: "LATER", 4: "CONFLICT"}
HOWS = {0: "", 1: "RAN", 2: "REPEATED", 3: "EMPTY"}

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5


def _varint(data, at):
    value, shift = 0, 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, at


def fields(data):
    """The message's fields by number; of a repeated field the last."""
    found, at = {}, 0
    while at < len(data):
        tag, at = _varint(data, at)
        number, kind = tag >> 3, tag & 7
        if kind == VARINT:
            found[number], at = _varint(data, at)
        elif kind == BYTES:
            size, at = _varint(data, at)
            found[number], at = data[at : at + size], at + size
        elif kind in (FIXED64, FIXED32):
            size = 8 if kind == FIXED64 else 4
            found[number], at = data[at : at + size], at + size
        else:
            raise ValueError(f"wire type {kind} is not known")
    return found


@dataclass(frozen=True)
class Answer:
    """What a call came to: a verdict, or the status of a call that failed."""

    status: str  # "OK", or gRPC's name for the failure
    text: str = ""  # of a failure
    verdict: str = ""
    how: str = ""
    code: str = ""

    def __str__(self):
        if self.status != "OK":
            return f"{self.status} {self.text.split(':')[0]}".strip()
        return " ".join(word for word in (self.verdict, self.how, self.code) if word)

    @staticmethod
    def of_reply(data):
        """Reads a BranchReply."""
        reply = fields(data)
        reason = fields(reply.get(4, b""))
        return Answer(
            status="OK",
            verdict=VERDICTS.get(reply.get(1, 0), "?"),
            how=HOWS.get(reply.get(2, 0), "?"),
            code=reason.get(1, b"").decode(),
        )


def gid_of_request(data):
    """The gid of a BranchRequest."""
    return fields(data).get(1, b"").decode("ascii")
