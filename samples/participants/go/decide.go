package main

// What is answered to a request: a pure function of the row, the mark and the request.

import (
	"bytes"
	"strings"
	"unicode/utf8"

	pb "example.com/bank/tercetv1"
)

// As in the table, and as FenceState has them.
const (
	stateNone int16 = iota
	stateTried
	stateConfirmed
	stateCancelled
	stateSuspended
)

// pair is whatever is compared incarnation first: a number, an epoch, a mark's age.
type pair struct{ incarnation, number int64 }

func pairOf(n *pb.BranchNumber) pair { return pair{n.GetIncarnation(), n.GetNumber()} }

func (a pair) less(b pair) bool {
	if a.incarnation != b.incarnation {
		return a.incarnation < b.incarnation
	}
	return a.number < b.number
}

type row struct {
	origin, digest, result []byte
	number                 pair
	state                  int16
}

type mark struct {
	epoch, age, low pair
	told            *pb.Mark
}

func (m *mark) isPast(number pair) bool {
	if !number.less(m.low) {
		return false
	}
	for _, open := range m.told.Open {
		if pairOf(open) == number {
			return false
		}
	}
	return true
}

// wantedState is what is inserted where no row is; a confirm after a try may not make one.
func wantedState(phase pb.Phase, confirmOnly bool) int16 {
	switch {
	case phase == pb.Phase_PHASE_TRY:
		return stateTried
	case phase == pb.Phase_PHASE_CANCEL:
		return stateSuspended
	case confirmOnly:
		return stateConfirmed
	}
	return stateNone
}

// decide is the table of section 5: the state to run to and no reply, or the reply.
func decide(found *row, past bool, r *pb.BranchRequest, phase pb.Phase, confirmOnly bool) (int16, *pb.BranchReply) {
	if found == nil {
		return decideNone(past, phase, confirmOnly)
	}
	state := pb.FenceState(found.state)
	if !bytes.Equal(found.origin, r.Context.Origin) || found.number != pairOf(r.Number) || !bytes.Equal(found.digest, r.Digest) {
		return 0, conflict(pb.ConflictKind_CONFLICT_KIND_OTHER_TRANSACTION, "TERCET_OTHER_TRANSACTION", state)
	}
	switch {
	case phase == pb.Phase_PHASE_TRY && (found.state == stateTried || found.state == stateConfirmed):
		return 0, done(pb.How_HOW_REPEATED, found.result)
	case phase == pb.Phase_PHASE_TRY:
		return 0, no(pb.Verdict_VERDICT_REFUSED, "TERCET_TRY_AFTER_CANCEL", "")
	case found.state == stateTried && phase == pb.Phase_PHASE_CONFIRM:
		return stateConfirmed, nil
	case found.state == stateTried:
		return stateCancelled, nil
	case phase == pb.Phase_PHASE_CONFIRM && found.state == stateConfirmed:
		return 0, done(pb.How_HOW_REPEATED, nil)
	case phase == pb.Phase_PHASE_CONFIRM:
		return 0, conflict(pb.ConflictKind_CONFLICT_KIND_CANCELLED, "TERCET_CONFIRM_AFTER_CANCEL", state)
	case found.state == stateConfirmed:
		return 0, conflict(pb.ConflictKind_CONFLICT_KIND_CONFIRMED, "TERCET_CANCEL_AFTER_CONFIRM", state)
	case found.state == stateCancelled:
		return 0, done(pb.How_HOW_REPEATED, nil)
	}
	return 0, done(pb.How_HOW_EMPTY, nil)
}

func decideNone(past bool, phase pb.Phase, confirmOnly bool) (int16, *pb.BranchReply) {
	const none = pb.FenceState_FENCE_STATE_NONE
	switch {
	case past && phase == pb.Phase_PHASE_TRY: // it ended, and its row was let go
		return 0, no(pb.Verdict_VERDICT_REFUSED, "TERCET_FORGOTTEN", "")
	case past:
		return 0, conflict(pb.ConflictKind_CONFLICT_KIND_FORGOTTEN, "TERCET_FORGOTTEN", none)
	case phase == pb.Phase_PHASE_TRY:
		return stateTried, nil
	case phase == pb.Phase_PHASE_CANCEL: // the row that says SUSPENDED is kept
		return 0, done(pb.How_HOW_EMPTY, nil)
	case confirmOnly:
		return stateConfirmed, nil
	}
	return 0, conflict(pb.ConflictKind_CONFLICT_KIND_NOT_TRIED, "TERCET_CONFIRM_WITHOUT_TRY", none)
}

func done(how pb.How, result []byte) *pb.BranchReply {
	return &pb.BranchReply{Verdict: pb.Verdict_VERDICT_DONE, How: how, Result: result}
}

func no(verdict pb.Verdict, code, text string) *pb.BranchReply {
	text = strings.ToValidUTF8(text, "?")
	for len(text) > 255 {
		_, size := utf8.DecodeLastRuneInString(text)
		text = text[:len(text)-size]
	}
	return &pb.BranchReply{Verdict: verdict, Reason: &pb.Reason{Code: code, Text: text}}
}

func conflict(kind pb.ConflictKind, code string, found pb.FenceState) *pb.BranchReply {
	reply := no(pb.Verdict_VERDICT_CONFLICT, code, "")
	reply.Conflict, reply.Found = kind, found
	return reply
}

func whatIsWrong(asker *pb.RequestContext) string {
	if asker.GetParticipant() == "" || len(asker.GetOrigin()) != 20 || asker.Incarnation <= 0 || asker.Epoch <= 0 {
		return "context: participant, 20 bytes of origin, a positive incarnation and epoch are required"
	}
	return ""
}

func whatIsWrongWithBranch(r *pb.BranchRequest, phase pb.Phase) string {
	outside := func(c rune) bool { return c < '!' || c > '~' }
	switch {
	case r.Phase != phase:
		return "phase is not the method's"
	case len(r.Gid) < 1 || len(r.Gid) > 128 || strings.ContainsFunc(r.Gid, outside):
		return "gid: 1 to 128 of 0x21 to 0x7e"
	case r.Branch < 1 || r.Branch > 64 || len(r.Digest) != 16:
		return "branch: 1 to 64; digest: 16 bytes"
	case r.Number.GetIncarnation() <= 0 || r.Number.GetNumber() <= 0:
		return "number: positive"
	}
	return whatIsWrong(r.Context)
}
