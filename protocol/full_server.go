package protocol

import (
	"fmt"
	"io"

	"mpinlab/backends"
)

// FullKey computes the server's key for a transcript that is complete, w
// being the scalar behind W. It does not verify V: [Verifier.Verify] does, and
// the key may be used only where V was accepted. [FullChallenge] does both.
// Errors: ErrNoFull, ErrSuiteMismatch, those of Suite.DecodeG1 for U and R,
// those of Suite.DecodeScalar for w, ErrZeroScalar. The multiplication by w is
// constant-time where the backend is.
func (v *Verifier) FullKey(id *Identity, t *FullTranscript, w []byte) (*SharedKey, error) {
	s := v.suite
	if !s.same(id.suite) {
		return nil, ErrSuiteMismatch
	}
	k, err := s.nonZeroScalar(w)
	if err != nil {
		return nil, fmt.Errorf("w: %w", err)
	}
	u, err := s.DecodeG1(t.U)
	if err != nil {
		return nil, fmt.Errorf("commitment U: %w", err)
	}
	r, err := s.DecodeG1(t.R)
	if err != nil {
		return nil, fmt.Errorf("key share R: %w", err)
	}
	return v.fullKey(id, t, u, r, k)
}

func (v *Verifier) fullKey(id *Identity, t *FullTranscript, u, r backends.G1, w backends.Scalar) (*SharedKey, error) {
	s := v.suite
	e, err := s.pairer()
	if err != nil {
		return nil, err
	}
	hash, err := s.FullTranscriptHash(id, t)
	if err != nil {
		return nil, err
	}
	bound := r.Add(id.point.Mul(s.backend.ReduceScalar(hash)))
	if bound.IsIdentity() {
		return nil, fmt.Errorf("key share R plus H·A: %w", ErrIdentityPoint)
	}
	g := e.Pair([]backends.G1{bound}, []backends.G2{v.secret})
	return s.newSharedKey(hash, g, u.Mul(w), false)
}

// FullChallenge is a reply that was made for one first message of M-Pin Full.
type FullChallenge struct {
	verifier  *Verifier
	challenge *Challenge
	id        *Identity
	date      Date
	uPoint, r backends.G1
	w         backends.Scalar
	u, rBytes []byte
	reply     FullReply
}

// FullChallenge takes the client's first message and draws y and then w from
// rand (the system's source where nil); date is the day of the permit that the
// client must have, 0 for none. Errors: those of Verifier.Challenge, ErrNoFull,
// and those of Suite.DecodeG1 for R.
func (v *Verifier) FullChallenge(id *Identity, m FullPass1, date Date, rand io.Reader) (*FullChallenge, error) {
	s := v.suite
	if _, err := s.pairer(); err != nil {
		return nil, err
	}
	challenge, err := v.Challenge(id, m.Pass1, date, rand)
	if err != nil {
		return nil, err
	}
	r, err := s.DecodeG1(m.R)
	if err != nil {
		return nil, fmt.Errorf("key share R: %w", err)
	}
	a, err := id.loginPoint(date)
	if err != nil {
		return nil, err
	}
	w, err := backends.RandomScalar(s.backend, random(rand))
	if err != nil {
		return nil, err
	}
	return &FullChallenge{verifier: v, challenge: challenge, id: id, date: date, uPoint: challenge.u, r: r, w: w,
		u: m.commitment(date), rBytes: m.R, reply: FullReply{challenge.Y(), s.EncodeG1(a.Mul(w))}}, nil
}

// Reply returns the challenge and W, to be sent to the client.
func (c *FullChallenge) Reply() FullReply { return c.reply }

// Verify checks the client's answer and, if it is right, derives the key. It
// uses the challenge up, whatever the verdict. Errors: those of
// Challenge.Verify.
func (c *FullChallenge) Verify(v []byte) (*SharedKey, error) {
	if err := c.challenge.Verify(v); err != nil {
		return nil, err
	}
	t := &FullTranscript{Transcript{c.date, c.u, c.reply.Y, v}, c.rBytes, c.reply.W}
	return c.verifier.fullKey(c.id, t, c.uPoint, c.r, c.w)
}
