package threshold

import (
	"errors"
	"fmt"
)

// The kinds of error that this package gives beside those of packages protocol
// and backends, all to be tested with errors.Is.
var (
	// ErrThreshold: t < 1, t > n, or a t for which the ceremony has no meaning.
	ErrThreshold = errors.New("threshold out of range")
	// ErrIndex: an index that is 0, over MaxMembers, missing where it must be,
	// or of someone who has no part in this.
	ErrIndex = errors.New("bad index")
	// ErrDuplicate: the same index, or the same message, a second time.
	ErrDuplicate = errors.New("duplicate")
	// ErrTooFew: fewer good shares or dealers than the threshold.
	ErrTooFew = errors.New("fewer than the threshold")
	// ErrTooMany: more indices than the threshold where it must be exactly that.
	ErrTooMany = errors.New("more than the threshold")
	// ErrEpoch: a share of another epoch.
	ErrEpoch = errors.New("share of another epoch")
	// ErrGroup: a share of another sharing, though its epoch has the same number.
	ErrGroup = errors.New("share of another group")
	// ErrSession: a session label that is empty or too long.
	ErrSession = errors.New("bad session label")
	// ErrCeremony: a message of another ceremony, for example a replayed one.
	ErrCeremony = errors.New("message of another ceremony")
	// ErrPhase: a message or call before or after its phase.
	ErrPhase = errors.New("not in this phase")
	// ErrMessage: not a message of the kind that is being read.
	ErrMessage = errors.New("not such a message")
	// ErrCommitments: too many commitments, too few, or commitments to another
	// secret than the dealer must share.
	ErrCommitments = errors.New("wrong commitments")
	// ErrProof: the proof of knowledge of the dealt polynomial does not hold.
	ErrProof = errors.New("proof of knowledge does not hold")
	// ErrWrongShare: a share or sub-share that does not match the commitments.
	ErrWrongShare = errors.New("share does not match the commitments")
	// ErrEquivocation: a dealer published two different deals.
	ErrEquivocation = errors.New("two different deals of one dealer")
	// ErrComplaints: as many complaints against one dealer as the threshold.
	ErrComplaints = errors.New("too many complaints")
	// ErrUnanswered: a complaint that the dealer did not refute.
	ErrUnanswered = errors.New("complaint not refuted")
)

// Fault is an error with its author: the D-TA at the index did it.
type Fault struct {
	Index int
	Err   error
}

// Error names the D-TA and what is wrong.
func (f *Fault) Error() string { return fmt.Sprintf("D-TA %d: %v", f.Index, f.Err) }

// Unwrap returns the kind of error.
func (f *Fault) Unwrap() error { return f.Err }
