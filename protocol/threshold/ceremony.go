package threshold

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"
	"slices"

	"mpinlab/backends"
	"mpinlab/protocol"
)

// MaxSession is the greatest length of a session label in bytes.
const MaxSession = 255

// kind is what a ceremony is for.
type kind byte

const (
	generation kind = iota + 1
	refresh
	resharing
	recovery
)

// Ceremony describes one joint dealing: what all who take part agree on before
// it begins. Everything in it enters its ID, which every message carries. It
// is immutable.
type Ceremony struct {
	kind     kind
	suite    *protocol.Suite
	previous *Group // nil in a generation
	// t is the number of coefficients of the dealt polynomials, and dealers
	// and receivers are in increasing order.
	t                  int
	dealers, receivers []int
	// need is how many dealers must qualify: one of so many is honest.
	need int
	// root is the index at which the polynomials of a refresh (0) or a
	// recovery vanish.
	root  int
	epoch uint32 // of the sharing that comes out
	id    [idLength]byte
}

// NewGeneration plans the generation of a new master secret, shared t of n
// among the D-TAs 1 to n. The session label, 1 to MaxSession bytes, must never
// have been used among them: a counter, a date, a nonce that all contributed
// to. Errors: ErrThreshold, ErrSession.
func NewGeneration(s *protocol.Suite, t, n int, session []byte) (*Ceremony, error) {
	if err := checkThreshold(t, n); err != nil {
		return nil, fmt.Errorf("generation: %w", err)
	}
	all := make([]int, n)
	for i := range all {
		all[i] = i + 1
	}
	c := &Ceremony{kind: generation, suite: s, t: t, dealers: all, receivers: all, need: t, epoch: 1}
	return c.seal(session)
}

// NewRefresh plans a proactive refresh: the members named deal each other
// sharings of zero, and get new shares of the same secret. A member that is
// not named is out: its share is of no use with those of the new epoch. With
// t = 1 every share is the secret itself, and there is nothing to refresh.
// Errors: ErrThreshold, ErrIndex, ErrDuplicate, ErrEpoch, ErrSession.
func NewRefresh(g *Group, members []int, session []byte) (*Ceremony, error) {
	c, err := follow(g, refresh, members, members, g.t)
	if err != nil {
		return nil, fmt.Errorf("refresh: %w", err)
	}
	if g.t < 2 {
		return nil, fmt.Errorf("refresh: %w: a share of 1 of n is the secret", ErrThreshold)
	}
	return c.seal(session)
}

// NewResharing plans handing the secret on: dealers, at least the group's
// threshold of its members, share their shares t of n among the members named,
// who may be the same, others, more or fewer. Errors: those of NewRefresh.
func NewResharing(g *Group, dealers []int, t int, members []int, session []byte) (*Ceremony, error) {
	c, err := follow(g, resharing, dealers, members, t)
	if err != nil {
		return nil, fmt.Errorf("resharing: %w", err)
	}
	return c.seal(session)
}

// NewRecovery plans making the share of an index, a member's that was lost or
// one for a new member, with the help of at least the threshold of other
// members. The epoch stays. Errors: those of NewRefresh.
func NewRecovery(g *Group, index int, helpers []int, session []byte) (*Ceremony, error) {
	c, err := follow(g, recovery, helpers, helpers, g.t)
	if err == nil {
		err = checkIndex(index)
	}
	if err == nil && slices.Contains(helpers, index) {
		err = fmt.Errorf("%w: %d cannot help itself", ErrIndex, index)
	}
	if err == nil && g.t < 2 {
		err = fmt.Errorf("%w: a share of 1 of n is the secret", ErrThreshold)
	}
	if err != nil {
		return nil, fmt.Errorf("recovery: %w", err)
	}
	c.root, c.epoch = index, g.epoch
	return c.seal(session)
}

