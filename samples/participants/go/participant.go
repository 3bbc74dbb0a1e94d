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
	"strconv"
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
	me      []byte
	actions map[string]Action
	db      *sql.DB
}

func NewParticipant(name string, db *sql.DB, actions map[string]Action) *Participant {
	me := &pb.DescribeReply{Participant: name, Software: "bank example in Go"}
	for name, action := range actions {
		me.Actions = append(me.Actions, &pb.ActionDescription{Name: name, ConfirmOnly: action.Try == nil})
	}
	return &Participant{me: inJSON(me), actions: actions, db: db}
}

func (p *Participant) Try(ctx context.Context, r *pb.BranchRequest) (*pb.BranchReply, error) {
	return p.serve(ctx, "Try", r)
}

func (p *Participant) Confirm(ctx context.Context, r *pb.BranchRequest) (*pb.BranchReply, error) {
	return p.serve(ctx, "Confirm", r)
}

func (p *Participant) Cancel(ctx context.Context, r *pb.BranchRequest) (*pb.BranchReply, error) {
	return p.serve(ctx, "Cancel", r)
}

func (p *Participant) Describe(ctx context.Context, r *pb.DescribeRequest) (*pb.DescribeReply, error) {
	reply := &pb.DescribeReply{}
	return reply, p.ask(ctx, "Describe", r, reply, nil)
}

func (p *Participant) Inspect(ctx context.Context, r *pb.InspectRequest) (*pb.InspectReply, error) {
	reply := &pb.InspectReply{}
	return reply, p.ask(ctx, "Inspect", r, reply, nil)
}

func (p *Participant) serve(ctx context.Context, method string, r *pb.BranchRequest) (*pb.BranchReply, error) {
	payload, reply := r.Payload, &pb.BranchReply{}
	r.Payload = nil // the database has no use for it
	err := p.ask(ctx, method, r, reply, func(tx *sql.Tx) (err error) {
		switch action := p.actions[r.Action]; method {
		case "Try":
			reply.Result, err = action.Try(ctx, tx, payload)
		case "Confirm":
			err = action.Confirm(ctx, tx, payload)
		case "Cancel":
			err = action.Cancel(ctx, tx, payload)
		}
		if err == nil && len(reply.Result) > 0 {
			_, err = tx.ExecContext(ctx, `SELECT tercet_keep_result($1, $2)`, inJSON(r), reply.Result)
		}
		return err
	})
	var refused Refused
	_, told := status.FromError(err)
	switch {
	case errors.As(err, &refused) && method == "Try":
		return no(pb.Verdict_VERDICT_REFUSED, refused.Code, refused.Text), nil
	case errors.As(err, &refused):
		return no(pb.Verdict_VERDICT_LATER, "TERCET_REFUSED_TOO_LATE", refused.Text), nil
	case !told: // a commit of unknown outcome, too: asked again, the row tells
		return no(pb.Verdict_VERDICT_LATER, "TERCET_HANDLER_FAILED", err.Error()), nil
	}
	return reply, err
}

// ask repeats what PostgreSQL has rolled back.
func (p *Participant) ask(ctx context.Context, method string, request, reply proto.Message, run func(*sql.Tx) error) error {
	for attempt := 1; ; attempt++ {
		err := p.once(ctx, method, request, reply, run)
		var failed *pgconn.PgError
		switch {
		case !errors.As(err, &failed):
			return err
		case strings.HasPrefix(failed.Code, "TC"):
			code, _ := strconv.Atoi(failed.Code[2:])
			return status.Error(codes.Code(code), failed.Message)
		case attempt == 5 || failed.Code != "40001" && failed.Code != "40P01":
			return err
		}
	}
}

// once is one local transaction: the claim, the business code if the claim says so, and the commit before the answer.
func (p *Participant) once(ctx context.Context, method string, request, reply proto.Message, run func(*sql.Tx) error) error {
	asked := []any{p.me, method, inJSON(request)}
	// What is new in its context stays, whatever becomes of it.
	if _, err := p.db.ExecContext(ctx, `SELECT tercet_accept($1, $2, $3)`, asked...); err != nil {
		return err
	}
	tx, err := p.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() // does nothing after a commit
	var isRun bool
	var answer []byte
	err = tx.QueryRowContext(ctx, `SELECT run, reply FROM tercet_serve($1, $2, $3)`, asked...).Scan(&isRun, &answer)
	if err == nil {
		err = protojson.Unmarshal(answer, reply)
	}
	if err == nil && isRun {
		err = run(tx)
	}
	if err != nil {
		return err
	}
	return tx.Commit()
}

func inJSON(message proto.Message) []byte {
	text, _ := protojson.Marshal(message) // fails with text that is not UTF-8, which gRPC has not let through
	return text
}

func no(verdict pb.Verdict, code, text string) *pb.BranchReply {
	text = strings.ToValidUTF8(text[:min(len(text), 255)], "")
	return &pb.BranchReply{Verdict: verdict, Reason: &pb.Reason{Code: code, Text: text}}
}
