package protocol

import (
	"fmt"
	"sync/atomic"

	"mpinlab/backends"
)

// Identity is a user's identity with the point of G1 it hashes to. It is
// immutable; making it costs one hash to the curve, so keep it where the same
// user comes back (see [IdentityCache]). It remembers the point of the last day
// that it logged in on, which costs another hash.
type Identity struct {
	suite *Suite
	hash  []byte
	point backends.G1
	// latest is A + A_T of the latest day asked for.
	latest atomic.Pointer[datedPoint]
}

type datedPoint struct {
	date  Date
	point backends.G1
}

// Identity hashes the raw bytes of an identity, 1 to MaxIdentity of them, else
// ErrIdentityLength. Variable-time: identities are public.
func (s *Suite) Identity(id []byte) (*Identity, error) {
	if len(id) == 0 || len(id) > MaxIdentity {
		return nil, fmt.Errorf("%w: %d bytes, not 1 to %d", ErrIdentityLength, len(id), MaxIdentity)
	}
	return s.fromHash(s.dialect.hashIdentity(id))
}

// IdentityFromHash makes an Identity from what Identity.Hash returned: all
// that a D-TA is shown of a user. In the miracl-core dialect that is the
// identity itself.
func (s *Suite) IdentityFromHash(h []byte) (*Identity, error) {
	if n := s.dialect.hashLength(); n != 0 && len(h) != n {
		return nil, fmt.Errorf("%w: a hash of %d bytes, not %d", ErrIdentityLength, len(h), n)
	}
	if len(h) == 0 || len(h) > MaxIdentity {
		return nil, fmt.Errorf("%w: %d bytes, not 1 to %d", ErrIdentityLength, len(h), MaxIdentity)
	}
	return s.fromHash(append([]byte(nil), h...))
}

func (s *Suite) fromHash(h []byte) (*Identity, error) {
	p, err := s.dialect.identityPoint(&s.group, h)
	if err != nil {
		return nil, fmt.Errorf("hashing an identity: %w", err)
	}
	if p.IsIdentity() {
		return nil, fmt.Errorf("hashing an identity: %w", ErrIdentityPoint)
	}
	return &Identity{suite: s, hash: h, point: p}, nil
}

// Suite returns the suite the identity belongs to.
func (id *Identity) Suite() *Suite { return id.suite }

// Hash returns the hash from which the identity's points are made.
func (id *Identity) Hash() []byte { return append([]byte(nil), id.hash...) }

// Point returns A.
func (id *Identity) Point() backends.G1 { return id.point }

// PermitPoint returns A_T of the given day. Errors: ErrNoPermits, ErrDate.
func (id *Identity) PermitPoint(date Date) (backends.G1, error) {
	if !id.suite.id.TimePermits() {
		return nil, ErrNoPermits
	}
	if date <= 0 {
		return nil, fmt.Errorf("%w: a permit's day is positive, not %d", ErrDate, date)
	}
	p, err := id.suite.dialect.permitPoint(&id.suite.group, id.hash, date)
	if err != nil {
		return nil, fmt.Errorf("hashing a date: %w", err)
	}
	return p, nil
}

// loginPoint returns A' : A without a date, A + A_T with one.
func (id *Identity) loginPoint(date Date) (backends.G1, error) {
	if date == 0 {
		return id.point, nil
	}
	if d := id.latest.Load(); d != nil && d.date == date {
		return d.point, nil
	}
	t, err := id.PermitPoint(date)
	if err != nil {
		return nil, err
	}
	d := &datedPoint{date, id.point.Add(t)}
	id.latest.Store(d)
	return d.point, nil
}
