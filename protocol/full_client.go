package protocol

import (
	"fmt"
	"io"

	"mpinlab/backends"
)

// FullPass1 is the client's first message in M-Pin Full.
type FullPass1 struct {
	Pass1
	// R is r·A.
	R []byte
}

// FullReply is the server's answer to it: the challenge and W = w·A'.
type FullReply struct {
	Y, W []byte
}

// FullToken is a token made ready for M-Pin Full: with e(token, Q) and
// e(A, Q) at hand a log-in needs no pairing of the client. It is as secret as
// the token.
type FullToken struct {
	id    *Identity
	token *Token
	// fromToken is e(token, Q), fromPoint e(A, Q).
	fromToken, fromPoint backends.GT
}

// NewFullToken computes the two pairings (AMCL: MPIN_PRECOMPUTE). The token
// holds everything but the factors; a permit has no part in it. Errors:
// ErrNoFull, ErrSuiteMismatch. The pairing is as much or as little
// constant-time as the backend's.
func (s *Suite) NewFullToken(id *Identity, token *Token) (*FullToken, error) {
	if !s.same(id.suite) || !s.same(token.suite) {
		return nil, ErrSuiteMismatch
	}
	e, err := s.pairer()
	if err != nil {
		return nil, err
	}
	q := []backends.G2{s.backend.G2()}
	return &FullToken{id, token, e.Pair([]backends.G1{token.point}, q), e.Pair([]backends.G1{id.point}, q)}, nil
}

// Key computes the client's key for a transcript that is complete, x and r
// being the scalars behind U' and R. It remembers nothing and compares neither
// with x, r nor with anything else in the transcript: FullProver does. Errors:
// those of Suite.DecodeScalar for x and r, ErrZeroScalar, those of
// Suite.DecodeG1 for W, ErrSuiteMismatch. Constant-time where the backend is.
func (t *FullToken) Key(tr *FullTranscript, x, r []byte, factors ...Factor) (*SharedKey, error) {
	s := t.id.suite
	kx, err := s.nonZeroScalar(x)
	if err != nil {
		return nil, fmt.Errorf("x: %w", err)
	}
	kr, err := s.nonZeroScalar(r)
	if err != nil {
		return nil, fmt.Errorf("r: %w", err)
	}
	w, err := s.DecodeG1(tr.W)
	if err != nil {
		return nil, fmt.Errorf("key share W: %w", err)
	}
	sum, err := t.exponent(factors)
	if err != nil {
		return nil, err
	}
	return t.key(tr, kx, kr, w, sum)
}

// exponent adds up the factors.
func (t *FullToken) exponent(factors []Factor) (backends.Scalar, error) {
	s := t.id.suite
	sum := backends.SmallScalar(s.backend, 0)
	for _, f := range factors {
		if !s.same(f.suite) {
			return nil, ErrSuiteMismatch
		}
		k := f.exponent
		if k == nil {
			k = f.k
		}
		sum = sum.Add(k)
	}
	return sum, nil
}

func (t *FullToken) key(tr *FullTranscript, x, r backends.Scalar, w backends.G1, factors backends.Scalar) (*SharedKey, error) {
	s := t.id.suite
	hash, err := s.FullTranscriptHash(t.id, tr)
	if err != nil {
		return nil, err
	}
	g := t.fromToken.Mul(t.fromPoint.Exp(factors)).Exp(r.Add(s.backend.ReduceScalar(hash)))
	return s.newSharedKey(hash, g, w.Mul(x), true)
}

// FullProver is the client's side of one log-in with key agreement. It serves
// one reply.
type FullProver struct {
	token   *FullToken
	prover  *Prover
	date    Date
	x, r    backends.Scalar
	factors backends.Scalar
	rPoint  []byte
}

// Prover begins a log-in with the missing factors; permit is nil for one
// without a time permit. x and then r are drawn from rand, the system's source
// where nil. Errors: those of Suite.NewProver. Constant-time where the backend
// is.
func (t *FullToken) Prover(permit *Permit, rand io.Reader, factors ...Factor) (*FullProver, error) {
	s := t.id.suite
	sum, err := t.exponent(factors)
	if err != nil {
		return nil, err
	}
	secret, err := t.token.Secret(t.id, factors...)
	if err != nil {
		return nil, err
	}
	prover, err := s.NewProver(t.id, secret, permit, rand)
	if err != nil {
		return nil, err
	}
	r, err := backends.RandomScalar(s.backend, random(rand))
	if err != nil {
		return nil, err
	}
	p := &FullProver{token: t, prover: prover, x: prover.x, r: r, factors: sum}
	p.rPoint = s.EncodeG1(t.id.point.Mul(r))
	if permit != nil {
		p.date = permit.date
	}
	return p, nil
}

// Pass1 returns the first message.
func (p *FullProver) Pass1() FullPass1 { return FullPass1{p.prover.Pass1(), p.rPoint} }

// Pass2 answers the server's reply with V and derives the key, and uses the
// prover up. A wrong factor gives no error but a V that the server rejects and
// a key that it does not have. Errors: those of Prover.Pass2, and those of
// Suite.DecodeG1 for W, which leave the prover usable. Constant-time where the
// backend is.
func (p *FullProver) Pass2(m FullReply) (v []byte, key *SharedKey, err error) {
	s := p.token.id.suite
	w, err := s.DecodeG1(m.W)
	if err != nil {
		return nil, nil, fmt.Errorf("key share W: %w", err)
	}
	if v, err = p.prover.Pass2(m.Y); err != nil {
		return nil, nil, err
	}
	tr := &FullTranscript{Transcript{p.date, p.prover.Pass1().commitment(p.date), m.Y, v}, p.rPoint, m.W}
	key, err = p.token.key(tr, p.x, p.r, w, p.factors)
	p.x, p.r, p.factors = nil, nil, nil
	if err != nil {
		return nil, nil, err
	}
	return v, key, nil
}
