package threshold

import (
	"bytes"
	"fmt"
	"slices"
)

// phase is how far a ceremony has come.
type phase int

const (
	dealing phase = iota
	complaining
	justifying
	closed
)

// Board is the public record of a ceremony: what was broadcast, judged alike
// by everybody who keeps one. What comes out depends on the set of messages of
// each phase and not on their order. It holds no secrets, so that somebody
// without a share can keep one too. It is not safe for concurrent use.
//
// The board trusts its caller for two things: that a message is from whom it
// says, and that all see the same messages of a phase before it ends.
type Board struct {
	c     *Ceremony
	phase phase
	deals [MaxMembers + 1]*Deal
	out   [MaxMembers + 1]error // why a dealer is out
	// complaints[dealer][accuser] is the sub-share that refuted it, nil as
	// long as none did.
	complaints [MaxMembers + 1]map[int]*SubShare
	qualified  []int
	group      *Group
}

// NewBoard begins the record, in the dealing phase.
func NewBoard(c *Ceremony) *Board { return &Board{c: c} }

// Deal takes a dealer's deal. A bad one is no reason to stop: it is not put
// down, and its author is named. Errors, as *Fault: ErrProof; ErrCommitments
// where a resharing begins from another share than the dealer's;
// ErrEquivocation for a second, different deal, which puts the dealer out;
// ErrDuplicate for the same one again. Others: ErrPhase, ErrCeremony.
func (b *Board) Deal(m *Deal) error {
	if err := b.check(m.c, dealing); err != nil {
		return err
	}
	fault := func(err error) error { return &Fault{m.From, err} }
	first := b.deals[m.From]
	if first != nil && bytes.Equal(first.Bytes(), m.Bytes()) {
		return fault(ErrDuplicate)
	}
	if len(m.points) != b.c.size() {
		return fault(fmt.Errorf("%w: %d, not %d", ErrCommitments, len(m.points), b.c.size()))
	}
	if b.c.kind == resharing && !m.points[0].Equal(b.c.previous.publicShare(m.From)) {
		return fault(fmt.Errorf("%w: not to its own share", ErrCommitments))
	}
	if !b.c.proves(m.From, m.points, m.proof) {
		return fault(ErrProof)
	}
	// Only now: a bad deal must count for nothing, whether it comes before a
	// good one or after it.
	if first != nil {
		b.out[m.From] = ErrEquivocation
		return fault(ErrEquivocation)
	}
	b.deals[m.From] = m
	return nil
}

// EndDealing ends the dealing phase; receivers complain next. Errors: ErrPhase,
// and ErrTooFew if too few dealt for any outcome.
func (b *Board) EndDealing() error {
	if err := b.end(dealing); err != nil {
		return err
	}
	return b.enough(b.dealt())
}

// dealt lists the dealers that are not out.
func (b *Board) dealt() []int {
	var list []int
	for _, i := range b.c.dealers {
		if b.deals[i] != nil && b.out[i] == nil {
			list = append(list, i)
		}
	}
	return list
}

func (b *Board) enough(dealers []int) error {
	if len(dealers) < b.c.need {
		return fmt.Errorf("%w: %d dealers of %d", ErrTooFew, len(dealers), b.c.need)
	}
	return nil
}

// Complain takes a complaint. One against a dealer that is out already has no
// effect. Errors: ErrPhase, ErrCeremony; as *Fault of the accuser ErrDuplicate
// and, for a complaint of oneself or of one who did not deal, ErrIndex. (In a
// resharing the dealer and the receiver of one index may be two D-TAs.)
func (b *Board) Complain(m *Complaint) error {
	if err := b.check(m.c, complaining); err != nil {
		return err
	}
	if b.c.oneself(m.From, m.Against) || b.deals[m.Against] == nil {
		return &Fault{m.From, fmt.Errorf("%w: no complaint can be against %d", ErrIndex, m.Against)}
	}
	list := b.complaints[m.Against]
	if list == nil {
		list = map[int]*SubShare{}
		b.complaints[m.Against] = list
	}
	if _, twice := list[m.From]; twice {
		return &Fault{m.From, ErrDuplicate}
	}
	list[m.From] = nil
	return nil
}

