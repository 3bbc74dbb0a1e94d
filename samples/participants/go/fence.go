package main

// The protocol's half of a participant, over PostgreSQL: docs/protocol.md, sections 3 to 7.
//
// Whatever the network does to a call (twice, late, in the wrong order), its effect happens at most
// once, because a row of tercet_fence is written in the same local transaction as the business
// change.  The table of what to answer is in decide.go, Describe and Inspect are in describe.go,
// business code is in bank.go and knows nothing of this.
//
// Not here: the stream Work, without which every request is a call of its own.

import (
	"context"
	"database/sql"
	"errors"
	"sync"

	pb "example.com/bank/tercetv1"
	"github.com/jackc/pgx/v5/pgconn"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
)

// Action is business code.  Each function runs in the transaction that also writes the fence row: it
// may touch tx and nothing else, and neither commits nor rolls back.  It may run more than once.
type Action struct {
	Try     func(ctx context.Context, tx *sql.Tx, payload []byte) (result []byte, err error)
	Confirm func(ctx context.Context, tx *sql.Tx, payload []byte) error
	Cancel  func(ctx context.Context, tx *sql.Tx, payload []byte) error
}

func (a Action) confirmOnly() bool { return a.Try == nil }

// Refused is the error by which a try says a business no.
type Refused struct{ Code, Text string }

func (r Refused) Error() string { return r.Code + ": " + r.Text }

var (
	errOldEpoch   = status.Error(codes.FailedPrecondition, "TERCET_OLD_EPOCH: a newer start has been seen")
	errBeginAgain = errors.New("the transaction that had inserted the row rolled back")
)

// Participant serves one name over one database.
type Participant struct {
	pb.UnimplementedParticipantServer
	name    string
	actions map[string]Action
	db      *sql.DB
	raised  sync.Map // origin -> the (incarnation, epoch) that tercet_mark is known to hold
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

func (p *Participant) serve(ctx context.Context, r *pb.BranchRequest, phase pb.Phase) (*pb.BranchReply, error) {
	if wrong := whatIsWrongWithBranch(r, phase); wrong != "" {
		return nil, status.Error(codes.InvalidArgument, wrong)
	}
	if r.Context.Participant != p.name {
		return no(pb.Verdict_VERDICT_LATER, "TERCET_WRONG_PARTICIPANT", "this is "+p.name), nil
	}
	action, known := p.actions[r.Action]
	if !known {
		return nil, status.Error(codes.FailedPrecondition, "TERCET_UNKNOWN_ACTION")
	}
	if phase == pb.Phase_PHASE_TRY && action.confirmOnly() {
		return nil, status.Error(codes.InvalidArgument, "this action is not tried")
	}
	// Deadlocks are rolled back by PostgreSQL and run again.  Everything else that fails, a commit of
	// unknown outcome too, is LATER: the coordinator asks again, and then the row tells.
	var err error
	for attempt := 0; attempt < 5; attempt++ {
		var reply *pb.BranchReply
		if reply, err = p.once(ctx, r, phase, action); err == nil {
			return reply, nil
		}
		if !mayRunAgain(err) {
			break
		}
	}
	if errors.Is(err, errOldEpoch) {
		return nil, err
	}
	p.raised.Delete(string(r.Context.Origin)) // the database may be another one by now
	return no(pb.Verdict_VERDICT_LATER, "TERCET_HANDLER_FAILED", err.Error()), nil
}

func mayRunAgain(err error) bool {
	var failed *pgconn.PgError
	if errors.As(err, &failed) {
		return failed.Code == "40001" || failed.Code == "40P01"
	}
	return errors.Is(err, errBeginAgain)
}

func (p *Participant) once(ctx context.Context, r *pb.BranchRequest, phase pb.Phase, action Action) (*pb.BranchReply, error) {
	if err := p.raiseEpoch(ctx, r.Context); err != nil {
		return nil, err
	}
	if r.Context.Mark != nil {
		if err := p.applyMark(ctx, r.Context); err != nil {
			return nil, err
		}
	}
	var reply *pb.BranchReply
	err := p.transaction(ctx, func(tx *sql.Tx) (keep bool, err error) {
		reply, err = p.branch(ctx, tx, r, phase, action)
		// What is not DONE leaves nothing behind, not the inserted row either.
		return err == nil && reply.Verdict == pb.Verdict_VERDICT_DONE, err
	})
	return reply, err // after the commit, and not before
}

func (p *Participant) transaction(ctx context.Context, do func(tx *sql.Tx) (keep bool, err error)) error {
	tx, err := p.db.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelReadCommitted})
	if err != nil {
		return err
	}
	defer tx.Rollback() // does nothing after a commit
	keep, err := do(tx)
	if err != nil || !keep {
		return err
	}
	return tx.Commit()
}

