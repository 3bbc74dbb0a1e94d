"""Makes Python stubs from the project's own protos, at test time, and imports them."""

import importlib
import subprocess
import sys
import tempfile


def make(protos):
    """The modules; what they were made in is gone again."""
    names = ["participant_pb2", "participant_pb2_grpc", "coordinator_pb2", "coordinator_pb2_grpc"]
    with tempfile.TemporaryDirectory(prefix="tercet-stubs-") as out:
        subprocess.run(
            ["protoc", "-I", protos, "--python_out", out, "--grpc_python_out", out,
             "--plugin=protoc-gen-grpc_python=/usr/bin/grpc_python_plugin",
             "tercet/v1/participant.proto", "tercet/v1/coordinator.proto"], check=True)
        sys.path.insert(0, out)
        try:
            return [importlib.import_module("tercet.v1." + name) for name in names]
        finally:
            sys.path.remove(out)
