package main

// The protocol's half of a participant: docs/protocol.md, sections 2 to 7.
//
// Whatever the network does to a call (twice, late, in the wrong order), its effect happens at most once, because a row of
// tercet_fence is written in the same local transaction as the business change.  What is written and what is answered is
// decided by functions in the database (postgres_functions.sql), to which requests go as they are, in protobuf's JSON.
//
// Not here: the stream Work, without which every request is a call of its own.

import (
	"context"
	"database/sql"
	"errors"
	"strings"

	pb "example.com/bank/tercetv1"
	"github.com/jackc/pgx/v5/pgconn"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
)

// Action is business code.  Each function runs in the transaction that also writes the fence row: it may touch tx and nothing
// else, and neither commits nor rolls back.  It may run more than once.  Without a Try it is confirm-only.
type Action struct {
	Try     func(ctx context.Context, tx *sql.Tx, payload []byte) (result []byte, err error)
	Confirm func(ctx context.Context, tx *sql.Tx, payload []byte) error
	Cancel  func(ctx context.Context, tx *sql.Tx, payload []byte) error
}

// Refused is the error by which a try says a business no.
type Refused struct{ Code, Text string }

func (r Refused) Error() string { return r.Code + ": " + r.Text }

// Participant serves one name over one database.
type Participant struct {
	pb.UnimplementedParticipantServer
	name    string
	actions map[string]Action
	db      *sql.DB
}

func (p *Participant) Try(ctx context.Context, r *pb.BranchRequest) (*pb.BranchReply, error) {
	return p.serve(ctx, r, pb.Phase_PHASE_TRY)
}

func (p *Participant) Confirm(ctx context.Context, r *pb.BranchRequest) (*pb.BranchReply, error) {
	return p.serve(ctx, r, pb.Phase_PHASE_CONFIRM)
}

func (p *Participant) Cancel(ctx context.Context, r *pb.BranchRequest) (*pb.BranchReply, error) {
	return p.serve(ctx, r, pb.Phase_PHASE_CANCEL)
}

func (p *Participant) serve(ctx context.Context, r *pb.BranchRequest, phase pb.Phase) (reply *pb.BranchReply, err error) {
	if r.Phase != phase {
		return nil, status.Error(codes.InvalidArgument, "phase is not the method's")
	}
	if asked := r.GetContext().GetParticipant(); asked != "" && asked != p.name {
		return no(pb.Verdict_VERDICT_LATER, "TERCET_WRONG_PARTICIPANT", "this is "+p.name), nil
	}
	action, known := p.actions[r.Action]
	if !known {
		return nil, status.Error(codes.FailedPrecondition, "TERCET_UNKNOWN_ACTION")
	}
	err = p.ask(ctx, r.Context, func() error {
		if r.GetContext().GetMark() != nil {
			if _, err := p.db.ExecContext(ctx, `SELECT tercet_apply_mark($1)`, inJSON(r.Context)); err != nil {
				return err
			}
		}
		reply, err = p.once(ctx, r, action)
		return err
	})
	if _, told := status.FromError(err); err != nil && !told { // a commit of unknown outcome, too: asked again, the row tells
		return no(pb.Verdict_VERDICT_LATER, "TERCET_HANDLER_FAILED", err.Error()), nil
	}
	return reply, err
}

// once is one local transaction: the claim, the business code if the claim says so, and the commit before the answer.
func (p *Participant) once(ctx context.Context, r *pb.BranchRequest, action Action) (*pb.BranchReply, error) {
	tx, err := p.db.BeginTx(ctx, nil)
	if err != nil {
		return nil, err
	}
	defer tx.Rollback() // does nothing after a commit; what is not DONE leaves nothing behind
	var run bool
	var answer []byte
	request, reply := inJSON(r), &pb.BranchReply{}
	err = tx.QueryRowContext(ctx, `SELECT run, reply FROM tercet_claim($1, $2)`, request, action.Try == nil).Scan(&run, &answer)
	if err == nil {
		err = protojson.Unmarshal(answer, reply)
	}
	if err == nil && run {
		reply.Result, err = action.run(ctx, tx, r)
	}
	var refused Refused
	switch {
	case errors.As(err, &refused) && r.Phase == pb.Phase_PHASE_TRY:
		return no(pb.Verdict_VERDICT_REFUSED, refused.Code, refused.Text), nil
	case errors.As(err, &refused):
		return no(pb.Verdict_VERDICT_LATER, "TERCET_REFUSED_TOO_LATE", refused.Text), nil
	case err != nil || reply.Verdict != pb.Verdict_VERDICT_DONE:
		return reply, err
	}
	if run && len(reply.Result) > 0 {
		if _, err = tx.ExecContext(ctx, `SELECT tercet_keep_result($1, $2)`, request, reply.Result); err != nil {
			return nil, err
		}
	}
	return reply, tx.Commit()
}

