package protocol

import (
	"fmt"
	"io"
	"sync"

	"mpinlab/backends"
)

// Pass1 is the client's first message in the suite's encodings.
type Pass1 struct {
	// U is x·A.
	U []byte
	// UT is x·(A + A_T), nil without a time permit.
	UT []byte
}

// Prover is the client's side of one log-in. It serves one challenge; make a
// new one for the next log-in, since two answers under one x give the secret
// away.
type Prover struct {
	suite  *Suite
	id     *Identity
	date   Date        // of the permit, 0 without
	secret backends.G1 // token + factors (+ permit)
	pass1  Pass1

	mu sync.Mutex
	x  backends.Scalar // nil once used
}

// NewProver begins a log-in: it puts the client secret together, draws x from
// rand (the system's source where nil) and computes pass 1. permit is nil for
// a log-in without a time permit. Errors: ErrSuiteMismatch, ErrIdentityPoint,
// and those of rand. Constant-time where the backend is.
func (s *Suite) NewProver(id *Identity, secret *ClientSecret, permit *Permit, rand io.Reader) (*Prover, error) {
	if !s.same(id.suite) || !s.same(secret.suite) || permit != nil && !s.same(permit.suite) {
		return nil, ErrSuiteMismatch
	}
	x, err := backends.RandomScalar(s.backend, random(rand))
	if err != nil {
		return nil, err
	}
	p := &Prover{suite: s, id: id, secret: secret.point, x: x}
	p.pass1.U = s.EncodeG1(id.point.Mul(x))
	if permit != nil {
		t, err := id.loginPoint(permit.date)
		if err != nil {
			return nil, err
		}
		p.date, p.secret = permit.date, p.secret.Add(permit.point)
		p.pass1.UT = s.EncodeG1(t.Mul(x))
	}
	if p.secret.IsIdentity() {
		return nil, fmt.Errorf("client secret: %w", ErrIdentityPoint)
	}
	return p, nil
}

// Pass1 returns the first message.
func (p *Prover) Pass1() Pass1 { return p.pass1 }

// Pass2 answers the challenge y with V, and uses the prover up. Errors:
// backends.ErrLength, backends.ErrNotCanonical and ErrZeroScalar for y, which
// leave the prover usable; ErrUsed; ErrIdentityPoint for y = −x.
// Constant-time where the backend is.
func (p *Prover) Pass2(y []byte) ([]byte, error) {
	k, err := p.suite.nonZeroScalar(y)
	if err != nil {
		return nil, fmt.Errorf("challenge: %w", err)
	}
	p.mu.Lock()
	x := p.x
	p.x = nil
	p.mu.Unlock()
	if x == nil {
		return nil, fmt.Errorf("prover: %w", ErrUsed)
	}
	sum := x.Add(k)
	if sum.IsZero() {
		return nil, fmt.Errorf("challenge: %w", ErrIdentityPoint)
	}
	return p.suite.EncodeG1(p.secret.Mul(sum).Neg()), nil
}
