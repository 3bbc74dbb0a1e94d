#!/usr/bin/python3
"""A participant of stock gRPC that agrees to everything, to be measured."""

import argparse
import sys
from concurrent import futures

import grpc
from tercet.v1 import participant_pb2 as pb
from tercet.v1 import participant_pb2_grpc as pb_grpc


class Participant(pb_grpc.ParticipantServicer):
    def Try(self, request, context):
        return pb.BranchReply(verdict=pb.VERDICT_DONE, how=pb.HOW_RAN)

    Confirm = Try


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--name", help="of the participant; it agrees to others' branches, too")
    options.add_argument("--listen", help="unix:PATH")
    options = options.parse_args()
    server = grpc.server(futures.ThreadPoolExecutor())
    pb_grpc.add_ParticipantServicer_to_server(Participant(), server)
    server.add_insecure_port(options.listen)
    server.start()
    print("ready", flush=True)
    sys.stdin.read()  # until whoever has started it closes that
    server.stop(None).wait()


if __name__ == "__main__":
    main()
