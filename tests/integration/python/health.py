"""grpc.health.v1 without generated code: both messages are one field."""

SERVING, NOT_SERVING = 1, 2

METHOD = "/grpc.health.v1.Health/"


def status_of(reply):
    """HealthCheckResponse{status}; enum values below 128 are one byte."""
    if reply == b"":
        return 0
    assert len(reply) == 2 and reply[0] == 0x08, reply
    return reply[1]


def check(channel):
    """What it says of the whole server."""
    call = channel.unary_unary(METHOD + "Check", request_serializer=None,
                               response_deserializer=status_of)
    return call(b"", timeout=10)


def watch(channel):
    """The same now and at every change."""
    call = channel.unary_stream(METHOD + "Watch", request_serializer=None,
                                response_deserializer=status_of)
    return call(b"", timeout=60)
