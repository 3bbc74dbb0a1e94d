// A participant of stock gRPC that agrees to everything, to be measured.
package main

//go:generate go build -o bin/ google.golang.org/protobuf/cmd/protoc-gen-go google.golang.org/grpc/cmd/protoc-gen-go-grpc
//go:generate protoc -I $PROTOS --plugin=bin/protoc-gen-go --plugin=bin/protoc-gen-go-grpc --go_out=. --go_opt=module=example.com/stock,Mtercet/v1/participant.proto=example.com/stock/tercetv1 --go-grpc_out=. --go-grpc_opt=module=example.com/stock,Mtercet/v1/participant.proto=example.com/stock/tercetv1 tercet/v1/participant.proto

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"strings"

	pb "example.com/stock/tercetv1"
	"google.golang.org/grpc"
)

type participant struct {
	pb.UnimplementedParticipantServer
}

func (participant) Try(context.Context, *pb.BranchRequest) (*pb.BranchReply, error) {
	return &pb.BranchReply{Verdict: pb.Verdict_VERDICT_DONE, How: pb.How_HOW_RAN}, nil
}

func (p participant) Confirm(ctx context.Context, request *pb.BranchRequest) (*pb.BranchReply, error) {
	return p.Try(ctx, request)
}

func main() {
	flag.String("name", "", "of the participant; it agrees to others' branches, too")
	listen := flag.String("listen", "", "unix:PATH")
	flag.Parse()
	listener, err := net.Listen("unix", strings.TrimPrefix(*listen, "unix:"))
	if err != nil {
		log.Fatal(err)
	}
	server := grpc.NewServer()
	pb.RegisterParticipantServer(server, participant{})
	go func() { log.Fatal(server.Serve(listener)) }()
	fmt.Println("ready")
	io.Copy(io.Discard, os.Stdin) // until whoever has started it closes that
}
