package protocol

import (
	"fmt"

	"mpinlab/backends"
)

// Token is a client secret with one or more factors taken out: what a client
// stores. Without the factors it is worth nothing, and nothing in it tells
// which factors are the right ones.
type Token struct {
	suite *Suite
	point backends.G1
}

// Token takes factors out of the secret: s·A − Σ factor·A. With no factor the
// token is the secret itself. Error: ErrSuiteMismatch. The point may come out
// as the identity (if the secret is exactly the factors' multiple of A, which
// has no better than chance probability); that is no error here.
func (c *ClientSecret) Token(id *Identity, factors ...Factor) (*Token, error) {
	return (&Token{c.suite, c.point}).Remove(id, factors...)
}

// Secret puts the missing factors back: token + Σ factor·A. Error:
// ErrSuiteMismatch. Wrong factors give a wrong secret, not an error.
func (t *Token) Secret(id *Identity, factors ...Factor) (*ClientSecret, error) {
	whole, err := t.Restore(id, factors...)
	if err != nil {
		return nil, err
	}
	return &ClientSecret{whole.suite, whole.point}, nil
}

// Remove takes further factors out, in any order. Factors add up: one that is
// taken out twice must be put back twice.
func (t *Token) Remove(id *Identity, factors ...Factor) (*Token, error) {
	return t.apply(id, factors, backends.G1.Sub)
}

// Restore puts some of the factors back, in any order.
func (t *Token) Restore(id *Identity, factors ...Factor) (*Token, error) {
	return t.apply(id, factors, backends.G1.Add)
}

// ChangeFactor puts one factor in another's place, as for a change of PIN:
// token + old·A − new·A. It takes no D-TA, and neither side of a login notices.
// Nothing here can tell whether old is right: with a wrong one the token comes
// out as that of the PIN new + (true − old), and logins with the new PIN fail.
// A client should log in with the old factors first, or keep the old token
// until a login with the new ones has succeeded. Whoever has a copy of the old
// token and its PIN keeps the use of them: only a new master secret
// ([Keyring]) takes that away. Error: ErrSuiteMismatch. Constant-time where the
// backend is.
func (t *Token) ChangeFactor(id *Identity, old, new Factor) (*Token, error) {
	whole, err := t.Restore(id, old)
	if err != nil {
		return nil, err
	}
	return whole.Remove(id, new)
}

func (t *Token) apply(id *Identity, factors []Factor, op func(a, b backends.G1) backends.G1) (*Token, error) {
	if !t.suite.same(id.suite) {
		return nil, ErrSuiteMismatch
	}
	p := t.point
	for _, f := range factors {
		if !t.suite.same(f.suite) {
			return nil, ErrSuiteMismatch
		}
		p = op(p, f.times(id))
	}
	return &Token{t.suite, p}, nil
}

// DecodeToken reads a token. Errors: those of Suite.DecodeG1.
func (s *Suite) DecodeToken(b []byte) (*Token, error) {
	p, err := s.DecodeG1(b)
	if err != nil {
		return nil, fmt.Errorf("token: %w", err)
	}
	return &Token{s, p}, nil
}

// Bytes returns the token's encoding.
func (t *Token) Bytes() []byte { return t.suite.EncodeG1(t.point) }