// branch: insert or lock the row, then read epoch and mark, then decide, then run.
func (p *Participant) branch(ctx context.Context, tx *sql.Tx, r *pb.BranchRequest, phase pb.Phase, action Action) (*pb.BranchReply, error) {
	wanted := wantedState(phase, action.confirmOnly())
	inserted := false
	if wanted != stateNone {
		var err error
		if inserted, err = p.insert(ctx, tx, r, wanted); err != nil {
			return nil, err
		}
	}
	var found *row
	if !inserted {
		var err error
		if found, err = lockRow(ctx, tx, r); err != nil {
			return nil, err
		}
		if found == nil && wanted != stateNone {
			return nil, errBeginAgain
		}
	}
	seen, err := p.readMark(ctx, tx, r.Context, "FOR SHARE")
	if err != nil {
		return nil, err
	}
	run, reply := decide(found, seen.isPast(pairOf(r.Number)), r, phase, action.confirmOnly())
	if reply == nil {
		if reply, err = call(ctx, tx, action, r, run); err != nil {
			return nil, err
		}
	}
	reply.MarkIncarnation, reply.MarkLsn = seen.age.incarnation, seen.age.number
	return reply, nil
}

// call runs the business code and writes what became of the branch.
func call(ctx context.Context, tx *sql.Tx, action Action, r *pb.BranchRequest, state int16) (*pb.BranchReply, error) {
	var result []byte
	var err error
	switch state {
	case stateTried:
		result, err = action.Try(ctx, tx, r.Payload)
	case stateConfirmed:
		err = action.Confirm(ctx, tx, r.Payload)
	case stateCancelled:
		err = action.Cancel(ctx, tx, r.Payload)
	}
	var refused Refused
	if errors.As(err, &refused) {
		if state == stateTried {
			return no(pb.Verdict_VERDICT_REFUSED, refused.Code, refused.Text), nil
		}
		return no(pb.Verdict_VERDICT_LATER, "TERCET_REFUSED_TOO_LATE", refused.Text), nil
	}
	if err != nil {
		return nil, err
	}
	if state == stateTried { // its repeats are answered with the same result
		_, err = tx.ExecContext(ctx, `UPDATE tercet_fence SET result = $3 WHERE gid = $1 AND branch = $2`,
			[]byte(r.Gid), r.Branch, append([]byte{}, result...)) // nil would be NULL
	} else {
		_, err = tx.ExecContext(ctx, `UPDATE tercet_fence SET state = $3 WHERE gid = $1 AND branch = $2`,
			[]byte(r.Gid), r.Branch, state)
	}
	if err != nil {
		return nil, err
	}
	return done(pb.How_HOW_RAN, result), nil
}

// insert makes the row, unless there is one.  Another transaction of the same key is waited for.
func (p *Participant) insert(ctx context.Context, tx *sql.Tx, r *pb.BranchRequest, state int16) (bool, error) {
	result, err := tx.ExecContext(ctx, `INSERT INTO tercet_fence
	    (gid, branch, participant, origin, incarnation, number, digest, action, state, result)
	    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, '') ON CONFLICT (gid, branch) DO NOTHING`,
		[]byte(r.Gid), r.Branch, p.name, r.Context.Origin, r.Number.Incarnation, r.Number.Number,
		r.Digest, r.Action, state)
	if err != nil {
		return false, err
	}
	count, err := result.RowsAffected()
	return count == 1, err
}