func (a Action) run(ctx context.Context, tx *sql.Tx, r *pb.BranchRequest) ([]byte, error) {
	switch r.Phase {
	case pb.Phase_PHASE_TRY:
		return a.Try(ctx, tx, r.Payload)
	case pb.Phase_PHASE_CONFIRM:
		return nil, a.Confirm(ctx, tx, r.Payload)
	}
	return nil, a.Cancel(ctx, tx, r.Payload)
}

// ask repeats what PostgreSQL has rolled back, and makes a start of the coordinator known that is new here.
func (p *Participant) ask(ctx context.Context, asker *pb.RequestContext, do func() error) error {
	var err error
	for attempt := 0; attempt < 5; attempt++ {
		err = do()
		var failed *pgconn.PgError
		if !errors.As(err, &failed) {
			return err
		}
		switch failed.Code {
		case "TC001":
			return status.Error(codes.FailedPrecondition, failed.Message)
		case "TC002":
			if _, err := p.db.ExecContext(ctx, `SELECT tercet_raise_epoch($1)`, inJSON(asker)); err != nil {
				return err
			}
		case "TC003":
			return status.Error(codes.InvalidArgument, failed.Message)
		case "40001", "40P01":
		default:
			return err
		}
	}
	return err
}

func (p *Participant) Describe(ctx context.Context, r *pb.DescribeRequest) (*pb.DescribeReply, error) {
	asker, store, told := &pb.RequestContext{}, &pb.StoreDescription{}, []byte{}
	proto.Merge(asker, r.GetContext())
	asker.Participant = p.name // asked under another name it tells its own
	err := p.ask(ctx, asker, func() error {
		return p.db.QueryRowContext(ctx, `SELECT tercet_describe($1)`, inJSON(asker)).Scan(&told)
	})
	if err != nil {
		return nil, err
	}
	reply := &pb.DescribeReply{Participant: p.name, Stores: []*pb.StoreDescription{store}, Protocol: 1, Software: "bank example in Go"}
	for name, action := range p.actions {
		reply.Actions = append(reply.Actions, &pb.ActionDescription{Name: name, ConfirmOnly: action.Try == nil})
	}
	return reply, protojson.Unmarshal(told, store)
}

func (p *Participant) Inspect(ctx context.Context, r *pb.InspectRequest) (*pb.InspectReply, error) {
	if asked := r.GetContext().GetParticipant(); asked != "" && asked != p.name {
		return nil, status.Error(codes.FailedPrecondition, "this is "+p.name)
	}
	reply, told := &pb.InspectReply{}, []byte{}
	err := p.ask(ctx, r.Context, func() error {
		return p.db.QueryRowContext(ctx, `SELECT tercet_inspect($1)`, inJSON(r)).Scan(&told)
	})
	if err != nil {
		return nil, err
	}
	return reply, protojson.Unmarshal(told, reply)
}

// inJSON leaves the payload out: the database has no use for it.
func inJSON(message proto.Message) []byte {
	if request, ok := message.(*pb.BranchRequest); ok {
		request = proto.Clone(request).(*pb.BranchRequest)
		request.Payload, message = nil, request
	}
	text, _ := protojson.Marshal(message) // fails with text that is not UTF-8, which gRPC has not let through
	return text
}

func no(verdict pb.Verdict, code, text string) *pb.BranchReply {
	text = strings.ToValidUTF8(text[:min(len(text), 255)], "")
	return &pb.BranchReply{Verdict: verdict, Reason: &pb.Reason{Code: code, Text: text}}
}
