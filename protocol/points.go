package protocol

import (
	"fmt"

	"mpinlab/backends"
)

// Same reports whether values of t may be used with values of s: the same
// dialect, curve, backend and, in miracl-core, domain separation tag.
func (s *Suite) Same(t *Suite) bool { return t != nil && s.same(t) }

// ClientSecretOf makes a client secret of a point that was computed rather
// than received, as threshold issuing does; what arrives as bytes is read with
// DecodeClientSecret, which checks the subgroup. Error: ErrIdentityPoint.
func (s *Suite) ClientSecretOf(p backends.G1) (*ClientSecret, error) {
	if p.IsIdentity() {
		return nil, fmt.Errorf("client secret: %w", ErrIdentityPoint)
	}
	return &ClientSecret{s, p}, nil
}

// ServerSecretOf is ClientSecretOf for a server secret.
func (s *Suite) ServerSecretOf(p backends.G2) (*ServerSecret, error) {
	if p.IsIdentity() {
		return nil, fmt.Errorf("server secret: %w", ErrIdentityPoint)
	}
	return &ServerSecret{s, p}, nil
}

// PermitOf is ClientSecretOf for a permit. Errors: ErrIdentityPoint,
// ErrNoPermits, ErrDate.
func (s *Suite) PermitOf(date Date, p backends.G1) (*Permit, error) {
	if !s.id.TimePermits() {
		return nil, ErrNoPermits
	}
	if date <= 0 {
		return nil, fmt.Errorf("permit: %w: %d", ErrDate, date)
	}
	if p.IsIdentity() {
		return nil, fmt.Errorf("permit: %w", ErrIdentityPoint)
	}
	return &Permit{s, date, p}, nil
}

// ShareKeyOf is ClientSecretOf for a D-TA's key.
func (s *Suite) ShareKeyOf(p backends.G1) (*ShareKey, error) {
	if p.IsIdentity() {
		return nil, fmt.Errorf("share key: %w", ErrIdentityPoint)
	}
	return &ShareKey{s, p}, nil
}