func lockRow(ctx context.Context, tx *sql.Tx, r *pb.BranchRequest) (*row, error) {
	var found row
	err := tx.QueryRowContext(ctx, `SELECT origin, incarnation, number, digest, state, result
	    FROM tercet_fence WHERE gid = $1 AND branch = $2 FOR UPDATE`, []byte(r.Gid), r.Branch).
		Scan(&found.origin, &found.number.incarnation, &found.number.number, &found.digest,
			&found.state, &found.result)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	return &found, err
}

// readMark is a locking read: after the row, never before it.
func (p *Participant) readMark(ctx context.Context, tx *sql.Tx, asker *pb.RequestContext, lock string) (*mark, error) {
	var seen mark
	var open []byte
	err := tx.QueryRowContext(ctx, `SELECT incarnation, epoch, mark_incarnation, mark_lsn,
	    low_incarnation, low_number, open FROM tercet_mark
	    WHERE participant = $1 AND origin = $2 `+lock, p.name, asker.Origin).
		Scan(&seen.epoch.incarnation, &seen.epoch.number, &seen.age.incarnation, &seen.age.number,
			&seen.low.incarnation, &seen.low.number, &open)
	if err != nil {
		return nil, err
	}
	if (pair{asker.Incarnation, asker.Epoch}).less(seen.epoch) {
		return nil, errOldEpoch
	}
	seen.told = &pb.Mark{} // the open list is stored as the Mark that told it
	return &seen, proto.Unmarshal(open, seen.told)
}

// raiseEpoch is done once for each start of the coordinator, and is durable before anything else.
func (p *Participant) raiseEpoch(ctx context.Context, asker *pb.RequestContext) error {
	asks := pair{asker.Incarnation, asker.Epoch}
	if raised, ok := p.raised.Load(string(asker.Origin)); ok && !raised.(pair).less(asks) {
		return nil
	}
	_, err := p.db.ExecContext(ctx, `INSERT INTO tercet_mark (participant, origin, incarnation, epoch)
	    VALUES ($1, $2, $3, $4) ON CONFLICT (participant, origin) DO UPDATE
	    SET incarnation = excluded.incarnation, epoch = excluded.epoch
	    WHERE (tercet_mark.incarnation, tercet_mark.epoch) < (excluded.incarnation, excluded.epoch)`,
		p.name, asker.Origin, asker.Incarnation, asker.Epoch)
	if err == nil {
		p.raised.Store(string(asker.Origin), asks)
	}
	return err
}

// applyMark lets rows go: no call for them can come any more that would not be refused.
func (p *Participant) applyMark(ctx context.Context, asker *pb.RequestContext) error {
	told := asker.Mark
	age, low := pair{told.AsOfIncarnation, told.AsOfLsn}, pairOf(told.Low)
	open, err := proto.Marshal(told)
	if err != nil {
		return err
	}
	incarnations, numbers := []int64{}, []int64{}
	for _, number := range told.Open {
		incarnations = append(incarnations, number.Incarnation)
		numbers = append(numbers, number.Number)
	}
	return p.transaction(ctx, func(tx *sql.Tx) (bool, error) {
		seen, err := p.readMark(ctx, tx, asker, "FOR UPDATE")
		if err != nil || !seen.age.less(age) {
			return false, err // older, or known: an older open list would open what is closed
		}
		if _, err = tx.ExecContext(ctx, `UPDATE tercet_mark SET mark_incarnation = $3, mark_lsn = $4,
		    low_incarnation = $5, low_number = $6, open = $7 WHERE participant = $1 AND origin = $2`,
			p.name, asker.Origin, age.incarnation, age.number, low.incarnation, low.number, open); err != nil {
			return false, err
		}
		// A TRIED row holds a reservation: it stays, and an operator looks.
		_, err = tx.ExecContext(ctx, `DELETE FROM tercet_fence WHERE participant = $1 AND origin = $2
		    AND (incarnation, number) < ($3, $4) AND state <> 1
		    AND (incarnation, number) NOT IN (SELECT * FROM unnest($5::bigint[], $6::bigint[]))`,
			p.name, asker.Origin, low.incarnation, low.number, incarnations, numbers)
		return err == nil, err
	})
}
