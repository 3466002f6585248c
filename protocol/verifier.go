package protocol

import (
	"fmt"
	"io"
	"sync/atomic"

	"mpinlab/backends"
)

// Verifier is the server's side. It holds the server secret, prepared for
// repeated use, and nothing about any user. It is safe for concurrent use.
type Verifier struct {
	suite *Suite
	// check evaluates e(·, Q) · e(·, s·Q).
	check      backends.FixedCheck
	challenges challenger
	// secret is s·Q, for what needs the pairing's value.
	secret backends.G2
}

// NewVerifier prepares Q and s·Q. Error: ErrSuiteMismatch.
func (s *Suite) NewVerifier(secret *ServerSecret) (*Verifier, error) {
	if !s.same(secret.suite) {
		return nil, ErrSuiteMismatch
	}
	return &Verifier{
		suite:      s,
		check:      s.group.fixG2(s.backend.G2(), secret.point),
		challenges: newChallenger(s.backend),
		secret:     secret.point,
	}, nil
}

// Transcript is one login as the server saw it.
type Transcript struct {
	// Date is the day of the time permit that the server requires, 0 for none.
	Date Date
	// U is the client's commitment: Pass1.U without a permit, Pass1.UT with.
	U []byte
	// Y is the challenge and V the client's answer.
	Y, V []byte
}

// Verify checks a login of the given identity. It returns nil if the proof
// holds, ErrRejected if it is well formed and wrong, and otherwise what is
// malformed: the errors of Suite.DecodeG1 and Suite.DecodeScalar,
// ErrZeroScalar, ErrSuiteMismatch, ErrNoPermits, ErrDate. It does not know
// whether Y was drawn for U or used before: [Verifier.Challenge] does.
// Variable-time in public values only.
func (v *Verifier) Verify(id *Identity, t *Transcript) error {
	s := v.suite
	if !s.same(id.suite) {
		return ErrSuiteMismatch
	}
	u, err := s.DecodeG1(t.U)
	if err != nil {
		return fmt.Errorf("commitment U: %w", err)
	}
	y, err := s.nonZeroScalar(t.Y)
	if err != nil {
		return fmt.Errorf("challenge y: %w", err)
	}
	return v.judge(id, t.Date, u, y, t.V)
}

// judge evaluates the equation for a commitment and challenge already read.
func (v *Verifier) judge(id *Identity, date Date, u backends.G1, y backends.Scalar, answer []byte) error {
	p, err := v.suite.DecodeG1(answer)
	if err != nil {
		return fmt.Errorf("answer V: %w", err)
	}
	a, err := id.loginPoint(date)
	if err != nil {
		return err
	}
	if !v.holds(p, u, a, y) {
		return ErrRejected
	}
	return nil
}

// holds evaluates e(V, Q) · e(U' + y·A', s·Q) = 1.
func (v *Verifier) holds(p, u, a backends.G1, y backends.Scalar) bool {
	return v.check.PairingCheck(p, u.Add(v.suite.group.mulChallenge(a, y)))
}

// Challenge is a challenge that was drawn for one pass 1. Only that pass 1 is
// ever checked against it, and only once.
type Challenge struct {
	verifier *Verifier
	id       *Identity
	date     Date
	u        backends.G1
	y        backends.Scalar
	used     atomic.Bool
}

// Challenge takes the client's first message and draws y from rand (the
// system's source where nil). date is the day of the permit that the client
// must have, 0 for none. U is checked now, so that no challenge is kept for
// what can never be accepted. y is one of at least 2^128 − 1 values, among which
// cheating succeeds with probability 2^-128 as it does among all: those whose
// multiples the backend computes fastest, where it has any. Errors: those of
// Verify that concern U and the date.
func (v *Verifier) Challenge(id *Identity, m Pass1, date Date, rand io.Reader) (*Challenge, error) {
	s := v.suite
	if !s.same(id.suite) {
		return nil, ErrSuiteMismatch
	}
	u := m.U
	if date != 0 {
		if !s.id.TimePermits() {
			return nil, ErrNoPermits
		}
		u = m.UT
	}
	p, err := s.DecodeG1(u)
	if err != nil {
		return nil, fmt.Errorf("commitment U: %w", err)
	}
	y, err := v.challenges.draw(random(rand))
	if err != nil {
		return nil, err
	}
	return &Challenge{verifier: v, id: id, date: date, u: p, y: y}, nil
}

// Y returns the challenge to send.
func (c *Challenge) Y() []byte { return c.verifier.suite.EncodeScalar(c.y) }

// Verify checks the client's answer and uses the challenge up, whatever the
// verdict. Errors: ErrUsed, and those of Verifier.Verify.
func (c *Challenge) Verify(v []byte) error {
	if c.used.Swap(true) {
		return fmt.Errorf("challenge: %w", ErrUsed)
	}
	return c.verifier.judge(c.id, c.date, c.u, c.y, v)
}
