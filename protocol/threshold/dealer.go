package threshold

import (
	"crypto/rand"
	"fmt"
	"io"

	"mpinlab/backends"
)

// Dealer is one D-TA's dealing side of a ceremony. It holds the polynomial:
// drop it when the ceremony is over. It is not safe for concurrent use.
type Dealer struct {
	c        *Ceremony
	index    int
	p        polynomial
	deal     *Deal
	answered map[int]bool
}

// NewDealer draws this D-TA's polynomial from rand, or from the system's
// source where rand is nil, commits to it and proves that it is known. share
// is the dealer's own share in a resharing, and unused otherwise. Errors:
// ErrIndex, and in a resharing ErrEpoch and ErrGroup. Constant-time where the
// backend is.
func (c *Ceremony) NewDealer(index int, share *Share, random io.Reader) (*Dealer, error) {
	if err := c.checkDealer(index); err != nil {
		return nil, err
	}
	if random == nil {
		random = rand.Reader
	}
	var secret backends.Scalar
	if c.kind == resharing {
		if err := c.checkOwn(index, share); err != nil {
			return nil, err
		}
		secret = share.value
	}
	b := c.suite.Backend()
	p, err := randomPolynomial(b, secret, c.size(), random)
	if err != nil {
		return nil, err
	}
	points := p.commit(b)
	proof, err := c.prove(index, p, points, random)
	if err != nil {
		return nil, err
	}
	return &Dealer{c, index, p, &Deal{c, index, points, proof}, map[int]bool{}}, nil
}

// checkOwn checks that share is what the D-TA at index holds of the group that
// the ceremony continues.
func (c *Ceremony) checkOwn(index int, share *Share) error {
	switch {
	case share == nil || share.index != index:
		return fmt.Errorf("%w: not the share of %d", ErrIndex, index)
	case share.group.epoch != c.previous.epoch:
		return fmt.Errorf("%w: %d, not %d", ErrEpoch, share.group.epoch, c.previous.epoch)
	case share.group.id != c.previous.id:
		return ErrGroup
	}
	return nil
}

// Deal returns the commitments and the proof, to be broadcast.
func (d *Dealer) Deal() *Deal { return d.deal }

// SubShare returns the value of the polynomial at a receiver's index, to be
// sent to that receiver alone. Error: ErrIndex.
func (d *Dealer) SubShare(to int) (*SubShare, error) {
	if err := d.c.checkReceiver(to); err != nil {
		return nil, err
	}
	return &SubShare{d.c, d.index, to, d.c.value(d.p, to)}, nil
}

// Justify answers a complaint by publishing the accuser's sub-share. That
// tells the others what the accuser was to know alone, and nothing more: as
// only t − 1 members can be corrupt, and only the corrupt complain of a
// dealer who is honest, a t-th accuser is not answered (ErrComplaints), and t
// values are never out. Errors also: ErrCeremony, ErrIndex.
func (d *Dealer) Justify(m *Complaint) (*Justification, error) {
	if m.c.id != d.c.id {
		return nil, ErrCeremony
	}
	if m.Against != d.index {
		return nil, fmt.Errorf("%w: the complaint is against %d", ErrIndex, m.Against)
	}
	if !d.answered[m.From] && len(d.answered) >= d.c.t-1 {
		return nil, ErrComplaints
	}
	s, err := d.SubShare(m.From)
	if err != nil {
		return nil, err
	}
	d.answered[m.From] = true
	return &Justification{SubShare: *s}, nil
}