// follow begins a ceremony of an existing group.
func follow(g *Group, k kind, dealers, receivers []int, t int) (*Ceremony, error) {
	dealers, err := sorted("dealers", dealers)
	if err != nil {
		return nil, err
	}
	if receivers, err = sorted("members", receivers); err != nil {
		return nil, err
	}
	for _, i := range dealers {
		if !slices.Contains(g.members, i) {
			return nil, fmt.Errorf("%w: %d is not a member", ErrIndex, i)
		}
	}
	if err := checkThreshold(g.t, len(dealers)); err != nil {
		return nil, err
	}
	if err := checkThreshold(t, len(receivers)); err != nil {
		return nil, err
	}
	if g.epoch == math.MaxUint32 {
		return nil, fmt.Errorf("%w: the last epoch has come", ErrEpoch)
	}
	return &Ceremony{kind: k, suite: g.suite, previous: g, t: t, dealers: dealers, receivers: receivers,
		need: g.t, epoch: g.epoch + 1}, nil
}

// seal computes the ID.
func (c *Ceremony) seal(session []byte) (*Ceremony, error) {
	if len(session) == 0 || len(session) > MaxSession {
		return nil, fmt.Errorf("%w: %d bytes, not 1 to %d", ErrSession, len(session), MaxSession)
	}
	h := sha256.New()
	h.Write([]byte("MPIN-V01-CS01-DTA-CEREMONY"))
	h.Write(header(c.suite, byte(c.kind)))
	h.Write(binary.BigEndian.AppendUint32(nil, c.epoch))
	h.Write([]byte{byte(c.t), byte(c.need), byte(c.root), byte(len(c.dealers)), byte(len(c.receivers)), byte(len(session))})
	h.Write(indexBytes(c.dealers))
	h.Write(indexBytes(c.receivers))
	h.Write(session)
	if c.previous != nil {
		h.Write(c.previous.id[:])
	}
	h.Sum(c.id[:0])
	return c, nil
}

// ID returns the hash of everything that was agreed on.
func (c *Ceremony) ID() [32]byte { return c.id }

// vanishing reports whether the polynomials dealt are (x − root)·g(x), with
// commitments to g alone: a dealer has no way to write one that is not zero at
// the root.
func (c *Ceremony) vanishing() bool { return c.kind == refresh || c.kind == recovery }

// size is the number of commitments in a deal.
func (c *Ceremony) size() int {
	if c.vanishing() {
		return c.t - 1
	}
	return c.t
}

// value is the sub-share for an index of the polynomial with coefficients p.
func (c *Ceremony) value(p polynomial, index int) backends.Scalar {
	b := c.suite.Backend()
	v := p.at(b, index)
	if c.vanishing() {
		v = v.Mul(backends.SmallScalar(b, uint64(index)).Sub(backends.SmallScalar(b, uint64(c.root))))
	}
	return v
}

// image is value in the exponent.
func (c *Ceremony) image(p commitments, index int) backends.G2 {
	v := p.at(index)
	if c.vanishing() {
		v = times(v, index-c.root)
	}
	return v
}

// matches reports whether v is the sub-share for an index of the polynomial
// committed to.
func (c *Ceremony) matches(p commitments, index int, v backends.Scalar) bool {
	return c.suite.Backend().G2().Mul(v).Equal(c.image(p, index))
}

func (c *Ceremony) checkDealer(i int) error   { return takesPart(c.dealers, i, "dealer") }
func (c *Ceremony) checkReceiver(i int) error { return takesPart(c.receivers, i, "receiver") }

func takesPart(who []int, i int, role string) error {
	if !slices.Contains(who, i) {
		return fmt.Errorf("%w: %d is no %s here", ErrIndex, i, role)
	}
	return nil
}

// oneself reports whether a dealer and a receiver are the same D-TA. In a
// resharing indices are given anew, and nothing follows from their being equal.
func (c *Ceremony) oneself(dealer, receiver int) bool {
	return c.kind != resharing && dealer == receiver
}
