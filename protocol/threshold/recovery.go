package threshold

import (
	"errors"
	"fmt"

	"mpinlab/backends"
)

// Contribution is a helper's private message to the D-TA whose share is being
// made: its own share plus the value of a random polynomial that vanishes at
// that D-TA's index, and so tells about the helper's share nothing but that.
// The transport must hide it from everybody else.
type Contribution struct {
	c     *Ceremony
	From  int
	value backends.Scalar
}

// Contribute returns what a helper sends in a recovery, after Close. Errors:
// ErrPhase, ErrEpoch, ErrGroup, ErrIndex.
func (r *Receiver) Contribute(own *Share) (*Contribution, error) {
	c := r.board.c
	if r.board.group == nil || c.kind != recovery {
		return nil, ErrPhase
	}
	if err := c.checkOwn(r.index, own); err != nil {
		return nil, err
	}
	mask, err := r.mix()
	if err != nil {
		return nil, err
	}
	return &Contribution{c, r.index, own.value.Add(mask)}, nil
}

// Bytes returns the encoding: header ‖ ceremony ‖ helper ‖ scalar.
func (m *Contribution) Bytes() []byte {
	b := append(m.c.begin(typeContribution), byte(m.From))
	return append(b, m.c.suite.EncodeScalar(m.value)...)
}

// DecodeContribution reads a contribution; whether it is the right one,
// Board.Recover says.
func (c *Ceremony) DecodeContribution(b []byte) (*Contribution, error) {
	const what = "contribution"
	_, _, scalar := c.suite.ID().Sizes()
	r, err := c.open(typeContribution, what, b, 1+scalar)
	if err != nil {
		return nil, err
	}
	m := &Contribution{c: c, From: r.byte()}
	if err = c.checkReceiver(m.From); err == nil {
		m.value, err = c.suite.DecodeScalar(r.take(scalar))
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	return m, nil
}

// Recover makes the share of the ceremony's index from at least t good
// contributions. The faults name the authors of wrong ones (ErrWrongShare) and
// of second ones (ErrDuplicate). Errors: ErrPhase, ErrCeremony, ErrTooFew.
// The method is that of Herzberg, Jarecki, Krawczyk and Yung (see the package
// comment).
func (b *Board) Recover(contributions ...*Contribution) (*Share, []*Fault, error) {
	c := b.c
	if b.group == nil || c.kind != recovery {
		return nil, nil, ErrPhase
	}
	backend := c.suite.Backend()
	var faults []*Fault
	var from []int
	values := map[int]backends.Scalar{}
	for _, m := range contributions {
		switch err := b.checkContribution(m); {
		case errors.Is(err, ErrCeremony):
			return nil, faults, err
		case err != nil:
			faults = append(faults, &Fault{m.From, err})
		case values[m.From] != nil:
			faults = append(faults, &Fault{m.From, ErrDuplicate})
		default:
			from, values[m.From] = append(from, m.From), m.value
		}
	}
	if len(from) < c.previous.t {
		return nil, faults, fmt.Errorf("recovery: %w: %d good contributions of %d", ErrTooFew, len(from), c.previous.t)
	}
	from = from[:c.previous.t]
	sum := backends.SmallScalar(backend, 0)
	for k, lambda := range lagrange(from, c.root).scalars(backend) {
		sum = sum.Add(values[from[k]].Mul(lambda))
	}
	s, err := newShare(b.group, c.root, sum)
	return s, faults, err
}

// checkContribution checks a contribution against the helper's public share
// and the qualified masks.
func (b *Board) checkContribution(m *Contribution) error {
	if m.c.id != b.c.id {
		return ErrCeremony
	}
	want := b.c.previous.publicShare(m.From)
	for _, i := range b.qualified {
		want = want.Add(b.c.image(b.deals[i].points, m.From))
	}
	if !b.c.suite.Backend().G2().Mul(m.value).Equal(want) {
		return ErrWrongShare
	}
	return nil
}
