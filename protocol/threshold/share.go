package threshold

import (
	"encoding/binary"
	"fmt"

	"mpinlab/backends"
	"mpinlab/protocol"
)

// Share is a D-TA's secret share s_i = f(i) of the master secret, with the
// group it belongs to. It is immutable and safe for concurrent use.
type Share struct {
	group *Group
	index int
	value backends.Scalar
}

// Group returns the sharing that the share is of.
func (s *Share) Group() *Group { return s.group }

// Index returns the D-TA's index.
func (s *Share) Index() int { return s.index }

// Bytes returns the share's encoding, a secret: header ‖ epoch (4 bytes) ‖
// group ID (32 bytes) ‖ index ‖ scalar.
func (s *Share) Bytes() []byte {
	return append(s.tag().bytes(typeShare), s.group.suite.EncodeScalar(s.value)...)
}

// DecodeShare reads a share of the group. Errors: ErrMessage,
// protocol.ErrSuiteMismatch, backends.ErrLength, ErrEpoch, ErrGroup, ErrIndex,
// those of Suite.DecodeScalar, protocol.ErrZeroScalar, and ErrWrongShare if
// the value is not what the group's commitments say.
func (g *Group) DecodeShare(b []byte) (*Share, error) {
	_, _, scalar := g.suite.ID().Sizes()
	t, r, err := openTag(g.suite, typeShare, "share", b, scalar)
	if err != nil {
		return nil, err
	}
	if err := g.check(t); err != nil {
		return nil, err
	}
	v, err := g.suite.DecodeScalar(r.take(scalar))
	if err != nil {
		return nil, fmt.Errorf("share: %w", err)
	}
	return newShare(g, t.index, v)
}

// ClientShare issues s_i·A, this D-TA's share of an identity's client secret.
// Error: protocol.ErrSuiteMismatch. Constant-time where the backend is.
func (s *Share) ClientShare(id *protocol.Identity) (*ClientShare, error) {
	if !s.group.suite.Same(id.Suite()) {
		return nil, protocol.ErrSuiteMismatch
	}
	return &ClientShare{s.tag(), id.Point().Mul(s.value)}, nil
}

// PermitShare issues s_i·A_T, this D-TA's share of an identity's permit for a
// day. Errors: protocol.ErrSuiteMismatch, protocol.ErrNoPermits,
// protocol.ErrDate. Constant-time where the backend is.
func (s *Share) PermitShare(id *protocol.Identity, date protocol.Date) (*PermitShare, error) {
	if !s.group.suite.Same(id.Suite()) {
		return nil, protocol.ErrSuiteMismatch
	}
	p, err := id.PermitPoint(date)
	if err != nil {
		return nil, err
	}
	return &PermitShare{s.tag(), date, p.Mul(s.value)}, nil
}

// ServerShare issues s_i·Q, this D-TA's share of the server secret.
// Constant-time where the backend is.
func (s *Share) ServerShare() *ServerShare {
	return &ServerShare{s.tag(), s.group.suite.Backend().G2().Mul(s.value)}
}

func (s *Share) tag() tag { return tag{s.group.suite, s.group.epoch, s.group.id, s.index} }

// tag tells of which sharing something is, and whose.
type tag struct {
	suite *protocol.Suite
	epoch uint32
	group [idLength]byte
	index int
}

const tagLength = 4 + idLength + 1

// Index returns the index of the D-TA that issued the share.
func (t tag) Index() int { return t.index }

// Epoch returns the number of the sharing that the share is of.
func (t tag) Epoch() uint32 { return t.epoch }

// Group returns the ID of the sharing that the share is of.
func (t tag) Group() [32]byte { return t.group }

func (t tag) bytes(kind byte) []byte {
	b := binary.BigEndian.AppendUint32(header(t.suite, kind), t.epoch)
	b = append(b, t.group[:]...)
	return append(b, byte(t.index))
}

// openTag reads the header and a tag, with length bytes to follow.
func openTag(s *protocol.Suite, kind byte, what string, b []byte, length int) (tag, *reader, error) {
	r, err := open(s, kind, what, b, tagLength+length)
	if err != nil {
		return tag{}, nil, err
	}
	t := tag{s, r.uint32(), r.id(), r.byte()}
	if err := checkIndex(t.index); err != nil {
		return tag{}, nil, fmt.Errorf("%s: %w", what, err)
	}
	if t.epoch == 0 {
		return tag{}, nil, fmt.Errorf("%s: %w: there is no epoch 0", what, ErrEpoch)
	}
	return t, r, nil
}

// same checks that two tags are of one sharing.
func (t tag) same(u tag) error {
	switch {
	case !t.suite.Same(u.suite):
		return protocol.ErrSuiteMismatch
	case t.epoch != u.epoch:
		return fmt.Errorf("%w: %d, not %d", ErrEpoch, u.epoch, t.epoch)
	case t.group != u.group:
		return ErrGroup
	}
	return nil
}

// check checks that a tag is of this group and a member's.
func (g *Group) check(t tag) error {
	if err := (tag{g.suite, g.epoch, g.id, 0}).same(t); err != nil {
		return err
	}
	_, err := g.PublicShare(t.index)
	return err
}
