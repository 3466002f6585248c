package threshold

import (
	"fmt"
	"slices"

	"mpinlab/backends"
	"mpinlab/protocol"
)

// combine adds the qualified polynomials up in the exponent. The sub-shares
// are added up in the same way: see Receiver.mix.
func (b *Board) combine() (*Group, error) {
	c := b.c
	switch c.kind {
	case recovery:
		if slices.Contains(c.previous.members, c.root) {
			return c.previous, nil
		}
		return c.previous.WithMember(c.root)
	case refresh:
		// x·g(x) has no constant coefficient: s stays.
		points := slices.Clone(c.previous.points)
		for _, i := range b.qualified {
			for k, p := range b.deals[i].points {
				points[k+1] = points[k+1].Add(p)
			}
		}
		return newGroup(c.suite, c.t, c.epoch, c.receivers, points)
	}
	from, weight := b.mixed()
	points := make(commitments, c.t)
	for k := range points {
		column := make([]backends.G2, len(from))
		for j, i := range from {
			column[j] = b.deals[i].points[k]
		}
		if weight != nil {
			points[k] = weight.sumG2(c.suite.Backend(), column)
			continue
		}
		points[k] = column[0]
		for _, p := range column[1:] {
			points[k] = points[k].Add(p)
		}
	}
	return newGroup(c.suite, c.t, c.epoch, c.receivers, points)
}

// mixed returns the dealers that enter the outcome and, in a resharing, with
// what weights: the first of the qualified, as many as make the secret.
func (b *Board) mixed() ([]int, *weights) {
	if b.c.kind != resharing {
		return b.qualified, nil
	}
	from := b.qualified[:b.c.need]
	return from, lagrange(from, 0)
}

// Receiver is one D-TA's receiving side of a ceremony. It holds sub-shares:
// drop it when the ceremony is over. It is not safe for concurrent use.
type Receiver struct {
	board  *Board
	index  int
	values map[int]backends.Scalar
}

// NewReceiver begins the receiving side beside the D-TA's own board. Error:
// ErrIndex.
func NewReceiver(b *Board, index int) (*Receiver, error) {
	if err := b.c.checkReceiver(index); err != nil {
		return nil, err
	}
	return &Receiver{b, index, map[int]backends.Scalar{}}, nil
}

// SubShare takes a dealer's private message, in the dealing phase and after
// that dealer's deal. Errors: ErrPhase, ErrCeremony, ErrIndex for one that is
// for somebody else; as *Fault of the dealer ErrWrongShare, and ErrTooFew
// where there is no deal to check it with.
func (r *Receiver) SubShare(m *SubShare) error {
	if err := r.board.check(m.c, dealing); err != nil {
		return err
	}
	if m.To != r.index {
		return fmt.Errorf("%w: a sub-share for %d", ErrIndex, m.To)
	}
	deal := r.board.deals[m.From]
	if deal == nil {
		return &Fault{m.From, fmt.Errorf("%w: no deal yet", ErrTooFew)}
	}
	if !r.board.c.matches(deal.points, m.To, m.value) {
		return &Fault{m.From, ErrWrongShare}
	}
	r.values[m.From] = m.value
	return nil
}

// Complaints returns what to broadcast once dealing has ended: a complaint of
// each dealer from whom no good sub-share came.
func (r *Receiver) Complaints() []*Complaint {
	var list []*Complaint
	for _, i := range r.board.dealt() {
		if r.values[i] == nil && !r.board.c.oneself(i, r.index) {
			list = append(list, &Complaint{r.board.c, r.index, i})
		}
	}
	return list
}

// Finish returns this D-TA's share of the board's group, after Close. old is
// its share before a refresh, and unused in the other ceremonies. Erase the
// old share then: kept, it is what an intruder of both epochs needs. Errors:
// ErrPhase, also in a recovery (see Contribute); ErrEpoch, ErrGroup and
// ErrIndex for a wrong old share; ErrWrongShare if it does not fit;
// protocol.ErrZeroScalar, of negligible chance.
func (r *Receiver) Finish(old *Share) (*Share, error) {
	c := r.board.c
	if r.board.group == nil || c.kind == recovery {
		return nil, ErrPhase
	}
	v, err := r.mix()
	if err != nil {
		return nil, err
	}
	if c.kind == refresh {
		if err := c.checkOwn(r.index, old); err != nil {
			return nil, err
		}
		v = old.value.Add(v)
	}
	return newShare(r.board.group, r.index, v)
}

// mix adds the sub-shares from the qualified dealers up.
func (r *Receiver) mix() (backends.Scalar, error) {
	b := r.board.c.suite.Backend()
	from, weight := r.board.mixed()
	var lambda []backends.Scalar
	if weight != nil {
		lambda = weight.scalars(b)
	}
	sum := backends.SmallScalar(b, 0)
	for k, i := range from {
		v := r.values[i]
		if answer := r.board.complaints[i][r.index]; v == nil && answer != nil {
			v = answer.value
		}
		if v == nil {
			return nil, &Fault{i, fmt.Errorf("%w: its sub-share is missing and was not complained of", ErrTooFew)}
		}
		if lambda != nil {
			v = v.Mul(lambda[k])
		}
		sum = sum.Add(v)
	}
	return sum, nil
}

// newShare checks a value against the group's commitments.
func newShare(g *Group, index int, v backends.Scalar) (*Share, error) {
	if v.IsZero() {
		return nil, fmt.Errorf("share: %w", protocol.ErrZeroScalar)
	}
	want, err := g.PublicShare(index)
	if err != nil {
		return nil, err
	}
	if !g.suite.Backend().G2().Mul(v).Equal(want) {
		return nil, &Fault{index, ErrWrongShare}
	}
	return &Share{g, index, v}, nil
}
