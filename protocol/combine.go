package protocol

import (
	"fmt"

	"mpinlab/backends"
)

// The combinations of shares: sums, so that neither order nor grouping
// matters. Errors of all of them: ErrNoShares, ErrSuiteMismatch, and
// ErrIdentityPoint (ErrZeroScalar) for shares that cancel each other out.

// CombineMasterSecrets adds shares of the master secret. No deployment does
// this: whoever knows the sum can issue everything. It serves tests, vectors
// and measurements.
func CombineMasterSecrets(shares ...*MasterSecret) (*MasterSecret, error) {
	if len(shares) == 0 {
		return nil, fmt.Errorf("master secret: %w", ErrNoShares)
	}
	sum := &MasterSecret{shares[0].suite, shares[0].s}
	for _, m := range shares[1:] {
		if !sum.suite.same(m.suite) {
			return nil, fmt.Errorf("master secret: %w", ErrSuiteMismatch)
		}
		sum.s = sum.s.Add(m.s)
	}
	if sum.s.IsZero() {
		return nil, fmt.Errorf("master secret: %w", ErrZeroScalar)
	}
	return sum, nil
}

// CombineServerSecrets adds shares of the server secret.
func CombineServerSecrets(shares ...*ServerSecret) (*ServerSecret, error) {
	if len(shares) == 0 {
		return nil, fmt.Errorf("server secret: %w", ErrNoShares)
	}
	sum := &ServerSecret{shares[0].suite, shares[0].point}
	for _, q := range shares[1:] {
		if !sum.suite.same(q.suite) {
			return nil, fmt.Errorf("server secret: %w", ErrSuiteMismatch)
		}
		sum.point = sum.point.Add(q.point)
	}
	if sum.point.IsIdentity() {
		return nil, fmt.Errorf("server secret: %w", ErrIdentityPoint)
	}
	return sum, nil
}

// CombineClientSecrets adds shares of a client secret.
func CombineClientSecrets(shares ...*ClientSecret) (*ClientSecret, error) {
	if len(shares) == 0 {
		return nil, fmt.Errorf("client secret: %w", ErrNoShares)
	}
	points := make([]backends.G1, len(shares))
	for i, c := range shares {
		if !shares[0].suite.same(c.suite) {
			return nil, fmt.Errorf("client secret: %w", ErrSuiteMismatch)
		}
		points[i] = c.point
	}
	p, err := sumG1(points)
	if err != nil {
		return nil, fmt.Errorf("client secret: %w", err)
	}
	return &ClientSecret{shares[0].suite, p}, nil
}

// CombinePermits adds shares of a permit; shares for different days are
// ErrDate.
func CombinePermits(shares ...*Permit) (*Permit, error) {
	if len(shares) == 0 {
		return nil, fmt.Errorf("permit: %w", ErrNoShares)
	}
	points := make([]backends.G1, len(shares))
	for i, t := range shares {
		if !shares[0].suite.same(t.suite) {
			return nil, fmt.Errorf("permit: %w", ErrSuiteMismatch)
		}
		if t.date != shares[0].date {
			return nil, fmt.Errorf("permit: %w: shares for %s and %s", ErrDate, shares[0].date, t.date)
		}
		points[i] = t.point
	}
	p, err := sumG1(points)
	if err != nil {
		return nil, fmt.Errorf("permit: %w", err)
	}
	return &Permit{shares[0].suite, shares[0].date, p}, nil
}

func sumG1(points []backends.G1) (backends.G1, error) {
	sum := points[0]
	for _, p := range points[1:] {
		sum = sum.Add(p)
	}
	if sum.IsIdentity() {
		return nil, ErrIdentityPoint
	}
	return sum, nil
}
