package main

// Describe and Inspect: what the coordinator asks on each new connection, and after its journal was
// restored from a backup.

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	pb "example.com/bank/tercetv1"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// inOneMoment reads from one snapshot: rows and mark that are read apart can show a mark that is
// older than the rows it has let go.
func (p *Participant) inOneMoment(ctx context.Context, read func(tx *sql.Tx) error) error {
	tx, err := p.db.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true})
	if err != nil {
		return err
	}
	defer tx.Rollback()
	return read(tx)
}

func (p *Participant) Describe(ctx context.Context, r *pb.DescribeRequest) (*pb.DescribeReply, error) {
	if wrong := whatIsWrong(r.Context); wrong != "" { // asked under another name it tells its own
		return nil, status.Error(codes.InvalidArgument, wrong)
	}
	if err := p.raiseEpoch(ctx, r.Context); err != nil { // durable before anything is told
		return nil, err
	}
	store := &pb.StoreDescription{Kind: "postgresql"}
	err := p.inOneMoment(ctx, func(tx *sql.Tx) error {
		seen, err := p.readMark(ctx, tx, r.Context, "")
		if err != nil {
			return err
		}
		store.Incarnation, store.Epoch = seen.epoch.incarnation, seen.epoch.number
		if seen.age.incarnation > 0 {
			store.Mark = seen.told
		}
		if err = tx.QueryRowContext(ctx, `SELECT store_id FROM tercet_store`).Scan(&store.StoreId); err != nil {
			return err
		}
		const mine = ` FROM tercet_fence WHERE participant = $1 AND origin = $2`
		if err = tx.QueryRowContext(ctx, `SELECT count(*)`+mine, p.name, r.Context.Origin).Scan(&store.Rows); err != nil {
			return err
		}
		highest := &pb.BranchNumber{}
		err = tx.QueryRowContext(ctx, `SELECT incarnation, number`+mine+` ORDER BY incarnation DESC, number DESC LIMIT 1`,
			p.name, r.Context.Origin).Scan(&highest.Incarnation, &highest.Number)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		store.Highest = highest
		return err
	})
	if err != nil {
		return nil, err
	}
	reply := &pb.DescribeReply{Participant: p.name, Stores: []*pb.StoreDescription{store}, Protocol: 1,
		Software: "bank example in Go"}
	for name, action := range p.actions {
		reply.Actions = append(reply.Actions, &pb.ActionDescription{Name: name, ConfirmOnly: action.confirmOnly()})
	}
	return reply, nil
}

func (p *Participant) Inspect(ctx context.Context, r *pb.InspectRequest) (*pb.InspectReply, error) {
	if wrong := whatIsWrong(r.Context); wrong != "" {
		return nil, status.Error(codes.InvalidArgument, wrong)
	}
	if r.Context.Participant != p.name {
		return nil, status.Error(codes.FailedPrecondition, "this is "+p.name)
	}
	where := "participant = $1 AND origin = $2"
	values := []any{p.name, r.Context.Origin}
	add := func(condition string, more ...any) {
		for _, value := range more {
			values = append(values, value)
		}
		where += fmt.Sprintf(condition, len(values)-1, len(values))
	}
	switch {
	case r.Gid != "" && r.Branch != 0:
		where, values = "gid = $1 AND branch = $2", []any{[]byte(r.Gid), r.Branch}
	case r.Gid != "":
		where, values = "gid = $1", []any{[]byte(r.Gid)}
	default:
		if r.From != nil {
			add(" AND (incarnation, number) >= ($%d, $%d)", r.From.Incarnation, r.From.Number)
		}
		if r.Below != nil {
			add(" AND (incarnation, number) < ($%d, $%d)", r.Below.Incarnation, r.Below.Number)
		}
		if r.PageToken != "" { // the last page's last row
			var last pair
			if _, err := fmt.Sscanf(r.PageToken, "%d.%d", &last.incarnation, &last.number); err != nil {
				return nil, status.Error(codes.InvalidArgument, "page_token is not one of ours")
			}
			add(" AND (incarnation, number) > ($%d, $%d)", last.incarnation, last.number)
		}
	}
	size := int(min(r.PageSize, 1000))
	if size == 0 {
		size = 100
	}
	found, err := p.db.QueryContext(ctx, `SELECT gid, branch, state, origin, incarnation, number, digest, action, result
	    FROM tercet_fence WHERE `+where+fmt.Sprintf(` ORDER BY incarnation, number LIMIT %d`, size+1), values...)
	if err != nil {
		return nil, err
	}
	defer found.Close()
	reply := &pb.InspectReply{}
	for found.Next() {
		if len(reply.Rows) == size { // there is more
			last := reply.Rows[size-1].Number
			reply.NextPageToken = fmt.Sprintf("%d.%d", last.Incarnation, last.Number)
			break
		}
		var gid []byte
		row := &pb.FenceRow{Number: &pb.BranchNumber{}}
		if err := found.Scan(&gid, &row.Branch, &row.State, &row.Origin, &row.Number.Incarnation,
			&row.Number.Number, &row.Digest, &row.Action, &row.Result); err != nil {
			return nil, err
		}
		row.Gid = string(gid)
		reply.Rows = append(reply.Rows, row)
	}
	if r.Gid != "" && r.Branch != 0 && len(reply.Rows) == 0 {
		reply.Rows = append(reply.Rows, &pb.FenceRow{Gid: r.Gid, Branch: r.Branch, State: pb.FenceState_FENCE_STATE_NONE})
	}
	return reply, found.Err()
}