// EndComplaints ends the complaining phase; accused dealers justify
// themselves next. Error: ErrPhase.
func (b *Board) EndComplaints() error { return b.end(complaining) }

// Complaints lists the complaints against a dealer, to be answered with
// Dealer.Justify, in the order of the accusers.
func (b *Board) Complaints(dealer int) []*Complaint {
	var list []*Complaint
	for _, from := range b.c.receivers {
		if checkIndex(dealer) != nil {
			break
		}
		if _, did := b.complaints[dealer][from]; did {
			list = append(list, &Complaint{b.c, from, dealer})
		}
	}
	return list
}

// Justify takes an accused dealer's answer. Errors: ErrPhase, ErrCeremony; as
// *Fault of the dealer ErrWrongShare for a value that refutes nothing,
// ErrIndex where there was no such complaint, ErrDuplicate.
func (b *Board) Justify(m *Justification) error {
	if err := b.check(m.c, justifying); err != nil {
		return err
	}
	answer, accused := b.complaints[m.From][m.To]
	switch {
	case !accused:
		return &Fault{m.From, fmt.Errorf("%w: %d did not complain", ErrIndex, m.To)}
	case answer != nil:
		return &Fault{m.From, ErrDuplicate}
	case !b.c.matches(b.deals[m.From].points, m.To, m.value):
		return &Fault{m.From, ErrWrongShare}
	}
	b.complaints[m.From][m.To] = &m.SubShare
	return nil
}

// Close ends the ceremony and settles who qualifies: a dealer with a good
// deal, fewer complaints than the threshold, and every one of them refuted.
// The faults say why each other dealer does not: ErrEquivocation,
// ErrComplaints, ErrUnanswered, or ErrTooFew where there was no good deal. The
// error is ErrPhase, or ErrTooFew if fewer qualify than the threshold of the
// secret's holders, of whom one is honest; then the ceremony failed, nothing
// has changed, and another is to be held without those who were at fault.
func (b *Board) Close() ([]*Fault, error) {
	if err := b.end(justifying); err != nil {
		return nil, err
	}
	var faults []*Fault
	for _, i := range b.c.dealers {
		if err := b.judge(i); err != nil {
			faults = append(faults, &Fault{i, err})
		} else {
			b.qualified = append(b.qualified, i)
		}
	}
	if err := b.enough(b.qualified); err != nil {
		return faults, err
	}
	var err error
	b.group, err = b.combine()
	return faults, err
}

func (b *Board) judge(dealer int) error {
	switch {
	case b.out[dealer] != nil:
		return b.out[dealer]
	case b.deals[dealer] == nil:
		return fmt.Errorf("%w: no good deal", ErrTooFew)
	case len(b.complaints[dealer]) >= b.c.t:
		return ErrComplaints
	}
	for _, from := range b.c.receivers {
		if answer, accused := b.complaints[dealer][from]; accused && answer == nil {
			return fmt.Errorf("%w: of D-TA %d", ErrUnanswered, from)
		}
	}
	return nil
}

// Qualified returns the dealers whose polynomials count, after Close.
func (b *Board) Qualified() []int { return slices.Clone(b.qualified) }

// Group returns the sharing that came out: that of the new epoch, or in a
// recovery the present one with the recovered index as a member. Error:
// ErrPhase before a Close without error.
func (b *Board) Group() (*Group, error) {
	if b.group == nil {
		return nil, fmt.Errorf("group: %w", ErrPhase)
	}
	return b.group, nil
}

func (b *Board) check(c *Ceremony, in phase) error {
	if c == nil || c.id != b.c.id {
		return ErrCeremony
	}
	if b.phase != in {
		return ErrPhase
	}
	return nil
}

func (b *Board) end(of phase) error {
	if b.phase != of {
		return ErrPhase
	}
	b.phase++
	return nil
}
