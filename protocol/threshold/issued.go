package threshold

import (
	"encoding/binary"
	"fmt"

	"mpinlab/backends"
	"mpinlab/protocol"
)

// ClientShare is s_i·A, one D-TA's share of a client secret.
type ClientShare struct {
	tag
	point backends.G1
}

// PermitShare is s_i·A_T, one D-TA's share of a permit for a day.
type PermitShare struct {
	tag
	date  protocol.Date
	point backends.G1
}

// ServerShare is s_i·Q, one D-TA's share of the server secret.
type ServerShare struct {
	tag
	point backends.G2
}

// Bytes returns the encoding: header ‖ epoch (4 bytes) ‖ group ID (32 bytes) ‖
// index ‖ point of G1.
func (c *ClientShare) Bytes() []byte {
	return append(c.tag.bytes(typeClientShare), c.suite.EncodeG1(c.point)...)
}

// DecodeClientShare reads a share; whether it is the right one,
// Group.VerifyClientShare says. Errors of this and the two other decoders:
// ErrMessage, protocol.ErrSuiteMismatch, backends.ErrLength, ErrIndex,
// ErrEpoch for number 0, and those of Suite.DecodeG1 or Suite.DecodeG2.
func DecodeClientShare(s *protocol.Suite, b []byte) (*ClientShare, error) {
	const what = "client share"
	g1, _, _ := s.ID().Sizes()
	t, r, err := openTag(s, typeClientShare, what, b, g1)
	if err != nil {
		return nil, err
	}
	p, err := s.DecodeG1(r.take(g1))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	return &ClientShare{t, p}, nil
}

// Date returns the permit's day.
func (p *PermitShare) Date() protocol.Date { return p.date }

// Bytes returns the encoding: header ‖ epoch (4 bytes) ‖ group ID (32 bytes) ‖
// index ‖ date (4 bytes) ‖ point of G1.
func (p *PermitShare) Bytes() []byte {
	b := binary.BigEndian.AppendUint32(p.tag.bytes(typePermitShare), uint32(p.date))
	return append(b, p.suite.EncodeG1(p.point)...)
}

// DecodePermitShare reads a share. Errors also: protocol.ErrNoPermits,
// protocol.ErrDate.
func DecodePermitShare(s *protocol.Suite, b []byte) (*PermitShare, error) {
	const what = "permit share"
	g1, _, _ := s.ID().Sizes()
	t, r, err := openTag(s, typePermitShare, what, b, 4+g1)
	if err != nil {
		return nil, err
	}
	date := protocol.Date(r.uint32())
	if !s.ID().TimePermits() {
		return nil, fmt.Errorf("%s: %w", what, protocol.ErrNoPermits)
	}
	if date <= 0 {
		return nil, fmt.Errorf("%s: %w: %d", what, protocol.ErrDate, date)
	}
	p, err := s.DecodeG1(r.take(g1))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	return &PermitShare{t, date, p}, nil
}

// Bytes returns the encoding: header ‖ epoch (4 bytes) ‖ group ID (32 bytes) ‖
// index ‖ point of G2.
func (q *ServerShare) Bytes() []byte {
	return append(q.tag.bytes(typeServerShare), q.suite.EncodeG2(q.point)...)
}

// DecodeServerShare reads a share.
func DecodeServerShare(s *protocol.Suite, b []byte) (*ServerShare, error) {
	const what = "server share"
	_, g2, _ := s.ID().Sizes()
	t, r, err := openTag(s, typeServerShare, what, b, g2)
	if err != nil {
		return nil, err
	}
	p, err := s.DecodeG2(r.take(g2))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	return &ServerShare{t, p}, nil
}

// VerifyClientShare checks e(s_i·A, Q) = e(A, s_i·Q) with s_i·Q from the
// commitments. Errors, as *Fault of the issuer: protocol.ErrSuiteMismatch,
// ErrEpoch, ErrGroup, ErrIndex, ErrWrongShare.
func (g *Group) VerifyClientShare(id *protocol.Identity, c *ClientShare) error {
	if !g.suite.Same(id.Suite()) {
		return protocol.ErrSuiteMismatch
	}
	return g.verify(c.tag, c.point, id.Point())
}

// VerifyPermitShare is VerifyClientShare for a share of a permit, of the day
// that it says. Error also: protocol.ErrNoPermits.
func (g *Group) VerifyPermitShare(id *protocol.Identity, p *PermitShare) error {
	if !g.suite.Same(id.Suite()) {
		return protocol.ErrSuiteMismatch
	}
	t, err := id.PermitPoint(p.date)
	if err != nil {
		return err
	}
	return g.verify(p.tag, p.point, t)
}

// VerifyServerShare checks a share of the server secret: it must be the point
// that the commitments give. Errors: as those of VerifyClientShare.
func (g *Group) VerifyServerShare(q *ServerShare) error {
	if err := g.check(q.tag); err != nil {
		return &Fault{q.index, err}
	}
	if !q.point.Equal(g.publicShare(q.index)) {
		return &Fault{q.index, ErrWrongShare}
	}
	return nil
}

// verify checks e(share, Q) = e(base, s_i·Q).
func (g *Group) verify(t tag, share, base backends.G1) error {
	if err := g.check(t); err != nil {
		return &Fault{t.index, err}
	}
	b := g.suite.Backend()
	if !b.PairingCheck([]backends.G1{share, base.Neg()}, []backends.G2{b.G2(), g.publicShare(t.index)}) {
		return &Fault{t.index, ErrWrongShare}
	}
	return nil
}
