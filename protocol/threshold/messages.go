package threshold

import (
	"fmt"

	"mpinlab/backends"
)

// Deal is a dealer's broadcast: commitments to its polynomial and the proof
// that it knows it.
type Deal struct {
	c      *Ceremony
	From   int
	points commitments
	proof  proof
}

// Bytes returns the encoding: header ‖ ceremony (32 bytes) ‖ dealer ‖ points
// of G2 ‖ two scalars. How many points there are is the ceremony's: t, one
// less in a refresh or recovery.
func (m *Deal) Bytes() []byte {
	b := append(m.c.begin(typeDeal), byte(m.From))
	b = appendPoints(b, m.c.suite, m.points)
	b = append(b, m.c.suite.EncodeScalar(m.proof.e)...)
	return append(b, m.c.suite.EncodeScalar(m.proof.z)...)
}

// DecodeDeal reads a deal; whether it is a good one, Board.Deal says. Errors
// of this and the other decoders of a ceremony: ErrMessage,
// protocol.ErrSuiteMismatch, backends.ErrLength, ErrCeremony, ErrIndex, and
// those of Suite.DecodeG2 and Suite.DecodeScalar.
func (c *Ceremony) DecodeDeal(b []byte) (*Deal, error) {
	const what = "deal"
	_, g2, scalar := c.suite.ID().Sizes()
	r, err := c.open(typeDeal, what, b, 1+c.size()*g2+2*scalar)
	if err != nil {
		return nil, err
	}
	m := &Deal{c: c, From: r.byte()}
	if err = c.checkDealer(m.From); err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	if m.points, err = r.points(c.suite, c.size(), g2); err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	if m.proof.e, err = c.suite.DecodeScalar(r.take(scalar)); err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	if m.proof.z, err = c.suite.DecodeScalar(r.take(scalar)); err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	return m, nil
}

// SubShare is a dealer's private message to one receiver. It holds a secret in
// the clear: the transport must hide it and tell who sent it.
type SubShare struct {
	c        *Ceremony
	From, To int
	value    backends.Scalar
}

// Bytes returns the encoding: header ‖ ceremony ‖ dealer ‖ receiver ‖ scalar.
func (m *SubShare) Bytes() []byte { return m.bytes(typeSubShare) }

func (m *SubShare) bytes(kind byte) []byte {
	b := append(m.c.begin(kind), byte(m.From), byte(m.To))
	return append(b, m.c.suite.EncodeScalar(m.value)...)
}

// DecodeSubShare reads a sub-share; whether it is the right one,
// Receiver.SubShare says. Zero is a possible value, of negligible chance.
func (c *Ceremony) DecodeSubShare(b []byte) (*SubShare, error) {
	return c.decodeSubShare(typeSubShare, "sub-share", b)
}

func (c *Ceremony) decodeSubShare(kind byte, what string, b []byte) (*SubShare, error) {
	_, _, scalar := c.suite.ID().Sizes()
	r, err := c.open(kind, what, b, 2+scalar)
	if err != nil {
		return nil, err
	}
	m := &SubShare{c: c, From: r.byte(), To: r.byte()}
	if err = c.checkDealer(m.From); err == nil {
		err = c.checkReceiver(m.To)
	}
	if err == nil {
		m.value, err = c.suite.DecodeScalar(r.take(scalar))
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	return m, nil
}

// Complaint is a receiver's broadcast that it has no good sub-share from a
// dealer whose deal is on the board.
type Complaint struct {
	c             *Ceremony
	From, Against int
}

// Bytes returns the encoding: header ‖ ceremony ‖ accuser ‖ accused.
func (m *Complaint) Bytes() []byte {
	return append(m.c.begin(typeComplaint), byte(m.From), byte(m.Against))
}

// DecodeComplaint reads a complaint; whether there can be one, Board.Complain
// says.
func (c *Ceremony) DecodeComplaint(b []byte) (*Complaint, error) {
	const what = "complaint"
	r, err := c.open(typeComplaint, what, b, 2)
	if err != nil {
		return nil, err
	}
	m := &Complaint{c, r.byte(), r.byte()}
	if err = c.checkReceiver(m.From); err == nil {
		err = c.checkDealer(m.Against)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	return m, nil
}

// Justification is a dealer's broadcast answer to a complaint: the sub-share
// that the accuser says it did not get.
type Justification struct{ SubShare }

// Bytes returns the encoding: as that of a SubShare, with another type.
func (m *Justification) Bytes() []byte { return m.bytes(typeJustification) }

// DecodeJustification reads a justification; whether it refutes the
// complaint, Board.Justify says.
func (c *Ceremony) DecodeJustification(b []byte) (*Justification, error) {
	s, err := c.decodeSubShare(typeJustification, "justification", b)
	if err != nil {
		return nil, err
	}
	return &Justification{*s}, nil
}

// begin writes the header and the ceremony's ID.
func (c *Ceremony) begin(kind byte) []byte { return append(header(c.suite, kind), c.id[:]...) }

// open reads what begin wrote, with length bytes to follow.
func (c *Ceremony) open(kind byte, what string, b []byte, length int) (*reader, error) {
	// The ID comes first: a message of another ceremony may well have
	// another length, and that is not what is wrong with it.
	if len(b) >= headerLength+idLength {
		r, err := open(c.suite, kind, what, b, len(b)-headerLength)
		if err != nil {
			return nil, err
		}
		if r.id() != c.id {
			return nil, fmt.Errorf("%s: %w", what, ErrCeremony)
		}
	}
	r, err := open(c.suite, kind, what, b, idLength+length)
	if err != nil {
		return nil, err
	}
	r.take(idLength)
	return r, nil
}
